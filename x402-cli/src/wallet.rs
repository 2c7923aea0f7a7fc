//! `x402 wallet`.

use crate::{Exit, Failure};

/// Arguments of `x402 wallet`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(crate) fn run(_args: Args) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, "wallet is being built"))
}
