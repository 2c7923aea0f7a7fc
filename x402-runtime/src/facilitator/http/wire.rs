//! One bounded HTTP exchange with a provider: a deadline over all of it, a cap on what is read, no detours.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use http::{Method, Request, Uri};
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use url::Url;

use super::auth::{Call, FacilitatorAuth, Operation};
use super::connect::Connect;
use super::connection::{Answer, Broken, Sent};
use super::pool::Pool;
use crate::facilitator::FacilitatorError;
use crate::paywall::millis;
use crate::telemetry::calls::status_class;
use crate::telemetry::{ProviderMetrics, span};

/// Shortest part of an authorization header that is looked for in answers. Shorter ones are words like `Bearer`.
const MIN_SECRET: usize = 8;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("x402-runtime/", env!("CARGO_PKG_VERSION")));
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header lines of a call without authorization, those that are added when it is written included.
const HEADERS: usize = 6;

/// A deadline longer than this is as good as none.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// When a time from now on is over.
pub(super) fn from_now(time: Duration) -> Instant {
    Instant::now() + time.min(LONGEST)
}

/// The way to one provider.
pub(super) struct Wire {
    pool: Pool,
    base: String,
    /// Where each operation is, parsed once.
    verify: Uri,
    settle: Uri,
    supported: Uri,
    host: String,
    /// The same, as it is sent.
    host_header: HeaderValue,
    auth: Option<Arc<dyn FacilitatorAuth>>,
    answer_cap: usize,
    metrics: ProviderMetrics,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) operation: Operation,
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// As it was sent, except that it does not repeat the authorization it was sent for.
    pub(super) body: Vec<u8>,
}

impl Wire {
    /// `None` when no HTTP client can be made.
    pub(super) fn new(
        base: Url,
        auth: Option<Arc<dyn FacilitatorAuth>>,
        answer_cap: usize,
    ) -> Option<Self> {
        let connect = Connect::new(base.as_str().parse().ok()?)?;
        Self::with(connect, base, auth, answer_cap)
    }

    fn with(
        connect: Connect,
        base: Url,
        auth: Option<Arc<dyn FacilitatorAuth>>,
        answer_cap: usize,
    ) -> Option<Self> {
        let host = base.host_str()?;
        let host = match base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let path = base.path().trim_end_matches('/');
        let uri = |operation: Operation| format!("{path}/{}", operation.as_str()).parse().ok();
        Some(Self {
            pool: Pool::new(connect),
            metrics: ProviderMetrics::new(&host),
            host_header: HeaderValue::from_str(&host).ok()?,
            host,
            verify: uri(Operation::Verify)?,
            settle: uri(Operation::Settle)?,
            supported: uri(Operation::Supported)?,
            base: String::from(base).trim_end_matches('/').to_owned(),
            auth,
            answer_cap,
        })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) const fn metrics(&self) -> &ProviderMetrics {
        &self.metrics
    }

    /// Calls the provider once, under an idempotency key if there is one. An answer of any status is a reply.
    ///
    /// # Errors
    /// When there is no whole answer before `deadline` and within the cap.
    pub(super) async fn exchange(
        &self,
        operation: Operation,
        body: Option<Bytes>,
        key: Option<HeaderValue>,
        deadline: Instant,
    ) -> Result<Reply, FacilitatorError> {
        let span = tracing::info_span!(
            span::FACILITATOR_CALL,
            provider = self.host,
            operation = operation.as_str(),
            status = Empty,
            outcome = Empty,
            duration_ms = Empty
        );
        let started = Instant::now();
        // On the heap: the future of an exchange is large, and every paid call would carry it around.
        let exchange = Box::pin(self.send(operation, body, key));
        let ended = if span.is_disabled() {
            timeout_at(deadline, exchange).await
        } else {
            timeout_at(deadline, exchange.instrument(span.clone())).await
        };
        let ended = ended.unwrap_or(Err(FacilitatorError::Timeout));
        self.observe(&span, operation, &ended, started.elapsed());
        ended
    }

    fn observe(
        &self,
        span: &Span,
        operation: Operation,
        ended: &Result<Reply, FacilitatorError>,
        took: Duration,
    ) {
        let outcome = match ended {
            Ok(reply) => {
                span.record("status", reply.status);
                status_class(reply.status)
            }
            Err(FacilitatorError::Timeout) => "timeout",
            Err(FacilitatorError::BadAnswer(_)) => "bad_answer",
            Err(_) => "unreachable",
        };
        span.record("outcome", outcome);
        span.record("duration_ms", millis(took));
        self.metrics.called(operation, outcome, took);
    }

    async fn send(
        &self,
        operation: Operation,
        body: Option<Bytes>,
        key: Option<HeaderValue>,
    ) -> Result<Reply, FacilitatorError> {
        let uri = match operation {
            Operation::Verify => &self.verify,
            Operation::Settle => &self.settle,
            Operation::Supported => &self.supported,
        };
        let authorization = self.authorize(operation, uri.path()).await?;
        let secrets: Vec<HeaderValue> = authorization
            .iter()
            .map(|(_, value)| value.clone())
            .collect();
        let request = self.request(uri.clone(), body, key, authorization);
        let Answer {
            status,
            headers,
            body,
        } = self
            .pool
            .call(request, self.answer_cap)
            .await
            .map_err(|broken| self.describe(broken))?;
        Ok(Reply {
            operation,
            status,
            retry_after: retry_after(&headers),
            body: without(body, &secrets),
        })
    }

    fn request(
        &self,
        uri: Uri,
        body: Option<Bytes>,
        key: Option<HeaderValue>,
        authorization: Vec<(HeaderName, HeaderValue)>,
    ) -> Box<Sent> {
        let mut headers = HeaderMap::with_capacity(HEADERS + authorization.len());
        headers.insert(HOST, self.host_header.clone());
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, JSON);
        headers.insert(USER_AGENT, AGENT);
        if let Some(key) = key {
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        replace(&mut headers, authorization);
        let mut request = Box::new(Request::new(Full::default()));
        if let Some(body) = body {
            *request.method_mut() = Method::POST;
            *request.body_mut() = Full::new(body);
        }
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request
    }

    async fn authorize(
        &self,
        operation: Operation,
        path: &str,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, FacilitatorError> {
        let Some(auth) = &self.auth else {
            return Ok(Vec::new());
        };
        let call = Call {
            operation,
            method: operation.method(),
            host: &self.host,
            path,
        };
        let mut headers = auth.headers(call).await.map_err(|error| {
            FacilitatorError::Unreachable(format!(
                "no authorization for {}: {error}",
                operation.as_str()
            ))
        })?;
        for (_, value) in &mut headers {
            value.set_sensitive(true);
        }
        Ok(headers)
    }

    /// Says what went wrong in words of our own.
    fn describe(&self, broken: Broken) -> FacilitatorError {
        let what = match broken {
            Broken::Late => return FacilitatorError::Timeout,
            Broken::TooLong => {
                let cap = self.answer_cap;
                return FacilitatorError::BadAnswer(format!("longer than {cap} bytes"));
            }
            Broken::NoConnection => "no connection",
            Broken::BeforeAnswer => "the connection broke",
            Broken::WithinAnswer => "the connection broke within the answer",
        };
        FacilitatorError::Unreachable(what.to_owned())
    }
}

/// Sets headers, of which one name may come several times, in the place of those of the same name.
fn replace(headers: &mut HeaderMap, with: Vec<(HeaderName, HeaderValue)>) {
    for (name, _) in &with {
        headers.remove(name);
    }
    for (name, value) in with {
        headers.append(name, value);
    }
}

/// Whole seconds only; the other form, a date, would need the provider's clock to agree with ours.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Takes out what an answer repeats of the call's own authorization, so that it cannot get into a log.
fn without(body: Vec<u8>, secrets: &[HeaderValue]) -> Vec<u8> {
    if secrets.is_empty() {
        return body;
    }
    let Ok(mut text) = String::from_utf8(body) else {
        // No answer of this protocol is anything but UTF-8.
        return Vec::new();
    };
    let words = secrets.iter().filter_map(|value| value.to_str().ok());
    for word in words.flat_map(str::split_ascii_whitespace) {
        if word.len() >= MIN_SECRET && text.contains(word) {
            text = text.replace(word, "<redacted>");
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_do_not_repeat_the_authorization() {
        let secrets = [HeaderValue::from_static("Bearer canary-token")];
        let body = br#"{"error":"canary-token is no Bearer token"}"#.to_vec();
        let clean = String::from_utf8(without(body, &secrets)).unwrap_or_default();
        assert_eq!(clean, r#"{"error":"<redacted> is no Bearer token"}"#);
        assert!(without(vec![0xff], &secrets).is_empty());
        assert_eq!(without(vec![0xff], &[]), [0xff]);
    }

    #[tokio::test]
    async fn no_deadline_is_too_far() {
        assert!(from_now(Duration::MAX) > Instant::now());
    }

    #[test]
    fn only_seconds_are_a_pause() {
        let table = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("Thu, 01 Jan 2099 00:00:00 GMT", None),
        ];
        for (text, seconds) in table {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(
                retry_after(&headers),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
