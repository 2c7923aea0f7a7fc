//! The names of everything a seller can observe: spans, events and metrics. They are an interface and stay as they are.
//!
//! Spans and events go to whatever [`tracing`] subscriber is installed, metrics to whatever [`metrics`] recorder. No exporter is
//! chosen here, and without one both cost next to nothing. **Install the recorder before the paywall is built**: what an unpaid
//! request counts is looked up once, at the start.
//!
//! Nothing here holds a secret or names a person. A payment is named by its id, its network, its token and its nonce, all of which
//! are on the public chain once it is settled; the payer's address is not logged, nor are payment headers, signatures, keys,
//! bodies, paths or query strings. Labels of metrics come from the seller's own configuration and from closed lists, so a
//! buyer cannot make new series. See `docs/operations.md`.

#[cfg(feature = "http")]
pub(crate) mod calls;
pub(crate) mod endpoint;
pub(crate) mod paywall;
mod tables;

#[cfg(feature = "http")]
pub(crate) use self::calls::ProviderMetrics;
pub(crate) use self::endpoint::EndpointMetrics;
pub(crate) use self::paywall::PaywallMetrics;
pub use self::tables::{EVENTS, Event, Kind, METRICS, Metric, SPANS, Span};

/// Names of spans.
pub mod span {
    /// One presented payment, from its header to its answer.
    pub const PRESENT: &str = "x402.present";
    /// The facilitator is asked whether a payment would settle.
    pub const VERIFY: &str = "x402.verify";
    /// The paid handler runs.
    pub const HANDLER: &str = "x402.handler";
    /// The facilitator is asked to move the money.
    pub const SETTLEMENT: &str = "x402.settlement";
    /// One look at the payments that nobody waits for any more.
    pub const RESOLVE: &str = "x402.resolve";
    /// One HTTP exchange with a provider.
    pub const FACILITATOR_CALL: &str = "x402.facilitator_call";
}

/// Names of events.
pub mod event {
    /// A presented payment was answered.
    pub const PAYMENT: &str = "x402.payment";
    /// Terms were told to a request without a payment.
    pub const UNPAID: &str = "x402.unpaid";
    /// A request was refused.
    pub const REFUSED: &str = "x402.refused";
    /// A payment header could not be read.
    pub const UNDECODABLE: &str = "x402.undecodable";
    /// A payment payload could not be read.
    pub const MALFORMED: &str = "x402.malformed";
    /// A call could not be charged, because nobody counted what it used.
    pub const UNMETERED: &str = "x402.unmetered";
    /// A price could not be told.
    pub const QUOTE_FAILED: &str = "x402.quote_failed";
    /// The facilitator found a payment invalid.
    pub const INVALID: &str = "x402.invalid";
    /// The facilitator did not say whether a payment is valid.
    pub const VERIFY_FAILED: &str = "x402.verify_failed";
    /// A settle call ended.
    pub const SETTLE: &str = "x402.settle";
    /// One of the seller's hooks failed.
    pub const HOOK_FAILED: &str = "x402.hook_failed";
    /// The ledger failed.
    pub const LEDGER_FAILED: &str = "x402.ledger_failed";
    /// The ledger's thread ended.
    pub const LEDGER_STOPPED: &str = "x402.ledger_stopped";
    /// Credit was sold, or was paid for and could not be booked.
    pub const CREDIT: &str = "x402.credit";
    /// The resolver moved a payment.
    pub const RESOLVED: &str = "x402.resolved";
    /// Old records were removed.
    pub const PURGED: &str = "x402.purged";
    /// The facilitator failed at something else than verifying and settling.
    pub const FACILITATOR_FAILED: &str = "x402.facilitator_failed";
    /// A provider gave an answer that is none.
    pub const FACILITATOR_ANSWER: &str = "x402.facilitator_answer";
    /// A settlement was sent, and the node gave no clear answer.
    pub const EVM_BROADCAST_UNCLEAR: &str = "x402.evm_broadcast_unclear";
    /// The node refused a transaction.
    pub const EVM_BROADCAST_REFUSED: &str = "x402.evm_broadcast_refused";
    /// The node no longer takes a transaction that it had taken.
    pub const EVM_DROPPED: &str = "x402.evm_dropped";
    /// A gap in the account's nonces is filled with a transfer of nothing.
    pub const EVM_GAP_FILLED: &str = "x402.evm_gap_filled";
    /// A nonce of the account could not be freed.
    pub const EVM_STUCK: &str = "x402.evm_stuck";
    /// A transaction was mined without moving the money as agreed.
    pub const EVM_MISMATCH: &str = "x402.evm_mismatch";
    /// A transaction is not waited for any more.
    pub const EVM_GIVEN_UP: &str = "x402.evm_given_up";
    /// A paywall started.
    pub const STARTED: &str = "x402.started";
    /// Something about a paywall that starts is probably not meant.
    pub const START_WARNING: &str = "x402.start_warning";
    /// Payments left by earlier processes were looked at.
    pub const RECOVERED: &str = "x402.recovered";
    /// Terms are longer than some proxies pass on.
    pub const LONG_TERMS: &str = "x402.long_terms";
    /// The manifest is longer than many readers take.
    pub const LONG_MANIFEST: &str = "x402.long_manifest";
    /// A paywall shut down.
    pub const SHUTDOWN: &str = "x402.shutdown";
    /// A handler asks for the payment where there is no paywall.
    pub const NOT_PAID: &str = "x402.not_paid";
}

/// Names of metrics.
pub mod metric {
    /// Requests without a payment that were told the terms.
    pub const UNPAID: &str = "x402_unpaid_total";
    /// Presented payments, by how they ended.
    pub const PAYMENTS: &str = "x402_payments_total";
    /// Refused requests, by code.
    pub const REFUSED: &str = "x402_refused_total";
    /// Money that moved, in the token's smallest unit.
    pub const SETTLED: &str = "x402_settled_atomic_total";
    /// Duration of settle calls.
    pub const SETTLE_SECONDS: &str = "x402_settle_seconds";
    /// Duration of handlers.
    pub const HANDLER_SECONDS: &str = "x402_handler_seconds";
    /// Payments in flight.
    pub const IN_FLIGHT: &str = "x402_in_flight";
    /// Calls of the seller's hooks.
    pub const HOOKS: &str = "x402_hooks_total";
    /// Failures of the ledger.
    pub const LEDGER_ERRORS: &str = "x402_ledger_errors_total";
    /// What the resolver did to payments.
    pub const RESOLVER: &str = "x402_resolver_total";
    /// Payments that were due at the resolver's last look.
    pub const RESOLVER_DUE: &str = "x402_resolver_due";
    /// Duration of HTTP exchanges with a provider.
    pub const FACILITATOR_SECONDS: &str = "x402_facilitator_call_seconds";
    /// When a provider last said what it supports.
    pub const KINDS_TIMESTAMP: &str = "x402_facilitator_kinds_timestamp_seconds";
}
