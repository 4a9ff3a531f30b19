//! A server that is asked for by another name than its address: at an IP address, through a tunnel,
//! or behind a balancer that goes by the name in TLS.
//!
//! The name stands in the request's URL, where the TLS library looks for it, and is resolved to the
//! address; HTTP's own header `Host` keeps the address.

use std::{future, net::SocketAddr, sync::Arc};

use http::{HeaderValue, header::HOST};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls_pki_types::DnsName;
use url::{Host, Url};

use super::{CertificateError, names::Names};

/// The name.
#[derive(Debug, Clone)]
pub(super) struct ServerName(String);

impl ServerName {
    pub(super) fn parse(name: &str) -> Result<Self, CertificateError> {
        match DnsName::try_from(name) {
            Ok(_) => Ok(Self(name.to_owned())),
            Err(_) => Err(CertificateError::ServerName(name.to_owned())),
        }
    }

    /// Asks for the server by its name.
    pub(super) fn call(&self, request: &mut reqwest::Request) {
        let host = authority(request.url());
        if let (Ok(host), Ok(())) = (host.parse(), request.url_mut().set_host(Some(&self.0))) {
            let host: HeaderValue = host;
            request.headers_mut().insert(HOST, host);
        }
    }
}

/// Host and port, as the header has them.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Resolves every name to the addresses of one host.
#[derive(Debug)]
pub(super) struct At {
    host: Option<Host>,
    names: Names,
}

impl At {
    /// Whatever else the server's name may be resolved to, it is at the host of `url`.
    pub(super) fn host_of(url: &Url, names: Names) -> Arc<Self> {
        Arc::new(Self { host: url.host().map(|host| host.to_owned()), names })
    }
}

impl Resolve for At {
    fn resolve(&self, _: Name) -> Resolving {
        // The port of the URL takes the place of this one.
        let one = |address: SocketAddr| -> Resolving {
            let addresses: Addrs = Box::new(std::iter::once(address));
            Box::pin(future::ready(Ok(addresses)))
        };
        let names = self.names.clone();
        match self.host.clone() {
            Some(Host::Ipv4(address)) => one((address, 0).into()),
            Some(Host::Ipv6(address)) => one((address, 0).into()),
            Some(Host::Domain(name)) => Box::pin(async move {
                let found = names.find(&name).await?;
                let addresses: Addrs = Box::new(found.into_iter());
                Ok(addresses)
            }),
            None => Box::pin(future::ready(Err("the address has no host".into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_in_the_url_and_the_address_in_the_header() {
        let name = ServerName::parse("vault.internal").expect("a name");
        let url = "https://10.0.0.7:8200/v1/x?a=b".parse().expect("a URL");
        let mut request = reqwest::Request::new(http::Method::GET, url);
        name.call(&mut request);
        assert_eq!(request.url().as_str(), "https://vault.internal:8200/v1/x?a=b");
        assert_eq!(request.headers()[HOST], "10.0.0.7:8200");
    }

    #[test]
    fn only_names_are_names() {
        for text in ["", "10.0.0.7", "a b", "https://vault", "vault:8200"] {
            ServerName::parse(text).expect_err(text);
        }
    }
}
