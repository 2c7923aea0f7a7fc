//! Every variant: its code, what it cost, what to do, and that none shows a secret.

use std::collections::BTreeSet;

use bytes::Bytes;
use x402_model::asset::checksum;
use x402_model::problem::ProblemCode;

use super::*;
use crate::payment::tests::pending;
use crate::receipt::tests::receipt;
use crate::select::Refusal;
use crate::seller::SellerProblem;
use crate::transport::TransportErrorKind;

fn failure() -> TransportError {
    TransportError::new(TransportErrorKind::Timeout, "no answer")
}

fn with(settlement: Settlement) -> Receipt {
    Receipt {
        settlement,
        ..receipt()
    }
}

fn refused(settlement: Settlement, problem: Option<&str>, code: &str) -> Error {
    Error::Refused(Box::new(Refused {
        status: StatusCode::PAYMENT_REQUIRED,
        code: code.to_owned(),
        problem: problem.and_then(|body| SellerProblem::parse(body.as_bytes())),
        receipt: with(settlement),
        pending: pending(),
    }))
}

fn approval(settlement: Settlement, problem: Option<&str>) -> Error {
    Error::ApprovalRequired(Box::new(ApprovalRequired {
        status: StatusCode::PRECONDITION_FAILED,
        problem: problem.and_then(|body| SellerProblem::parse(body.as_bytes())),
        receipt: with(settlement),
        pending: pending(),
    }))
}

fn redirected(settlement: Settlement) -> Error {
    let receipt = with(settlement);
    Error::Redirected(Box::new(Redirected {
        status: StatusCode::FOUND,
        receipt,
        pending: pending(),
    }))
}

fn unknown() -> Error {
    Error::OutcomeUnknown(Box::new(OutcomeUnknown {
        receipt: receipt(),
        last_status: Some(StatusCode::SERVICE_UNAVAILABLE),
        last_failure: Some(failure()),
        pending: pending(),
    }))
}

fn cut(receipt: Option<Receipt>, reason: CutReason) -> Error {
    let pending = receipt.as_ref().map(|_| pending());
    let partial = PartialBody(Bytes::from_static(b"half of the paid content"));
    Error::BodyCut(Box::new(BodyCut {
        status: StatusCode::OK,
        receipt,
        partial,
        reason,
        pending,
    }))
}

/// Variant, code, charged, action, retryable, leaves a payment open.
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn table() -> Vec<(Error, &'static str, Charged, Action, bool, bool)> {
    use Action::{AskHuman, RetrySamePayment, Stop, Wait};
    use Charged::{Maybe, No, Yes};
    let insecure = RequestFault::Insecure {
        origin: "http://a.example".into(),
    };
    vec![
        (insecure.into(), "insecure_url", No, AskHuman, false, false),
        (
            Error::Unreachable(failure()),
            "unreachable",
            No,
            Wait,
            true,
            false,
        ),
        (
            Error::TermsUnreadable(TermsError::Doubled),
            "terms_unreadable",
            No,
            Stop,
            false,
            false,
        ),
        (
            Error::NothingAcceptable(Refusals(vec![Refusal::Scheme])),
            "nothing_acceptable",
            No,
            AskHuman,
            false,
            false,
        ),
        (
            Error::OverBudget(BudgetRefusal::OverTotal),
            "over_budget",
            No,
            AskHuman,
            false,
            false,
        ),
        (
            Error::Declined(Declined::new("no")),
            "declined",
            No,
            AskHuman,
            false,
            false,
        ),
        (
            approval(Settlement::Unreported, None),
            "approval_required",
            No,
            AskHuman,
            false,
            true,
        ),
        (
            approval(
                Settlement::Unreported,
                Some(r#"{"code":"x","charged":"maybe"}"#),
            ),
            "approval_required",
            Maybe,
            AskHuman,
            false,
            true,
        ),
        (
            approval(Settlement::Settled, Some(r#"{"code":"x","charged":false}"#)),
            "approval_required",
            Yes,
            AskHuman,
            false,
            true,
        ),
        (
            cut(Some(with(Settlement::Unused)), CutReason::TimedOut),
            "body_cut",
            Maybe,
            RetrySamePayment,
            false,
            true,
        ),
        (
            Error::NotSigned(SigningError::Signer),
            "not_signed",
            No,
            Stop,
            false,
            false,
        ),
        (
            Error::NotRecorded(std::io::ErrorKind::StorageFull.into()),
            "not_recorded",
            No,
            AskHuman,
            false,
            false,
        ),
        (
            Error::NeverSent(failure()),
            "never_sent",
            No,
            Wait,
            true,
            false,
        ),
        (
            refused(Settlement::Unreported, None, "x"),
            "refused",
            Maybe,
            Stop,
            false,
            true,
        ),
        (
            refused(Settlement::Settled, None, "x"),
            "refused",
            Yes,
            Stop,
            false,
            true,
        ),
        (
            refused(
                Settlement::Unreported,
                Some(r#"{"code":"x","charged":false,"action":"stop"}"#),
                "x",
            ),
            "refused",
            No,
            Stop,
            false,
            true,
        ),
        // A claim of "not charged" does not outweigh a settlement report.
        (
            refused(
                Settlement::Settled,
                Some(r#"{"code":"x","charged":false}"#),
                "x",
            ),
            "refused",
            Yes,
            Stop,
            false,
            true,
        ),
        (
            redirected(Settlement::Unreported),
            "redirected",
            Maybe,
            AskHuman,
            false,
            true,
        ),
        (
            redirected(Settlement::Settled),
            "redirected",
            Yes,
            AskHuman,
            false,
            true,
        ),
        (
            unknown(),
            "outcome_unknown",
            Maybe,
            RetrySamePayment,
            false,
            true,
        ),
        (
            cut(None, CutReason::Interrupted),
            "body_cut",
            No,
            Wait,
            true,
            false,
        ),
        (
            cut(None, CutReason::TooLarge),
            "body_cut",
            No,
            Wait,
            false,
            false,
        ),
        (
            cut(Some(with(Settlement::Settled)), CutReason::TimedOut),
            "body_cut",
            Yes,
            RetrySamePayment,
            false,
            true,
        ),
        (
            cut(Some(receipt()), CutReason::TooLarge),
            "body_cut",
            Maybe,
            RetrySamePayment,
            false,
            true,
        ),
        (Error::Internal("x"), "internal", Maybe, Stop, false, false),
    ]
}

#[test]
fn every_variant_says_what_it_cost_and_what_to_do() {
    for (error, code, charged, action, retryable, open) in table() {
        let shown = format!("{error:?}");
        assert_eq!(error.code(), code, "{shown}");
        assert_eq!(error.charged(), charged, "{shown}");
        assert_eq!(error.action(), action, "{shown}");
        assert_eq!(error.is_retryable(), retryable, "{shown}");
        assert_eq!(error.pending().is_some(), open, "{shown}");
        assert_eq!(error.receipt().is_some(), open, "{shown}");
        assert!(
            !(error.is_retryable() && error.charged() != Charged::No),
            "{shown}"
        );
    }
}

#[test]
fn a_missing_approval_says_what_to_approve() {
    let error = approval(Settlement::Unreported, None);
    let text = error.to_string();
    let receipt = receipt();
    for part in [
        &checksum(receipt.payer),
        "Permit2 (0x000000000022D473030F116dDEE9F6B43aC78BA3)",
        "0.01 USDC",
        &checksum(receipt.asset),
        "eip155:84532",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn refusals_without_a_problem_are_read_by_their_code() {
    let known = refused(
        Settlement::Unreported,
        None,
        "invalid_exact_evm_insufficient_balance",
    );
    assert_eq!(known.action(), ProblemCode::InsufficientBalance.action());
}

#[test]
fn t09_no_error_shows_payment_headers_bodies_or_signatures() {
    for (error, ..) in table() {
        let shown = format!("{error} {error:?} {error:#?}");
        for secret in ["CANARY", "half of the paid content"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn codes_of_request_faults_and_limits_are_distinct() {
    let budget = BudgetError::TooFine { text: "x".into() };
    let faults = [
        RequestFault::Url,
        RequestFault::Credentials,
        RequestFault::Insecure {
            origin: String::new(),
        },
        RequestFault::Header,
        RequestFault::ReservedHeader {
            name: "x-payment".into(),
        },
        RequestFault::Json,
        RequestFault::Max(Box::new(budget)),
        RequestFault::PayTo,
        RequestFault::IdempotencyKey,
        RequestFault::PaymentId,
        RequestFault::WalletWithoutSalt,
    ];
    let limits = [
        BudgetRefusal::OtherUnit,
        BudgetRefusal::NotCountable,
        BudgetRefusal::OverCall,
        BudgetRefusal::OverHost,
        BudgetRefusal::OverTotal,
        BudgetRefusal::TooManyHosts,
    ];
    let mut codes: BTreeSet<&str> = limits.iter().map(|limit| limit.code()).collect();
    codes.extend(faults.iter().map(RequestFault::code));
    assert_eq!(codes.len(), faults.len() + limits.len());
    for fault in faults {
        assert!(!fault.to_string().is_empty());
        let code = fault.code();
        assert_eq!(Error::from(fault).code(), code);
    }
}
