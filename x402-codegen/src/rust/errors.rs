//! Refusals by name, and what the document says about each.

use x402_model::problem::Charged;

use super::{Context, docs};
use crate::escape::rust_string;
use crate::out::{Out, line};

/// The ways in which a call ends without the service.
const VARIANTS: &str = "\
/// A refusal that this file does not know.
Other(Box<Problem>),
/// An argument that cannot be sent. Nothing was sent.
Argument(&'static str),
/// The request has no price: what decides about it is missing or has no entry.
NoPrice(String),
/// The service asks for more than its document allows. Nothing was paid: tell its operator.
PriceAboveContract {
    /// The endpoint.
    endpoint: &'static str,
    /// The most that its document allows.
    most: &'static str,
},
/// The call costs more than its `max_cost`. Nothing was paid.
CostAboveMax,
/// The next page might exceed the cap of all pages. It was not asked for.
SpendCapReached {
    /// What the pages so far cost.
    spent: String,
    /// The cap.
    cap: String,
},
/// The budget has no room for the call. Nothing was paid. [`Error::code`] tells which limit it is: `over_call_cap` for what one
/// call may cost, `over_budget` for the total, `over_host_cap` for what the service may get of it.
BudgetExceeded(x402_client::BudgetRefusal),
/// A blocking call on a thread of an async runtime. Nothing was sent: use the async client there.
InsideRuntime,
/// The answer is not what the document says. It was paid if there is a receipt.
Decode {
    /// What is wrong with it.
    reason: String,
    /// The payment.
    receipt: Option<Box<Receipt>>,
    /// What came: it may be paid for, so it is not lost. Nothing where it was an event of a stream.
    answer: Option<Box<x402_client::Response>>,
},
/// The service was not reached. Nothing was paid.
Unreachable {
    /// HTTP method.
    method: http::Method,
    /// Host, with its port if that is not the usual one.
    host: String,
    /// What became of the request.
    cause: x402_client::transport::TransportError,
},
/// Everything else that ends a call before the service answers. [`Error::code`] tells what it is: `nothing_acceptable` for a
/// service that offers no payment that may be made, `terms_unreadable`, `outcome_unknown` and others.
Client(Box<x402_client::Error>),
";

/// Their codes.
const CODES: &str = "\
Self::Argument(_) => \"invalid_argument\",
Self::NoPrice(_) => \"no_price\",
Self::PriceAboveContract { .. } => \"price_above_contract\",
Self::CostAboveMax => \"cost_above_max\",
Self::SpendCapReached { .. } => \"spend_cap_reached\",
Self::BudgetExceeded(limit) => limit.code(),
Self::InsideRuntime => \"inside_runtime\",
Self::Unreachable { .. } => \"unreachable\",
Self::Decode { .. } => \"unexpected_answer\",
Self::Client(error) => error.code(),
other => other.problem().map_or(\"refused\", |problem| problem.code.as_str()),
";

/// Writes the error type.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    out.line("/// A call that did not end with an answer.");
    out.line("#[derive(Debug)]");
    out.line("#[non_exhaustive]");
    out.block("pub enum Error {", "}", |out| {
        for error in &context.model.errors {
            match &error.description {
                Some(text) => docs(out, text),
                None => docs(out, &format!("{}.", error.code)),
            }
            line!(out, "{}(Box<Problem>),", context.variant(&error.code));
        }
        VARIANTS.lines().for_each(|text| out.line(text));
    });
    out.gap();
    out.block("impl Error {", "}", |out| {
        out.line("/// Stable code: the service's, or one of this client's own.");
        out.block("pub fn code(&self) -> &str {", "}", |out| {
            out.block("match self {", "}", |out| {
                CODES.lines().for_each(|text| out.line(text));
            });
        });
        out.gap();
        out.line("/// What the service said, if it refused.");
        out.block("pub fn problem(&self) -> Option<&Problem> {", "}", |out| {
            out.block("match self {", "}", |out| {
                for error in &context.model.errors {
                    line!(
                        out,
                        "Self::{}(problem) => Some(problem),",
                        context.variant(&error.code)
                    );
                }
                out.line("Self::Other(problem) => Some(problem),");
                out.line("_ => None,");
            });
        });
        out.gap();
        out.block(
            "fn of_problem(problem: Box<Problem>) -> Self {",
            "}",
            |out| {
                out.block("match problem.code.as_str() {", "}", |out| {
                    for error in &context.model.errors {
                        line!(
                            out,
                            "{} => Self::{}(problem),",
                            rust_string(&error.code),
                            context.variant(&error.code)
                        );
                    }
                    out.line("_ => Self::Other(problem),");
                });
            },
        );
    });
    out.gap();
    tables(out, context);
}

fn tables(out: &mut Out, context: &Context<'_>) {
    out.line("/// What the document says about a code: whether calling again helps, whether it charged, what to do.");
    out.block(
        "fn known(code: &str) -> Option<(bool, Charged, &'static str)> {",
        "}",
        |out| {
            out.block("match code {", "}", |out| {
                for error in &context.model.errors {
                    let charged = match error.charged {
                        Charged::Yes => "Yes",
                        Charged::No => "No",
                        Charged::Maybe => "Maybe",
                    };
                    line!(
                        out,
                        "{} => Some(({}, Charged::{charged}, {})),",
                        rust_string(&error.code),
                        error.retryable,
                        rust_string(&error.action)
                    );
                }
                out.line("_ => None,");
            });
        },
    );
    out.gap();
    out.block("fn status_of(code: &str) -> u16 {", "}", |out| {
        out.block("match code {", "}", |out| {
            for error in &context.model.errors {
                line!(out, "{} => {},", rust_string(&error.code), error.status);
            }
            out.line("_ => 500,");
        });
    });
    out.gap();
}

impl Context<'_> {
    fn variant(&self, code: &str) -> &str {
        self.errors.get(code).map_or("Other", String::as_str)
    }
}
