//! The names of what a buyer can observe: one span per call, and its events. They are an interface and stay as they are.
//!
//! They go to whatever [`tracing`] subscriber is installed. A call is named by host and method, never by path, query, headers
//! or body, which can hold the caller's secrets; a payment by its nonce, its token and its network, never by the payment
//! header, its signature or a key.

/// The names of spans.
pub mod span {
    /// One call, from the unpaid request to its end.
    pub const CALL: &str = "x402.call";
}

/// The names of events.
pub mod event {
    /// An option of the terms was chosen.
    pub const CHOSEN: &str = "x402.client_chosen";
    /// A paid request got no answer.
    pub const NO_ANSWER: &str = "x402.client_no_answer";
    /// A paid request was answered.
    pub const ANSWERED: &str = "x402.client_answered";
}

/// A span or an event: its name, its level and the fields it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// The level, in lower case.
    pub level: &'static str,
    /// The names of its fields.
    pub fields: &'static [&'static str],
    /// What it covers or says.
    pub meaning: &'static str,
}

/// Every span of this crate.
pub const SPANS: &[Named] = &[Named {
    name: span::CALL,
    level: "info",
    fields: &[
        "host", "method", "network", "asset", "amount", "nonce", "sends", "outcome",
    ],
    meaning: "One call of the client, or one resumed payment, to its end; `priced` if only the price was asked for.",
}];

/// Every event of this crate.
pub const EVENTS: &[Named] = &[
    Named {
        name: event::CHOSEN,
        level: "debug",
        fields: &["host", "amount", "asset", "network"],
        meaning: "An option of the terms fits policy and budget; nothing is signed yet.",
    },
    Named {
        name: event::NO_ANSWER,
        level: "debug",
        fields: &["kind"],
        meaning: "A paid request got no answer; the same payment may be sent again.",
    },
    Named {
        name: event::ANSWERED,
        level: "debug",
        fields: &["status", "meaning"],
        meaning: "A paid request was answered, and what that means for the payment.",
    },
];
