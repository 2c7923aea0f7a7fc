//! `x402 diff`: the verdict on every change, what CI denies, and the version that is written.

use serde_json::{Value, json};

use crate::KEYS;
use crate::documents::{EXAMPLE, example, hashed, ok, signed, web};
use crate::home::{Home, Run};

const VECTORS: &str = include_str!("../../../x402-model/tests/manifest/diff-vectors.json");

/// Sets or removes the value at a JSON pointer.
fn set(document: &mut Value, pointer: &str, value: Option<&Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (document.pointer_mut(parent).unwrap(), value) {
        (Value::Object(members), Some(value)) => {
            drop(members.insert(name.to_owned(), value.clone()));
        }
        (Value::Object(members), None) => drop(members.remove(name)),
        (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value.clone(),
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        _ => panic!("{pointer}"),
    }
}

/// The document of one vector.
fn changed(case: &Value) -> Value {
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    for (pointer, value) in case["set"].as_object().into_iter().flatten() {
        set(&mut document, pointer, Some(value));
    }
    for pointer in case["remove"].as_array().into_iter().flatten() {
        set(&mut document, pointer.as_str().unwrap(), None);
    }
    // A document that names a rail which is not there is refused before anything is compared.
    let there = document["rails"].clone();
    let names = document["defaults"]["rails"].as_array_mut().unwrap();
    names.retain(|name| there.get(name.as_str().unwrap()).is_some());
    document
}

fn case(id: &str) -> Value {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut cases = vectors["cases"].as_array().unwrap().iter();
    changed(cases.find(|case| case["id"] == id).unwrap())
}

/// A home with the example as `old.json` and another document as `new.json`.
fn home(new: &Value) -> Home {
    let home = Home::new();
    home.write("old.json", EXAMPLE, 0o644);
    home.write("new.json", &format!("{new:#}\n"), 0o644);
    home
}

fn diff(home: &Home, more: &[&str]) -> Run {
    home.run(&[&["diff", "old.json", "new.json"][..], more].concat())
}

#[test]
fn every_vector_gets_its_verdict_and_its_exit_codes() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 36);
    let home = home(&Value::Null);
    let mut wrong = Vec::new();
    for case in cases {
        home.write("new.json", &changed(case).to_string(), 0o644);
        let run = diff(&home, &["--json"]);
        let report = run.json();
        let members = ["wire", "money", "stop", "bump"];
        let found = members.map(|member| &report[member]);
        let wanted = members.map(|member| &case[member]);
        if run.code != 0 || found != wanted {
            wrong.push(format!(
                "{}: found {found:?}, wanted {wanted:?}: {report}",
                case["id"]
            ));
        }
        let denied = [
            (
                "costlier",
                ["costlier", "cap-raised"]
                    .iter()
                    .any(|word| case["money"] == *word),
            ),
            ("cap-raised", case["money"] == "cap-raised"),
            ("stop", case["stop"] == true),
        ];
        for (kind, denied) in denied {
            let code = diff(&home, &["--deny", kind]).code;
            if code != i32::from(denied) {
                wrong.push(format!("{}: --deny {kind} ends with {code}", case["id"]));
            }
        }
        // A major version that neither axis nor the stop asks for is one that acts although nobody does anything.
        let silent =
            case["bump"] == "major" && case["money"] != "cap-raised" && case["stop"] == false;
        if (case["wire"] == "major" || silent) && diff(&home, &["--deny", "major"]).code != 1 {
            wrong.push(format!("{}: --deny major", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_document_twice_is_no_change() {
    let home = home(&example());
    home.write("new.json", EXAMPLE, 0o644);
    let run = diff(&home, &["--deny", "costlier,cap-raised,major,stop"]);
    assert_eq!(
        (run.code, run.out.as_str(), run.err.as_str()),
        (0, "nothing changed\n", "")
    );
    let report = diff(&home, &["--json", "--write"]).json();
    assert_eq!(
        [
            &report["bump"],
            &report["version"],
            &report["written"],
            &report["safe_to_pay"]
        ],
        [&json!("none"), &json!("2.3.0"), &Value::Null, &json!(true)]
    );
    assert_eq!(
        std::fs::read_to_string(home.path("new.json")).unwrap(),
        EXAMPLE
    );
}

#[test]
fn people_get_a_table_and_what_to_do() {
    let run = diff(&home(&case("tier-price-up-inside-bounds")), &[]);
    for part in [
        "wire   money     stop  change",
        "costlier        endpoints/summarize",
        "on the wire patch, in money costlier\n",
        "agents that know the old manifest go on paying",
        "announce it under `scheduled`, at least 7 days before",
        "the version has to be 2.4.0 (revision 18), and it is 2.3.0 (revision 17)",
    ] {
        assert!(run.out.contains(part), "{part:?} is missing: {run:#?}");
    }
    let mut document: Value = serde_json::from_str(EXAMPLE).unwrap();
    document["rails"]["base-exact"]["payTo"] = json!(crate::PAYEE);
    let run = diff(
        &home(&document),
        &["--deny", "stop", "--deny", "major,cap-raised"],
    );
    run.said(
        1,
        &[
            "the change is denied: ",
            "stop",
            "leave its kind out of --deny",
        ],
    );
    assert!(run.out.contains("STOP"), "{run:#?}");
    assert!(
        run.out.contains("stop paying until a person has looked"),
        "{run:#?}"
    );
}

#[test]
fn write_changes_version_and_revision_and_no_other_byte() {
    let home = home(&Value::Null);
    let text = EXAMPLE.replace(r#""amount": "0.005""#, r#""amount": "0.006""#);
    home.write("new.json", &text, 0o640);
    let read = || std::fs::read_to_string(home.path("new.json")).unwrap();
    diff(&home, &["--write", "--deny", "costlier"]).said(1, &["the change is denied: costlier"]);
    assert_eq!(read(), text, "what is denied is not written");

    diff(&home, &["--write"]).said(0, &["written to new.json"]);
    let expected = text
        .replace(r#""version": "2.3.0""#, r#""version": "2.4.0""#)
        .replace(r#""revision": 17"#, r#""revision": 18"#);
    assert_eq!(read(), expected);
    assert_eq!(home.mode("new.json"), 0o640);
    home.write("new.json", &text, 0o640);
    std::os::unix::fs::symlink(home.path("new.json"), home.path("link.json")).unwrap();
    let run = home.run(&["diff", "old.json", "link.json", "--write"]);
    assert_eq!(
        (run.code, read()),
        (0, expected.clone()),
        "a link stays one"
    );
    let again = diff(&home, &["--write", "--json"]);
    assert_eq!(again.json()["written"], Value::Null, "once is enough");
    assert_eq!(read(), expected);
    assert!(
        diff(&home, &[])
            .out
            .contains("the version 2.4.0 (revision 18) is high enough")
    );
}

#[test]
fn write_mends_the_hash_and_takes_out_the_signature_of_other_content() {
    let mut document = signed(example(), KEYS[0]);
    document["endpoints"][0]["summary"] = json!("Other words");
    for text in [document.to_string(), format!("{document:#}")] {
        let home = home(&Value::Null);
        home.write("old.json", &signed(example(), KEYS[0]).to_string(), 0o644);
        home.write("new.json", &text, 0o644);
        diff(&home, &[]).said(
            0,
            &["warning: new.json: the content hash that the manifest states"],
        );
        let run = diff(&home, &["--write"]);
        run.said(0, &["written to new.json", "taken out: sign it again"]);
        assert!(!run.err.contains("warning"), "{run:#?}");
        let report = home.run(&["manifest", "new.json", "--json"]).json();
        assert_eq!(
            [
                &report["hash"],
                &report["signature"],
                &report["origin_proof"]
            ],
            [&json!("right"), &json!("none"), &json!("receiver")]
        );
        let service = &report["manifest"]["service"];
        assert_eq!(
            (&service["version"], &service["revision"]),
            (&json!("2.3.1"), &json!(18))
        );
    }
}

#[test]
fn a_seller_is_compared_with_a_file() {
    let origin = web(|_, _| Some(ok(&hashed(example()))));
    let home = home(&case("price-down"));
    let run = home.run(&["diff", &origin, "new.json", "--json"]);
    let report = run.json();
    assert_eq!((run.code, &report["money"]), (0, &json!("cheaper")));
    assert_eq!(report["old"]["hash"], "right");
    let down = home.run(&["diff", "http://127.0.0.1:1", "new.json", "--deny", "stop"]);
    down.said(2, &["cannot be fetched"]);
}

#[test]
fn what_cannot_be_compared_is_exit_code_2() {
    let home = home(&example());
    for (args, part) in [
        (
            &["diff", "old.json", "no.json"][..],
            "there is no file no.json",
        ),
        (&["diff", "-", "-"], "standard input cannot be both"),
        (&["diff", "old.json", "-", "--write"], "NEW is no file"),
        (
            &["diff", "old.json", "https://a.example", "--write"],
            "NEW is no file",
        ),
        (
            &["diff", "old.json", "new.json", "--deny", "dearer"],
            "invalid value 'dearer'",
        ),
        (&["diff", "old.json"], "<NEW>"),
    ] {
        home.run(args).said(2, &[part]);
    }
    home.write("bad.json", "{", 0o644);
    let report = home.run(&["diff", "bad.json", "new.json", "--json"]);
    assert_eq!(
        (report.code, &report.json()["error"]["code"]),
        (2, &json!("manifest_not_json"))
    );
    let mut odd = example();
    odd["service"]["version"] = json!("yesterday");
    home.write("new.json", &odd.to_string(), 0o644);
    diff(&home, &["--write"]).said(2, &["are not both versions such as 1.2.0"]);
    assert!(
        diff(&home, &[])
            .out
            .contains("cannot be held against the changes")
    );
}
