//! The one door to the network: a trait that sends one HTTP request and never follows a redirect.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use http::{HeaderMap, Request, StatusCode};

#[cfg(feature = "reqwest")]
mod reqwest_transport;
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, TransportSetupError};

/// Sends one request and reads one answer.
///
/// An implementation must
/// - send the request to the URI's own origin and **never follow a redirect**: a payment header is money;
/// - not repeat a request by itself once bytes may have been sent;
/// - obey the [`ReplyLimits`] found in the request's extensions (the client checks the size again and applies the
///   deadline itself);
/// - report [`TransportErrorKind::Connect`] only when no byte of the request can have left.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and returns status, headers and as much of the body as arrived.
    ///
    /// # Errors
    /// [`TransportError`] when there is no status line and headers to report. Trouble after the headers is not an
    /// error: it is told by [`TransportReply::body`].
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>>;

    /// Sends `request` and returns status and headers as soon as they are there; the body comes in parts. The deadline of the
    /// request is for its headers: how long a body may take is for the reader to say, and so is how much of it is kept.
    ///
    /// Unless it is implemented, the body comes whole.
    ///
    /// # Errors
    /// As for [`Transport::send`].
    fn open(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<OpenReply, TransportError>> {
        let reply = self.send(request);
        Box::pin(async move { reply.await.map(OpenReply::from) })
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        (**self).send(request)
    }

    fn open(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<OpenReply, TransportError>> {
        (**self).open(request)
    }
}

/// A body as it comes: parts, and perhaps why there are no more.
pub type BodyParts = BoxStream<'static, Result<Bytes, CutReason>>;

/// What comes back for a request that was opened.
pub struct OpenReply {
    /// Status of the answer.
    pub status: StatusCode,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// The body.
    pub parts: BodyParts,
}

impl From<TransportReply> for OpenReply {
    fn from(reply: TransportReply) -> Self {
        let (part, cut) = match reply.body {
            ReplyBody::Whole(body) => (body, None),
            ReplyBody::Cut { partial, reason } => (partial, Some(Err(reason))),
        };
        Self {
            status: reply.status,
            headers: reply.headers,
            parts: stream::iter([Ok(part)].into_iter().chain(cut)).boxed(),
        }
    }
}

impl fmt::Debug for OpenReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenReply")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}

/// A body of at most `max_body` bytes, read to its end.
pub(crate) async fn collect(mut parts: BodyParts, max_body: usize) -> ReplyBody {
    let mut body = BytesMut::new();
    loop {
        let reason = match parts.next().await {
            None => return ReplyBody::Whole(body.freeze()),
            Some(Ok(part)) => {
                let room = max_body.saturating_sub(body.len());
                if part.len() <= room {
                    body.extend_from_slice(&part);
                    continue;
                }
                body.extend_from_slice(part.get(..room).unwrap_or_default());
                CutReason::TooLarge
            }
            Some(Err(reason)) => reason,
        };
        return ReplyBody::Cut {
            partial: body.freeze(),
            reason,
        };
    }
}

impl fmt::Debug for dyn Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

/// Bounds for one answer, carried in the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Largest body to read, in bytes after content decoding.
    pub max_body: usize,
    /// Deadline for connecting, sending, and reading the whole answer.
    pub timeout: Duration,
}

/// What came back for one request.
#[derive(Clone)]
pub struct TransportReply {
    /// Status of the answer.
    pub status: StatusCode,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// The body, or how much of it arrived.
    pub body: ReplyBody,
}

impl TransportReply {
    /// An answer whose body arrived whole.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers,
            body: ReplyBody::Whole(body.into()),
        }
    }
}

// Headers and bodies can hold cookies and paid content: neither belongs in a log line.
impl fmt::Debug for TransportReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportReply")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.bytes().len())
            .finish()
    }
}

/// A body that is whole, or cut.
#[derive(Clone, Debug)]
pub enum ReplyBody {
    /// Every byte arrived.
    Whole(Bytes),
    /// Reading stopped early.
    Cut {
        /// What had arrived until then.
        partial: Bytes,
        /// Why reading stopped.
        reason: CutReason,
    },
}

impl ReplyBody {
    /// The bytes that arrived.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Whole(bytes) | Self::Cut { partial: bytes, .. } => bytes,
        }
    }
}

/// Why a body is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CutReason {
    /// The connection ended before the body did.
    Interrupted,
    /// The deadline passed while the body was read.
    TimedOut,
    /// The body is larger than the cap.
    TooLarge,
}

impl CutReason {
    /// Stable text of the reason.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::TimedOut => "timed_out",
            Self::TooLarge => "too_large",
        }
    }
}

/// No answer to a request.
///
/// The message is for people; it must not contain request headers or bodies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct TransportError {
    kind: TransportErrorKind,
    message: Box<str>,
}

impl TransportError {
    /// A failure of `kind`, described for people by `message` (cut at 300 characters).
    pub fn new(kind: TransportErrorKind, message: impl AsRef<str>) -> Self {
        let message: String = message.as_ref().chars().take(300).collect();
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What failed.
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether the request can have reached the seller. Only a failure to connect rules it out.
    pub const fn may_have_arrived(&self) -> bool {
        !matches!(
            self.kind,
            TransportErrorKind::Connect | TransportErrorKind::NotSendable
        )
    }
}

/// What kind of failure left a request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was made (name, TCP or TLS): no byte of the request was sent.
    Connect,
    /// The request cannot be put on the wire at all: no byte of it was sent.
    NotSendable,
    /// The deadline passed; the request may have arrived.
    Timeout,
    /// The connection broke or the answer was not HTTP; the request may have arrived.
    Interrupted,
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::NotSendable => "request not sendable",
            Self::Timeout => "timed out",
            Self::Interrupted => "connection interrupted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_connection_rules_out_arrival() {
        for (kind, arrived) in [
            (TransportErrorKind::Connect, false),
            (TransportErrorKind::NotSendable, false),
            (TransportErrorKind::Timeout, true),
            (TransportErrorKind::Interrupted, true),
        ] {
            assert_eq!(
                TransportError::new(kind, "x").may_have_arrived(),
                arrived,
                "{kind}"
            );
        }
    }

    #[test]
    fn messages_are_bounded() {
        let error = TransportError::new(TransportErrorKind::Connect, "é".repeat(10_000));
        assert!(error.to_string().chars().count() < 400);
    }
}
