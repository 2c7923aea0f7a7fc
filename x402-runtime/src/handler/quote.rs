//! Quote functions: how a seller computes the price of a call whose `#[paid]` says `dynamic(…)`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRef, Query};
use axum::http::{HeaderMap, Method, Uri, request::Parts};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use x402_model::price::{Price, PriceParseError};

use super::Endpoint;
use crate::facilitator::BoxFuture;

/// The request that a price is asked for: everything but the payment, so that a request has the same price before and
/// after it is paid.
///
/// ```
/// use axum::http::Request;
/// use x402_runtime::handler::QuoteRequest;
///
/// let (parts, ()) = Request::get("/routes/Oslo?stops=3").body(()).unwrap().into_parts();
/// let request = QuoteRequest::new(&parts, "").with_capture("city", "Oslo");
/// assert_eq!(request.capture("city"), Some("Oslo"));
/// ```
#[derive(Clone)]
pub struct QuoteRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    captures: Vec<(String, String)>,
    body: Bytes,
    /// Which headers the price was seen to look at: a price that was told holds for requests that agree in them.
    looked_at: LookedAt,
}

/// Names of headers, in lower case.
type LookedAt = Arc<Mutex<BTreeSet<String>>>;

/// Headers that carry payments. Quote functions do not see them.
const PAYMENT_HEADERS: [&str; 2] = ["payment-signature", "x-payment"];

impl QuoteRequest {
    /// The head of a request and its whole body, for unit tests of quote functions.
    #[must_use]
    pub fn new(parts: &Parts, body: impl Into<Bytes>) -> Self {
        let mut headers = parts.headers.clone();
        for name in PAYMENT_HEADERS {
            headers.remove(name);
        }
        Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers,
            captures: Vec::new(),
            body: body.into(),
            looked_at: LookedAt::default(),
        }
    }

    /// The same request with one more capture of the route, percent-decoded.
    #[must_use]
    pub fn with_capture(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.captures.push((name.into(), value.into()));
        self
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Path and query.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The text of a header: `None` if it is absent, given more than once, no text, or one that carries payments.
    ///
    /// A price that was told holds for requests that agree with the one it was told for in method, path, query, body and in
    /// every header that was asked for here.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut looked_at = self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        looked_at.insert(name.to_ascii_lowercase());
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// The names of the headers that were asked for, also later.
    pub(crate) fn looked_at(&self) -> LookedAt {
        Arc::clone(&self.looked_at)
    }

    /// What the route captured under a name.
    #[must_use]
    pub fn capture(&self, name: &str) -> Option<&str> {
        let mut named = self.captures.iter().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// The body as it came.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The query as the [`Query`] extractor reads it.
    ///
    /// # Errors
    /// [`QuoteError::Request`].
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, QuoteError> {
        Query::try_from_uri(&self.uri)
            .map(|Query(value)| value)
            .map_err(|rejection| QuoteError::request(rejection.body_text()))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`QuoteError::Request`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, QuoteError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| QuoteError::request(format!("the body is not as expected: {error}")))
    }
}

/// Shows no headers and no body: they may be secret.
impl fmt::Debug for QuoteRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuoteRequest")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A request that a quote function gave no price.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// The request is to blame. The buyer reads the reason.
    #[error("{0}")]
    Request(String),
    /// The seller cannot tell now. The buyer hears only that, and may ask again.
    #[error("no price can be told now: {0}")]
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl QuoteError {
    /// The request has no price, for a reason that its sender may read.
    pub fn request(reason: impl Into<String>) -> Self {
        Self::Request(reason.into())
    }

    /// No price can be told now.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }
}

/// A price that the function itself wrote wrong.
impl From<PriceParseError> for QuoteError {
    fn from(error: PriceParseError) -> Self {
        Self::unavailable(error)
    }
}

/// What a quote function answers.
pub type QuoteResult = Result<Price, QuoteError>;

/// What a quote function gets of the state `S` of a paywall.
pub trait QuoteState<S>: Send + Sized + 'static {
    /// Takes it from the state.
    fn of(state: &S) -> Self;
}

/// For prices that nobody quotes.
#[derive(Clone, Copy, Debug)]
pub struct NotQuoted;

impl<S> QuoteState<S> for NotQuoted {
    fn of(_: &S) -> Self {
        Self
    }
}

/// For quote functions that look at the request only.
#[derive(Clone, Copy, Debug)]
pub struct WithoutState;

impl<S> QuoteState<S> for WithoutState {
    fn of(_: &S) -> Self {
        Self
    }
}

/// For quote functions with a state, which is had as by the `State` extractor.
#[derive(Clone, Copy, Debug)]
pub struct WithState<T>(pub T);

impl<S, T: FromRef<S> + Send + 'static> QuoteState<S> for WithState<T> {
    fn of(state: &S) -> Self {
        Self(T::from_ref(state))
    }
}

/// An endpoint whose price can be quoted with `Q`.
pub trait Quotes<Q>: Endpoint {
    /// Asks the quote function.
    fn quote(state: Q, request: QuoteRequest) -> BoxFuture<'static, QuoteResult>;
}

/// An endpoint without a quote function: nobody asks it, since its price needs none.
impl<E: Endpoint> Quotes<NotQuoted> for E {
    fn quote(_: NotQuoted, _: QuoteRequest) -> BoxFuture<'static, QuoteResult> {
        Box::pin(std::future::ready(no_quote()))
    }
}

pub(crate) fn no_quote() -> QuoteResult {
    Err(QuoteError::unavailable(
        "the endpoint has no quote function",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quote_functions_see_no_payment() {
        let (parts, ()) = axum::http::Request::get("/x?secret=1")
            .header("payment-signature", "c2VjcmV0")
            .header("X-PAYMENT", "c2VjcmV0")
            .header("x-other", "1")
            .body(())
            .expect("a request")
            .into_parts();
        let request = QuoteRequest::new(&parts, "");
        assert_eq!(request.headers.len(), 1);
        assert_eq!(request.header("X-Payment"), None);
        assert_eq!(request.header("X-Other"), Some("1"));
        let looked_at = request.looked_at().lock().expect("a lock").clone();
        assert!(looked_at.iter().eq(["x-other", "x-payment"]));
        let shown = format!("{request:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
