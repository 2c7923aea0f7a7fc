//! A seller with three paid routes and a free one, configured by environment; see README.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one line when ready, one when it cannot start"
)]

use std::process::ExitCode;

use x402_examples::marketplace;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match marketplace::Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("marketplace cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match marketplace::run(settings, |ready| println!("{ready}")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("marketplace cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
