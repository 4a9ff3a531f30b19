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

resource "aws_iam_role" "default_web" {
  name               = "default-web"
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
              "${var.oidc_provider}:sub": "system:serviceaccount:default:web"
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
          "Resource": "arn:aws:secretsmanager:${var.region}:${var.account}:secret:a-??????"
        }
      ]
    }
  JSON
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
              "kms:ViaService": "secretsmanager.${var.region}.amazonaws.com"
            }
          }
        }
      ]
    }
  JSON
}
