resource "vault_policy" "web" {
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

resource "vault_jwt_auth_backend_role" "web" {
  backend         = "jwt"
  role_name       = "web"
  role_type       = "jwt"
  user_claim      = "sub"
  bound_audiences = ["https://vault.example"]
  bound_claims    = { sub = "system:serviceaccount:default:web" }
  token_policies  = [vault_policy.web.name]
  token_ttl       = 3600
}
