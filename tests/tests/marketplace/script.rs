//! A program that buys, and what it says.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::list::Said;
use crate::stage::Stage;

/// How long a program may take for the whole list, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a program on a stage and gives what it says of its calls.
pub(crate) async fn run(stage: &Stage, command: &mut Command) -> Vec<Said> {
    let ended = command
        .env("PEER_MARKET", &stage.market)
        .env("PEER_DEAR", &stage.dear)
        .env("PEER_KEY_FILE", stage.key())
        .env("PEER_RPC_URL", stage.node())
        // Everything is on this machine.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .env("PYTHONUTF8", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, ended).await.expect("the program ends");
    let output = output.expect("the program starts");
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{errors}");
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    said.lines().map(read).collect()
}
