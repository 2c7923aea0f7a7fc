//! `x402 generate`: the files of a client, where they go, and what is never overwritten.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::KEYS;
use crate::documents::{EXAMPLE, example, ok, signed, web};
use crate::home::{Home, Run};
use crate::seller::Seller;

const FOREIGN: &str =
    include_str!("../../../x402-codegen/tests/golden/openapi_foreign/openapi.json");

/// A home with the example as `manifest.json`.
fn home() -> Home {
    let home = Home::new();
    home.write("manifest.json", EXAMPLE, 0o644);
    home
}

fn generate(home: &Home, more: &[&str]) -> Run {
    home.run(&[&["generate", "manifest.json"][..], more].concat())
}

fn text(home: &Home, path: &str) -> String {
    fs::read_to_string(home.path(path)).unwrap()
}

/// The files of each language's package, the client itself first.
const PACKAGES: [(&str, &[&str]); 3] = [
    ("rust", &["src/lib.rs", "Cargo.toml"]),
    (
        "typescript",
        &["src/index.ts", "package.json", "tsconfig.json"],
    ),
    (
        "python",
        &[
            "textkit_client/__init__.py",
            "pyproject.toml",
            "textkit_client/py.typed",
        ],
    ),
];

#[test]
fn every_language_is_generated_once_and_then_up_to_date() {
    let home = home();
    for (lang, files) in PACKAGES {
        let args = ["--lang", lang, "--out", lang];
        let check = [&args[..], &["--check"]].concat();
        generate(&home, &check).said(1, &["not up to date in", files[0], files[1]]);
        assert!(!home.path(lang).exists(), "--check writes nothing");

        let run = generate(&home, &args);
        assert_eq!(run.code, 0, "{run:#?}");
        for file in files {
            let line = format!("written    {lang}/{file}");
            assert!(run.out.contains(&line), "{line:?} is missing: {run:#?}");
        }
        let model = x402_codegen::read(EXAMPLE.as_bytes()).unwrap();
        let source = match lang {
            "rust" => x402_codegen::rust::render(&model),
            "typescript" => x402_codegen::typescript::render(&model),
            _ => x402_codegen::python::render(&model),
        };
        let main = format!("{lang}/{}", files[0]);
        assert!(text(&home, &main) == source, "{main}");

        let again = generate(&home, &args);
        assert!(
            again.out.lines().all(|line| line.starts_with("unchanged")),
            "{again:#?}"
        );
        let checked = generate(&home, &check);
        assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    }
}

#[test]
fn check_names_what_differs_and_regenerating_mends_it() {
    let home = home();
    let args = ["--lang", "rust", "--out", "client"];
    assert_eq!(generate(&home, &args).code, 0);
    let edited = text(&home, "client/src/lib.rs").replace("0.001 USD", "0.0001 USD");
    home.write("client/src/lib.rs", &edited, 0o644);
    fs::remove_file(home.path("client/Cargo.toml")).unwrap();
    let check = [&args[..], &["--check"]].concat();
    let run = generate(&home, &check);
    run.said(
        1,
        &[
            "not up to date in client: Cargo.toml, src/lib.rs",
            "without --check",
        ],
    );
    assert!(run.out.contains("differs    client/src/lib.rs"), "{run:#?}");
    let report = generate(&home, &[&check[..], &["--json"]].concat());
    assert_eq!(report.code, 1);
    assert_eq!(
        report.json()["files"],
        json!([{ "path": "Cargo.toml", "state": "missing" }, { "path": "src/lib.rs", "state": "differs" }])
    );
    assert_eq!(text(&home, "client/src/lib.rs"), edited);
    assert_eq!(generate(&home, &args).code, 0);
    assert_eq!(generate(&home, &check).code, 0);
    home.write("manifest.json", "{}", 0o644);
    generate(&home, &check).said(2, &["neither a price manifest"]);
}

#[test]
fn m06_files_that_were_not_generated_stay() {
    for (lang, files) in PACKAGES {
        for mine in files {
            let home = home();
            let path = home.path(&format!("client/{mine}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "mine\n").unwrap();
            let run = generate(&home, &["--lang", lang, "--out", "client"]);
            run.said(
                2,
                &[
                    "not generated, and not overwritten in client",
                    mine,
                    "nothing was written",
                    "--module",
                ],
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), "mine\n");
            assert_eq!(home.files().len(), 2, "nothing else was written");
            let check = generate(&home, &["--lang", lang, "--out", "client", "--check"]);
            check.said(1, &[mine]);
        }
    }
}

#[test]
fn m06_nothing_is_written_outside_of_the_folder() {
    let home = home();
    let rust = ["--lang", "rust", "--out", "client"];
    fs::create_dir_all(home.path("elsewhere")).unwrap();
    fs::create_dir_all(home.path("client")).unwrap();
    symlink(home.path("elsewhere"), home.path("client/src")).unwrap();
    generate(&home, &rust).said(2, &["client/src is not written: it is a link"]);
    fs::remove_file(home.path("client/src")).unwrap();

    home.write(
        "victim",
        "// @generated by x402-codegen 0.0.1. Do not edit.\n",
        0o644,
    );
    symlink(home.path("victim"), home.path("client/Cargo.toml")).unwrap();
    generate(&home, &rust).said(2, &["client/Cargo.toml is not written: it is a link"]);
    assert!(text(&home, "victim").contains("0.0.1"));
    fs::remove_file(home.path("client/Cargo.toml")).unwrap();

    fs::create_dir_all(home.path("client/Cargo.toml")).unwrap();
    generate(&home, &rust).said(2, &["client/Cargo.toml is not written: it is no file"]);
    for name in ["../x", "/x", "a/b", "con", "", "A"] {
        let run = generate(&home, &["--lang", "python", "--out", "p", "--name", name]);
        run.said(2, &["is not the name of a package", "--name"]);
    }
    assert!(!home.path("p").exists());
    assert!(
        fs::read_dir(home.path("elsewhere"))
            .unwrap()
            .next()
            .is_none()
    );
    // The folder itself may be a link: it is the one that was named.
    symlink(home.path("elsewhere"), home.path("link")).unwrap();
    assert_eq!(
        generate(&home, &["--lang", "rust", "--out", "link"]).code,
        0
    );
    assert!(home.path("elsewhere/src/lib.rs").exists());
}

#[test]
fn the_module_alone_leaves_the_package_to_its_owner() {
    let home = home();
    for (lang, file) in [
        ("rust", "textkit.rs"),
        ("typescript", "textkit.ts"),
        ("python", "textkit.py"),
    ] {
        let run = generate(
            &home,
            &[
                "--lang", lang, "--out", "src", "--module", "--name", "textkit",
            ],
        );
        assert_eq!((run.code, run.out), (0, format!("written    src/{file}\n")));
    }
    assert_eq!(fs::read_dir(home.path("src")).unwrap().count(), 3);
}

#[test]
fn a_live_seller_is_enough_as_manifest_and_as_openapi() {
    let seller = Seller::start();
    let home = Home::new();
    for (source, out) in [
        (seller.origin.clone(), "manifest"),
        (seller.url("/openapi.json"), "openapi"),
        (seller.url("/openapi-3.0.json"), "openapi-3.0"),
    ] {
        let run = home.run(&[
            "generate",
            &source,
            "--lang",
            "typescript",
            "--out",
            out,
            "--json",
        ]);
        let report = run.json();
        assert_eq!((run.code, &report["error"]), (0, &Value::Null), "{report}");
        assert_eq!(
            report["files"][2],
            json!({ "path": "src/index.ts", "state": "written" })
        );
        let source = text(&home, &format!("{out}/src/index.ts"));
        assert!(
            source.contains(&seller.origin) && source.contains("weather"),
            "{out}"
        );
    }
}

#[test]
fn what_is_less_than_it_could_be_is_told() {
    let home = Home::new();
    let mut foreign: Value = serde_json::from_str(FOREIGN).unwrap();
    foreign.as_object_mut().unwrap().remove("servers");
    let run = home.run_fed(
        &["generate", "-", "--lang", "python", "--out", "p"],
        &foreign.to_string(),
    );
    run.said(0, &["warning: /servers: no absolute address"]);
    let bare = json!({
        "openapi": "3.1.0", "info": { "title": "Bare", "version": "1" }, "servers": [{ "url": "https://a.example" }],
        "paths": { "/x": { "post": {
            "operationId": "sell\u{202e}",
            "requestBody": { "content": { "application/json": {} } },
            "responses": { "200": { "description": "", "content": { "application/json": {} } } },
        } } },
    });
    let run = home.run_fed(
        &["generate", "-", "--lang", "rust", "--out", "r"],
        &bare.to_string(),
    );
    run.said(
        0,
        &[
            "warning: sell\u{fffd}: no schema of the body",
            "no schema of the answer",
            "no price, so a request for payment ends the call",
        ],
    );
}

#[test]
fn m08_a_manifest_that_is_not_what_it_claims_makes_no_client() {
    let mut document = signed(example(), KEYS[0]);
    document["endpoints"][0]["price"]["bounds"]["max"] = json!("0.9");
    let served = document.clone();
    let origin = web(move |_, _| Some(ok(&served)));
    let home = Home::new();
    home.write("manifest.json", &document.to_string(), 0o644);
    for source in ["manifest.json", origin.as_str()] {
        let run = home.run(&["generate", source, "--lang", "rust", "--out", "client"]);
        run.said(
            1,
            &[
                "the content hash that the manifest states",
                "do not pay by it",
            ],
        );
    }
    assert!(!home.path("client").exists());
}

#[test]
fn the_mistakes_of_a_first_client() {
    let home = home();
    generate(&home, &["--out", "x"]).said(2, &["--lang"]);
    generate(&home, &["--lang", "cobol", "--out", "x"])
        .said(2, &["invalid value 'cobol'", "rust, typescript, python"]);
    generate(&home, &["--lang", "rust"]).said(2, &["--out"]);
    generate(&home, &["--lang", "rust", "--out", "manifest.json"])
        .said(2, &["manifest.json is not written: it is no folder"]);
    home.run(&["generate", "no.json", "--lang", "rust", "--out", "x"])
        .said(2, &["there is no file no.json"]);
    home.run(&[
        "generate",
        "http://127.0.0.1:1",
        "--lang",
        "rust",
        "--out",
        "x",
    ])
    .said(1, &["is the server running?"]);
    let report = home.run_fed(
        &["generate", "-", "--lang", "rust", "--out", "x", "--json"],
        "[]",
    );
    assert_eq!(
        (report.code, &report.json()["error"]["code"]),
        (2, &json!("input_unknown"))
    );
}
