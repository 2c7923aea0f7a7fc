//! The golden cases.
#![allow(
    clippy::expect_used,
    dead_code,
    reason = "shared by test files that each use a part, and may stop at what is not as expected"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// How many cases there are at least.
pub(crate) const CASES: usize = 20;

/// The folder of the cases.
pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The names of all cases, sorted.
pub(crate) fn cases() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(golden())
        .expect("the cases")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The document of a case: a manifest, or an `OpenAPI` description.
pub(crate) fn manifest(case: &str) -> Vec<u8> {
    let folder = golden().join(case);
    fs::read(folder.join("manifest.json"))
        .or_else(|_| fs::read(folder.join("openapi.json")))
        .expect("the document of a case")
}

pub(crate) mod tools {
    //! Where other people's tools and their work are kept: in the target folder.

    use std::fs;
    use std::path::{Path, PathBuf};

    /// The repository.
    pub(crate) fn workspace() -> PathBuf {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        package
            .parent()
            .expect("a package inside of the workspace")
            .to_owned()
    }

    /// The folder of everything that is made.
    pub(crate) fn target() -> PathBuf {
        let own = || workspace().join("target");
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(own, PathBuf::from)
    }

    /// Does something in a folder while no other process does.
    pub(crate) fn alone_in(home: &Path, work: impl FnOnce()) {
        fs::create_dir_all(home).expect("a folder in target/");
        let lock = fs::File::create(home.join(".lock")).expect("a file in target/");
        lock.lock().expect("a lock in target/");
        work();
    }
}
