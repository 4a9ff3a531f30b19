resource "vault_policy" "web" {
  namespace = "team"
  name      = "web"
  policy    = <<-HCL
    path "database/creds/web" {
      capabilities = ["read"]
    }
    # if `database/` is a KV mount of version 2: path "database/data/creds/web"
    path "kv/old" {
      capabilities = ["read"]
    }
    path "kv2/data/new" {
      capabilities = ["read"]
    }
    path "pki/issue/web" {
      capabilities = ["create", "update"]
    }
    path "secret/data/app" {
      capabilities = ["read"]
    }
    # if `secret/` is no KV mount of version 2: path "secret/app"
    # Vault's policy `default`, which a role has unless `token_no_default_policy` is set, allows the rest: lookup-self,
    # renew-self and revoke-self of auth/token, lookup and renew of sys/leases. Whoever may use a mount may ask
    # sys/internal/ui/mounts for its engine.
  HCL
}

resource "vault_kubernetes_auth_backend_role" "web" {
  namespace                        = "team"
  backend                          = "kubernetes"
  role_name                        = "web"
  bound_service_account_names      = ["web"]
  bound_service_account_namespaces = ["default"]
  audience                         = "vault"
  token_policies                   = [vault_policy.web.name]
  token_ttl                        = 3600
}
