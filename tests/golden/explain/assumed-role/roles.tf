variable "cluster" {
  description = "The EKS cluster's name"
  type        = string
}

# Assumes, in an account of its own: arn:aws:iam::210987654321:role/reader
resource "aws_iam_role" "default_web" {
  name               = "default-web"
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Principal": {
            "Service": "pods.eks.amazonaws.com"
          },
          "Action": [
            "sts:AssumeRole",
            "sts:TagSession"
          ],
          "Condition": {
            "StringEquals": {
              "aws:RequestTag/kubernetes-namespace": "default",
              "aws:RequestTag/kubernetes-service-account": "web"
            }
          }
        }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "default_web" {
  name   = "mayfly"
  role   = aws_iam_role.default_web.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "AssumeRoles",
          "Effect": "Allow",
          "Action": [
            "sts:AssumeRole",
            "sts:TagSession"
          ],
          "Resource": "arn:aws:iam::210987654321:role/reader"
        }
      ]
    }
  JSON
}

resource "aws_eks_pod_identity_association" "default_web" {
  cluster_name    = var.cluster
  namespace       = "default"
  service_account = "web"
  role_arn        = aws_iam_role.default_web.arn
}
