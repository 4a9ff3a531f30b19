//! The certificate auth method: the connection's client certificate goes in, a Vault token comes out.

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{Vault, errors};
use crate::secret_server::{Request, reply::Reply};

impl Vault {
    /// The role takes this certificate, given in PEM, and no other.
    pub fn trust_certificate(&mut self, mount: &str, role: &str, pem: &str) {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map(|it| it.to_vec());
        let role = (mount.to_owned(), role.to_owned());
        self.certificates.insert(role, certificate.unwrap_or_default());
    }

    pub(super) fn login_by_certificate(&mut self, mount: &str, request: &Request) -> Reply {
        let body = request.json();
        let wanted = body["name"].as_str();
        let Some(shown) = &request.tls.client_certificate else {
            return errors(400, &["client certificate must be supplied"]);
        };
        let mut roles = self.certificates.iter();
        let role = roles.find(|((of, role), trusted)| {
            of == mount && *trusted == shown && wanted.is_none_or(|wanted| wanted == role)
        });
        match role.map(|((_, role), _)| role.clone()) {
            Some(role) => self.welcome(&role),
            None => errors(400, &["invalid certificate or no client certificate supplied"]),
        }
    }
}
