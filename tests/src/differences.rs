//! Where we answer otherwise than the reference on purpose, by rule, with the reason.
//!
//! A rule looks at the shape of an exchange, never at its name: other recordings of the same kind must meet the same rules.

use serde_json::Value;

use crate::vectors::Exchange;

/// The clock of the recordings, Unix seconds.
pub const CLOCK: u64 = 1_790_000_000;

/// What we do instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// This release does not sell that way, so there is nothing to compare.
    NotOffered,
    /// We answer with this status and this code, and the handler does not run.
    Refuse(u16, &'static str),
    /// We answer with this status, and the handler runs, but its answer is withheld.
    Withhold(u16, &'static str),
    /// The path is not a route: whatever the status, the handler does not run.
    NoRoute,
    /// The first presentation is served, and a second one gets the same bytes.
    ServeAgain,
}

/// One deliberate difference.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// The rule in a few words.
    pub rule: &'static str,
    /// Why it is better so.
    pub reason: &'static str,
    /// What we do.
    pub instead: Instead,
    /// Whether an exchange falls under the rule.
    pub applies: fn(&Exchange) -> bool,
}

/// Differences that hold for every exchange and are applied by the comparison itself.
pub const EVERYWHERE: &[(&str, &str)] = &[
    (
        "the body of a refusal is JSON with a stable code",
        "agents act on the code; the reference sends an empty object or HTML",
    ),
    (
        "cache-control is private, no-store on every gated answer",
        "a shared cache must keep neither goods nor terms",
    ),
    (
        "the origin of resource.url is https",
        "over http anybody on the way can read and replay payments; only loopback is exempt",
    ),
    (
        "a settlement that failed names no transaction",
        "nothing moved, and a hash beside a failure reads like a payment",
    ),
    (
        "resource.url has no query",
        "queries hold what callers ask about, and the resource is the endpoint",
    ),
    (
        "resource texts come from the handler's documentation",
        "the seller of the recording set them in its route table",
    ),
    (
        "an undecodable or unmatched payment has a code of its own in the body",
        "buyers must know what to repair",
    ),
];

/// The table. The first rule that applies counts.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        rule: "other schemes, flows and transfer methods",
        reason: "this release settles exact payments by EIP-3009 after the handler ran",
        instead: Instead::NotOffered,
        applies: |exchange| {
            exchange
                .entries()
                .iter()
                .any(|entry| !is_plain_exact(entry))
        },
    },
    Difference {
        rule: "extensions other than payment-identifier",
        reason: "this release advertises no other extension",
        instead: Instead::NotOffered,
        applies: |exchange| {
            exchange
                .required()
                .is_some_and(|terms| terms.get("extensions").is_some())
        },
    },
    Difference {
        rule: "hooks that let requests through or refuse them",
        reason: "axum layers do that; the gate knows payments only",
        instead: Instead::NotOffered,
        applies: |exchange| {
            exchange.status() == 403
                || (exchange.ran() && exchange.payment.is_none() && exchange.method != "HEAD")
        },
    },
    Difference {
        rule: "mistakes in the seller's settings are found by a request",
        reason: "ours are found when the seller starts",
        instead: Instead::NotOffered,
        applies: |exchange| exchange.status() == 500 && !exchange.ran(),
    },
    Difference {
        rule: "HEAD runs the handler",
        reason: "axum answers HEAD with the GET handler, so it is gated like GET (G20)",
        instead: Instead::Refuse(402, "payment_required"),
        applies: |exchange| exchange.method == "HEAD",
    },
    Difference {
        rule: "paths that are brought into shape before they are matched",
        reason: "no path matching decides whether to charge: another spelling is another route, or none (G4)",
        instead: Instead::NoRoute,
        applies: |exchange| exchange.route().contains("//"),
    },
    Difference {
        rule: "two payment headers, of which one counts",
        reason: "two readers of one request must not see two payments (G13)",
        instead: Instead::Refuse(400, "duplicate_payment_header"),
        applies: |exchange| exchange.sends("payment-signature") && exchange.sends("x-payment"),
    },
    Difference {
        rule: "a version 2 payment in X-PAYMENT is ignored",
        reason: "that header is read here, and holds version 1 payments only",
        instead: Instead::Refuse(402, "unsupported_version"),
        applies: |exchange| {
            exchange
                .version_in_x_payment()
                .is_some_and(|found| found != 1)
        },
    },
    Difference {
        rule: "version 1 payments are ignored",
        reason: "every route takes both versions",
        instead: Instead::ServeAgain,
        applies: |exchange| exchange.version_in_x_payment() == Some(1),
    },
    Difference {
        rule: "a payment that is served although there is hardly time to settle it",
        reason: "a few seconds more than the protocol's must be left, or the work is done for nothing (G17)",
        instead: Instead::Refuse(402, "authorization_expired"),
        applies: |exchange| {
            exchange.ran() && exchange.valid_before().is_some_and(|at| at < CLOCK + 10)
        },
    },
    Difference {
        rule: "a payment that is served although it lives longer than the terms say",
        reason: "what was signed for minutes must not be a cheque for days (G17)",
        instead: Instead::Refuse(402, "validity_too_long"),
        applies: |exchange| {
            exchange.ran() && exchange.valid_before().is_some_and(|at| at > CLOCK + 360)
        },
    },
    Difference {
        rule: "a used payment is refused",
        reason: "the ledger answers the same payment with the same bytes",
        instead: Instead::ServeAgain,
        applies: |exchange| exchange.error().ends_with("nonce_already_used"),
    },
    Difference {
        rule: "a settle call without a usable answer is a failed settlement",
        reason: "the money may have moved: the outcome is unknown until the chain says so (S1)",
        instead: Instead::Withhold(503, "settlement_pending"),
        applies: |exchange| {
            let reason = reason(exchange);
            let open =
                reason.starts_with("Facilitator settle failed") || reason.contains("pending");
            open || (exchange.status() == 502 && exchange.ran())
        },
    },
    Difference {
        rule: "the text of a facilitator's failure goes to the buyer",
        reason: "upstream texts are logged, not sent (G18), and a broken facilitator is not the buyer's fault",
        instead: Instead::Refuse(503, "facilitator_unavailable"),
        applies: verification_failed,
    },
];

/// The rule that an exchange falls under.
#[must_use]
pub fn difference(exchange: &Exchange) -> Option<&'static Difference> {
    DIFFERENCES
        .iter()
        .find(|difference| (difference.applies)(exchange))
}

/// Whether the recorded facilitator gave no usable verdict on the payment.
#[must_use]
pub fn verification_failed(exchange: &Exchange) -> bool {
    let told = exchange.asked("POST /verify") && exchange.error().contains(' ');
    told || (exchange.status() == 502 && !exchange.ran())
}

/// Whether the recorded facilitator left open what became of the money.
#[must_use]
pub fn settlement_open(exchange: &Exchange) -> bool {
    difference(exchange).is_some_and(|rule| matches!(rule.instead, Instead::Withhold(..)))
}

fn is_plain_exact(entry: &Value) -> bool {
    let extra = |key: &str, plain: &str| entry["extra"].get(key).is_none_or(|value| value == plain);
    entry["scheme"] == "exact"
        && extra("paymentFlow", "authorization")
        && extra("assetTransferMethod", "eip3009")
}

fn reason(exchange: &Exchange) -> &str {
    exchange
        .receipt()
        .and_then(|receipt| receipt["errorReason"].as_str())
        .unwrap_or_default()
}
