//! The text of every generated client is written down: a change of the generator shows as a change of these files. What is the
//! same in all of them, the support module, stands in `src/<language>/*.txt` and not here again.
//!
//! `BLESS=1` rewrites them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::fs;

use support::{CASES, golden, manifest};

/// What stands for the support module.
const SUPPORT: &str = "<the support module>";

fn compare(
    language: &str,
    file: &str,
    supports: &[&str],
    render: fn(&x402_codegen::ClientModel) -> String,
) {
    let mut differ = Vec::new();
    for case in support::cases() {
        let model = x402_codegen::read(&manifest(&case)).unwrap_or_else(|e| panic!("{case}: {e}"));
        let text = render(&model);
        assert_eq!(text, render(&model), "{case}: {language} is not stable");
        let text = supports.iter().fold(text, |text, support| {
            let found = text.matches(support.trim()).count();
            assert_eq!(found, 1, "{case}: {language} has its support module");
            text.replace(support.trim(), SUPPORT)
        });
        let path = golden().join(&case).join(file);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &text).expect("the file can be written");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            differ.push(case);
        }
    }
    assert!(
        differ.is_empty(),
        "{language} of {differ:?} changed; BLESS=1 writes it down"
    );
}

#[test]
fn there_are_cases() {
    assert!(support::cases().len() >= CASES);
}

#[test]
fn rust_is_as_written_down() {
    let supports = [
        include_str!("../src/rust/support.txt"),
        include_str!("../src/rust/blocking.txt"),
    ];
    compare("Rust", "rust.rs", &supports, x402_codegen::rust::render);
}

#[test]
fn typescript_is_as_written_down() {
    let supports = [include_str!("../src/typescript/support.txt")];
    compare(
        "TypeScript",
        "typescript.ts",
        &supports,
        x402_codegen::typescript::render,
    );
}

#[test]
fn python_is_as_written_down() {
    let supports = [include_str!("../src/python/support.txt")];
    compare(
        "Python",
        "python.py",
        &supports,
        x402_codegen::python::render,
    );
}
