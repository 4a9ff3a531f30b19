variable "oidc_provider" {
  description = "The cluster's OIDC provider, without https://"
  type        = string
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
          "Sid": "OpenSealed1",
          "Effect": "Allow",
          "Action": "kms:Decrypt",
          "Resource": "arn:aws:kms:eu-central-1:123456789012:key/6f1c2b1e-0000-4000-8000-000000000001",
          "Condition": {
            "StringEquals": {
              "kms:EncryptionContext:mayfly.dev/namespace": "default",
              "kms:EncryptionContext:mayfly.dev/service-account": "web"
            }
          }
        }
      ]
    }
  JSON
}
