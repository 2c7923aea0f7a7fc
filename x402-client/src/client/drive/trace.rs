//! The span around one call.

use tracing::Span;
use tracing::field::{Empty, display};
use url::Url;

use super::Ending;
use crate::client::request::Call;
use crate::payment::PendingPayment;
use crate::target;
use crate::telemetry::span;

/// A span for a new call, or for a payment that is presented again.
pub(super) fn call_span(call: Option<&Call>, payment: Option<&PendingPayment>) -> Span {
    let span = tracing::info_span!(
        span::CALL,
        host = Empty,
        method = Empty,
        network = Empty,
        asset = Empty,
        amount = Empty,
        nonce = Empty,
        sends = Empty,
        outcome = Empty
    );
    if span.is_disabled() {
        return span;
    }
    if let Some(call) = call {
        span.record("host", target::host(&call.request.url));
        span.record("method", call.request.method.as_str());
    }
    if let Some(payment) = payment {
        let receipt = payment.receipt();
        // Only the host: the rest of a URL can hold secrets of the caller.
        if let Ok(url) = Url::parse(&receipt.url) {
            span.record("host", target::host(&url));
        }
        span.record("method", receipt.method.as_str());
        signed(&span, payment);
    }
    span
}

/// Adds the payment that the call is made with.
pub(super) fn signed(span: &Span, payment: &PendingPayment) {
    if span.is_disabled() {
        return;
    }
    let receipt = payment.receipt();
    span.record("network", display(&receipt.network));
    span.record("asset", receipt.symbol.as_str());
    span.record("amount", receipt.amount_text());
    span.record("nonce", display(receipt.nonce));
}

/// Adds that the call stopped at its price.
pub(super) fn priced(span: &Span) {
    span.record("sends", 0);
    span.record("outcome", "priced");
}

/// Adds how the call ended.
pub(super) fn ended(span: &Span, ending: Ending, sends: u32) {
    span.record("sends", sends);
    span.record("outcome", name(ending));
}

const fn name(ending: Ending) -> &'static str {
    match ending {
        Ending::Free => "free",
        Ending::AskFailed => "ask_failed",
        Ending::TermsUnreadable => "terms_unreadable",
        Ending::NothingAcceptable => "nothing_acceptable",
        Ending::Declined => "declined",
        Ending::OverBudget => "over_budget",
        Ending::SignFailed => "sign_failed",
        Ending::Answered => "answered",
        Ending::Refused => "refused",
        Ending::Redirected => "redirected",
        Ending::NeverSent => "never_sent",
        Ending::Unknown => "unknown",
        Ending::Misuse => "misuse",
    }
}
