//! The reqwest transport: HTTP/1.1 over rustls, no redirects, no retries of its own, bounded bodies.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use http::Request;

use super::{
    BodyParts, CutReason, OpenReply, ReplyLimits, Transport, TransportError, TransportErrorKind,
    TransportReply, collect,
};

/// Deadline for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Used when a request carries no limits.
const FALLBACK: ReplyLimits = ReplyLimits {
    max_body: 16 * 1024 * 1024,
    timeout: Duration::from_secs(60),
};

/// Sends requests through a reqwest client of its own.
///
/// There is no constructor from a finished `reqwest::Client`: its redirect policy could not be seen, and following a
/// redirect would carry a payment to another place. [`ReqwestTransport::configured`] opens everything else.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Result<reqwest::Client, TransportSetupError>,
}

/// The reqwest client cannot be made, for example because the system has no root certificates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct TransportSetupError(Box<str>);

impl ReqwestTransport {
    /// A transport with default settings: environment proxies are ignored, certificates are checked by the
    /// platform's rules.
    ///
    /// If the client cannot be made, every send reports that; use [`ReqwestTransport::configured`] to learn it at once.
    pub fn new() -> Self {
        Self {
            client: make(|builder| builder),
        }
    }

    /// A transport with your own proxies, certificates, resolver or addresses. What protects payments is set after
    /// your changes and cannot be changed: no redirects, no retries, no `Referer`.
    ///
    /// # Errors
    /// [`TransportSetupError`] if reqwest refuses the settings.
    pub fn configured(
        change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, TransportSetupError> {
        make(change).map(|client| Self { client: Ok(client) })
    }
}

fn make(
    change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, TransportSetupError> {
    let agent = concat!("x402-client/", env!("CARGO_PKG_VERSION"));
    let builder = reqwest::Client::builder()
        .no_proxy()
        .user_agent(agent)
        .connect_timeout(CONNECT_TIMEOUT);
    change(builder)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .build()
        .map_err(|error| TransportSetupError(describe(&error).into()))
}

impl Default for ReqwestTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("usable", &self.client.is_ok())
            .finish()
    }
}

impl ReqwestTransport {
    /// Sends a request, with a deadline for the whole exchange or none.
    async fn execute(
        &self,
        request: Request<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<OpenReply, TransportError> {
        let client = self
            .client
            .as_ref()
            .map_err(|error| not_sendable(&error.to_string()))?;
        let mut request =
            reqwest::Request::try_from(request).map_err(|error| not_sendable(&describe(&error)))?;
        *request.timeout_mut() = timeout;
        let mut response = client
            .execute(request)
            .await
            .map_err(|error| classify(&error))?;
        Ok(OpenReply {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            parts: parts(response),
        })
    }
}

impl Transport for ReqwestTransport {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        Box::pin(async move {
            let limits = request
                .extensions()
                .get::<ReplyLimits>()
                .copied()
                .unwrap_or(FALLBACK);
            let opened = self.execute(request, Some(limits.timeout)).await?;
            Ok(TransportReply {
                status: opened.status,
                headers: opened.headers,
                body: collect(opened.parts, limits.max_body).await,
            })
        })
    }

    fn open(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<OpenReply, TransportError>> {
        Box::pin(self.execute(request, None))
    }
}

/// The body of an answer, up to its end or to the first trouble.
fn parts(response: reqwest::Response) -> BodyParts {
    let parts = stream::unfold(Some(response), |response| async {
        let mut response = response?;
        match response.chunk().await {
            Ok(None) => None,
            Ok(Some(part)) => Some((Ok(part), Some(response))),
            Err(error) if error.is_timeout() => Some((Err(CutReason::TimedOut), None)),
            Err(_) => Some((Err(CutReason::Interrupted), None)),
        }
    });
    parts.boxed()
}

fn classify(error: &reqwest::Error) -> TransportError {
    // A connect timeout is both; that no connection was made is the stronger fact.
    let kind = if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_builder() {
        TransportErrorKind::NotSendable
    } else {
        TransportErrorKind::Interrupted
    };
    TransportError::new(kind, describe(error))
}

fn not_sendable(message: &str) -> TransportError {
    TransportError::new(TransportErrorKind::NotSendable, message)
}

/// The causes of an error without its URL, whose query can hold secrets.
fn describe(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() {
        "request failed".to_owned()
    } else {
        text
    }
}
