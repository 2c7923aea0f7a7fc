//! The golden cases.
#![allow(
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "shared by test files that each use a part, and may stop at what is not as expected"
)]

use std::fs;
use std::path::PathBuf;

pub(crate) mod install;

pub(crate) mod many;

/// How many cases there are at least.
pub(crate) const CASES: usize = 21;

/// What keeps clients from paying, and what it is called in every language.
pub(crate) const REFUSALS: &str = include_str!("../gate/refusals.json");

/// The folder of the cases.
pub(crate) fn golden() -> PathBuf {
    tools::workspace().join("x402-codegen/tests/golden")
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

/// The model of a case.
pub(crate) fn model(case: &str) -> x402_codegen::ClientModel {
    x402_codegen::read(&manifest(case)).unwrap_or_else(|error| panic!("{case}: {error}"))
}

pub(crate) mod tools {
    //! Where other people's tools and their work are kept: in the target folder.

    use std::fs;
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::process::Command;

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

    /// Runs `install` unless it has run to its end with the same list of packages, and says so.
    pub(crate) fn once(home: &Path, list: &str, what: &str, install: impl FnOnce()) {
        let stamp = home.join(".installed");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == list) {
            return;
        }
        // Who closed standard error does not want to know.
        let _ = writeln!(std::io::stderr(), "fetching {what} into {}", home.display());
        install();
        fs::write(&stamp, list).expect("a file in target/");
    }

    /// Runs a command to its end. `needs` says what must be on the machine for it to start.
    pub(crate) fn run(command: &mut Command, needs: &str) {
        let output = command.output().unwrap_or_else(|error| {
            let program = command.get_program().display().to_string();
            panic!("these tests need {needs}, but {program} cannot be started ({error})")
        });
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{command:?} failed:\n{said}\n{errors}"
        );
    }
}
