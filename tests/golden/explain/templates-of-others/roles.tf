variable "account" {
  description = "The AWS account's number"
  type        = string
}

variable "region" {
  description = "The AWS region of the secrets"
  type        = string
}

variable "oidc_provider" {
  description = "The cluster's OIDC provider, without https://"
  type        = string
}

variable "create_key" {
  description = "Whether to make a KMS key, rotated once a year, to seal the secrets with"
  type        = bool
  default     = false
}

resource "aws_iam_role" "default_default" {
  name               = "default-default"
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Principal": {
            "Federated": "arn:aws:iam::${var.account}:oidc-provider/${var.oidc_provider}"
          },
          "Action": "sts:AssumeRoleWithWebIdentity",
          "Condition": {
            "StringEquals": {
              "${var.oidc_provider}:aud": "sts.amazonaws.com",
              "${var.oidc_provider}:sub": "system:serviceaccount:default:default"
            }
          }
        }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "default_default" {
  name   = "mayfly"
  role   = aws_iam_role.default_default.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "ReadSecrets",
          "Effect": "Allow",
          "Action": "secretsmanager:GetSecretValue",
          "Resource": [
            "arn:aws:secretsmanager:${var.region}:${var.account}:secret:prod/db-??????",
            "arn:aws:secretsmanager:${var.region}:${var.account}:secret:prod/spark-??????"
          ]
        }
      ]
    }
  JSON
}

resource "aws_kms_key" "default_default" {
  count               = var.create_key ? 1 : 0
  description         = "Secrets of default_default"
  enable_key_rotation = true
}

resource "aws_iam_role_policy" "default_default_key" {
  count  = var.create_key ? 1 : 0
  name   = "mayfly-key"
  role   = aws_iam_role.default_default.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "OpenSecrets",
          "Effect": "Allow",
          "Action": "kms:Decrypt",
          "Resource": "${aws_kms_key.default_default[0].arn}",
          "Condition": {
            "StringEquals": {
              "kms:ViaService": "secretsmanager.${var.region}.amazonaws.com"
            }
          }
        }
      ]
    }
  JSON
}
