//! `x402 call`.

use crate::{Exit, Failure};

/// Arguments of `x402 call`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(crate) fn run(_args: Args) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, "call is being built"))
}
