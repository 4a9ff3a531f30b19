# In memory: what a test puts into Vault ends with Vault.
storage "inmem" {}

listener "tcp" {
  address       = "{listener}"
  tls_cert_file = "{certificate}"
  tls_key_file  = "{key}"
}

api_addr      = "{address}"
disable_mlock = true
log_level     = "info"
