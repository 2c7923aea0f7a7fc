//! Everybody who settles for sellers.

use std::path::Path;

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
    pub(crate) async fn npm(js: &Path, stage: &Stage, settler: usize) -> Result<Self, String> {
        let mut command = Command::new("node");
        command.arg(js.join("settle.mjs"));
        Self::script("@x402/core 2.27 (npm)", command, stage, settler).await
    }

    /// Opens the one made of `x402` for Python.
    pub(crate) async fn pypi(tools: &Tools, stage: &Stage, settler: usize) -> Result<Self, String> {
        let mut command = Command::new(&tools.python.program);
        command.arg(tools.py.join("settle.py"));
        Self::script("x402 2.25 (PyPI)", command, stage, settler).await
    }

    /// Opens the same without scheme `upto`, as its users register it who know of `exact` only.
    pub(crate) async fn pypi_exact(
        tools: &Tools,
        stage: &Stage,
        settler: usize,
    ) -> Result<Self, String> {
        let mut command = Command::new(&tools.python.program);
        command
            .arg(tools.py.join("settle.py"))
            .env("PEER_SCHEMES", "exact");
        Self::script("x402 2.25 (PyPI)", command, stage, settler).await
    }

    /// Opens ours: `x402 facilitator`.
    pub(crate) async fn ours(stage: &Stage, settler: usize) -> Result<Self, String> {
        Self::ours_with(stage, settler, &[]).await
    }

    /// Opens ours with further arguments.
    pub(crate) async fn ours_with(
        stage: &Stage,
        settler: usize,
        arguments: &[&str],
    ) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_x402_program"));
        command
            .args(["facilitator", "--listen", "127.0.0.1:0"])
            .args(["--network", "base-sepolia", "--rpc-url", stage.chain.url()])
            .arg("--settler-key-file")
            .arg(stage.key(settler))
            .args(arguments);
        Self::ready("x402 facilitator (ours)", command, settler, "listening on ").await
    }

    async fn script(
        name: &'static str,
        mut command: Command,
        stage: &Stage,
        settler: usize,
    ) -> Result<Self, String> {
        command
            .env("PEER_RPC_URL", stage.chain.url())
            .env("PEER_KEY_FILE", stage.key(settler));
        Self::ready(name, command, settler, "ready ").await
    }

    async fn ready(
        name: &'static str,
        mut command: Command,
        settler: usize,
        line: &str,
    ) -> Result<Self, String> {
        let mut process = Peer::start(name, &mut command);
        Ok(Self {
            name,
            settler,
            url: process.line(line).await?,
            process,
        })
    }
}
