//! How the connection to a Vault server is made safe.

use mayfly_spec::spec::{self, VaultAuth};
use url::Url;

use crate::{
    fault::{Class, Fault},
    http::{Client, Http, Tls},
    source::SourceError,
};

/// A client for the server at `address`.
pub(super) fn client(
    vault: &spec::Vault,
    address: &Url,
    http: &Http,
) -> Result<Client, SourceError> {
    let of_login = match &vault.auth {
        VaultAuth::Cert(auth) => Some(auth.certificate()),
        _ => None,
    };
    if of_login.is_some() && vault.client_certificate.is_some() {
        return Err(wrong(
            &"`auth.cert` names the certificate that is shown; leave `client-certificate` out",
        ));
    }
    let certificate = of_login.as_ref().or(vault.client_certificate.as_ref());
    let is_open = address.scheme() != "https";
    if is_open && certificate.is_some() {
        return Err(wrong(&"a client certificate is shown in TLS; give `address` as `https://…`"));
    }
    if vault.skip_verify && !is_open {
        tracing::warn!(
            address = address.as_str(),
            "the certificate of Vault is not verified (`skip-verify`): whoever is between here and there can read every secret"
        );
    }
    let tls = Tls {
        ca: vault.ca.as_ref(),
        server_name: vault.server_name.as_deref(),
        client_certificate: certificate,
        skip_verify: vault.skip_verify,
    };
    http.client_of(address, &tls).map_err(|error| wrong(&error))
}

fn wrong(words: &dyn std::fmt::Display) -> SourceError {
    Fault::new(Class::Configuration, format_args!("`vault`: {words}"))
}
