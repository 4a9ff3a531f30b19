//! Certificate authorities in a file, read anew for every connection: whoever renews them writes
//! the file and tells nobody.
#![expect(clippy::disallowed_methods, reason = "certificate authorities are read from files")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{
    CertificateError,
    certificates::{parse, provider},
};

/// A file of authorities, and what it last held that can be used.
#[derive(Debug)]
pub(super) struct Authorities {
    file: PathBuf,
    last: Mutex<Held>,
}

#[derive(Debug, Clone)]
struct Held {
    pem: Vec<u8>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Authorities {
    /// Reads the file, so that what is wrong with it is told before anybody is asked.
    pub(super) fn new(file: PathBuf) -> Result<Self, CertificateError> {
        let last = Mutex::new(Held::new(&file, read(&file)?)?);
        Ok(Self { file, last })
    }

    /// The file's authorities as they are now; while it cannot be used, those before.
    fn now(&self) -> Arc<WebPkiServerVerifier> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read(&self.file).and_then(|pem| {
            if pem == last.pem { Ok(last.clone()) } else { Held::new(&self.file, pem) }
        });
        match read {
            Ok(held) => *last = held,
            Err(error) => {
                let error = error.to_string();
                tracing::warn!(error, "the certificate authorities before them are trusted");
            }
        }
        last.verifier.clone()
    }

    fn last(&self) -> Arc<WebPkiServerVerifier> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).verifier.clone()
    }
}

impl Held {
    fn new(file: &Path, pem: Vec<u8>) -> Result<Self, CertificateError> {
        let roots = parse(&pem).ok_or_else(|| CertificateError::File {
            path: file.to_owned(),
            reason: "there is no certificate in PEM form in it".to_owned(),
        })?;
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
        let verifier = builder.build().map_err(|error| CertificateError::File {
            path: file.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self { pem, verifier })
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(file).map_err(|error| CertificateError::File {
        path: file.to_owned(),
        reason: error.to_string(),
    })
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.now();
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.last().verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.last().verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.last().supported_verify_schemes()
    }
}
