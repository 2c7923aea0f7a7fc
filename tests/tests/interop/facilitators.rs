//! Everybody who settles for sellers.

use tokio::process::Command;

use crate::install::Tools;
use crate::process::Peer;
use crate::stage::Stage;

/// A facilitator that is open.
#[derive(Debug)]
pub(crate) struct Facilitator {
    pub(crate) name: &'static str,
    /// The account that pays its gas.
    pub(crate) settler: usize,
    url: String,
    process: Peer,
}

impl Facilitator {
    /// Where sellers reach it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it printed.
    pub(crate) fn quote(&self) -> String {
        self.process.quote()
    }

    /// Opens the one made of `@x402/core` and `@x402/evm`.
    pub(crate) async fn npm(tools: &Tools, stage: &Stage, settler: usize) -> Result<Self, String> {
        let mut command = Command::new("node");
        command.arg(tools.js.join("settle.mjs"));
        Self::open("@x402/core 2.27 (npm)", command, stage, settler).await
    }

    /// Opens the one made of `x402` for Python.
    pub(crate) async fn pypi(tools: &Tools, stage: &Stage, settler: usize) -> Result<Self, String> {
        let mut command = Command::new(&tools.python.program);
        command.arg(tools.py.join("settle.py"));
        Self::open("x402 2.25 (PyPI)", command, stage, settler).await
    }

    async fn open(
        name: &'static str,
        mut command: Command,
        stage: &Stage,
        settler: usize,
    ) -> Result<Self, String> {
        command
            .env("PEER_RPC_URL", stage.chain.url())
            .env("PEER_KEY_FILE", stage.key(settler));
        let mut process = Peer::start(name, &mut command);
        Ok(Self {
            name,
            settler,
            url: process.line("ready ").await?,
            process,
        })
    }
}
