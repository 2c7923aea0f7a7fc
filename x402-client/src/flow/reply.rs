//! What the answer to a paid request means for the payment: final, or to be presented again.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use x402_model::evm::reason::PERMIT2_ALLOWANCE_REQUIRED;
use x402_model::problem::{Action, Charged};

use crate::receipt::Settlement;
use crate::seller::SellerProblem;

/// What the answer to a paid request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidReply {
    /// The seller's handler answered; the call is over.
    Answered,
    /// The seller refused the payment; a second signature would be a second payment, so the call is over.
    Refused,
    /// The seller pointed elsewhere; a payment is never carried to another place.
    Redirected,
    /// The outcome is open: present the same payment again.
    TryAgain {
        /// Pause the seller asked for.
        retry_after: Option<Duration>,
    },
}

/// Codes by which sellers say "the same payment again, later". The code space is open, so these are substrings.
const OPEN_CODES: [&str; 4] = [
    "settlement_pending",
    "payment_in_progress",
    "channel_busy",
    "settlement_unknown",
];

pub(crate) struct PaidAnswer<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) settlement: &'a Settlement,
    pub(crate) problem: Option<&'a SellerProblem>,
    /// The `error` of new terms on a 402 or 412.
    pub(crate) terms_error: Option<&'a str>,
}

pub(crate) fn classify_paid(answer: &PaidAnswer<'_>) -> PaidReply {
    let PaidAnswer {
        status,
        headers,
        settlement,
        problem,
        terms_error,
    } = *answer;
    if status.is_redirection() {
        return PaidReply::Redirected;
    }
    if status.is_success() {
        return PaidReply::Answered;
    }
    // No approval comes of waiting, whatever else the seller says.
    if wants_approval(settlement, problem, terms_error) {
        return PaidReply::Refused;
    }
    let asked = retry_after(headers).or_else(|| {
        problem
            .and_then(SellerProblem::retry_after)
            .map(Duration::from_secs)
    });
    let try_again = PaidReply::TryAgain { retry_after: asked };
    if says_open(settlement, problem, terms_error) {
        return try_again;
    }
    if status == StatusCode::PAYMENT_REQUIRED {
        return PaidReply::Refused;
    }
    if *settlement == Settlement::Settled {
        // Money moved and the handler's own error is the answer (flow `upfront`): asking again cannot improve it.
        return PaidReply::Answered;
    }
    // Handlers put a `code` into their own errors too; only a word about the charge or the way on is about the payment.
    let about_payment =
        |problem: &&SellerProblem| problem.charged().is_some() || problem.action().is_some();
    if let Some(problem) = problem.filter(about_payment) {
        let open = problem.charged() == Some(Charged::Maybe) && status.is_server_error();
        return if open { try_again } else { PaidReply::Refused };
    }
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            try_again
        }
        StatusCode::CONFLICT if asked.is_some() => try_again,
        status if status.is_server_error() => try_again,
        _ => PaidReply::Answered,
    }
}

/// Whether an answer says that Permit2 is not approved. Its usual status, 412, can also be the handler's own word about
/// `If-Match`, so only the code tells.
pub(crate) fn wants_approval(
    settlement: &Settlement,
    problem: Option<&SellerProblem>,
    terms_error: Option<&str>,
) -> bool {
    let says = |code: &str| code.contains(PERMIT2_ALLOWANCE_REQUIRED);
    matches!(settlement, Settlement::Failed { reason } if says(reason))
        || problem.is_some_and(|problem| says(problem.code()))
        || terms_error.is_some_and(says)
}

fn says_open(
    settlement: &Settlement,
    problem: Option<&SellerProblem>,
    terms_error: Option<&str>,
) -> bool {
    let open = |code: &str| OPEN_CODES.iter().any(|known| code.contains(known));
    let by_settlement = matches!(settlement, Settlement::Failed { reason } if open(reason));
    let by_problem = problem.is_some_and(|problem| {
        open(problem.code())
            || matches!(
                problem.action(),
                Some(Action::Wait | Action::RetrySamePayment)
            )
    });
    by_settlement || by_problem || terms_error.is_some_and(open)
}

/// Reads `Retry-After` in seconds (RFC 9110 section 10.2.3). The date form reads as `None`: it depends on the
/// seller's clock.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let digits =
        !text.is_empty() && text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok().map(Duration::from_secs))
        .flatten()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with_retry(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
        headers
    }

    fn classify(
        status: u16,
        settlement: &Settlement,
        problem: Option<&str>,
        headers: &HeaderMap,
    ) -> PaidReply {
        let problem = problem.and_then(|body| SellerProblem::parse(body.as_bytes()));
        classify_paid(&PaidAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            settlement,
            problem: problem.as_ref(),
            terms_error: None,
        })
    }

    const AGAIN: PaidReply = PaidReply::TryAgain { retry_after: None };

    #[test]
    fn status_table_without_any_report() {
        let none = HeaderMap::new();
        for (status, expected) in [
            (200, PaidReply::Answered),
            (204, PaidReply::Answered),
            (301, PaidReply::Redirected),
            (304, PaidReply::Redirected),
            (308, PaidReply::Redirected),
            (400, PaidReply::Answered),
            (402, PaidReply::Refused),
            (404, PaidReply::Answered),
            (408, AGAIN),
            (409, PaidReply::Answered),
            (425, AGAIN),
            (429, AGAIN),
            (500, AGAIN),
            (502, AGAIN),
            (503, AGAIN),
            (504, AGAIN),
        ] {
            assert_eq!(
                classify(status, &Settlement::Unreported, None, &none),
                expected,
                "{status}"
            );
        }
        let asked = PaidReply::TryAgain {
            retry_after: Some(Duration::from_secs(3)),
        };
        assert_eq!(
            classify(409, &Settlement::Unreported, None, &with_retry("3")),
            asked
        );
    }

    #[test]
    fn problems_decide_when_present() {
        let none = HeaderMap::new();
        let unreported = Settlement::Unreported;
        for (status, body, expected) in [
            (
                503,
                r#"{"code":"settlement_pending","charged":"maybe"}"#,
                AGAIN,
            ),
            (
                409,
                r#"{"code":"payment_in_progress","charged":false}"#,
                AGAIN,
            ),
            (
                409,
                r#"{"code":"payment_reused_for_other_request","charged":false}"#,
                PaidReply::Refused,
            ),
            (
                500,
                r#"{"code":"handler_panicked","charged":false}"#,
                PaidReply::Refused,
            ),
            (500, r#"{"code":"x","charged":"maybe"}"#, AGAIN),
            (
                402,
                r#"{"code":"x","charged":false,"action":"wait"}"#,
                AGAIN,
            ),
            (
                402,
                r#"{"code":"x","charged":false,"action":"retry-same-id"}"#,
                AGAIN,
            ),
            (
                413,
                r#"{"code":"body_too_large","charged":false}"#,
                PaidReply::Refused,
            ),
        ] {
            assert_eq!(
                classify(status, &unreported, Some(body), &none),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_handlers_own_error_with_a_code_is_its_answer_and_no_word_about_the_payment() {
        let none = HeaderMap::new();
        let body = Some(r#"{"code":"NOT_FOUND","message":"no such city"}"#);
        let classify = |status| classify(status, &Settlement::Unreported, body, &none);
        assert_eq!(classify(404), PaidReply::Answered);
        assert_eq!(classify(422), PaidReply::Answered);
        assert_eq!(classify(500), AGAIN, "as without a body");
        assert_eq!(classify(402), PaidReply::Refused);
    }

    #[test]
    fn an_open_outcome_told_in_new_terms_is_open() {
        for error in ["settlement_pending", "payment_in_progress"] {
            assert_eq!(with_terms_error(402, error), AGAIN, "{error}");
        }
        for error in [
            "Payment required",
            "invalid_exact_evm_nonce_already_used",
            "",
        ] {
            assert_eq!(with_terms_error(402, error), PaidReply::Refused, "{error}");
        }
    }

    fn with_terms_error(status: u16, error: &str) -> PaidReply {
        classify_paid(&PaidAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: &HeaderMap::new(),
            settlement: &Settlement::Unreported,
            problem: None,
            terms_error: Some(error),
        })
    }

    #[test]
    fn settlement_reports_decide_on_402_and_on_errors_after_settlement() {
        let none = HeaderMap::new();
        let failed = |reason: &str| Settlement::Failed {
            reason: reason.into(),
        };
        assert_eq!(
            classify(402, &failed("settlement_pending"), None, &none),
            AGAIN
        );
        assert_eq!(
            classify(
                402,
                &failed("invalid_exact_evm_nonce_already_used"),
                None,
                &none
            ),
            PaidReply::Refused
        );
        assert_eq!(
            classify(402, &Settlement::Settled, None, &none),
            PaidReply::Refused
        );
        assert_eq!(
            classify(500, &Settlement::Settled, None, &none),
            PaidReply::Answered
        );
        assert_eq!(
            classify(200, &failed("x"), None, &none),
            PaidReply::Answered
        );
    }

    #[test]
    fn retry_after_reads_seconds_only() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("4294967295", Some(4_294_967_295)),
        ] {
            assert_eq!(
                retry_after(&with_retry(text)),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
        for text in [
            "",
            "-1",
            "1.5",
            "99999999999",
            "Wed, 21 Oct 2026 07:28:00 GMT",
            "1e3",
            "+1",
        ] {
            assert_eq!(retry_after(&with_retry(text)), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
