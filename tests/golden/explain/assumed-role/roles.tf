variable "cluster" {
  description = "The EKS cluster's name"
  type        = string
}

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

# Needs the provider of its account: provider "aws" { alias = "account_210987654321", … }
resource "aws_iam_role" "reader" {
  provider           = aws.account_210987654321
  name               = "reader"
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Principal": {
            "AWS": "${aws_iam_role.default_web.arn}"
          },
          "Action": [
            "sts:AssumeRole",
            "sts:TagSession"
          ],
          "Condition": {
            "StringEquals": {
              "sts:ExternalId": [
                "x",
                "y"
              ]
            }
          }
        }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "reader_for_default_web" {
  provider = aws.account_210987654321
  name     = "mayfly-default_web"
  role     = aws_iam_role.reader.id
  policy   = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "ReadSecrets",
          "Effect": "Allow",
          "Action": "secretsmanager:GetSecretValue",
          "Resource": "arn:aws:secretsmanager:us-east-1:210987654321:secret:a-??????"
        },
        {
          "Sid": "ReadParameters",
          "Effect": "Allow",
          "Action": "ssm:GetParameters",
          "Resource": "arn:aws:ssm:us-east-1:210987654321:parameter/b"
        }
      ]
    }
  JSON
}
