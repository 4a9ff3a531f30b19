//! The certificate auth method: the connection's own client certificate says who asks.

use mayfly_spec::spec::CertAuth;

use super::{Granted, attempt::Attempt, method::Method};
use crate::source::{contract::SourceError, vault::api::Api};

/// How whoever shows the certificate is called.
pub(super) fn name(auth: &CertAuth) -> String {
    match &auth.role {
        Some(role) => format!("role `{role}`"),
        None => format!("the certificate in `{}`", auth.certificate_file.display()),
    }
}

pub(super) async fn login(auth: &CertAuth, api: &Api) -> Result<Granted, SourceError> {
    let attempt = Attempt {
        method: Method::Cert,
        mount: &auth.mount,
        who: name(auth),
        open: auth.role.iter().map(|role| ("name", role.as_str())).collect(),
        shown: Vec::new(),
    };
    attempt.make(api).await
}
