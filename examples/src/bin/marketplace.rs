//! A seller with seven paid routes and a free one, configured by environment; see README. `--manifest [FILE]` tells what it sells.
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
    match sell(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("marketplace cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn sell(settings: marketplace::Settings) -> Result<(), marketplace::StartError> {
    if marketplace::offer(&settings)?.print_manifest_if_asked(std::env::args_os())? {
        return Ok(());
    }
    marketplace::run(settings, |ready| println!("{ready}")).await
}
