//! Matching cases of kinds that the recording may hold elsewhere (protocol 1.8 and 1.9).
#![allow(
    clippy::expect_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use serde_json::{Value, json};

use super::vectors::Vectors;
use super::{run, terms};

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn more_cases() {
    let bad = |key: &str| json!({"valid": false, "invalidReason": "extension_echo_mismatch", "extensionKey": key});
    let good = || json!({"valid": true});
    let codes = |count: usize| (1..=count).map(|n| format!("c{n}")).collect::<Vec<_>>();
    let code = |info: Value| json!({"builder-code": {"info": info}});
    let siwx = |nonce: &str, domain: &str| json!({"sign-in-with-x": {"info": {"nonce": nonce, "domain": domain}}});
    let echoes = [
        (
            json!({"e": {"info": {"a": 1}}}),
            json!({"e": {"info": {"a": 2}}}),
            json!([]),
            bad("e"),
        ),
        (
            json!({"e": {"info": {"a": 1}}}),
            json!({"f": {"info": {"b": 1}}}),
            json!([]),
            good(),
        ),
        (
            json!({}),
            json!({"e": {"info": {"a": 1}}}),
            json!([]),
            good(),
        ),
        (
            json!({"e": {"info": {"a": {"x": 1}}}}),
            json!({"e": {"info": {"a": {"y": 1}}}}),
            json!([]),
            bad("e"),
        ),
        (
            json!({"e": {"info": {"required": true}}}),
            json!({"e": {"info": {"required": false}}}),
            json!([]),
            bad("e"),
        ),
        (
            json!({"e": {"info": {"a": []}}}),
            json!({"e": {"info": {"a": [1]}}}),
            json!([]),
            bad("e"),
        ),
        (
            json!({"e": {"info": {"a": 1}}}),
            json!({"e": {}}),
            json!([]),
            bad("e"),
        ),
        (
            siwx("1", "a"),
            siwx("2", "a"),
            json!(["nonce", "issuedAt", "expirationTime"]),
            good(),
        ),
        (
            siwx("1", "a"),
            siwx("2", "b"),
            json!(["nonce", "issuedAt", "expirationTime"]),
            bad("sign-in-with-x"),
        ),
        (
            code(json!({"a": "app", "s": ["c1"]})),
            code(json!({"a": "app", "s": ["c2", "c1"]})),
            json!([]),
            good(),
        ),
        (
            code(json!({"a": "app", "s": ["c1"]})),
            code(json!({"a": "app", "s": ["c2"]})),
            json!([]),
            bad("builder-code"),
        ),
        (
            code(json!({"a": "app"})),
            code(json!({"a": "app", "s": codes(5)})),
            json!([]),
            good(),
        ),
        (
            code(json!({"s": ["c1"]})),
            code(json!({"s": codes(10)})),
            json!([]),
            good(),
        ),
        (
            code(json!({"s": ["c1"]})),
            code(json!({"s": codes(11)})),
            json!([]),
            bad("builder-code"),
        ),
        (
            code(json!({"s": ["c1"]})),
            code(json!({"a": "mine", "s": ["c1"]})),
            json!([]),
            bad("builder-code"),
        ),
        (
            code(json!({"a": "app"})),
            code(json!({"a": "mine"})),
            json!([]),
            bad("builder-code"),
        ),
        (
            json!({}),
            code(json!({"a": "mine"})),
            json!([]),
            bad("builder-code"),
        ),
        (json!({}), code(json!({"s": ["c1"]})), json!([]), good()),
    ];
    let mut cases: Vec<Value> = echoes
        .iter()
        .map(|(server, client, dynamic, expected)| {
            let input = json!({"serverExtensions": server, "clientExtensions": client, "dynamicInfoFields": dynamic});
            json!({"name": input.to_string(), "input": input, "expected": expected})
        })
        .collect();
    let changes = [
        ("/asset", json!("0xab"), false),
        ("/payTo", json!("0xcd"), false),
        ("/scheme", json!("upto"), false),
        ("/network", json!("base"), false),
        ("/maxTimeoutSeconds", json!(300.0), true),
        ("/maxTimeoutSeconds", json!("300"), false),
        ("/extra/name", json!("usdc"), false),
        ("/extra/nested/list", json!([1]), false),
        ("/extra/more", json!({"a": [null]}), true),
        ("/resource", json!("https://a.example/"), false),
    ];
    for (pointer, value, fits) in changes {
        let mut accepted = terms();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        accepted.pointer_mut(parent).expect("there")[name] = value;
        let expected = json!({"matched": fits, "index": if fits { 0 } else { -1 }});
        let input = json!({"available": [terms()], "accepted": accepted});
        cases.push(json!({"name": pointer, "input": input, "expected": expected}));
    }
    for none in [json!(null), json!([]), json!("x")] {
        let input = json!({"available": [terms()], "accepted": none});
        cases.push(
            json!({"name": "none", "input": input, "expected": {"matched": false, "index": -1}}),
        );
    }
    let input = json!({"available": [], "accepted": terms()});
    cases.push(
        json!({"name": "empty", "input": input, "expected": {"matched": false, "index": -1}}),
    );
    run(&Vectors::parse(&json!({"cases": cases}).to_string()));
}
