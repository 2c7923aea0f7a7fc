//! `x402 facilitator`.

use crate::{Exit, Failure};

/// Arguments of `x402 facilitator`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(crate) fn run(_args: Args) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, "facilitator is being built"))
}
