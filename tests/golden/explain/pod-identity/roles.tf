variable "account" {
  description = "The AWS account's number"
  type        = string
}

variable "cluster" {
  description = "The EKS cluster's name"
  type        = string
}

variable "create_key" {
  description = "Whether to make a KMS key, rotated once a year, to seal the secrets with"
  type        = bool
  default     = false
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
          "Sid": "ReadSecrets",
          "Effect": "Allow",
          "Action": "secretsmanager:GetSecretValue",
          "Resource": "arn:aws-cn:secretsmanager:cn-north-1:${var.account}:secret:a-??????"
        },
        {
          "Sid": "ReadParameters",
          "Effect": "Allow",
          "Action": "ssm:GetParameters",
          "Resource": "arn:aws-cn:ssm:cn-north-1:${var.account}:parameter/b"
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

resource "aws_kms_key" "default_web" {
  count               = var.create_key ? 1 : 0
  description         = "Secrets of default_web"
  enable_key_rotation = true
}

resource "aws_iam_role_policy" "default_web_key" {
  count  = var.create_key ? 1 : 0
  name   = "mayfly-key"
  role   = aws_iam_role.default_web.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "OpenSecrets",
          "Effect": "Allow",
          "Action": "kms:Decrypt",
          "Resource": "${aws_kms_key.default_web[0].arn}",
          "Condition": {
            "StringEquals": {
              "kms:ViaService": [
                "secretsmanager.cn-north-1.amazonaws.com.cn",
                "ssm.cn-north-1.amazonaws.com.cn"
              ]
            }
          }
        }
      ]
    }
  JSON
}
