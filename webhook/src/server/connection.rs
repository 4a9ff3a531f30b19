//! Accepting connections, and serving one.
//!
//! EDGE. Written by hand because no ready-made TLS server has a header timeout; the handshake is
//! part of the spawned task, so that a client that never speaks holds up nobody.

use std::{future::Future, io, pin::pin, sync::Arc};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Clock, Limits, Metrics,
    complaints::Complaints,
    seats::{Seat, Seats},
};

/// A review fits many times over into what is read at once; a header never needs more.
const BUFFER: usize = 64 * 1024;

/// How bytes travel.
pub(super) enum Transport {
    Tls(TlsAcceptor),
    Plain,
}

/// Everything that one listener's connections share.
pub(super) struct Accepting {
    pub(super) transport: Transport,
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
}

struct Shared {
    accepting: Accepting,
    http: http1::Builder,
    ending: CancellationToken,
    complaints: Complaints,
}

impl Accepting {
    pub(super) async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let seats = Seats::new(self.limits.connections);
        let pause = self.limits.accept_pause;
        let shared = Arc::new(Shared::new(self));
        let tasks = TaskTracker::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (seat, crowded) = seats.take().await;
                    shared.accepting.metrics.connected(crowded);
                    tasks.spawn(Arc::clone(&shared).serve(stream, seat));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(pause).await;
                }
            }
        }
        drop(listener);
        shared.ending.cancel();
        tasks.close();
        tasks.wait().await;
    }
}

/// An error of a client that was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl Shared {
    fn new(accepting: Accepting) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(accepting.limits.header)
            .max_buf_size(BUFFER);
        Self {
            accepting,
            http,
            ending: CancellationToken::new(),
            complaints: Complaints::default(),
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, seat: Seat) {
        // An answer is one small write, which is not to wait for more.
        let _unimportant = stream.set_nodelay(true);
        self.serve_stream(stream, &seat).await;
        self.accepting.metrics.disconnected();
    }

    async fn serve_stream(&self, stream: TcpStream, seat: &Seat) {
        match &self.accepting.transport {
            Transport::Plain => self.serve_http(stream, seat).await,
            Transport::Tls(acceptor) => {
                let handshake = timeout(self.accepting.limits.handshake, acceptor.accept(stream));
                let stream = tokio::select! {
                    () = seat.evicted() => return,
                    () = self.ending.cancelled() => return,
                    stream = handshake => stream,
                };
                match stream {
                    Ok(Ok(stream)) => self.serve_http(stream, seat).await,
                    Ok(Err(error)) => self.complain(&error),
                    Err(_) => self.complain(&io::ErrorKind::TimedOut.into()),
                }
            }
        }
    }

    async fn serve_http(&self, stream: impl AsyncRead + AsyncWrite + Unpin, seat: &Seat) {
        let service = TowerToHyperService::new(self.accepting.router.clone());
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let patience = tokio::select! {
            // What a client breaks off concerns nobody else.
            _ = connection.as_mut() => return,
            () = seat.evicted() => self.accepting.limits.ending,
            () = self.ending.cancelled() => self.accepting.limits.request,
        };
        connection.as_mut().graceful_shutdown();
        let _end = timeout(patience, connection).await;
    }

    fn complain(&self, error: &io::Error) {
        self.accepting.metrics.handshake_refused();
        if let Some(kept_back) = self.complaints.tell((self.accepting.clock)()) {
            tracing::warn!(%error, kept_back, "a TLS handshake came to nothing");
        }
    }
}
