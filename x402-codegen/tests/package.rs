//! Packages: their files are named by us, and a name that is a path is refused.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::collections::BTreeSet;

use x402_codegen::{python, read, rust, typescript};

#[test]
fn m06_packages_have_the_files_that_their_tools_look_for() {
    let model = read(&support::manifest("example")).unwrap();
    let names = |files: &[x402_codegen::SourceFile]| {
        files
            .iter()
            .map(|file| file.path.clone())
            .collect::<Vec<_>>()
    };
    let crate_files = rust::package(&model, "text-kit").unwrap();
    assert_eq!(names(&crate_files), ["Cargo.toml", "src/lib.rs"]);
    assert!(
        crate_files
            .iter()
            .any(|file| file.text.contains("doctest = false"))
    );
    let blocking = "[features]\n# The module for programs without an async runtime.\nblocking = [\"x402-client/blocking\"]";
    assert!(crate_files.iter().any(|file| file.text.contains(blocking)));
    let npm = typescript::package(&model, "text-kit").unwrap();
    assert_eq!(
        names(&npm),
        ["package.json", "tsconfig.json", "src/index.ts"]
    );
    for file in npm.iter().filter(|file| file.path.ends_with(".json")) {
        assert!(serde_json::from_str::<serde_json::Value>(&file.text).is_ok());
    }
    let wheel = python::package(&model, "text-kit").unwrap();
    assert_eq!(
        names(&wheel),
        [
            "pyproject.toml",
            "text_kit/__init__.py",
            "text_kit/py.typed"
        ]
    );
    // Without it x402 signs no payment under `upto` once a seller declares any extension.
    assert!(wheel[0].text.contains("\"jsonschema>=4\""));
}

#[test]
fn m06_every_file_says_that_it_was_generated() {
    let model = read(&support::manifest("example")).unwrap();
    let packages = [
        rust::package(&model, "text-kit"),
        typescript::package(&model, "text-kit"),
        python::package(&model, "text-kit"),
    ];
    for file in packages.into_iter().flat_map(Result::unwrap) {
        let marked = x402_codegen::is_generated(&file.text);
        assert!(marked || file.text.is_empty(), "{}", file.path);
        let yours = format!("# mine\n\n\n{}", file.text);
        assert!(!x402_codegen::is_generated(&yours), "{}", file.path);
    }
}

#[test]
fn m06_a_name_that_is_a_path_makes_no_package() {
    let model = read(&support::manifest("example")).unwrap();
    for name in ["../x", "/x", "a/b", "C:x", "", "nul", "a\"b", "a\nb"] {
        let refused = [
            rust::package(&model, name),
            typescript::package(&model, name),
            python::package(&model, name),
        ];
        for result in refused {
            assert_eq!(
                result.unwrap_err().code(),
                "package_name_invalid",
                "{name:?}"
            );
        }
    }
}

/// The public methods of a type's own in a module whose lines begin so.
fn methods<'t>(lines: impl Iterator<Item = &'t str>, indent: &str, of: &str) -> BTreeSet<&'t str> {
    let mut found = BTreeSet::new();
    let mut is_here = false;
    for line in lines.filter_map(|line| line.strip_prefix(indent)) {
        if line.starts_with("impl") {
            let is_own = line.contains(&format!(" {of} ")) || line.contains(&format!(" {of}<"));
            is_here = is_own && !line.contains(" for ");
        }
        let method = line.strip_prefix("    pub ").unwrap_or_default();
        let method = method.strip_prefix("async ").unwrap_or(method);
        if let Some(name) = method.strip_prefix("fn ").filter(|_| is_here) {
            found.extend(name.split(['(', '<']).next());
        }
    }
    found
}

#[test]
fn the_blocking_client_has_every_method_of_the_async_one() {
    for case in ["example", "pagination", "streaming"] {
        let text = rust::render(&support::model(case));
        for of in ["Client", "Call", "Pages"] {
            let is_module = |line: &&str| *line == "pub mod blocking {";
            let all = methods(text.lines(), "", of);
            let module = text.lines().skip_while(|line| !is_module(line));
            let mut blocking = methods(module.take_while(|line| *line != "}"), "    ", of);
            if of == "Pages" {
                // It is an iterator there.
                blocking.insert("next");
            }
            assert!(!all.is_empty(), "{of}");
            assert_eq!(all, blocking, "{case}: {of}");
        }
    }
}
