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

resource "vault_policy" "web_2" {
  name   = "web"
  policy = <<-HCL
    path "secret/data/db" {
      capabilities = ["read"]
    }
    # if `secret/` is no KV mount of version 2: path "secret/db"
    # Vault's policy `default`, which a role has unless `token_no_default_policy` is set, allows the rest: lookup-self,
    # renew-self and revoke-self of auth/token, lookup and renew of sys/leases. Whoever may use a mount may ask
    # sys/internal/ui/mounts for its engine.
  HCL
}

resource "vault_aws_auth_backend_role" "web_2" {
  backend                  = "aws/prod"
  role                     = "web"
  auth_type                = "iam"
  bound_iam_principal_arns = ["arn:aws:iam::123456789012:role/web"]
  token_policies           = [vault_policy.web_2.name]
  token_ttl                = 3600
}
