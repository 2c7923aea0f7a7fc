//! Fetches the pinned anvil through npm, once, into the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::tools;

/// The npm package and the only version the tests are written for.
const PACKAGE: &str = "@foundry-rs/anvil";
const VERSION: &str = "1.7.1";

/// The path of the anvil program; installs it first if need be.
pub(super) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let home = tools::target().join("npm/anvil");
        let program = home.join(format!(
            "node_modules/{PACKAGE}-{}/bin/anvil{}",
            platform(),
            std::env::consts::EXE_SUFFIX
        ));
        tools::alone_in(&home, || {
            if !is_installed(&home, &program) {
                install(&home);
                assert!(
                    is_installed(&home, &program),
                    "npm installed {PACKAGE} but not {}",
                    program.display()
                );
            }
        });
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
    tools::say(&format!(
        "fetching {PACKAGE} {VERSION} with npm into {}",
        home.display()
    ));
    tools::run(
        tools::npm("install")
            .args(["--save-exact", "--prefix"])
            .arg(home)
            .arg(format!("{PACKAGE}@{VERSION}")),
        "a local chain, which npm fetches: Node.js 20 or newer",
    );
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
