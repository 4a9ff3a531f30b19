//! The socket: accepts, shakes hands, and lets each request meet its answer or its fault.

use std::{future, net::SocketAddr, sync::Arc};

use anyhow::Result;
use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConnection};

use super::{Request, World, fault::Dropped, request::Tls};

/// A port and those who are connected to it.
pub(super) struct Listener {
    address: SocketAddr,
    door: Door,
    accepting: JoinHandle<()>,
}

/// What every connection is served with.
#[derive(Clone)]
struct Door {
    tls: Option<TlsAcceptor>,
    world: Arc<World>,
}

impl Listener {
    /// Opens a free port of the loopback.
    pub(super) async fn open(tls: Option<TlsAcceptor>, world: Arc<World>) -> Result<Self> {
        let door = Door { tls, world };
        let socket = TcpListener::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let accepting = tokio::spawn(accept(socket, door.clone()));
        Ok(Self { address, door, accepting })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and drops every connection.
    pub(super) async fn close(&mut self) {
        self.accepting.abort();
        if !self.accepting.is_finished() {
            (&mut self.accepting).await.ok();
        }
    }

    /// Shows another certificate from the next opening on.
    pub(super) fn prove_by(&mut self, tls: TlsAcceptor) {
        self.door.tls = Some(tls);
    }

    /// Opens the same port anew.
    pub(super) async fn reopen(&mut self) -> Result<()> {
        let socket = self.bind_again().await?;
        self.accepting = tokio::spawn(accept(socket, self.door.clone()));
        Ok(())
    }

    /// Drops every connection, and lets who comes now wait for a first byte.
    pub(super) async fn fall_silent(&mut self) -> Result<()> {
        let socket = self.bind_again().await?;
        self.accepting = tokio::spawn(async move {
            let _unanswered = socket;
            future::pending::<()>().await;
        });
        Ok(())
    }

    async fn bind_again(&mut self) -> Result<TcpListener> {
        self.close().await;
        Ok(TcpListener::bind(self.address).await?)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The connections are this task's own: they end with it.
async fn accept(socket: TcpListener, door: Door) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(greet(stream, door.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn greet(stream: TcpStream, door: Door) {
    stream.set_nodelay(true).ok();
    match &door.tls {
        None => serve(stream, door.world, Tls::default()).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                let told = told(stream.get_ref().1);
                serve(stream, door.world, told).await;
            }
        }
    }
}

fn told(connection: &ServerConnection) -> Tls {
    let shown = connection.peer_certificates().and_then(<[_]>::first);
    Tls {
        server_name: connection.server_name().map(str::to_owned),
        client_certificate: shown.map(|certificate| certificate.to_vec()),
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, world: Arc<World>, tls: Tls) {
    let service = service_fn(|request| answer(Arc::clone(&world), tls.clone(), request));
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn answer(
    world: Arc<World>,
    tls: Tls,
    request: hyper::Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let request = Request::read(request.map(Body::new), tls).await.map_err(|_| Dropped)?;
    let mut response = match world.record(&request) {
        None => world.answer(&request).whole(),
        Some(fault) => fault.play(&request, || world.answer(&request)).await?,
    };
    let date = HeaderValue::from_str(&httpdate::fmt_http_date(world.now()));
    response.headers_mut().extend(date.ok().map(|date| (header::DATE, date)));
    Ok(response)
}
