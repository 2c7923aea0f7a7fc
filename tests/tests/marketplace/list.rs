//! What is bought and what is refused, and what each of it costs.

use serde_json::{Value, json};

/// What a client says of one call.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Said {
    pub(crate) call: String,
    /// What it expected to pay, computed before the call.
    #[serde(default)]
    pub(crate) quote: Option<Quote>,
    #[serde(default)]
    pub(crate) receipt: Option<Receipt>,
    /// The answer.
    #[serde(default)]
    pub(crate) value: Value,
    /// The code of a refusal, and whether money was taken: false or "maybe".
    #[serde(default)]
    pub(crate) refused: Option<(String, Value)>,
    /// What the client's budget has spent by then.
    pub(crate) spent: String,
}

/// A price before the call, in dollars.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Quote {
    pub(crate) kind: String,
    pub(crate) most: String,
}

/// A receipt, amounts in dollars.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Receipt {
    pub(crate) amount: String,
    pub(crate) charged: Option<String>,
    pub(crate) transaction: Option<String>,
    pub(crate) settled: bool,
}

/// What must come of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// Served, and this much was charged, in atomic units.
    Paid(u64),
    /// Served for nothing.
    Free,
    /// Refused with a code, and nothing was charged: before anything was signed, or because the seller says so.
    Refused(&'static str),
    /// Refused with a code by the seller, who says nothing of money and holds a signature that has not expired.
    RefusedThere(&'static str),
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// Kind and most of the quote; none for what is not in the manifest.
    pub(crate) quote: Option<(&'static str, &'static str)>,
    pub(crate) outcome: Outcome,
}

const fn call(name: &'static str, quote: (&'static str, &'static str), outcome: Outcome) -> Call {
    Call {
        name,
        quote: Some(quote),
        outcome,
    }
}

use Outcome::{Free, Paid, Refused, RefusedThere};

/// How many of the calls come from the first budget, of one dollar; the others have budgets of their own.
pub(crate) const FIRST_BUDGET: usize = 14;

/// The calls in their order.
///
/// A completion is signed for 0.0005, eighteen characters and twenty words, and is three words read and twenty written.
pub(crate) const CALLS: &[Call] = &[
    call("weather", ("exact", "0.01"), Paid(10_000)),
    call("summarize_fast", ("exact", "0.05"), Paid(50_000)),
    call("summarize_long", ("exact", "0.1"), Paid(100_000)),
    call("summarize_best", ("exact", "0.5"), Paid(500_000)),
    call("complete", ("up-to", "0.00268"), Paid(2_530)),
    call("complete_streamed", ("up-to", "0.00268"), Paid(2_530)),
    call("report", ("exact", "0.05"), Paid(50_000)),
    call("quote", ("within", "0.1"), Paid(10_000)),
    call("quote_again", ("within", "0.1"), Paid(11_000)),
    call("sample_1", ("exact", "0.01"), Free),
    call("sample_2", ("exact", "0.01"), Free),
    call("sample_3", ("exact", "0.01"), Free),
    call("sample_paid", ("exact", "0.01"), Paid(10_000)),
    Call {
        name: "health",
        quote: None,
        outcome: Free,
    },
    // A text without words.
    call("empty", ("exact", "0.05"), RefusedThere("http_422")),
    // Permit2 is not approved, and without a node no permit is signed.
    call(
        "without_approval",
        ("up-to", "0.00268"),
        Refused("permit2_allowance_required"),
    ),
    // A seller that asks for two cents where the document says one.
    call("dear", ("exact", "0.01"), Refused("price_above_contract")),
    call("capped", ("exact", "0.01"), Refused("cost_above_max")),
    // A budget of a cent and a half.
    call("weather_of_the_poor", ("exact", "0.01"), Paid(10_000)),
    call("poor", ("exact", "0.01"), Refused("over_budget")),
];

/// What an answer must be; null if that is not told here.
pub(crate) fn answer(name: &str) -> Value {
    match name {
        "report" => json!({"readings": 1, "summaries": 3}),
        "complete" => json!({"input": 3, "output": 20}),
        "complete_streamed" => json!(20),
        "weather" | "weather_of_the_poor" => json!("oslo"),
        "summarize_fast" | "summarize_long" | "summarize_best" => json!(1),
        "quote" | "sample_1" | "sample_2" | "sample_3" | "sample_paid" => {
            json!("Short reckonings make long friends.")
        }
        "quote_again" => json!("A penny saved is a penny earned."),
        "health" => json!("ok"),
        _ => Value::Null,
    }
}
