//! What each span, event and metric carries and means, as data: for the recorder, for the documentation and for tests.

use super::{event, metric, span};

/// A span: its name, its fields and what it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The name.
    pub name: &'static str,
    /// The level, in lower case.
    pub level: &'static str,
    /// The names of its fields.
    pub fields: &'static [&'static str],
    /// What it covers.
    pub meaning: &'static str,
}

/// An event: its name, its fields and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The name.
    pub name: &'static str,
    /// The levels it comes at, in lower case.
    pub level: &'static str,
    /// The names of the fields it may have.
    pub fields: &'static [&'static str],
    /// What it says.
    pub meaning: &'static str,
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution of seconds.
    Histogram,
}

impl Kind {
    /// The name, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric: its name, its kind, its labels and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// The kind.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub meaning: &'static str,
}

macro_rules! spans {
    ($($name:ident $level:literal [$($field:literal),*] $meaning:literal;)+) => {
        /// Every span of this crate.
        pub const SPANS: &[Span] = &[$(Span {
            name: span::$name, level: $level, fields: &[$($field),*], meaning: $meaning,
        },)+];
    };
}

macro_rules! events {
    ($($name:ident $level:literal [$($field:literal),*] $meaning:literal;)+) => {
        /// Every named event of this crate. Events without a name are for debugging and may change.
        pub const EVENTS: &[Event] = &[$(Event {
            name: event::$name, level: $level, fields: &[$($field),*], meaning: $meaning,
        },)+];
    };
}

macro_rules! metrics {
    ($($name:ident $kind:ident [$($label:literal),*] $meaning:literal;)+) => {
        /// Every metric of this crate.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: metric::$name, kind: Kind::$kind, labels: &[$($label),*], meaning: $meaning,
        },)+];
    };
}

spans! {
    PRESENT "info" ["endpoint", "version", "payment", "network", "asset", "nonce"]
        "One presented payment, from its header to its answer. The parent of the next three.";
    VERIFY "info" ["outcome"]
        "The facilitator is asked whether a payment would settle: `valid`, `invalid` or `failed`.";
    HANDLER "info" ["endpoint"]
        "The paid handler runs and its answer is collected.";
    SETTLEMENT "info" ["endpoint", "payment", "outcome", "duration_ms"]
        "The facilitator is asked to move the money: `settled`, `refused` or `unknown`. Also inside `x402.resolve`.";
    RESOLVE "debug" ["looked_at", "moved"]
        "One look of the resolver at payments that nobody waits for any more.";
    FACILITATOR_CALL "info" ["provider", "operation", "status", "outcome", "duration_ms"]
        "One HTTP exchange with a provider: `verify`, `settle` or `supported`.";
}

events! {
    PAYMENT "info" ["endpoint", "outcome"]
        "A presented payment was answered: `paid`, `uncharged`, or the code of the refusal.";
    UNPAID "debug" ["endpoint"]
        "A request without a payment was told the terms.";
    REFUSED "debug" ["endpoint", "code"]
        "A request was refused with this code.";
    UNDECODABLE "debug" ["endpoint", "error"]
        "A payment header is not what the protocol says.";
    MALFORMED "debug" ["endpoint", "error"]
        "A payment payload is not what the scheme says.";
    UNMETERED "error" ["endpoint", "error"]
        "A call with a metered price could not be charged: its handler counted what is not in the price, or nobody said what it used.";
    QUOTE_FAILED "warn, error" ["endpoint", "price", "error"]
        "The price of a request could not be told: the quote function gave none in time, or one outside its bounds.";
    INVALID "info" ["reason", "detail"]
        "The facilitator found a payment invalid; its own words.";
    VERIFY_FAILED "warn" ["error"]
        "The facilitator did not say whether a payment is valid. The buyer got 503.";
    SETTLE "info, warn" ["endpoint", "payment", "event", "transaction", "reason", "detail"]
        "A settle call ended, and what the ledger was told of it.";
    HOOK_FAILED "warn" ["endpoint", "payment", "hook", "error"]
        "A hook of the seller's failed, panicked, took too long, or was not told because too many were busy. A payment that it was asked about got 503.";
    LEDGER_FAILED "error" ["error"]
        "The ledger could not read or write.";
    LEDGER_STOPPED "error" ["error"]
        "The ledger's storage failed for good: no payment is taken until a restart.";
    CREDIT "info, error" ["endpoint", "payment", "amount", "unit", "reason"]
        "Credit was sold; as an error: it was paid for and could not be booked, and somebody has to look.";
    RESOLVED "info" ["endpoint", "payment", "from", "event"]
        "The resolver moved a payment on from this state.";
    PURGED "debug" ["removed"]
        "Records older than the retention were removed.";
    FACILITATOR_FAILED "warn" ["endpoint", "error"]
        "The facilitator could not look at the payer's account, or say what it supports.";
    FACILITATOR_ANSWER "warn" ["operation", "status", "excerpt"]
        "A provider's answer is none of the protocol; how it begins.";
    EVM_BROADCAST_UNCLEAR "warn" ["hash", "nonce", "error"]
        "Own settler: a transaction was sent without a clear answer of the node; its receipt decides. `nonce` is the account's here and below.";
    EVM_BROADCAST_REFUSED "warn" ["nonce", "error"]
        "Own settler: the node refused a transaction, for want of gas money for example.";
    EVM_DROPPED "warn" ["nonce", "error"]
        "Own settler: the node no longer takes an earlier transaction.";
    EVM_GAP_FILLED "warn" ["nonce", "hash"]
        "Own settler: a gap in the account's nonces is filled with a transfer of nothing.";
    EVM_STUCK "warn" ["nonce"]
        "Own settler: a nonce could not be freed; later settlements may wait behind it.";
    EVM_MISMATCH "warn" ["transaction", "status"]
        "Own settler: a transaction was mined without moving the money as agreed.";
    EVM_GIVEN_UP "warn" ["transaction", "nonce"]
        "Own settler: no receipt came in time; the chain's evidence decides.";
    STARTED "info" ["endpoints"]
        "A paywall started.";
    START_WARNING "warn" ["code", "rail", "detail"]
        "At the start, something was found that is probably not meant: a token that could not be compared with the chain, a price that costs more to settle than it earns, or an endpoint that leaves buyers little time (`rail` is empty then).";
    RECOVERED "info" ["recovered"]
        "At the start, payments left by earlier processes were looked at.";
    LONG_TERMS "warn" ["endpoint", "bytes"]
        "The terms of an endpoint are longer than some proxies pass on.";
    LONG_MANIFEST "warn" ["bytes"]
        "The manifest is longer than many readers take (256 KiB). It is served nevertheless.";
    SHUTDOWN "info" ["drained"]
        "A paywall shut down; `false` when payments were still in flight.";
    NOT_PAID "error" []
        "A handler asks for `Paid` but was mounted outside a paywall.";
}

metrics! {
    UNPAID Counter ["endpoint"]
        "Requests without a payment that were told the terms.";
    PAYMENTS Counter ["endpoint", "outcome"]
        "Presented payments by how they were answered: `paid`, `uncharged` (the handler failed), `refused`, `not_settled`, `pending`.";
    REFUSED Counter ["endpoint", "code"]
        "Requests that were refused, by problem code; with and without a readable payment.";
    SETTLED Counter ["endpoint", "network", "asset"]
        "Money that moved, in the token's smallest unit. For graphs; the books are the ledger.";
    SETTLE_SECONDS Histogram ["endpoint", "outcome"]
        "Duration of settle calls in seconds: `settled`, `refused`, `unknown`.";
    HANDLER_SECONDS Histogram ["endpoint"]
        "Duration of paid handlers in seconds, their answer's body included.";
    IN_FLIGHT Gauge []
        "Payments being worked on now, from before their body is read.";
    HOOKS Counter ["hook", "outcome"]
        "Calls of the seller's hooks: `ok`, `refused`, `failed`, `panicked`, `timeout`, or `dropped` because too many were busy.";
    LEDGER_ERRORS Counter ["kind"]
        "Failures of the ledger: `overloaded`, `full`, `closed`, `store`, `corrupt`, `other`.";
    RESOLVER Counter ["event"]
        "What the resolver did to payments: `settled`, `refused`, `open`, or the ledger's event that it presented.";
    RESOLVER_DUE Gauge []
        "Payments whose outcome was due to be looked at, at the resolver's last look.";
    FACILITATOR_SECONDS Histogram ["provider", "operation", "outcome"]
        "Duration of HTTP exchanges in seconds: `2xx` to `5xx`, or `timeout`, `unreachable`, `bad_answer`.";
    KINDS_TIMESTAMP Gauge ["provider"]
        "When a provider last said what it supports, in Unix seconds.";
}
