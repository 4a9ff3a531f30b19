variable "oidc_provider" {
  description = "The cluster's OIDC provider, without https://"
  type        = string
}

resource "aws_iam_role" "api" {
  name               = "api"
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
              "${var.oidc_provider}:sub": "system:serviceaccount:default:api"
            }
          }
        }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "api" {
  name   = "mayfly"
  role   = aws_iam_role.api.id
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "AssumeRoles",
          "Effect": "Allow",
          "Action": "sts:AssumeRole",
          "Resource": "arn:aws:iam::210987654321:role/db/reader"
        }
      ]
    }
  JSON
}

resource "aws_iam_role" "web" {
  name               = "web"
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
              "${var.oidc_provider}:sub": "system:serviceaccount:default:web"
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
          "Sid": "AssumeRoles",
          "Effect": "Allow",
          "Action": "sts:AssumeRole",
          "Resource": "arn:aws:iam::210987654321:role/db/reader"
        }
      ]
    }
  JSON
}

# Needs the provider of its account: provider "aws" { alias = "account_210987654321", … }
resource "aws_iam_role" "reader" {
  provider           = aws.account_210987654321
  name               = "reader"
  path               = "/db/"
  assume_role_policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Principal": {
            "AWS": "${aws_iam_role.api.arn}"
          },
          "Action": "sts:AssumeRole"
        },
        {
          "Effect": "Allow",
          "Principal": {
            "AWS": "${aws_iam_role.web.arn}"
          },
          "Action": "sts:AssumeRole"
        }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "reader_for_api" {
  provider = aws.account_210987654321
  name     = "mayfly-api"
  role     = aws_iam_role.reader.id
  policy   = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "ReadSecrets",
          "Effect": "Allow",
          "Action": "secretsmanager:GetSecretValue",
          "Resource": "arn:aws:secretsmanager:us-east-1:210987654321:secret:b-??????"
        }
      ]
    }
  JSON
}

resource "aws_iam_role_policy" "reader_for_web" {
  provider = aws.account_210987654321
  name     = "mayfly-web"
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
        }
      ]
    }
  JSON
}
