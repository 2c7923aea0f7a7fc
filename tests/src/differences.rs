//! Where we answer otherwise than the reference on purpose, by rule, with the reason.
//!
//! A rule looks at the shape of an exchange, never at its name: other recordings of the same kind must meet the same rules.

use serde_json::Value;

use crate::vectors::Exchange;

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
        rule: "extensions",
        reason: "this release advertises no extension",
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
        rule: "a used payment is refused",
        reason: "the ledger answers the same payment with the same bytes",
        instead: Instead::ServeAgain,
        applies: |exchange| exchange.error().ends_with("nonce_already_used"),
    },
    Difference {
        rule: "a settle call without a usable answer is a failed settlement",
        reason: "the money may have moved: the outcome is unknown until the chain says so (S1)",
        instead: Instead::Withhold(503, "settlement_pending"),
        applies: |exchange| reason(exchange).starts_with("Facilitator settle failed"),
    },
    Difference {
        rule: "the text of a facilitator's failure goes to the buyer",
        reason: "upstream texts are logged, not sent (G18), and a broken facilitator is not the buyer's fault",
        instead: Instead::Refuse(503, "facilitator_unavailable"),
        applies: |exchange| exchange.asked("POST /verify") && exchange.error().contains(' '),
    },
];

/// The rule that an exchange falls under.
#[must_use]
pub fn difference(exchange: &Exchange) -> Option<&'static Difference> {
    DIFFERENCES
        .iter()
        .find(|difference| (difference.applies)(exchange))
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
