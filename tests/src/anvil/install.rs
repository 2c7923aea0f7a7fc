//! Fetches the pinned anvil through npm, once, into the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The npm package and the only version the tests are written for.
const PACKAGE: &str = "@foundry-rs/anvil";
const VERSION: &str = "1.7.1";

/// The path of the anvil program; installs it first if need be.
pub(super) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let home = target().join("npm/anvil");
        fs::create_dir_all(&home).expect("a folder in target/");
        // Test binaries run side by side, and so may several runs of cargo: only one installs.
        let lock = File::create(home.join(".lock")).expect("a lock file");
        lock.lock().expect("the lock");
        let program = home.join(format!(
            "node_modules/{PACKAGE}-{}/bin/anvil{}",
            platform(),
            std::env::consts::EXE_SUFFIX
        ));
        if !is_installed(&home, &program) {
            install(&home);
            assert!(
                is_installed(&home, &program),
                "npm installed {PACKAGE} but not {}",
                program.display()
            );
        }
        program
    })
}

fn is_installed(home: &Path, program: &Path) -> bool {
    let manifest = home.join(format!(
        "node_modules/{PACKAGE}-{}/package.json",
        platform()
    ));
    program.is_file()
        && fs::read_to_string(manifest)
            .is_ok_and(|text| text.contains(&format!("\"version\": \"{VERSION}\"")))
}

fn install(home: &Path) {
    eprintln!(
        "fetching {PACKAGE} {VERSION} with npm into {}",
        home.display()
    );
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(npm)
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--save-exact",
            "--prefix",
        ])
        .arg(home)
        .arg(format!("{PACKAGE}@{VERSION}"))
        .output();
    match output {
        Err(error) => panic!(
            "these tests run a local chain, which they fetch with npm, but npm cannot be started ({error}): \
             install Node.js 20 or newer"
        ),
        Ok(output) => assert!(
            output.status.success(),
            "npm could not install {PACKAGE} {VERSION}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

/// The name that the npm package gives this machine.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{processor}")
}

/// Cargo's target folder.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| super::workspace().join("target"), PathBuf::from)
}
