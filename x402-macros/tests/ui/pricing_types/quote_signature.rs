//! A quote function takes the state of the handler and a request.
use axum::extract::State;
use x402_runtime::handler::{QuoteRequest, QuoteResult};
use x402_runtime::paid;

#[derive(Clone)]
struct App;

async fn quote(_request: QuoteRequest) -> QuoteResult {
    Ok("0.01 USDC".parse()?)
}

#[paid(GET "/weather", price = dynamic(quote, max = "1 USDC"))]
async fn weather(_: State<App>) {}

fn main() {}
