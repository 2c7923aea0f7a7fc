//! Every generated Python client passes `mypy --strict`, and works, sync and async: quotes, payments, refusals, pages, streams.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fs;
use std::process::Command;

use support::install::{PYTHON, pip};
use support::tools::{alone_in, run, target};

const USE: &str = include_str!("gate/use.py");

#[test]
fn every_python_client_is_typed_and_works() {
    let home = target().join("codegen/python");
    alone_in(&home, || {
        let python = pip(&home);
        let clients = home.join("clients");
        let _ = fs::remove_dir_all(&clients);
        fs::create_dir_all(&clients).expect("a folder in target/");
        fs::write(clients.join("__init__.py"), "").expect("a file in target/");
        for case in support::cases() {
            let text = x402_codegen::python::render(&support::model(&case));
            fs::write(clients.join(format!("{case}.py")), text).expect("a file in target/");
        }
        fs::write(home.join("use.py"), USE).expect("a file in target/");
        fs::write(home.join("refusals.json"), support::REFUSALS).expect("a file in target/");
        run(
            Command::new(&python)
                .args(["-m", "mypy", "--strict", "clients", "use.py"])
                .current_dir(&home),
            PYTHON,
        );
        // A warning about the text of a file, such as an escape that is none, is an error.
        run(
            Command::new(&python)
                .args(["-W", "error::SyntaxWarning", "use.py"])
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .current_dir(&home),
            PYTHON,
        );
    });
}
