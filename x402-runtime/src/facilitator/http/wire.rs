//! One bounded HTTP exchange with a provider: a deadline over all of it, a cap on what is read, no detours.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use url::Url;

use super::auth::{Call, FacilitatorAuth, Operation};
use crate::facilitator::FacilitatorError;
use crate::paywall::millis;
use crate::telemetry::calls::status_class;
use crate::telemetry::{ProviderMetrics, span};

/// Longest time to open a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Shortest part of an authorization header that is looked for in answers. Shorter ones are words like `Bearer`.
const MIN_SECRET: usize = 8;

/// The way to one provider.
pub(super) struct Wire {
    client: reqwest::Client,
    base: String,
    /// Where each operation is, parsed once.
    verify: Url,
    settle: Url,
    supported: Url,
    host: String,
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
        // Decompression stays off even when another crate turns the features on: a cap on what is read must be a cap on
        // what is unpacked. A payment is sent again only by whoever knows what that means.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .referer(false)
            .https_only(base.scheme() == "https")
            .connect_timeout(CONNECT_TIME)
            .user_agent(concat!("x402-runtime/", env!("CARGO_PKG_VERSION")))
            .build()
            .ok()?;
        let host = base.host_str()?;
        let host = match base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let base = String::from(base).trim_end_matches('/').to_owned();
        let url = |operation: Operation| format!("{base}/{}", operation.as_str()).parse().ok();
        Some(Self {
            client,
            metrics: ProviderMetrics::new(&host),
            host,
            verify: url(Operation::Verify)?,
            settle: url(Operation::Settle)?,
            supported: url(Operation::Supported)?,
            base,
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

    /// Calls the provider once. An answer of any status is a reply.
    ///
    /// # Errors
    /// When there is no whole answer within `deadline` and the cap.
    pub(super) async fn exchange(
        &self,
        operation: Operation,
        body: Option<Bytes>,
        headers: HeaderMap,
        deadline: Duration,
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
        // On the heap: the futures of an HTTP client are large, and every paid call would carry them.
        let exchange = Box::pin(self.send(operation, body, headers).instrument(span.clone()));
        let ended = tokio::time::timeout(deadline, exchange)
            .await
            .unwrap_or(Err(FacilitatorError::Timeout));
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
        headers: HeaderMap,
    ) -> Result<Reply, FacilitatorError> {
        let url = match operation {
            Operation::Verify => &self.verify,
            Operation::Settle => &self.settle,
            Operation::Supported => &self.supported,
        };
        let authorization = self.authorize(operation, url.path()).await?;
        let secrets: Vec<HeaderValue> = authorization.values().cloned().collect();
        let method = body.as_ref().map_or(Method::GET, |_| Method::POST);
        let mut request = reqwest::Request::new(method, url.clone());
        *request.body_mut() = body.map(Into::into);
        let json = HeaderValue::from_static("application/json");
        let sent = request.headers_mut();
        sent.insert(CONTENT_TYPE, json.clone());
        sent.insert(ACCEPT, json);
        sent.extend(headers);
        sent.extend(authorization);
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| describe(&error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = read_body(response, self.answer_cap).await?;
        Ok(Reply {
            operation,
            status,
            retry_after,
            body: without(body, &secrets),
        })
    }

    async fn authorize(
        &self,
        operation: Operation,
        path: &str,
    ) -> Result<HeaderMap, FacilitatorError> {
        let Some(auth) = &self.auth else {
            return Ok(HeaderMap::new());
        };
        let call = Call {
            operation,
            method: operation.method(),
            host: &self.host,
            path,
        };
        let headers = auth.headers(call).await.map_err(|error| {
            FacilitatorError::Unreachable(format!(
                "no authorization for {}: {error}",
                operation.as_str()
            ))
        })?;
        let mut map = HeaderMap::new();
        for (name, mut value) in headers {
            value.set_sensitive(true);
            map.append(name, value);
        }
        Ok(map)
    }
}

async fn read_body(
    mut response: reqwest::Response,
    cap: usize,
) -> Result<Vec<u8>, FacilitatorError> {
    let too_large = || FacilitatorError::BadAnswer(format!("longer than {cap} bytes"));
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > cap) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error))? {
        if body.len().saturating_add(chunk.len()) > cap {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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

/// Says what went wrong in words of our own.
fn describe(error: &reqwest::Error) -> FacilitatorError {
    if error.is_timeout() {
        return FacilitatorError::Timeout;
    }
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "the connection broke within the answer"
    } else {
        "the connection broke"
    };
    FacilitatorError::Unreachable(what.to_owned())
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
