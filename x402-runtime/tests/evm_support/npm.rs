//! Installs pinned npm packages for tests that compile contracts, into `target/npm`.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn run(command: &mut Command) {
    let shown = format!("{command:?}");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{shown}: {error}; Node.js 20 or newer is needed"));
    assert!(
        output.status.success(),
        "{shown}:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Installs what a folder's lock file pins unless exactly this lock file was installed before. Returns the folder that
/// holds `node_modules`.
pub(crate) fn install(name: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let (source, folder) = (root().join(name), target.join("npm").join(name));
    let lock = std::fs::read(source.join("package-lock.json")).unwrap();
    let stamp = folder.join("installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return folder;
    }
    println!("installing {name} (npm ci) into {}", folder.display());
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(Command::new(npm)
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder));
    std::fs::write(&stamp, lock).unwrap();
    folder
}
