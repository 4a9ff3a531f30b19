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
              "${var.oidc_provider}:sub": "system:serviceaccount:default:default"
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
          "Sid": "ReadTrees",
          "Effect": "Allow",
          "Action": "ssm:GetParametersByPath",
          "Resource": [
            "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/web",
            "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/web/*"
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

resource "vault_policy" "web_2" {
  name   = "web"
  policy = <<-HCL
    path "secret/data/app" {
      capabilities = ["read"]
    }
    # if `secret/` is no KV mount of version 2: path "secret/app"
    # Vault's policy `default`, which a role has unless `token_no_default_policy` is set, allows the rest: lookup-self,
    # renew-self and revoke-self of auth/token, lookup and renew of sys/leases. Whoever may use a mount may ask
    # sys/internal/ui/mounts for its engine.
  HCL
}

resource "vault_kubernetes_auth_backend_role" "web_2" {
  backend                          = "kubernetes"
  role_name                        = "web"
  bound_service_account_names      = ["default"]
  bound_service_account_namespaces = ["default"]
  token_policies                   = [vault_policy.web_2.name]
  token_ttl                        = 3600
}
