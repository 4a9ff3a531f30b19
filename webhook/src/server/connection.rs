//! Accepting connections, and serving one.
//!
//! EDGE. Written by hand because no ready-made TLS server tells slow connections from idle ones; the handshake is
//! part of the spawned task, so that a client that never speaks holds up nobody.

use std::{
    convert::Infallible, error::Error, future::Future, io, pin::pin, sync::Arc, time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Callers, Clock, Limits, Metrics,
    callers::Caller,
    complaints::Complaints,
    progress::Phase,
    seats::{Arrival, Place, Seat, Seats},
    watched::Watched,
};

/// As much as TLS brings at once; a header never needs more.
const BUFFER: usize = 16 * 1024;
/// How often it is looked for connections that are too slow.
const SWEEP: Duration = Duration::from_millis(250);

/// How bytes travel.
pub(super) enum Transport {
    /// With the callers to tell strangers from, if not everybody may ask.
    Tls(TlsAcceptor, Option<Arc<Callers>>),
    Plain,
}

/// What answers the requests of all connections.
pub(super) trait Answers: Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    fn answer(
        &self,
        request: Request<Incoming>,
        visit: &Visit,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// One connection, as far as its requests are concerned.
pub(super) struct Visit {
    pub(super) place: Arc<Place>,
    caller: Option<Caller>,
}

impl Visit {
    /// Whether whoever is there may ask.
    pub(super) fn is_known(&self) -> bool {
        self.caller.as_ref().is_none_or(Caller::is_known)
    }
}

/// Everything that one listener's connections share.
pub(super) struct Accepting<A> {
    pub(super) transport: Transport,
    pub(super) answers: A,
    pub(super) seats: Seats,
    pub(super) limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
}

struct Shared<A> {
    accepting: Accepting<A>,
    http: http1::Builder,
    ending: CancellationToken,
    complaints: Complaints,
}

impl<A: Answers> Accepting<A> {
    pub(super) async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let pause = self.limits.accept_pause;
        let shared = Arc::new(Shared::new(self));
        let tasks = TaskTracker::new();
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                _ = ticks.tick() => {
                    shared.sweep();
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    if let Some(seat) = shared.seat() {
                        tasks.spawn(Arc::clone(&shared).serve(stream, seat));
                    }
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

/// Counts a connection for as long as it is there.
struct Present<'a>(&'a Metrics);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.disconnected();
    }
}

impl<A: Answers> Shared<A> {
    fn new(accepting: Accepting<A>) -> Self {
        let mut http = http1::Builder::new();
        // The seats know how long a header takes.
        http.header_read_timeout(None).max_buf_size(BUFFER);
        Self {
            accepting,
            http,
            ending: CancellationToken::new(),
            complaints: Complaints::default(),
        }
    }

    fn sweep(&self) {
        let Accepting { seats, limits, metrics, .. } = &self.accepting;
        metrics.swept(seats.sweep(limits));
    }

    fn seat(&self) -> Option<Seat> {
        let Accepting { seats, metrics, .. } = &self.accepting;
        match seats.take() {
            Arrival::Seated(seat) => Some(seat),
            Arrival::Crowded(seat) => {
                metrics.evicted(1);
                Some(seat)
            }
            Arrival::Full => {
                metrics.evicted(1);
                None
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, seat: Seat) {
        self.accepting.metrics.connected();
        let _present = Present(&self.accepting.metrics);
        // An answer is one small write, which is not to wait for more.
        let _unimportant = stream.set_nodelay(true);
        tokio::select! {
            () = seat.evicted() => {}
            () = self.serve_stream(stream, Arc::clone(seat.place())) => {}
        }
    }

    async fn serve_stream(&self, stream: TcpStream, place: Arc<Place>) {
        match &self.accepting.transport {
            Transport::Plain => self.serve_http(stream, Visit { place, caller: None }).await,
            Transport::Tls(acceptor, callers) => {
                let caller = callers.as_ref().map(Caller::awaited);
                let handshake = timeout(self.accepting.limits.handshake, acceptor.accept(stream));
                let stream = tokio::select! {
                    () = self.ending.cancelled() => return,
                    stream = handshake => stream,
                };
                match stream {
                    Ok(Ok(stream)) => {
                        let chain = stream.get_ref().1.peer_certificates();
                        let caller = caller.map(|caller| caller.shown(chain));
                        self.serve_http(stream, Visit { place, caller }).await;
                    }
                    Ok(Err(error)) => self.complain(&error),
                    Err(_) => self.complain(&io::ErrorKind::TimedOut.into()),
                }
            }
        }
    }

    async fn serve_http(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send, visit: Visit) {
        visit.place.enter(Phase::Idle);
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&visit.place)));
        let (answers, visit) = (&self.accepting.answers, &visit);
        let service = service_fn(async move |request| {
            visit.place.enter(Phase::Review);
            let response = answers.answer(request, visit).await;
            visit.place.answered(response.status().is_success());
            Ok::<_, Infallible>(response)
        });
        let mut connection = pin!(self.http.serve_connection(io, service));
        tokio::select! {
            // What a client breaks off concerns nobody else.
            _ = connection.as_mut() => return,
            () = self.ending.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _end = timeout(self.accepting.limits.ending, connection).await;
    }

    fn complain(&self, error: &io::Error) {
        self.accepting.metrics.handshake_refused();
        if let Some(kept_back) = self.complaints.tell((self.accepting.clock)()) {
            tracing::warn!(%error, kept_back, "a TLS handshake came to nothing");
        }
    }
}
