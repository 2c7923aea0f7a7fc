//! Accepts connections, bounds them, and ends them in an orderly way.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;
use x402_runtime::evm::EvmFacilitator;

use super::client;
use super::crowd::{Crowd, Guest};
use super::http::{Peer, router};
use super::options::Options;
use super::service::Service;

/// Headers of one request.
const MAX_HEADERS: usize = 64;
/// Bytes of the head of one request.
const MAX_HEAD: usize = 16 * 1024;
/// Pause after a failed accept: the process is out of file descriptors, and trying at once does not help.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Pause between looks whether the settlements have ended.
const DRAIN_PAUSE: Duration = Duration::from_millis(50);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others could use it without a token, and nobody said that they may.
    #[error(
        "{0} can be reached by others, and without tokens everybody could spend the settling account's gas"
    )]
    Open(SocketAddr),
    /// There is nothing to settle on.
    #[error("no network is configured")]
    NoNetwork,
    /// The listener has no address.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
}

/// A server that is running.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    drain: Duration,
    service: Arc<Service>,
}

/// Starts serving.
///
/// # Errors
/// A [`ServeError`]; nothing is served then.
pub fn serve(
    listener: TcpListener,
    networks: Vec<Arc<EvmFacilitator>>,
    options: Options,
) -> Result<Running, ServeError> {
    let address = listener.local_addr()?;
    if networks.is_empty() {
        return Err(ServeError::NoNetwork);
    }
    if options.tokens.is_none() && !options.public && !address.ip().to_canonical().is_loopback() {
        return Err(ServeError::Open(address));
    }
    let service = Arc::new(Service::new(networks, options));
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let limits = &service.options.limits;
    let connections = Connections {
        router: router(Arc::clone(&service)),
        header_time: limits.header_time(),
        stop: stop.clone(),
        crowd: Crowd::new(limits.max_connections_per_client.max(1)),
        proxied: service.options.trusted_proxies > 0,
    };
    let drain = limits.drain_time();
    let places = Arc::new(Semaphore::new(
        limits.max_connections.clamp(1, Semaphore::MAX_PERMITS),
    ));
    tasks.spawn(accept(listener, connections, places, tasks.clone()));
    Ok(Running {
        address,
        stop,
        tasks,
        drain,
        service,
    })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, answers the calls that are there, and waits for the settlements that are going on. `true` when all
    /// have ended within the time for it.
    pub async fn shutdown(self) -> bool {
        let until = Instant::now() + self.drain;
        self.stop.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout_at(until, self.tasks.wait()).await;
        while self.service.settlements_in_flight() > 0 && Instant::now() < until {
            sleep(DRAIN_PAUSE).await;
        }
        self.tasks.is_empty() && self.service.settlements_in_flight() == 0
    }
}

/// What every connection is given.
#[derive(Clone)]
struct Connections {
    router: Router,
    header_time: Duration,
    stop: CancellationToken,
    crowd: Arc<Crowd>,
    proxied: bool,
}

async fn accept(
    listener: TcpListener,
    connections: Connections,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
) {
    loop {
        let place = tokio::select! {
            () = connections.stop.cancelled() => return,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = connections.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(guest) = connections.let_in(peer) else {
                    continue;
                };
                let connections = connections.clone();
                tasks.spawn(async move {
                    connections.run(stream, peer).await;
                    drop((place, guest));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The peer has connections enough.
struct Crowded;

impl Connections {
    fn let_in(&self, peer: SocketAddr) -> Result<Option<Guest>, Crowded> {
        let address = client::group(peer.ip());
        if self.proxied || address.is_loopback() {
            return Ok(None);
        }
        self.crowd.enter(address).map(Some).ok_or(Crowded)
    }

    async fn run(self, stream: TcpStream, peer: SocketAddr) {
        let router = self.router;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            answer(router.clone(), request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_time)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

async fn answer(mut router: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    router.call(request.map(Body::new)).await
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
