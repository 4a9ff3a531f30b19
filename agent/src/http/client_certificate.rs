//! The certificate that is shown to a server, read anew for every connection: whoever renews it
//! writes its files and tells nobody.
#![expect(clippy::disallowed_methods, reason = "certificates and keys are read from files")]

use std::{
    fmt, fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use mayfly_spec::spec::ClientCertificate;
use rustls::{SignatureScheme, client::ResolvesClientCert, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use zeroize::Zeroizing;

use super::{CertificateError, certificates::provider};
use crate::root::Root;

/// Certificate and key in files, and the last pair of them that fitted.
pub(super) struct Shown {
    files: ClientCertificate,
    last: Mutex<Arc<CertifiedKey>>,
}

impl Shown {
    /// Reads the pair, so that what is wrong with it is told before anybody is asked.
    pub(super) fn new(files: &ClientCertificate, root: &Root) -> Result<Self, CertificateError> {
        let files = ClientCertificate {
            certificate_file: root.resolve(&files.certificate_file),
            key_file: root.resolve(&files.key_file),
        };
        let last = Mutex::new(Arc::new(read(&files)?));
        Ok(Self { files, last })
    }

    /// The pair as it is now; while its files are being replaced, the one before.
    fn now(&self) -> Arc<CertifiedKey> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match read(&self.files) {
            Ok(pair) => *last = Arc::new(pair),
            Err(error) => {
                let error = error.to_string();
                tracing::warn!(error, "the client certificate before it is shown");
            }
        }
        last.clone()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.now()).filter(|pair| pair.key.choose_scheme(schemes).is_some())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn read(files: &ClientCertificate) -> Result<CertifiedKey, CertificateError> {
    let ClientCertificate { certificate_file, key_file } = files;
    let unreadable = |path: &Path, reason: &dyn fmt::Display| CertificateError::ClientFile {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let none = "there is none in PEM form in it";
    let pem = fs::read(certificate_file).map_err(|error| unreadable(certificate_file, &error))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    if chain.is_empty() {
        return Err(unreadable(certificate_file, &none));
    }
    let pem = Zeroizing::new(fs::read(key_file).map_err(|error| unreadable(key_file, &error))?);
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unreadable(key_file, &none))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| CertificateError::Pair {
        certificate: certificate_file.clone(),
        key: key_file.clone(),
        reason: error.to_string(),
    })
}
