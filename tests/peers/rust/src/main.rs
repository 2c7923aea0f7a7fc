//! Other people's crates as programs: `peer buy` and `peer sell`, told what to do by environment.

mod buy;
mod sell;

/// A value that the test must give.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set"))
}

#[tokio::main]
async fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("buy") => buy::run().await,
        Some("sell") => sell::run().await,
        other => panic!("buy or sell, not {other:?}"),
    }
}
