//! The seller's answer, with the receipt of what it cost.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::receipt::Receipt;

/// The seller's answer: to the unpaid request if that was enough, else to the paid one.
///
/// The status can be an error of the seller's handler (404, 422, …); `is_success` tells.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    receipt: Option<Receipt>,
}

/// An answer body that is not what the caller wanted it to be. The answer itself is paid and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// Not UTF-8 text.
    #[error("the body is not UTF-8 text")]
    Utf8,
    /// Not JSON of the wanted type.
    #[error("the body is not the expected JSON (line {line}, column {column})")]
    Json {
        /// Line of the mismatch, from 1.
        line: usize,
        /// Column of the mismatch.
        column: usize,
    },
}

impl Response {
    pub(crate) const fn new(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        receipt: Option<Receipt>,
    ) -> Self {
        Self {
            status,
            headers,
            body,
            receipt,
        }
    }

    /// Status of the answer.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Headers of the answer.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The record of the payment; `None` if the call was answered without one.
    pub const fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`BodyError::Utf8`].
    pub fn text(&self) -> Result<&str, BodyError> {
        std::str::from_utf8(&self.body).map_err(|_| BodyError::Utf8)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`BodyError::Json`] with the place of the mismatch.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        serde_json::from_slice(&self.body).map_err(|error| BodyError::Json {
            line: error.line(),
            column: error.column(),
        })
    }

    /// Status, headers, body and receipt.
    pub fn into_parts(self) -> (StatusCode, HeaderMap, Bytes, Option<Receipt>) {
        (self.status, self.headers, self.body, self.receipt)
    }
}

// Bodies are paid content and headers can hold cookies: sizes are enough for a log line.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .field("receipt", &self.receipt)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(body: &'static [u8]) -> Response {
        Response::new(
            StatusCode::OK,
            HeaderMap::new(),
            Bytes::from_static(body),
            None,
        )
    }

    #[test]
    fn bodies_are_read_as_text_and_json() {
        assert_eq!(response(b"[1,2]").json::<Vec<u8>>(), Ok(vec![1, 2]));
        assert_eq!(
            response(b"[1,\n2x]").json::<Vec<u8>>(),
            Err(BodyError::Json { line: 2, column: 2 })
        );
        assert_eq!(response(b"\xff").text(), Err(BodyError::Utf8));
        assert_eq!(response("ü".as_bytes()).text(), Ok("ü"));
    }

    #[test]
    fn debug_shows_no_body() {
        assert!(!format!("{:?}", response(b"paid content")).contains("paid content"));
    }
}
