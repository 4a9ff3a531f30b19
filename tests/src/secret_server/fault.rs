//! What goes wrong instead of an answer, where, and how often.

use std::{convert::Infallible, error::Error, fmt, future, io, iter, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, header},
};
use futures_util::{StreamExt, stream};

use super::{AwsError, Protocol, Request, reply::Reply, vault};

/// One thing that goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The right answer, so much later.
    Delay(Duration),
    /// No answer, and no end.
    Hang,
    /// The connection is closed without an answer.
    Drop,
    /// The right answer's head and half its body, and then the connection is closed.
    Truncate,
    /// The right answer, one byte at a time, with such a pause before each.
    Drip(Duration),
    /// 200, and a page of HTML, as captive portals and broken proxies have it.
    Garbage,
    /// 200, and so many bytes of JSON that never comes to a point.
    Huge(usize),
    /// 307 to the same path below another URL.
    Redirect(String),
    /// A status with a page of HTML, as load balancers have it.
    Status(u16),
    /// A status with JSON that is nobody's answer, as gateways have it.
    Json(u16, &'static str),
    /// An error of AWS, in the protocol that was spoken.
    Aws(AwsError),
    /// An error of Vault: the status and its text.
    Vault(u16, &'static str),
}

/// Which requests a fault is for.
#[derive(Debug, Clone)]
pub enum Scope {
    /// Every one.
    All,
    /// Those to one service.
    Service(Protocol),
    /// Those to one region of AWS.
    Region(&'static str),
    /// Those to STS for one role.
    Role(&'static str),
    /// Those whose operation begins so, for example `GetSecretValue` or `GET /v1/secret/`.
    Operation(&'static str),
}

/// The faults that are to come. The first that fits a request is played.
#[derive(Debug, Default)]
pub struct Faults {
    scenes: Vec<Scene>,
}

#[derive(Debug)]
struct Scene {
    scope: Scope,
    fault: Fault,
    left: usize,
}

impl Faults {
    /// From now on, until [`Faults::clear`].
    pub fn always(&mut self, scope: Scope, fault: Fault) {
        self.times(usize::MAX, scope, fault);
    }

    /// For the next so many requests that it is for.
    pub fn times(&mut self, left: usize, scope: Scope, fault: Fault) {
        self.scenes.push(Scene { scope, fault, left });
    }

    /// No more faults.
    pub fn clear(&mut self) {
        self.scenes.clear();
    }

    pub(super) fn take(&mut self, request: &Request) -> Option<Fault> {
        let scene = self.scenes.iter_mut().find(|scene| scene.left > 0 && scene.fits(request))?;
        scene.left -= 1;
        Some(scene.fault.clone())
    }
}

impl Scene {
    fn fits(&self, request: &Request) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Service(protocol) => request.protocol() == protocol,
            Scope::Region(region) => request.region() == Some(region),
            Scope::Role(role) => request.form("RoleArn").as_deref() == Some(role),
            Scope::Operation(operation) => request.operation().starts_with(operation),
        }
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dropped on purpose")
    }
}

impl Error for Dropped {}

impl Fault {
    /// Plays the fault to a request; `answer` gives what would have been right.
    pub(super) async fn play(
        self,
        request: &Request,
        answer: impl FnOnce() -> Reply,
    ) -> Result<Response<Body>, Dropped> {
        Ok(match self {
            Self::Delay(duration) => {
                tokio::time::sleep(duration).await;
                answer().whole()
            }
            Self::Hang => future::pending().await,
            Self::Drop => return Err(Dropped),
            Self::Truncate => truncated(answer()),
            Self::Drip(pause) => dripping(answer(), pause),
            Self::Garbage => page(200).whole(),
            Self::Huge(length) => huge(length),
            Self::Redirect(url) => redirect(&url, request),
            Self::Status(status) => page(status).whole(),
            Self::Json(status, body) => Reply::text(status, "application/json", body).whole(),
            Self::Aws(error) if request.protocol() == Protocol::Sts => error.xml().whole(),
            Self::Aws(error) if request.protocol() == Protocol::PodIdentity => error.text().whole(),
            Self::Aws(error) => error.json().whole(),
            Self::Vault(status, text) => vault::errors(status, &[text]).whole(),
        })
    }
}

fn page(status: u16) -> Reply {
    Reply::text(status, "text/html", "<html><body><h1>Not what you asked for</h1></body></html>")
}

fn truncated(reply: Reply) -> Response<Body> {
    let half = reply.body.slice(..reply.body.len() / 2);
    let end = stream::once(async {
        // What was written so far leaves while the body has nothing to give.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    });
    reply.with_body(Body::from_stream(stream::iter([Ok(half)]).chain(end)))
}

fn dripping(reply: Reply, pause: Duration) -> Response<Body> {
    let bytes = stream::iter(reply.body.clone()).then(move |byte| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(Bytes::copy_from_slice(&[byte]))
    });
    reply.with_body(Body::from_stream(bytes))
}

fn huge(length: usize) -> Response<Body> {
    const PIECE: Bytes = Bytes::from_static(&[b'a'; 1 << 14]);
    let pieces = iter::repeat_n(PIECE, length / PIECE.len());
    let text = iter::once(Bytes::from_static(b"{\"data\":\"")).chain(pieces);
    let mut response =
        Response::new(Body::from_stream(stream::iter(text.map(Ok::<_, Infallible>))));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn redirect(url: &str, request: &Request) -> Response<Body> {
    let mut response = Reply { status: 307, ..Reply::empty() }.whole();
    if let Ok(location) = format!("{url}{}", request.path).parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
