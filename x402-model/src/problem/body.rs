//! The JSON body of a refusal.

use serde::Serialize;

use super::code::{Action, Charged, ProblemCode};

/// Longest wire reason that a body repeats.
const MAX_REASON_BYTES: usize = 96;

/// Longest explanation.
const MAX_EXPLANATION_CHARS: usize = 300;

/// One refusal as it is sent: the code and what is known about this case.
///
/// The body is `{code, status, charged, action, detail}` and, where known, `retryAfter` (seconds), `reason` (of the
/// protocol), `paymentId`, `transaction`, `network`, `limit` (the limit that was passed), `extension` (the key at fault) and
/// `explanation` (what exactly is wrong with the request).
///
/// ```
/// use x402_model::problem::{Problem, ProblemCode};
///
/// let body = Problem::new(ProblemCode::BodyTooLarge).limit(1024).to_json();
/// assert_eq!(body["code"], "body_too_large");
/// assert_eq!(body["charged"], false);
/// assert_eq!(body["action"], "fix-request");
/// assert_eq!(body["limit"], 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    code: ProblemCode,
    status: u16,
    charged: Charged,
    action: Action,
    detail: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
}

impl Problem {
    /// A refusal with this code and nothing more.
    #[must_use]
    pub fn new(code: ProblemCode) -> Self {
        Self {
            code,
            status: code.http_status(),
            charged: code.charged(),
            action: code.action(),
            detail: code.detail(),
            retry_after: code.retry_after(),
            reason: code.reason().map(str::to_owned),
            payment_id: None,
            transaction: None,
            network: None,
            limit: None,
            extension: None,
            explanation: None,
        }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> ProblemCode {
        self.code
    }

    /// The reason of the protocol, if there is one.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Seconds to wait, if waiting helps.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// Takes over the reason of a facilitator if it is a plain code (`a-z`, `0-9`, `_`); free text stays out of answers.
    #[must_use]
    pub fn with_reason(mut self, reason: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !reason.is_empty() && reason.len() <= MAX_REASON_BYTES && reason.bytes().all(plain) {
            self.reason = Some(reason.to_owned());
        }
        self
    }

    /// Names the payment that the refusal is about.
    #[must_use]
    pub fn payment_id(mut self, id: impl Into<String>) -> Self {
        self.payment_id = Some(id.into());
        self
    }

    /// Names the transaction that the refusal is about, and its network.
    #[must_use]
    pub fn transaction(
        mut self,
        transaction: impl Into<String>,
        network: impl Into<String>,
    ) -> Self {
        self.transaction = Some(transaction.into());
        self.network = Some(network.into());
        self
    }

    /// Names the limit that was passed, in bytes or seconds as the code says.
    #[must_use]
    pub const fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Names the extension at fault.
    #[must_use]
    pub fn extension(mut self, key: impl Into<String>) -> Self {
        self.extension = Some(key.into());
        self
    }

    /// Says what exactly is wrong with the request. Cut after 300 characters, because it may repeat parts of the request.
    #[must_use]
    pub fn explanation(mut self, text: &str) -> Self {
        self.explanation = Some(text.chars().take(MAX_EXPLANATION_CHARS).collect());
        self
    }

    /// Replaces the usual waiting time.
    #[must_use]
    pub const fn wait(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        // Every field is a string, a number or a boolean, so this cannot fail; the code alone would still be a valid body.
        serde_json::to_value(self)
            .unwrap_or_else(|_| serde_json::json!({ "code": self.code.as_str() }))
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self::new(code)
    }
}
