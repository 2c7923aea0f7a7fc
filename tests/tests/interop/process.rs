//! A peer's process: its output is kept within bounds, every wait has an end, and it dies with its owner.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a peer may take for what it is there for, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(90);

/// How much of a peer's output is kept for the message of a failed cell, in bytes.
const KEPT: usize = 6 * 1024;

/// A running peer. Dropping it ends its process group.
#[derive(Debug)]
pub(crate) struct Peer {
    name: String,
    process: Child,
    lines: mpsc::UnboundedReceiver<String>,
    said: Arc<Mutex<String>>,
}

impl Peer {
    /// Starts a peer.
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let process = command
            // Scripts that serve end when this pipe closes, so that none outlives a test that is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Everything is on this machine.
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .env("PYTHONUTF8", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let mut process = process.unwrap_or_else(|e| panic!("{name} cannot be started: {e}"));
        let (sender, lines) = mpsc::unbounded_channel();
        let said = Arc::new(Mutex::new(String::new()));
        let (out, err) = (process.stdout.take(), process.stderr.take());
        tokio::spawn(listen(out.expect("piped"), said.clone(), Some(sender)));
        tokio::spawn(listen(err.expect("piped"), said.clone(), None));
        Self {
            name: name.to_owned(),
            process,
            lines,
            said,
        }
    }

    /// The rest of the first line on standard output that begins with `start`.
    ///
    /// # Errors
    /// What the peer printed instead.
    pub(crate) async fn line(&mut self, start: &str) -> Result<String, String> {
        let line = async {
            while let Some(line) = self.lines.recv().await {
                if let Some(rest) = line.strip_prefix(start) {
                    return Some(rest.to_owned());
                }
            }
            None
        };
        match timeout(PATIENCE, line).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err(self.complaint(&format!("ended without `{start}…`"))),
            Err(_) => Err(self.complaint(&format!("did not print `{start}…` in time"))),
        }
    }

    /// Waits for the peer's end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(crate) async fn end(&mut self) -> Result<ExitStatus, String> {
        match timeout(PATIENCE, self.process.wait()).await {
            Ok(status) => Ok(status.expect("the process can be waited for")),
            Err(_) => Err(self.complaint("did not end in time")),
        }
    }

    /// The end of what the peer printed.
    pub(crate) fn quote(&self) -> String {
        self.complaint("printed:")
    }

    /// A message with the end of what the peer printed.
    pub(crate) fn complaint(&self, what: &str) -> String {
        let said = self.said.lock().expect("the output");
        format!("{} {what}\n{}", self.name, said.trim_end())
    }
}

/// Reads one output to its end and keeps the last of it.
async fn listen(
    output: impl AsyncRead + Unpin,
    said: Arc<Mutex<String>>,
    lines: Option<mpsc::UnboundedSender<String>>,
) {
    let mut reader = BufReader::new(output).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        keep(&mut said.lock().expect("the output"), &line);
        if let Some(lines) = &lines {
            // Nobody has to listen.
            let _ = lines.send(line);
        }
    }
}

/// Adds a line and drops from the front what is too much.
fn keep(said: &mut String, line: &str) {
    said.push_str(line);
    said.push('\n');
    if said.len() > KEPT {
        let cut = said.ceil_char_boundary(said.len() - KEPT);
        said.drain(..cut);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The group goes at once; if it has ended by itself, there is none to end.
        if let Some(id) = self.process.id() {
            let _ = std::process::Command::new("kill")
                .args(["-KILL", "--", &format!("-{id}")])
                .stderr(Stdio::null())
                .status();
        }
    }
}

#[tokio::test]
async fn a_peer_that_does_not_do_its_part_is_quoted_and_not_at_length() {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "yes nonsense | head -c 100000; echo the last word >&2; exit 3",
    ]);
    let mut peer = Peer::start("a shell", &mut command);
    let complaint = peer.line("ready ").await.unwrap_err();
    assert_eq!(peer.end().await.unwrap().code(), Some(3));
    assert!(complaint.starts_with("a shell ended without `ready …`"));
    assert!(complaint.len() < KEPT + 100);
    for _ in 0..100 {
        if peer.complaint("").contains("the last word") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("standard error is not kept");
}
