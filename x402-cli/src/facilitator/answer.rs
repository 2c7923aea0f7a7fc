//! What goes out: a status, JSON, and when to come back.
//!
//! 200 and 400 carry the protocol's own shapes (`isValid`, `success`), because clients read a verdict on the payment from
//! them. So does 503 on `/settle` when the outcome is open. Every other status has `error` alone: it says nothing about the
//! payment.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use x402_runtime::model::wire::{MalformedCall, SettleResponse, VerifyResponse};

/// The code of a settlement whose outcome nobody knows yet (protocol 1.10).
pub(super) const PENDING: &str = "settlement_pending";
/// The code that the reference answers when a payment was settled before.
pub(super) const USED: &str = "invalid_exact_evm_nonce_already_used";

/// Which of the two calls is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `POST /verify`.
    Verify,
    /// `POST /settle`.
    Settle,
}

impl Operation {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Settle => "settle",
        }
    }
}

/// One answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    pub(super) retry_after: Option<Duration>,
}

impl Answer {
    pub(super) const fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body,
            retry_after: None,
        }
    }

    /// An answer that says nothing about a payment.
    pub(super) fn error(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            body: json!({ "error": code }),
            retry_after: None,
        }
    }

    pub(super) const fn after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    pub(super) fn busy(code: &'static str, pause: Duration) -> Self {
        Self::error(StatusCode::SERVICE_UNAVAILABLE, code).after(pause)
    }

    pub(super) fn too_many(pause: Duration) -> Self {
        Self::error(StatusCode::TOO_MANY_REQUESTS, "rate_limited").after(pause)
    }

    /// A body that is no call, in the shape that the caller reads.
    pub(super) fn malformed(operation: Operation, fault: MalformedCall) -> Self {
        let code = fault.code();
        let body = match operation {
            Operation::Verify => json!({ "isValid": false, "invalidReason": code, "error": code }),
            Operation::Settle => json!({
                "success": false, "errorReason": code, "transaction": "", "network": "", "error": code,
            }),
        };
        Self {
            status: StatusCode::BAD_REQUEST,
            body,
            retry_after: None,
        }
    }

    /// Texts of refusals may repeat what a node said, so only their codes are sent.
    pub(super) fn verified(mut response: VerifyResponse) -> Self {
        response.invalid_message = None;
        Self::ok(to_json(&response))
    }

    /// As [`Answer::verified`].
    pub(super) fn settled(mut response: SettleResponse) -> Self {
        response.error_message = None;
        Self::ok(to_json(&response))
    }

    /// A settlement without a known outcome. With a transaction the caller repeats the call soon; without one there is
    /// nothing that it could name, and it comes back later.
    pub(super) fn pending(
        network: String,
        payer: Option<String>,
        transaction: Option<String>,
    ) -> Self {
        let status = if transaction.is_some() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let response = SettleResponse {
            error_reason: Some(PENDING.to_owned()),
            payer,
            transaction: transaction.unwrap_or_default(),
            network,
            ..SettleResponse::default()
        };
        Self {
            status,
            body: to_json(&response),
            retry_after: Some(Duration::from_secs(5)),
        }
    }

    /// The code of the answer, for the log.
    pub(super) fn code(&self) -> &str {
        ["errorReason", "invalidReason", "error"]
            .iter()
            .find_map(|key| self.body.get(key).and_then(Value::as_str))
            .unwrap_or("ok")
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Value {
    // These types hold text, booleans and maps with text keys only: they cannot fail to be JSON.
    serde_json::to_value(value).unwrap_or_default()
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            }
            _ => {}
        }
        if let Some(pause) = self.retry_after {
            // Rounded up: who comes back on time must not be early.
            let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
