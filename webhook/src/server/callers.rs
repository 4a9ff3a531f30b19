//! Who may ask for reviews: callers with a certificate that one of the operator's authorities has signed.
//!
//! The authorities may be exchanged at any moment. A connection that was opened before is looked at again with its next
//! request, so that nobody stays who would not come in any more.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, UnixTime},
    server::{
        VerifierBuilderError, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use thiserror::Error;

/// No authorities, or none that can be used.
#[derive(Debug, Error)]
#[error("no caller can be told by these authorities")]
pub struct CallersError(#[source] VerifierBuilderError);

/// Tells callers from strangers.
pub struct Callers {
    trusted: ArcSwap<Trusted>,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
struct Trusted(Arc<dyn ClientCertVerifier>);

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").finish_non_exhaustive()
    }
}

impl Callers {
    /// Those whom `authorities` vouch for.
    pub fn new(
        authorities: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, CallersError> {
        let trusted = Trusted::new(authorities, &provider)?;
        Ok(Self { trusted: ArcSwap::from_pointee(trusted), provider })
    }

    /// From now on those whom `authorities` vouch for, and nobody else.
    pub fn exchange(&self, authorities: RootCertStore) -> Result<(), CallersError> {
        self.trusted.store(Arc::new(Trusted::new(authorities, &self.provider)?));
        Ok(())
    }

    fn verify(trusted: &Trusted, end: &CertificateDer<'_>, between: &[CertificateDer<'_>]) -> bool {
        trusted.0.verify_client_cert(end, between, UnixTime::now()).is_ok()
    }
}

impl Trusted {
    fn new(
        authorities: RootCertStore,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, CallersError> {
        let provider = Arc::clone(provider);
        let verifier = WebPkiClientVerifier::builder_with_provider(authorities.into(), provider);
        verifier.allow_unauthenticated().build().map(Self).map_err(CallersError)
    }
}

/// Whoever is at the other end of one connection.
#[derive(Debug)]
pub(super) struct Caller {
    chain: Vec<CertificateDer<'static>>,
    callers: Arc<Callers>,
    /// By whom the chain was seen to be good.
    seen: ArcSwap<Trusted>,
}

impl Caller {
    /// Begins before the handshake, with nobody.
    pub(super) fn awaited(callers: &Arc<Callers>) -> Self {
        let seen = ArcSwap::new(callers.trusted.load_full());
        Self { chain: Vec::new(), callers: Arc::clone(callers), seen }
    }

    /// The handshake has shown, and found good, what a client may have sent.
    pub(super) fn shown(self, chain: Option<&[CertificateDer<'_>]>) -> Self {
        let chain = chain.into_iter().flatten().map(|one| one.clone().into_owned()).collect();
        Self { chain, ..self }
    }

    /// Whether those who are trusted now vouch for it.
    pub(super) fn is_known(&self) -> bool {
        let Some((end, between)) = self.chain.split_first() else { return false };
        let trusted = self.callers.trusted.load_full();
        if Arc::ptr_eq(&trusted, &self.seen.load()) {
            return true;
        }
        let is_known = Callers::verify(&trusted, end, between);
        if is_known {
            self.seen.store(trusted);
        }
        is_known
    }
}

impl ClientCertVerifier for Callers {
    /// Who has none is answered with words, which help more than the end of a handshake.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// A hint for clients that choose among certificates, which the API server does not.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.trusted.load().0.verify_client_cert(end, between, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted.load().0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted.load().0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.load().0.supported_verify_schemes()
    }
}
