//! A seller with seven paid routes and a free one, configured by environment; see README. `--manifest [FILE]` tells what it sells.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one line when ready, one when it cannot start"
)]

use std::process::ExitCode;

use x402_examples::marketplace;

const USAGE: &str = "\
usage: marketplace [--manifest [FILE]] [--manifest-key FILE]

Without arguments it sells, on a chain that it brings along. --manifest prints what it sells, or writes it to FILE.
The settings are variables of the environment, such as X402_LISTEN; README.md lists them.";

#[tokio::main]
async fn main() -> ExitCode {
    let first = std::env::args_os().nth(1);
    let first = first.map(|first| first.to_string_lossy().into_owned());
    match first.as_deref() {
        Some("--help" | "-h") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some(other) if !other.starts_with("--manifest") => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
        _ => {}
    }
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
