//! The one way to the network: HTTP/1.1 over a shared TLS configuration, with limits on everything.
//!
//! No redirects, no proxy that is not asked for, nothing from the environment. This room knows sockets and
//! certificates; it does not know AWS or Vault, and its errors never hold an answer's body.

mod address;
mod authorities;
mod certificates;
mod client_certificate;
mod contact;
mod names;
mod server_name;
mod stranger;
mod tunnel;
mod unverified;

use std::{cell::OnceCell, rc::Rc, sync::Arc, time::Duration};

use mayfly_spec::spec::{Ca, ClientCertificate};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore, client::Resumption};
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

pub(crate) use address::shown;
use authorities::Authorities;
pub use certificates::CertificateError;
use client_certificate::Shown;
pub use contact::{Contact, Watched};
use names::Names;
use server_name::{At, ServerName};
pub use stranger::Stranger;
pub(crate) use stranger::retry_after;
use unverified::Unverified;

use crate::{fault, root::Root};

/// A name is resolved, a connection made and TLS agreed within this time, even by a slow resolver
/// (which asks anew after five seconds).
const CONNECT_LIMIT: Duration = Duration::from_secs(6);
/// A whole exchange; a third of the default start deadline, so that there is time to try again.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: long enough for one look, short enough to be gone and its
/// memory free while the agent waits for the next.
const IDLE_LIMIT: Duration = Duration::from_secs(5);
/// The longest answer that is read. Vault's own limit for a stored entry is 1 MiB, Secrets
/// Manager's 64 KiB; base64 and JSON's escapes make it longer.
const LONGEST_ANSWER: usize = 8 << 20;

/// An answer, as bytes that are overwritten when they go.
pub type Answer = http::Response<Zeroizing<Vec<u8>>>;

/// An exchange that gave no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection.
    #[error("no connection to {host}: {reason}")]
    Connect {
        /// Where to, and through whom.
        host: String,
        /// The innermost cause.
        reason: String,
    },
    /// Too slow.
    #[error("{0} did not answer in time")]
    Timeout(String),
    /// Broken off.
    #[error("the answer of {host} broke off: {reason}")]
    Broken {
        /// Who answered.
        host: String,
        /// The innermost cause.
        reason: String,
    },
    /// Too long.
    #[error("the answer of {0} is longer than 8 MiB")]
    TooLong(String),
    /// Somebody else's.
    #[error("something else answers at {host}: {stranger}")]
    Stranger {
        /// Where.
        host: String,
        /// What is said of the answer.
        stranger: Stranger,
    },
}

/// How TLS is agreed on with one server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tls<'a> {
    /// Whom to trust instead of the system's authorities.
    pub ca: Option<&'a Ca>,
    /// The name that the server is asked for and must prove, instead of the address's host.
    pub server_name: Option<&'a str>,
    /// What to show to a server that asks.
    pub client_certificate: Option<&'a ClientCertificate>,
    /// Whether whatever the server shows is taken.
    pub skip_verify: bool,
}

/// What requests are sent through.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    server_name: Option<ServerName>,
    proxy: Option<Url>,
}

impl Client {
    fn build(
        builder: reqwest::ClientBuilder,
        server_name: Option<ServerName>,
    ) -> Result<Self, CertificateError> {
        let failed = |error: reqwest::Error| CertificateError::Client(fault::innermost(&error));
        Ok(Self { inner: builder.build().map_err(failed)?, server_name, proxy: None })
    }

    /// Scheme, host and port, and the proxy on the way: what a person would look for in their
    /// configuration.
    pub(crate) fn host(&self, url: &Url) -> String {
        let host = url.origin().ascii_serialization();
        match &self.proxy {
            Some(proxy) => format!("{host} (through the proxy {})", shown(proxy.as_str())),
            None => host,
        }
    }
}

impl Client {
    /// What went wrong before there was an answer.
    async fn failed(&self, error: &reqwest::Error, host: String, url: &Url) -> TransportError {
        let proxy = self.proxy.as_ref().filter(|_| is_of_tunnel(error));
        let refusal = match proxy {
            Some(proxy) => tunnel::refusal(proxy, url).await,
            None => None,
        };
        match refusal {
            Some(stranger) => TransportError::Stranger { host, stranger },
            None => transport_error(error, &host),
        }
    }
}

/// Whether the proxy was reached and opened no tunnel.
fn is_of_tunnel(error: &reqwest::Error) -> bool {
    error.is_connect() && fault::innermost(error).starts_with("tunnel error")
}

/// Makes clients; those without certificate authorities of their own share the system's.
#[derive(Debug)]
pub struct Http {
    root: Root,
    system: OnceCell<Arc<RootCertStore>>,
    names: Names,
    contact: Contact,
}

impl Http {
    /// Certificate files are looked for below `root`; nothing is read yet.
    pub fn new(root: Root) -> Rc<Self> {
        let system = OnceCell::new();
        let (names, contact) = (Names::new(), Contact::default());
        Rc::new(Self { root, system, names, contact })
    }

    /// The folder that stands in for `/`.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// What is seen of the connections of all clients.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// A client that trusts `ca`, or the system's authorities. They are read only if TLS is used.
    pub fn client(&self, ca: Option<&Ca>, uses_tls: bool) -> Result<Client, CertificateError> {
        let tls = self.tls(&Tls { ca, ..Tls::default() }, uses_tls)?;
        Client::build(self.builder(tls).no_proxy(), None)
    }

    /// The same, through `proxy`.
    pub fn client_through(&self, proxy: &str, ca: Option<&Ca>) -> Result<Client, CertificateError> {
        let failed = |error: reqwest::Error| CertificateError::Client(fault::innermost(&error));
        let way = reqwest::Proxy::all(proxy).map_err(failed)?;
        let proxy = Url::parse(proxy).ok();
        let tls = self.tls(&Tls { ca, ..Tls::default() }, true)?;
        let client = Client::build(self.builder(tls).proxy(way), None)?;
        Ok(Client { proxy, ..client })
    }

    /// A client for the one server at `url`.
    pub fn client_of(&self, url: &Url, tls: &Tls<'_>) -> Result<Client, CertificateError> {
        let uses_tls = url.scheme() == "https";
        let config = self.tls(tls, uses_tls)?;
        let mut builder = self.builder(config).no_proxy();
        if tls.client_certificate.is_some() {
            // A connection goes on with the certificate of its beginning, so it is not kept.
            builder = builder.pool_max_idle_per_host(0);
        }
        match tls.server_name.filter(|_| uses_tls) {
            None => Client::build(builder, None),
            Some(name) => {
                let name = ServerName::parse(name)?;
                Client::build(
                    builder.dns_resolver(At::host_of(url, self.names.clone())),
                    Some(name),
                )
            }
        }
    }

    fn tls(&self, tls: &Tls<'_>, is_used: bool) -> Result<ClientConfig, CertificateError> {
        let provider = certificates::provider();
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Tls)?;
        let config = if tls.skip_verify {
            let any = Arc::new(Unverified::new(provider));
            config.dangerous().with_custom_certificate_verifier(any)
        } else if let (true, Some(Ca::File(file))) = (is_used, tls.ca) {
            let authorities = Authorities::new(self.root.resolve(file))?;
            config.dangerous().with_custom_certificate_verifier(Arc::new(authorities))
        } else {
            config.with_root_certificates(self.authorities(tls.ca, is_used)?)
        };
        let Some(certificate) = tls.client_certificate else {
            return Ok(config.with_no_client_auth());
        };
        let shown = Arc::new(Shown::new(certificate, &self.root)?);
        let mut config = config.with_client_cert_resolver(shown);
        // A resumed session would go on with the certificate of its beginning.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn authorities(
        &self,
        ca: Option<&Ca>,
        are_used: bool,
    ) -> Result<Arc<RootCertStore>, CertificateError> {
        match (are_used, ca) {
            (true, Some(Ca::Pem(pem))) => {
                let authorities = certificates::parse(pem.as_bytes());
                Ok(Arc::new(authorities.ok_or(CertificateError::Pem)?))
            }
            (true, None) => self.system(),
            // The file's are another's work, and nobody is trusted where nobody has to be.
            (true, Some(Ca::File(_))) | (false, _) => Ok(Arc::new(RootCertStore::empty())),
        }
    }

    fn system(&self) -> Result<Arc<RootCertStore>, CertificateError> {
        if let Some(system) = self.system.get() {
            return Ok(system.clone());
        }
        let system = Arc::new(certificates::system()?);
        Ok(self.system.get_or_init(|| system).clone())
    }

    fn builder(&self, tls: ClientConfig) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("mayfly-agent/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .dns_resolver(self.names.clone())
            .connect_timeout(CONNECT_LIMIT)
            .connector_layer(self.contact.clone())
            .timeout(EXCHANGE_LIMIT)
            .pool_idle_timeout(IDLE_LIMIT)
    }
}

/// Sends `request` and reads the whole answer.
pub async fn exchange(
    client: &Client,
    mut request: reqwest::Request,
) -> Result<Answer, TransportError> {
    let host = client.host(request.url());
    if let Some(name) = &client.server_name {
        name.call(&mut request);
    }
    let url = request.url().clone();
    let response = match client.inner.execute(request).await {
        Ok(response) => response,
        Err(error) => return Err(client.failed(&error, host, &url).await),
    };
    let mut answer = http::Response::new(());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    let body = read_body(response, &host).await?;
    Ok(answer.map(|()| body))
}

async fn read_body(
    mut response: reqwest::Response,
    host: &str,
) -> Result<Zeroizing<Vec<u8>>, TransportError> {
    let length = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body =
        Zeroizing::new(Vec::with_capacity(length.unwrap_or_default().min(LONGEST_ANSWER)));
    while let Some(chunk) = response.chunk().await.map_err(|error| transport_error(&error, host))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(TransportError::TooLong(host.to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The one place where reqwest's errors become ours.
fn transport_error(error: &reqwest::Error, host: &str) -> TransportError {
    let host = host.to_owned();
    if error.is_connect() {
        let reason = fault::innermost(error);
        TransportError::Connect { host, reason }
    } else if error.is_timeout() {
        TransportError::Timeout(host)
    } else {
        let reason = fault::innermost(error);
        TransportError::Broken { host, reason }
    }
}
