//! The manifest format against its own schema, its worked example, its signatures, and hostile documents.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a table may be long, and a test may stop at the first thing that is not as expected"
)]

use alloy_primitives::{Address, B256, Signature, address};
use serde_json::{Value, json};
use x402_model::endpoint::rules::check_path;
use x402_model::evm::EcdsaParts;
use x402_model::manifest::diff::compare;
use x402_model::manifest::{
    Document, ManifestError, PriceEntry, SCHEMA, Service, SignatureFault, SignedStatement,
    canonical, origin_digest, origin_proof,
};
use x402_model::price::{Due, Facts, evaluate};

const EXAMPLE: &str = include_str!("manifest/manifest.json");
const SIGNED: &str = include_str!("manifest/manifest.signed.json");
const SIGNER: Address = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

fn example() -> Value {
    serde_json::from_str(EXAMPLE).unwrap()
}

fn recover(digest: B256, parts: &EcdsaParts) -> Option<Address> {
    Signature::new(
        alloy_primitives::U256::from_be_bytes(parts.r.0),
        alloy_primitives::U256::from_be_bytes(parts.s.0),
        parts.y_parity,
    )
    .recover_address_from_prehash(&digest)
    .ok()
}

/// The example with one value set or, with `None`, removed.
fn changed(pointer: &str, value: Option<Value>) -> Result<Document, ManifestError> {
    let mut document = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (document.pointer_mut(parent).unwrap(), value) {
        (Value::Object(members), Some(value)) => {
            members.insert(name.to_owned(), value);
        }
        (Value::Object(members), None) => {
            members.remove(name);
        }
        (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
    Document::from_value(document)
}

#[test]
fn the_examples_are_valid_by_the_schema_and_by_the_reader() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for text in [EXAMPLE, SIGNED] {
        let mut value: Value = serde_json::from_str(text).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{faults:?}");
        let document = Document::read(text.as_bytes()).unwrap();
        // An empty list is left out.
        value.as_object_mut().unwrap().remove("deprecations");
        let written = serde_json::to_value(document.manifest()).unwrap();
        assert!(validator.is_valid(&written));
        assert_eq!(
            canonical(&written),
            canonical(&value),
            "the typed view loses nothing"
        );
    }
    assert!(!validator.is_valid(&json!({"manifestVersion": "1.0"})));
}

#[test]
fn prices_of_the_example_are_what_its_examples_say() {
    let document = Document::read(EXAMPLE.as_bytes()).unwrap();
    let manifest = document.manifest();
    for endpoint in &manifest.endpoints {
        let model = manifest.price_model(endpoint).unwrap().unwrap();
        model.check().unwrap();
        let again = PriceEntry::of(&model).unwrap();
        let same = again
            .to_model(&manifest.unit(), &|_| None)
            .unwrap()
            .unwrap();
        assert_eq!(model, same, "{}: written and read again", endpoint.id);
        for example in &endpoint.examples {
            let body = example.input.get("body").map(Value::to_string);
            let mut facts = Facts::new();
            if let Some(body) = &body {
                facts = facts.body(body.as_bytes());
            }
            let due = evaluate(&model, &facts, &[]);
            match (due, endpoint.price.model.as_str()) {
                (Ok(Due::Exact(price)), "flat" | "tiered") => {
                    assert_eq!(price.amount, example.cost.unwrap().0, "{}", endpoint.id);
                }
                (Ok(_), "usage") => {}
                (other, model) => panic!("{} {model}: {other:?}", endpoint.id),
            }
        }
    }
}

#[test]
fn a_missing_value_is_priced_by_the_default_of_its_schema() {
    let document = Document::read(EXAMPLE.as_bytes()).unwrap();
    let summarize = &document.manifest().endpoints[1];
    let model = document.manifest().price_model(summarize).unwrap().unwrap();
    let facts = Facts::new().body(br#"{"text":"x"}"#.as_slice());
    let Ok(Due::Exact(price)) = evaluate(&model, &facts, &[]) else {
        panic!("a price");
    };
    assert_eq!(price.to_string(), "0.005 USD");
}

#[test]
fn m08_the_signature_of_the_example_is_its_payees() {
    let document = Document::read(SIGNED.as_bytes()).unwrap();
    assert_eq!(document.states_its_hash(), Some(true));
    let (signer, statement) = document.signed_by(1_796_000_000, recover).unwrap();
    assert_eq!((signer, statement.revision), (SIGNER, 17));
    assert!(document.is_payee(signer));
    assert_eq!(document.origin_proved_by(recover), Ok(SIGNER));
    assert_eq!(
        document.signed_by(1_797_757_201, recover),
        Err(SignatureFault::Expired)
    );
    assert_eq!(
        document.signed_by(1_795_165_199, recover),
        Err(SignatureFault::Expired)
    );
    let unsigned = Document::read(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(unsigned.content_hash(), document.content_hash());
    assert_eq!(
        unsigned.signed_by(1_796_000_000, recover),
        Err(SignatureFault::Missing)
    );
}

#[test]
fn m08_a_statement_is_written_as_it_is_read() {
    let document = Document::read(SIGNED.as_bytes()).unwrap();
    let manifest = document.manifest();
    let (signer, read) = document.signed_by(1_796_000_000, recover).unwrap();
    let written = SignedStatement::of(manifest, document.content_hash()).unwrap();
    assert_eq!(written, read);
    let [statement, proof] = manifest.integrity.as_ref().unwrap().signatures.as_slice() else {
        panic!("two signatures");
    };
    let signature = |text: &str| x402_model::evm::Signature::parse(text).unwrap();
    let signed = written.signed(signer, &signature(&statement.signature));
    assert_eq!(signed, *statement);
    assert_eq!(origin_proof(signer, &signature(&proof.signature)), *proof);
    // A time that cannot be read is no time that can be signed.
    let mut odd = manifest.clone();
    odd.service.valid_until = Some("soon".to_owned());
    assert_eq!(SignedStatement::of(&odd, read.content_hash), None);
}

#[test]
fn m08_signers_are_those_who_are_paid_and_those_who_are_declared() {
    let other = address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    let document = changed("/service/signers", Some(json!([other.to_string()]))).unwrap();
    let manifest = document.manifest();
    assert!(manifest.is_declared(other) && !manifest.is_payee(other));
    assert!(manifest.is_payee(SIGNER) && !manifest.is_declared(SIGNER));
    let example = Document::read(EXAMPLE.as_bytes()).unwrap();
    let verdict = compare(example.manifest(), manifest);
    assert!(verdict.stop, "{:?}", verdict.changes);
}

#[test]
fn m08_every_change_breaks_the_signature() {
    let signed: Value = serde_json::from_str(SIGNED).unwrap();
    let fault = |pointer: &str, value: Value| {
        let mut document = signed.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        let document = Document::from_value(document).unwrap();
        document.signed_by(1_796_000_000, recover).unwrap_err()
    };
    let other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    use SignatureFault::{Malformed, OtherDocument, OtherSigner};
    let at = "/integrity/signatures/0";
    for (pointer, value, expected) in [
        ("/rails/base-exact/payTo", json!(other), OtherDocument),
        ("/endpoints/0/description", json!("x"), OtherDocument),
        ("/integrity/contentHash", json!("sha-256:00"), OtherDocument),
        (&format!("{at}/payload/revision"), json!(18), OtherDocument),
        (
            &format!("{at}/payload/validUntil"),
            json!(1_897_757_200),
            OtherSigner,
        ),
        (&format!("{at}/payload/version"), json!(2), Malformed),
        (&format!("{at}/signer"), json!(other), OtherSigner),
        (&format!("{at}/signature"), json!("0x12"), Malformed),
    ] {
        assert_eq!(fault(pointer, value), expected, "{pointer}");
    }
    let mut unknown = signed.clone();
    unknown["later"] = json!({"a": 1});
    let unknown = Document::from_value(unknown).unwrap();
    assert_eq!(
        unknown.signed_by(1_796_000_000, recover),
        Err(OtherDocument),
        "unknown fields are signed, too"
    );
    assert_ne!(
        origin_digest("https://a.example"),
        origin_digest("https://b.example")
    );
}

#[test]
fn every_broken_rule_has_its_code() {
    let code = |pointer: &str, value: Option<Value>| changed(pointer, value).unwrap_err().code();
    for (pointer, value, expected) in [
        ("/manifestVersion", Some(json!("2.0")), "manifest_version"),
        ("/service", None, "manifest_shape"),
        ("/service/revision", Some(json!("17")), "manifest_shape"),
        (
            "/service/origin",
            Some(json!("https://x.example/a")),
            "manifest_rule",
        ),
        (
            "/service/origin",
            Some(json!("https://user@x.example")),
            "manifest_rule",
        ),
        ("/currency", Some(json!("USDC")), "manifest_rule"),
        ("/endpoints", Some(json!([])), "manifest_rule"),
        (
            "/rails/base-exact/asset",
            Some(json!("nope")),
            "manifest_dangling",
        ),
        (
            "/defaults/rails",
            Some(json!(["nope"])),
            "manifest_dangling",
        ),
        (
            "/defaults/errors",
            Some(json!(["nope"])),
            "manifest_dangling",
        ),
        (
            "/endpoints/0/plans",
            Some(json!(["nope"])),
            "manifest_dangling",
        ),
        (
            "/endpoints/0/id",
            Some(json!("summarize")),
            "manifest_id_twice",
        ),
        ("/endpoints/0/id", Some(json!("../x")), "manifest_rule"),
        ("/endpoints/0/method", Some(json!("get")), "manifest_rule"),
        (
            "/endpoints/0/path",
            Some(json!("/v1/../x")),
            "manifest_rule",
        ),
        (
            "/endpoints/0/price/amount",
            Some(json!(0.001)),
            "manifest_rule",
        ),
        (
            "/endpoints/0/price/amount",
            Some(json!("0.002")),
            "manifest_rule",
        ),
        (
            "/endpoints/0/price/bounds/min",
            Some(json!("0.5")),
            "manifest_rule",
        ),
        (
            "/endpoints/0/price/bounds/max",
            Some(json!("1e3")),
            "manifest_shape",
        ),
        (
            "/endpoints/1/price/combine",
            Some(json!("minimum")),
            "manifest_rule",
        ),
        (
            "/endpoints/1/price/bounds/max",
            Some(json!("0.1")),
            "manifest_rule",
        ),
        (
            "/endpoints/2/price/units/0/per",
            Some(json!(0)),
            "manifest_rule",
        ),
        (
            "/errors/rate_limited/charged",
            Some(json!(3)),
            "manifest_shape",
        ),
    ] {
        assert_eq!(code(pointer, value), expected, "{pointer}");
    }
}

#[test]
fn later_versions_are_read_by_their_bounds() {
    let auction =
        json!({"model": "auction", "steps": {"any": []}, "bounds": {"min": "0", "max": "3"}});
    let document = changed("/endpoints/0/price", Some(auction)).unwrap();
    let manifest = document.manifest();
    let endpoint = &manifest.endpoints[0];
    assert_eq!(manifest.price_model(endpoint), Ok(None));
    assert_eq!(endpoint.price.bounds.max.to_string(), "3");
    assert!(changed("/manifestVersion", Some(json!("1.7"))).is_ok());
    assert!(changed("/service/mood", Some(json!("good"))).is_ok());
    let maybe = changed("/errors/rate_limited/charged", Some(json!("who knows"))).unwrap();
    let entry = &maybe.manifest().errors["rate_limited"];
    assert_eq!(entry.charged, x402_model::problem::Charged::Maybe);
}

#[test]
fn m07_a_cut_or_bent_document_is_an_error_and_never_a_panic() {
    for length in (0..EXAMPLE.len()).step_by(37) {
        assert!(Document::read(&EXAMPLE.as_bytes()[..length]).is_err());
    }
    let odd = [
        json!(null),
        json!(-1),
        json!(1e300),
        json!("*/ \u{2028}"),
        json!([]),
        json!({}),
    ];
    let mut pointers = Vec::new();
    collect(&example(), "", &mut pointers);
    for pointer in &pointers {
        for value in &odd {
            let mut document = example();
            *document.pointer_mut(pointer).unwrap() = value.clone();
            if let Ok(document) = Document::from_value(document) {
                for endpoint in &document.manifest().endpoints {
                    let _ = document.manifest().price_model(endpoint);
                }
            }
        }
    }
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    pointers.push(at.to_owned());
    let token = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, part)| collect(part, &format!("{at}/{}", token(name)), pointers)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(place, part)| collect(part, &format!("{at}/{place}"), pointers)),
        _ => {}
    }
}

#[test]
fn what_a_service_may_say_of_itself_is_what_the_schema_says() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let long = |length: usize| "x".repeat(length);
    for (member, values) in [
        (
            "id",
            json!([
                "com.example",
                "com.example-1.b",
                "c0.a",
                "com",
                "Com.example",
                "com.",
                ".com",
                "c-m.a",
                "com.a_b",
                "com..a",
                ""
            ]),
        ),
        (
            "name",
            json!(["A", "A b ~", long(32), long(33), "", "Wetter\u{e4}", "a\nb"]),
        ),
        (
            "version",
            json!([
                "1.2.3",
                "0.0.0",
                "1.2.3-rc.1",
                "1.2",
                "1.2.3.4",
                "v1.2.3",
                "1.2.3-",
                "1..3",
                "1.2.3-a_b",
                ""
            ]),
        ),
        ("revision", json!([1, 7, 0])),
        ("guidance", json!(["", long(4000), long(4001)])),
        (
            "tags",
            json!([
                [],
                ["a", "b"],
                ["a", "a"],
                ["a", "b", "c", "d", "e", "f"],
                [""],
                [long(33)],
                ["\u{e4}"]
            ]),
        ),
        (
            "categories",
            json!([[], ["a"], ["a", "b", "c", "d", "e", "f"]]),
        ),
        (
            "iconUrl",
            json!([
                "https://a.example/i.png",
                "icon.png",
                "javascript",
                format!("https://a.example/{}", long(2048))
            ]),
        ),
        (
            "contact",
            json!([{ "url": "https://a.example" }, { "url": "a.example" }]),
        ),
        (
            "issuedAt",
            json!(["2026-11-20T09:00:00Z", "2026-11-20", "yesterday", ""]),
        ),
        ("validUntil", json!(["2099-11-20T09:00:00Z", "2099", ""])),
    ] {
        for value in values.as_array().unwrap() {
            let mut document = example();
            document["service"][member] = value.clone();
            let valid = validator.is_valid(&document);
            let service = serde_json::from_value::<Service>(document["service"].clone()).unwrap();
            let checked = service.check();
            assert_eq!(checked.is_ok(), valid, "{member} {value}: {checked:?}");
            if let Err(error) = checked {
                let place = format!("/service/{member}");
                assert!(error.to_string().starts_with(&place), "{error}");
            }
        }
    }
    // Rules that no schema can say.
    for (member, value) in [
        ("validUntil", "2020-01-01T00:00:00Z"),
        ("iconUrl", "javascript:alert(1)"),
    ] {
        assert_eq!(with(member, value).unwrap_err().code(), "manifest_rule");
    }
}

/// The example with one member of its service changed, checked.
fn with(member: &str, value: &str) -> Result<(), ManifestError> {
    let mut document = example();
    document["service"][member] = value.into();
    let service = serde_json::from_value::<Service>(document["service"].clone()).unwrap();
    service.check()
}

#[test]
fn pictures_are_where_directories_look_at_them() {
    let longest = format!("https://a.example/{}", "x".repeat(2048 - 18));
    for url in [
        "https://a.example",
        "https://a.example/i.png",
        "http://cdn_1.example:8080/i.svg?size=1#x",
        "https://icons/i.png",
        "https://1.2.3.example/i@2x.png",
        "https://my-localhost/i.png",
        &longest,
    ] {
        assert_eq!(with("iconUrl", url), Ok(()), "{url}");
    }
    let longer = format!("{longest}x");
    for url in [
        "https://127.0.0.1/i.png",
        "https://10.0.0.7:8080/i.png",
        "https://[::1]/i.png",
        "https://[2001:db8::1]:80/i.png",
        // Other spellings of addresses.
        "https://2130706433/i.png",
        "https://0x7f000001/i.png",
        "https://127.1?i.png",
        "https://a.0X1/i.png",
        "https://localhost/i.png",
        "http://LocalHost:3000/i.png",
        "https://icons.localhost/i.png",
        "https://localhost.localdomain#i",
        "https://ip6-loopback/i.png",
        "https://user@a.example/i.png",
        "https://user:word@a.example/i.png",
        "https://a.example:/i.png",
        "https://a..example/i.png",
        "https://a%2eexample/i.png",
        "https:///i.png",
        "https://?i.png",
        "//a.example/i.png",
        "data:image/png;base64,AA==",
        &longer,
    ] {
        let refused = with("iconUrl", url).unwrap_err();
        assert_eq!(refused.code(), "manifest_rule", "{url}");
        assert!(
            refused.to_string().starts_with("/service/iconUrl"),
            "{refused}"
        );
    }
}

#[test]
fn every_path_that_can_be_mounted_is_one_of_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let taken = (' '..='~')
        .map(|c| format!("/a{c}b"))
        .filter(|path| check_path(path).is_ok());
    let taken: Vec<String> = taken.chain(["/a%20b/{c}".to_owned()]).collect();
    assert!(taken.len() > 70, "{}", taken.len());
    for path in taken {
        let mut document = example();
        document["endpoints"][0]["path"] = path.clone().into();
        assert!(validator.is_valid(&document), "{path}");
    }
}
