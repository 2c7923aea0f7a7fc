//! Programs of others that tests fetch by themselves, through npm, pip and cargo, into the target folder.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package lies inside the workspace")
        .to_path_buf()
}

/// Cargo's target folder.
#[must_use]
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// Makes the folder and runs `work` while no other test binary and no other run of cargo works in it.
pub fn alone_in<T>(home: &Path, work: impl FnOnce() -> T) -> T {
    fs::create_dir_all(home).expect("a folder in target/");
    let lock = File::create(home.join(".lock")).expect("a lock file");
    lock.lock().expect("the lock");
    work()
}

/// npm, told to run no scripts of what it installs and to report on nothing.
#[must_use]
pub fn npm(command: &str) -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args([command, "--no-audit", "--no-fund", "--ignore-scripts"]);
    npm
}

/// Runs `install` unless it has run to its end in this folder with the same list of packages.
pub fn once(home: &Path, list: &str, install: impl FnOnce()) {
    let stamp = home.join(".installed");
    if !fs::read_to_string(&stamp).is_ok_and(|installed| installed == list) {
        install();
        fs::write(&stamp, list).expect("a file in target/");
    }
}

/// The folder with the scripts of a folder of `tests/peers` and the packages they import; fetches what is not there yet.
///
/// Node finds packages beside the scripts that import them, so the scripts are copied to the packages.
#[must_use]
pub fn npm_packages(from: &Path, name: &str) -> PathBuf {
    let home = target().join("npm").join(name);
    fs::create_dir_all(&home).expect("a folder in target/");
    // npm takes a folder that it reaches by a link for another package.
    let home = home.canonicalize().expect("a folder in target/");
    alone_in(&home, || {
        copy_files(from, &home);
        let text = |file: &str| fs::read_to_string(from.join(file)).expect("a list of packages");
        let list = text("package.json") + &text("package-lock.json");
        once(&home, &list, || {
            say(&format!(
                "fetching other people's packages with npm into {}",
                home.display()
            ));
            run(
                npm("ci").arg("--prefix").arg(&home).current_dir(&home),
                "packages for JavaScript, which npm fetches: Node.js 20 or newer",
            );
        });
    });
    home
}

/// Python with other people's packages.
#[derive(Debug)]
pub struct Python {
    /// The program.
    pub program: PathBuf,
    /// The folder that goes before all others for scripts that import the x402 of version 1.
    pub legacy: PathBuf,
}

/// Python with other people's packages; fetches what is not there yet.
#[must_use]
pub fn packages_of_pip() -> Python {
    let home = target().join("pip/peers");
    let python = Python {
        program: home.join("venv/bin/python"),
        legacy: home.join("legacy"),
    };
    let text = |path: &Path| fs::read_to_string(path).expect("a list of packages");
    let peers = workspace().join("tests/peers/py");
    let needs = "the x402 packages for Python, which pip fetches: Python 3.11 or newer with venv";
    let install = |list: &Path, more: &[&OsStr]| {
        run(
            Command::new(&python.program)
                .args(["-m", "pip", "install", "--disable-pip-version-check"])
                .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
                .arg(list)
                .args(more),
            needs,
        );
    };
    alone_in(&home, || {
        let list = peers.join("requirements.txt");
        let legacy = peers.join("requirements-legacy.txt");
        once(&home, &(text(&list) + &text(&legacy)), || {
            say(&format!(
                "fetching the peers' packages with pip into {}",
                home.display()
            ));
            run(
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(home.join("venv")),
                needs,
            );
            install(&list, &[]);
            install(
                &legacy,
                &[
                    "--upgrade".as_ref(),
                    "--target".as_ref(),
                    python.legacy.as_ref(),
                ],
            );
        });
    });
    python
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder in target/");
    for entry in fs::read_dir(from).expect("the scripts").flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_file() {
            fs::copy(path, copy).expect("a copy in target/");
        } else if entry.file_name() != "node_modules" {
            copy_files(&path, &copy);
        }
    }
}

/// Tells the person who runs the tests, also when they pass: cargo hides what passing tests print with macros.
pub fn say(text: &str) {
    // Who closed standard error does not want to know.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Runs a command to its end. `needs` says what must be on the machine for it to start.
pub fn run(command: &mut Command, needs: &str) {
    match command.output() {
        Err(error) => panic!(
            "these tests need {needs}, but {} cannot be started ({error})",
            command.get_program().display()
        ),
        Ok(output) => assert!(
            output.status.success(),
            "{command:?} failed:\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}
