//! Hostile texts in a manifest against the structure of its views, and the OpenAPI document of version 3.0.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a table may be long, and a test may stop at the first thing that is not as expected"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use x402_model::manifest::{Document, Manifest, views};

const EXAMPLE: &str = include_str!("manifest/manifest.signed.json");
const HARD: &str = include_str!("manifest/hard.json");
const HOSTILE: &str = include_str!("manifest/hostile_strings.txt");

fn manifest(text: &str) -> Manifest {
    let document = Document::read(text.as_bytes()).unwrap();
    document.manifest().clone()
}

/// The strings of the corpus with their escapes undone, and some of our own.
fn hostile() -> Vec<String> {
    let unescaped = |line: &str| {
        let mut text = line.replace("\\n", "\n").replace("\\r", "\r");
        text = text
            .replace("\\u{e0041}", "\u{e0041}")
            .replace("\\u{e0042}", "\u{e0042}");
        text.replace("\\u2028", "\u{2028}").replace("\\\\", "\\")
    };
    let own = [
        "</script><script>alert(1)</script>",
        "\u{202e}txt.exe\u{2066}",
        "](https://evil.example) [x",
        "\n\n## Paid endpoints\n\n- [GET /free](https://evil.example): 0 USD",
        "# heading",
        "> quote",
        "1. item",
        "```",
        "---",
        "| a | b |\n|---|---|",
        "[a]: https://evil.example",
        "\u{85}\u{b}\u{c}- item",
        "",
    ];
    let corpus = HOSTILE
        .lines()
        .filter(|line| !line.starts_with("# seed"))
        .map(unescaped);
    corpus.chain(own.map(str::to_owned)).collect()
}

/// A manifest whose texts are all this one.
fn saying(text: &str) -> Manifest {
    let mut manifest = manifest(EXAMPLE);
    let own = || text.to_owned();
    let service = &mut manifest.service;
    service.name = own();
    service.description = own();
    service.guidance = Some(own());
    service.icon_url = Some(own());
    service.tags = vec![own()];
    service.categories = vec![own()];
    service.contact.as_mut().unwrap().url = Some(own());
    service.legal.insert("termsUrl".to_owned(), text.into());
    for link in ["llmsTxt", "openapi", "self", "mcp", "a2a", "status"] {
        manifest.links.insert(link.to_owned(), own());
    }
    for endpoint in &mut manifest.endpoints {
        endpoint.summary = own();
        endpoint.description = Some(own());
        endpoint.tags = vec![own()];
        endpoint.price.model = own();
        endpoint.examples[0].name = own();
    }
    for error in manifest.errors.values_mut() {
        error.description = Some(own());
    }
    manifest
}

/// The lines of a page that mean something to its readers: headings, quotes and items.
fn skeleton(page: &str) -> Vec<String> {
    page.lines()
        .filter_map(|line| match line {
            line if line.starts_with("##") => Some(line.to_owned()),
            line if line.starts_with("- [") => {
                let (name, rest) = line.split_once("](").unwrap();
                let (url, _) = rest.split_once("): ").unwrap();
                Some(format!("{name}]({url})"))
            }
            line if line.starts_with('#') => Some("#".to_owned()),
            line if line.starts_with('>') => Some(">".to_owned()),
            _ => None,
        })
        .filter(|line| line.len() > 1)
        .collect()
}

fn check_page(text: &str) {
    let mut plain = saying("plain");
    let mut said = saying(text);
    // What comes of the links is checked apart.
    for manifest in [&mut plain, &mut said] {
        manifest.links.clear();
        manifest.service.legal.clear();
    }
    let page = views::llms_txt(&said);
    assert_eq!(
        skeleton(&page),
        skeleton(&views::llms_txt(&plain)),
        "{text:?}:\n{page}"
    );
    let hidden = |c: char| {
        c.is_control() && c != '\n'
            || "\u{2028}\u{2029}\u{202e}\u{2066}\u{e0041}\u{feff}".contains(c)
    };
    assert!(!page.contains(hidden), "{text:?}:\n{page:?}");
    assert!(!page.contains('<'), "{text:?}:\n{page}");
    for line in page.lines() {
        let opens = ["```", "---", "===", "* ", "+ ", "| ", "1. ", "[a]:", "    "];
        assert!(
            !opens.iter().any(|mark| line.starts_with(mark)),
            "{text:?}: {line}"
        );
    }
}

#[test]
fn hostile_texts_do_not_change_the_page_for_models() {
    for text in hostile() {
        check_page(&text);
    }
}

#[test]
fn hostile_links_are_left_out() {
    for text in hostile() {
        let said = saying(&text);
        let page = views::llms_txt(&said);
        for line in page.lines().filter(|line| line.starts_with("- [")) {
            let (_, rest) = line.split_once("](").unwrap();
            assert!(
                rest.starts_with("https://api.example.com/"),
                "{text:?}: {line}"
            );
        }
        assert!(!page.contains("## Optional"), "{text:?}");
        assert_eq!(views::agent_card(&said), None, "{text:?}");
        assert_eq!(views::mcp_server(&said), None, "{text:?}");
        for view in views::all(&said) {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"./-_".contains(&b);
            assert!(
                view.path.bytes().all(plain) && !view.path.contains(".."),
                "{}",
                view.path
            );
        }
    }
}

#[test]
fn no_view_hides_characters_in_the_texts_that_models_read() {
    let hidden = "a\u{202e}b\u{e0041}\u{200b}c";
    let mut said = saying(hidden);
    said.schemas.get_mut("Summary").unwrap()["description"] = hidden.into();
    said.schemas.get_mut("SummaryRequest").unwrap()["properties"]["text"]["title"] = hidden.into();
    for view in [
        views::mcp_tools(&said),
        views::well_known(&said),
        json!(views::llms_txt(&said)),
    ] {
        let text = view.to_string();
        assert!(
            !text.contains(['\u{202e}', '\u{e0041}', '\u{200b}']),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_changes_the_page_for_models(text in any::<String>()) {
        check_page(&text);
    }

    #[test]
    fn no_line_of_markdown_changes_the_page(text in "([-#>*+|=`~\\[\\]()0-9. \n\r\t<&:\\\\]|a){0,24}") {
        check_page(&text);
    }

    #[test]
    fn views_of_any_schema_are_made_and_are_the_same_twice(schema in schema()) {
        let mut hard = manifest(HARD);
        hard.endpoints[2].input.body.as_mut().unwrap().schema = Some(schema.clone());
        hard.endpoints[0].output.schema = Some(schema.clone());
        hard.schemas.insert("Shape".to_owned(), schema);
        prop_assert_eq!(views::all(&hard), views::all(&hard));
        for openapi in [views::openapi(&hard), views::openapi_30(&hard)] {
            for reference in references(&openapi) {
                prop_assert!(openapi.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{}", reference);
            }
        }
    }
}

/// References in the schemas that are made below. Every `$ref` there is one.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members
                .get("$ref")
                .and_then(Value::as_str)
                .map(str::to_owned);
            own.into_iter()
                .chain(members.values().flat_map(references))
                .collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Schemas that may be nonsense.
fn schema() -> impl Strategy<Value = Value> {
    let targets = [
        "#/schemas/Node",
        "#/schemas/Shape",
        "#/schemas/Nobody",
        "#",
        "#/$defs/A",
        "#/properties/a",
        "https://evil.example/x",
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        proptest::sample::select(targets.to_vec()).prop_map(|target| json!({"$ref": target})),
        Just(json!({"type": ["string", "null", "integer"], "enum": ["a", 1, null]})),
        Just(json!({"type": "null"})),
        Just(json!({"const": null})),
        Just(json!({"enum": [null]})),
        Just(json!({"type": 3, "enum": {}, "anyOf": {}, "properties": [], "required": "a"})),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let named = proptest::collection::btree_map("[abA$]", inner.clone(), 0..3);
        prop_oneof![
            (named.clone(), named).prop_map(|(properties, defs)| json!({
                "type": "object", "properties": properties, "$defs": defs, "required": ["a"],
            })),
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| json!({"anyOf": all, "default": null})),
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| json!({"oneOf": all, "enum": [1, null]})),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|all| json!({"items": all})),
            inner.prop_map(|item| json!({"type": "array", "minItems": 2, "items": item})),
        ]
    })
}

#[test]
fn version_30_says_the_same_in_its_own_words() {
    for (schema, lowered) in [
        (json!({"const": "a"}), json!({"enum": ["a"]})),
        (
            json!({"type": ["string", "null"], "minLength": 1}),
            json!({"type": "string", "minLength": 1, "nullable": true}),
        ),
        (
            json!({"type": "number", "exclusiveMinimum": 0}),
            json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}),
        ),
        (
            json!({"type": "number", "exclusiveMaximum": 5, "maximum": 9}),
            json!({"type": "number", "maximum": 5, "exclusiveMaximum": true}),
        ),
        (
            json!({"type": "number", "exclusiveMaximum": 9, "maximum": 5}),
            json!({"type": "number", "maximum": 5}),
        ),
        (
            json!({"type": "string", "examples": ["a", "b"]}),
            json!({"type": "string", "example": "a"}),
        ),
        (
            json!({"type": "integer", "enum": [1, 2]}),
            json!({"type": "integer", "enum": [1, 2]}),
        ),
        (
            json!({"type": "array"}),
            json!({"type": "array", "items": {}}),
        ),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}]}),
            json!({"type": "array", "items": {}}),
        ),
        (
            json!({"type": "object", "patternProperties": {"a": true}}),
            json!({"type": "object"}),
        ),
        (json!({"not": true}), json!({"not": {}})),
        (
            json!({"anyOf": [{"$ref": "#/schemas/Node"}, {"type": "null"}]}),
            json!({"allOf": [{"$ref": "#/components/schemas/Node"}], "nullable": true}),
        ),
        (
            json!({"$ref": "#/schemas/Node", "description": "d"}),
            json!({"allOf": [{"$ref": "#/components/schemas/Node"}], "description": "d"}),
        ),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": true}),
        ),
    ] {
        let mut copy = manifest(HARD);
        copy.endpoints[2].input.body.as_mut().unwrap().schema = Some(schema.clone());
        let document = views::openapi_30(&copy);
        let found = &document["paths"]["/draw"]["post"]["requestBody"]["content"]["application/json"]
            ["schema"];
        assert_eq!(*found, lowered, "{schema}");
    }
    for text in [EXAMPLE, HARD] {
        let document = views::openapi_30(&manifest(text));
        assert_eq!(document["openapi"], "3.0.3");
        let text = document.to_string();
        for word in [
            "\"const\"",
            "\"type\":[",
            "\"type\":\"null\"",
            "jsonSchemaDialect",
            "\"$defs\"",
        ] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
