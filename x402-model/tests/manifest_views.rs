//! The views of the worked example against the recorded ones, which other people's packages accept.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

use serde_json::{Value, json};
use x402_model::manifest::{Document, Manifest, views};

const SIGNED: &str = include_str!("manifest/manifest.signed.json");

fn example() -> Manifest {
    let document = Document::read(SIGNED.as_bytes()).unwrap();
    document.manifest().clone()
}

fn recorded(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The JSON pointers at which two values differ.
fn differences(ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let mut names: Vec<_> = ours.keys().chain(theirs.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                match (ours.get(name), theirs.get(name)) {
                    (Some(ours), Some(theirs)) => differences(ours, theirs, &at, found),
                    _ => found.push(at),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (place, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                differences(ours, theirs, &format!("{at}/{place}"), found);
            }
        }
        (ours, theirs) if ours == theirs => {}
        _ => found.push(at.to_owned()),
    }
}

/// Where a view differs from the recorded one on purpose (`*` stands for anything), and why.
const ON_PURPOSE: [(&str, &str); 12] = [
    (
        "/paths/*/responses/4*/content/application~1*json",
        "refusals are plain JSON on the wire",
    ),
    (
        "/paths/*/responses/5*/content/application~1*json",
        "refusals are plain JSON on the wire",
    ),
    (
        "/components/schemas/Problem/required",
        "only the code is in every refusal",
    ),
    (
        "/components/schemas/Problem/properties/code/x-open-enum",
        "later versions have more codes",
    ),
    (
        "/components/schemas/Problem/properties/charged/anyOf",
        "a word where it is not known",
    ),
    (
        "/components/schemas/Problem/properties/type",
        "refusals have a code instead",
    ),
    (
        "/components/schemas/Problem/properties/title",
        "refusals have a `detail` instead",
    ),
    (
        "/components/schemas/Problem/properties/retryable",
        "refusals have an `action` instead",
    ),
    (
        "/components/schemas/Problem/properties/action",
        "refusals have it",
    ),
    (
        "/components/schemas/Problem/properties/*",
        "what else refusals have where it is known",
    ),
    ("/skills/1/examples/0", "one spelling of JSON: canonical"),
    ("/skills/2/examples/0", "one spelling of JSON: canonical"),
];

fn fits(pattern: &str, at: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    if parts.len() == 1 {
        return pattern == at;
    }
    let Some(mut rest) = at
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last))
    else {
        return false;
    };
    parts[1..parts.len() - 1].iter().all(|part| {
        let found = rest.split_once(part);
        rest = found.map_or("", |it| it.1);
        found.is_some()
    })
}

#[track_caller]
fn same(ours: &Value, text: &str) {
    let mut found = Vec::new();
    differences(ours, &recorded(text), "", &mut found);
    found.retain(|at| !ON_PURPOSE.iter().any(|(pattern, _)| fits(pattern, at)));
    assert!(
        found.is_empty(),
        "differs from the recorded view at {found:#?}\n{ours:#}"
    );
}

#[test]
fn every_difference_of_the_table_is_there() {
    let mut manifest = example();
    manifest
        .links
        .insert("a2a".to_owned(), "/a2a/v1".to_owned());
    let mut found = Vec::new();
    for (ours, text) in [
        (
            views::openapi(&manifest),
            include_str!("manifest/views/openapi.json"),
        ),
        (
            views::agent_card(&manifest).unwrap(),
            include_str!("manifest/views/agent-card.json"),
        ),
    ] {
        differences(&ours, &recorded(text), "", &mut found);
    }
    for (pattern, why) in ON_PURPOSE {
        assert!(found.iter().any(|at| fits(pattern, at)), "{pattern}: {why}");
    }
}

#[test]
fn the_openapi_document_is_the_recorded_one() {
    same(
        &views::openapi(&example()),
        include_str!("manifest/views/openapi.json"),
    );
}

#[test]
fn the_bazaar_blocks_are_the_recorded_ones() {
    for (id, text) in [
        (
            "getWeather",
            include_str!("manifest/views/402.getWeather.json"),
        ),
        (
            "summarize",
            include_str!("manifest/views/402.summarize.json"),
        ),
        ("complete", include_str!("manifest/views/402.complete.json")),
    ] {
        let block = views::bazaar(&example(), id).unwrap();
        assert_eq!(block, recorded(text)["extensions"]["bazaar"], "{id}");
    }
    assert_eq!(views::bazaar(&example(), "nobody"), None);
}

#[test]
fn the_well_known_document_is_the_recorded_one() {
    let view = views::well_known(&example());
    same(&view, include_str!("manifest/views/well-known-x402.json"));
}

#[test]
fn the_page_for_models_is_the_recorded_one() {
    let page = views::llms_txt(&example());
    assert_eq!(page, include_str!("manifest/views/llms.txt"));
}

#[test]
fn the_tools_and_the_registry_entry_are_the_recorded_ones() {
    let manifest = example();
    same(
        &views::mcp_tools(&manifest),
        include_str!("manifest/views/mcp-tools-list.json"),
    );
    let server = views::mcp_server(&manifest).unwrap();
    same(&server, include_str!("manifest/views/mcp-server.json"));
}

#[test]
fn the_catalog_is_the_recorded_one() {
    same(
        &views::api_catalog(&example()),
        include_str!("manifest/views/api-catalog.json"),
    );
}

#[test]
fn there_is_an_agent_card_only_where_an_agent_answers() {
    let mut manifest = example();
    assert!(manifest.links.contains_key("agentCard"));
    assert_eq!(
        views::agent_card(&manifest),
        None,
        "a place for a card is no agent"
    );
    manifest
        .links
        .insert("a2a".to_owned(), "/a2a/v1".to_owned());
    let card = views::agent_card(&manifest).unwrap();
    same(&card, include_str!("manifest/views/agent-card.json"));
}

#[test]
fn there_is_a_registry_entry_only_where_a_server_answers() {
    let mut manifest = example();
    manifest.links.remove("mcp");
    assert_eq!(views::mcp_server(&manifest), None);
    manifest
        .links
        .insert("mcp".to_owned(), "javascript:alert(1)".to_owned());
    assert_eq!(views::mcp_server(&manifest), None);
}

#[test]
fn all_views_are_files_with_the_same_bytes_every_time() {
    let manifest = example();
    let all = views::all(&manifest);
    let paths: Vec<&str> = all.iter().map(|view| view.path.as_str()).collect();
    let expected = [
        "openapi.json",
        "openapi-3.0.json",
        ".well-known/x402",
        ".well-known/api-catalog",
        "mcp-tools.json",
        "llms.txt",
        "mcp-server.json",
        "bazaar/getWeather.json",
        "bazaar/summarize.json",
        "bazaar/complete.json",
    ];
    assert_eq!(paths, expected);
    for view in &all {
        assert!(view.content_type.contains("json") || view.path == "llms.txt");
        if view.content_type.contains("json") {
            let value: Value = serde_json::from_slice(&view.bytes).unwrap();
            let canonical = x402_model::manifest::canonical(&value);
            assert_eq!(canonical.as_bytes(), view.bytes, "{}", view.path);
        }
    }
    // Another order of members is the same manifest.
    let mut value: Value = serde_json::from_str(SIGNED).unwrap();
    reversed(&mut value);
    let again = Document::from_value(value).unwrap();
    assert_eq!(views::all(again.manifest()), all);
}

/// Puts all members of objects in another order, where the map keeps one.
fn reversed(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(reversed);
            *members = std::mem::take(members).into_iter().rev().collect();
        }
        Value::Array(items) => items.iter_mut().for_each(reversed),
        _ => {}
    }
}

#[test]
fn a_view_is_where_the_manifest_says() {
    let mut manifest = example();
    for (link, path) in [
        ("/docs/api.json", "docs/api.json"),
        ("https://api.example.com/v2/openapi.json", "v2/openapi.json"),
        ("https://docs.example.com/openapi.json", "openapi.json"),
        ("/../../etc/passwd", "openapi.json"),
        ("//evil.example/x", "openapi.json"),
        ("/a/%2e%2e/b", "openapi.json"),
    ] {
        manifest.links.insert("openapi".to_owned(), link.to_owned());
        assert_eq!(views::all(&manifest)[0].path, path, "{link}");
    }
}

#[test]
fn a_manifest_without_a_hash_is_named_by_its_own() {
    let mut value: Value = serde_json::from_str(SIGNED).unwrap();
    let members = value.as_object_mut().unwrap();
    members.remove("integrity");
    members.remove("deprecations");
    let document = Document::from_value(value).unwrap();
    let named = &views::openapi(document.manifest())["x-x402-manifest"]["contentHash"];
    assert_eq!(named, &json!(document.content_hash_text()));
}

#[test]
fn what_a_tool_takes_and_gives_under_one_name_are_two_definitions() {
    let mut manifest = example();
    let endpoint = &mut manifest.endpoints[0];
    let note = |kind: &str| {
        json!({
            "type": "object",
            "properties": { "note": { "$ref": "#/$defs/Note" } },
            "required": ["note"],
            "$defs": { "Note": { "type": kind } },
        })
    };
    endpoint.kind = "mcp".to_owned();
    endpoint.path = None;
    endpoint.input =
        serde_json::from_value(json!({ "body": { "schema": note("string") } })).unwrap();
    endpoint.output.schema = Some(note("integer"));
    endpoint.examples = serde_json::from_value(json!([
        { "name": "one", "input": { "body": { "note": "a" } }, "output": { "note": 1 } }
    ]))
    .unwrap();
    let block = views::bazaar(&manifest, &manifest.endpoints[0].id).unwrap();
    let definitions = block["schema"]["$defs"].as_object().unwrap();
    let names: Vec<&String> = definitions.keys().collect();
    assert_eq!(names, ["Note", "Note2"]);
    let validator = jsonschema::validator_for(&block["schema"]).unwrap();
    assert!(validator.is_valid(&block["info"]), "{block}");
}

#[test]
fn all_spellings_of_a_reference_are_one_definition() {
    let mut manifest = example();
    let reference = |to: &str| json!({ "$ref": to });
    manifest.schemas = serde_json::from_value(json!({ "A b/c": { "type": "string" } })).unwrap();
    let schema = json!({
        "type": "object",
        "properties": {
            "a": reference("#/schemas/A b~1c"),
            "b": reference("#/schemas/A%20b~1c"),
            "c": reference("#/%73chemas/%41%20b%7E1c"),
            "d": reference("#/$defs/D"),
            "e": reference("#/%24defs/%44"),
            "f": reference("#/%24defs/%+1"),
        },
        "$defs": { "D": { "type": "integer" }, "\u{1}": { "type": "null" }, "%+1": { "type": "boolean" } },
    });
    manifest.endpoints[0].output.schema = Some(schema);
    let block = views::bazaar(&manifest, &manifest.endpoints[0].id).unwrap();
    let made = &block["schema"]["$defs"];
    let expected = json!({
        "A_b_c": { "type": "string" }, "D": { "type": "integer" }, "__1": { "type": "boolean" },
    });
    assert_eq!(*made, expected);
}
