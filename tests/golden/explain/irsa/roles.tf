variable "oidc_provider" {
  description = "The cluster's OIDC provider, without https://"
  type        = string
}

variable "create_key" {
  description = "Whether to make a KMS key, rotated once a year, to seal the secrets with"
  type        = bool
  default     = false
}

resource "aws_iam_role" "web" {
  name               = "web"
  path               = "/team/"
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Principal": {
            "Federated": "arn:aws:iam::123456789012:oidc-provider/${var.oidc_provider}"
          },
          "Action": "sts:AssumeRoleWithWebIdentity",
          "Condition": {
            "StringEquals": {
              "${var.oidc_provider}:aud": "sts.amazonaws.com",
              "${var.oidc_provider}:sub": "system:serviceaccount:shop:web"
            }
          }
        }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "web" {
  name   = "mayfly"
  role   = aws_iam_role.web.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "ReadSecrets",
          "Effect": "Allow",
          "Action": "secretsmanager:GetSecretValue",
          "Resource": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-??????"
        },
        {
          "Sid": "ReadParameters",
          "Effect": "Allow",
          "Action": "ssm:GetParameters",
          "Resource": "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db/url"
        },
        {
          "Sid": "ReadTrees",
          "Effect": "Allow",
          "Action": "ssm:GetParametersByPath",
          "Resource": [
            "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/feature",
            "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/feature/*"
          ]
        }
      ]
    }
  JSON
}

resource "aws_kms_key" "web" {
  count               = var.create_key ? 1 : 0
  description         = "Secrets of web"
  enable_key_rotation = true
}

resource "aws_iam_role_policy" "web_key" {
  count  = var.create_key ? 1 : 0
  name   = "mayfly-key"
  role   = aws_iam_role.web.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "OpenSecrets",
          "Effect": "Allow",
          "Action": "kms:Decrypt",
          "Resource": "${aws_kms_key.web[0].arn}",
          "Condition": {
            "StringEquals": {
              "kms:ViaService": [
                "secretsmanager.eu-central-1.amazonaws.com",
                "ssm.eu-central-1.amazonaws.com"
              ]
            }
          }
        }
      ]
    }
  JSON
}
