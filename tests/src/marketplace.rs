//! The marketplace example as its operator starts it: by environment.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use x402_examples::marketplace::{self, Settings};

use crate::accounts::KEYS;

/// Writes a development account's key to a file that only its owner reads.
#[must_use]
pub fn key_file(folder: &Path, account: usize) -> PathBuf {
    let path = folder.join(format!("account-{account}.key"));
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path);
    file.and_then(|mut file| file.write_all(KEYS[account].as_bytes()))
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    path
}

/// Starts the marketplace with these variables and gives its origin.
pub async fn start(variables: Vec<(&'static str, String)>) -> String {
    start_saying(variables).await.0
}

/// Starts the marketplace with these variables and gives its origin and the line that it prints when it is ready.
pub async fn start_saying(variables: Vec<(&'static str, String)>) -> (String, String) {
    let settings = Settings::from_lookup(|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| value.clone())
    })
    .expect("the variables are complete");
    let (ready, line) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let ended =
            marketplace::run(settings, |line| ready.send(line).expect("somebody waits")).await;
        panic!("the marketplace ended: {ended:?}");
    });
    let line = line.await.expect("one line when ready");
    let (_, rest) = line
        .split_once("ready on ")
        .expect("it says where it listens");
    let origin = rest.split(':').take(3).collect::<Vec<_>>().join(":");
    (origin, line)
}
