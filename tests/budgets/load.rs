//! A bounded load over HTTPS on the loopback: so many requests over so many kept connections.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where the load goes, and what it sends.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) body: Bytes,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Answers a second.
    pub(crate) rate: f64,
    /// The time that half of the answers stayed below.
    pub(crate) median: Duration,
    /// The time that 99 of 100 answers stayed below.
    pub(crate) p99: Duration,
}

impl Load {
    /// Sends `requests` over `connections`, each connection one request after another.
    pub(crate) async fn run(&self, connections: usize, requests: usize) -> Result<Measured> {
        let started = Instant::now();
        let each = requests / connections;
        let times =
            try_join_all((0..connections).map(|_| tokio::spawn(self.clone().connection(each))))
                .await?;
        let elapsed = started.elapsed();
        let mut times: Vec<Duration> =
            times.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        times.sort_unstable();
        let at = |part: usize| times[(times.len() - 1) * part / 100];
        #[expect(clippy::cast_precision_loss, reason = "a rate, to be rounded anyway")]
        let rate = times.len() as f64 / elapsed.as_secs_f64();
        Ok(Measured { rate, median: at(50), p99: at(99) })
    }

    async fn connection(self, requests: usize) -> Result<Vec<Duration>> {
        let mut sender = self.connect().await?;
        let mut times = Vec::with_capacity(requests);
        for _ in 0..requests {
            let started = Instant::now();
            self.send(&mut sender).await?;
            times.push(started.elapsed());
        }
        Ok(times)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let tcp = TcpStream::connect(self.address).await.context("cannot connect")?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let tls = TlsConnector::from(Arc::clone(&self.client)).connect(name, tcp).await?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn send(&self, sender: &mut SendRequest<Full<Bytes>>) -> Result<()> {
        let request = Request::post("/mutate")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(self.body.clone()))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status().is_success(), "the server answered {}", answer.status());
        answer.into_body().collect().await?;
        Ok(())
    }
}
