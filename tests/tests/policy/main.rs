//! Rules about the workspace itself: who may use whom, which licences, what may stand in a file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a broken expectation is a failed test"
)]

mod files;
mod graph;
mod licences;
mod manifests;
mod operations;
mod spdx;

use std::path::{Path, PathBuf};

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package lies inside the workspace")
        .to_path_buf()
}

/// Fails with every offender on its own line.
fn assert_none(rule: &str, offenders: &[String]) {
    assert!(
        offenders.is_empty(),
        "{rule}\n{} offender(s):\n  {}",
        offenders.len(),
        offenders.join("\n  ")
    );
}
