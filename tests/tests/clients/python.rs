//! All Python clients in one process.

use std::fs;
use std::path::PathBuf;

use x402_tests::tools;

use crate::golden::install::pip;
use crate::plan::Case;

/// The driver of all clients.
const DRIVE: &str = include_str!("../../peers/clients/drive.py");

/// Where the clients are: beside the packages that the second gate installs, too.
pub(crate) fn home() -> PathBuf {
    tools::target().join("codegen/python/live")
}

/// Writes the clients, and gives what starts the driver.
pub(crate) fn program(cases: &[Case]) -> Vec<PathBuf> {
    let home = home();
    let packages = home.parent().expect("a folder in target/");
    let python = tools::alone_in(packages, || pip(packages));
    let clients = home.join("clients");
    let _ = fs::remove_dir_all(&clients);
    fs::create_dir_all(&clients).expect("a folder in target/");
    fs::write(clients.join("__init__.py"), "").expect("a file in target/");
    for case in cases {
        let text = x402_codegen::python::render(&case.model);
        fs::write(clients.join(format!("{}.py", case.name)), text).expect("a file in target/");
    }
    fs::write(home.join("drive.py"), DRIVE).expect("a file in target/");
    vec![python, home.join("drive.py")]
}
