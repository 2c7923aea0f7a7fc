//! A hook's no: the seller's word to the buyer, or an error that is nobody's business.

use std::fmt;

use x402_model::problem::{Problem, ProblemCode};
use x402_model::text::is_invisible;

/// Longest code of a refusal that is sent.
const MAX_CODE: usize = 64;
/// Longest reason of a refusal that is sent, in characters.
const MAX_REASON: usize = 200;
/// Longest error that is logged, in characters.
const MAX_ERROR: usize = 200;

/// What a hook says about a payment: nothing against it, or a no.
pub type Decision = Result<(), Rejected>;

/// Why a payment is not taken.
///
/// ```
/// use x402_runtime::hooks::{Decision, Rejected};
///
/// fn decide(member: bool, quota: &str) -> Decision {
///     if !member {
///         return Err(Rejected::new("not_a_member", "Join first: https://example.com/join"));
///     }
///     let _left: u32 = quota.parse()?; // any error is one that the buyer is not told
///     Ok(())
/// }
/// assert!(decide(true, "3").is_ok());
/// assert!(decide(true, "?").is_err());
/// ```
///
/// `Display` and `Error` are not implemented, so that `?` turns errors of every kind into one.
#[derive(Clone, PartialEq, Eq)]
pub struct Rejected(Why);

#[derive(Clone, PartialEq, Eq)]
enum Why {
    Refused { code: String, reason: String },
    Failed { error: String },
}

impl Rejected {
    /// A refusal, answered 403 `refused_by_seller`. The buyer is told both: `code`, for programs, as `reason`, and the sentence, for
    /// people, as `explanation`.
    ///
    /// Of `code` the first 64 characters are sent, lower case, with `_` for what is neither a letter nor a digit. Of `reason` it is
    /// the first 200 characters, without those that cannot be seen.
    #[must_use]
    pub fn new(code: &str, reason: &str) -> Self {
        Self(Why::Refused {
            code: clean_code(code),
            reason: reason
                .chars()
                .filter(|one| is_visible(*one))
                .take(MAX_REASON)
                .collect(),
        })
    }

    /// A hook that cannot tell, answered 503 `seller_check_failed`. The error is logged and sent to nobody.
    #[must_use]
    pub fn failed(error: impl fmt::Display) -> Self {
        let error = error.to_string();
        Self(Why::Failed {
            error: error.chars().take(MAX_ERROR).collect(),
        })
    }

    /// The code of a refusal as it is sent; none of an error.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.0 {
            Why::Refused { code, .. } => Some(code),
            Why::Failed { .. } => None,
        }
    }

    /// The error, if it is one.
    pub(super) fn error(&self) -> Option<&str> {
        match &self.0 {
            Why::Refused { .. } => None,
            Why::Failed { error } => Some(error),
        }
    }

    /// What the buyer is told.
    pub(super) fn problem(&self) -> Problem {
        match &self.0 {
            Why::Failed { .. } => Problem::new(ProblemCode::SellerCheckFailed),
            Why::Refused { code, reason } => {
                let refused = Problem::new(ProblemCode::RefusedBySeller).with_reason(code);
                match reason.is_empty() {
                    true => refused,
                    false => refused.explanation(reason),
                }
            }
        }
    }
}

impl<E: std::error::Error> From<E> for Rejected {
    fn from(error: E) -> Self {
        Self::failed(error)
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::Refused { code, reason } => f
                .debug_struct("Refused")
                .field("code", code)
                .field("reason", reason)
                .finish(),
            Why::Failed { error } => f.debug_struct("Failed").field("error", error).finish(),
        }
    }
}

fn clean_code(code: &str) -> String {
    let one = |one: char| match one.to_ascii_lowercase() {
        plain if plain.is_ascii_lowercase() || plain.is_ascii_digit() => plain,
        _ => '_',
    };
    let code: String = code.chars().take(MAX_CODE).map(one).collect();
    match code.trim_matches('_') {
        "" => "refused".to_owned(),
        _ => code,
    }
}

/// Whether a character shows. Those that turn the direction of a text or have no width can make it say something else.
fn is_visible(one: char) -> bool {
    !one.is_control() && !is_invisible(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(rejected: &Rejected) -> serde_json::Value {
        rejected.problem().to_json()
    }

    #[test]
    fn a_refusal_tells_code_and_reason() {
        let told = body(&Rejected::new("not_a_member", "Members only."));
        assert_eq!(told["code"], "refused_by_seller");
        assert_eq!(told["status"], 403);
        assert_eq!(told["charged"], false);
        assert_eq!(told["action"], "stop");
        assert_eq!(told["reason"], "not_a_member");
        assert_eq!(told["explanation"], "Members only.");
    }

    #[test]
    fn what_is_sent_is_short_and_plain() {
        for (code, sent) in [
            ("Blocked Country", "blocked_country"),
            ("", "refused"),
            ("\r\n", "refused"),
            ("é", "refused"),
            ("a\nb", "a_b"),
        ] {
            let rejected = Rejected::new(code, "");
            assert_eq!(rejected.code(), Some(sent), "{code:?}");
            let told = body(&rejected);
            assert_eq!(told["reason"], sent);
            assert!(told.get("explanation").is_none());
        }
        let long = Rejected::new(&"x".repeat(500), &"é".repeat(500));
        let told = body(&long);
        assert_eq!(told["reason"].as_str().unwrap().len(), MAX_CODE);
        assert_eq!(
            told["explanation"].as_str().unwrap().chars().count(),
            MAX_REASON
        );
        let hidden = Rejected::new("x", "a\u{202e}b\r\nc\u{200b}d\u{0}");
        assert_eq!(body(&hidden)["explanation"], "abcd");
    }

    #[test]
    fn an_error_is_told_to_nobody() {
        let failed = Rejected::from(std::io::Error::other("CANARY"));
        assert_eq!((failed.code(), failed.error()), (None, Some("CANARY")));
        let told = body(&failed);
        assert_eq!(told["code"], "seller_check_failed");
        assert_eq!(told["status"], 503);
        assert_eq!(told["charged"], false);
        assert_eq!(told["action"], "wait");
        assert!(told["retryAfter"].is_u64());
        assert!(!told.to_string().contains("CANARY"));
        let long = Rejected::failed("x".repeat(5_000));
        assert_eq!(long.error().map(str::len), Some(MAX_ERROR));
    }
}
