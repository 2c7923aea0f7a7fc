//! Headers of a request by their names, as an argument of a handler.

use std::error::Error as StdError;
use std::fmt::{self, Write as _};

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

/// Headers that a handler reads, each a field of `T` with the header's name in lower case.
///
/// The manifest has the schema of `T`, so generated clients ask their callers for them. Fields may be texts, numbers, truth values and
/// `Option`s of them; headers that `T` does not name, and values that are no text, are passed over. A request without a header that
/// must be there, or with two of one name, is answered with 400 and costs nothing.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::Deserialize;
/// use x402_runtime::extract::Headers;
/// use x402_runtime::paid;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(rename_all = "kebab-case")]
/// struct Trace {
///     /// Repeated in the answer.
///     x_trace: String,
///     x_depth: Option<u8>,
/// }
///
/// /// Says which call this was.
/// #[paid(GET "/traced", price = "0.01 USDC")]
/// async fn traced(Headers(trace): Headers<Trace>) -> String {
///     format!("{} at {}", trace.x_trace, trace.x_depth.unwrap_or(1))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headers<T>(pub T);

/// The headers of a request are not those that its handler takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadersRejection(String);

impl fmt::Display for HeadersRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the headers of the request: {}", self.0)
    }
}

impl StdError for HeadersRejection {}

impl IntoResponse for HeadersRejection {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.to_string()).into_response()
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Headers<T> {
    type Rejection = HeadersRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HeadersRejection> {
        // Names and texts are what a query has: it is read by the same rules.
        let query = as_query(&parts.headers);
        let uri: Uri = query
            .parse()
            .map_err(|_| HeadersRejection("longer than can be read".to_owned()))?;
        match Query::try_from_uri(&uri) {
            Ok(Query(headers)) => Ok(Self(headers)),
            Err(rejection) => Err(HeadersRejection(innermost(&rejection))),
        }
    }
}

/// The first cause, which speaks of fields and of no query.
fn innermost(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn as_query(headers: &HeaderMap) -> String {
    let mut query = "/?".to_owned();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else {
            continue;
        };
        encode(name.as_str(), &mut query);
        query.push('=');
        encode(value, &mut query);
        query.push('&');
    }
    query
}

fn encode(text: &str, query: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            query.push(char::from(byte));
        } else {
            // Writing to a text never fails.
            let _ = write!(query, "%{byte:02X}");
        }
    }
}
