//! Every generated Python client passes `mypy --strict`, and works, sync and async: quotes, payments, refusals, pages, streams.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::tools::{alone_in, once, run, target};

const USE: &str = include_str!("gate/use.py");

const NEEDS: &str = "Python 3.11 or newer with venv";

#[test]
fn every_python_client_is_typed_and_works() {
    let home = target().join("codegen/python");
    alone_in(&home, || {
        let python = install(&home);
        let clients = home.join("clients");
        let _ = fs::remove_dir_all(&clients);
        fs::create_dir_all(&clients).expect("a folder in target/");
        fs::write(clients.join("__init__.py"), "").expect("a file in target/");
        for case in support::cases() {
            let text = x402_codegen::python::render(&support::model(&case));
            fs::write(clients.join(format!("{case}.py")), text).expect("a file in target/");
        }
        fs::write(home.join("use.py"), USE).expect("a file in target/");
        run(
            Command::new(&python)
                .args(["-m", "mypy", "--strict", "clients", "use.py"])
                .current_dir(&home),
            NEEDS,
        );
        // A warning about the text of a file, such as an escape that is none, is an error.
        run(
            Command::new(&python)
                .args(["-W", "error::SyntaxWarning", "use.py"])
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .current_dir(&home),
            NEEDS,
        );
    });
}

fn install(home: &Path) -> PathBuf {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate/pip/requirements.txt");
    let text = fs::read_to_string(&list).expect("a list of packages");
    let python = home.join("venv/bin/python");
    once(home, &text, "mypy and the x402 packages with pip", || {
        let mut venv = Command::new("python3");
        run(
            venv.args(["-m", "venv", "--clear"]).arg(home.join("venv")),
            NEEDS,
        );
        run(
            Command::new(&python)
                .args(["-m", "pip", "install", "--disable-pip-version-check"])
                .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
                .arg(&list),
            "the packages that generated Python stands on, which pip fetches: Python 3.11 or newer with venv",
        );
    });
    python
}
