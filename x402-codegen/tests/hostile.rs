//! Foreign text stays text: hostile strings in every field change neither what is generated nor how much, and schemas that would
//! never end are refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use x402_codegen::{ClientModel, CodegenError, python, read, rust, typescript};

/// Strings that broke generators of others, and some that try.
const HOSTILE: &[&str] = &[
    "*/ pub fn pwned() {} /*",
    "line1\nline2 */ pub fn pwned() {} /**",
    "a\rpub fn pwned() {}",
    "\"#; pub fn pwned() {} r#\"",
    "```\nstd::fs::write(\"canary\",\"x\").unwrap();\n```",
    "text\n\n    std::fs::write(\"canary\",\"x\").unwrap();\n",
    "\\\"\"\"",
    "\"\"\"\nimport os\nos.system(\"touch canary\")\n\"\"\"",
    "# -*- coding: utf-7 -*-",
    "${require(\"fs\").writeFileSync(\"canary\",\"x\")}",
    "*/ globalThis.pwned=1 /*",
    "\u{2028}globalThis.pwned=1",
    "__proto__",
    "__class__",
    "../../etc/cron.d/x",
    "C:\\x\\..\\y",
    "fn",
    "self",
    "\u{ff37}eather",
    "\u{e0041}\u{e0042}hidden tags",
    "=cmd|'/c calc'!A1",
    "<img src=x onerror=alert(1)>",
    "\r\nX-Injected: 1",
    "%2e%2e%2fadmin",
    "\u{202e}gnp.exe",
    "{}",
    "{0}",
    "%s",
    "\\u0022",
    "\\",
    "'",
    "\"",
    "`",
    "\0",
    "\u{7f}",
];

/// A manifest with `text` in every place that takes text.
fn manifest(text: &str) -> Vec<u8> {
    let schema = json!({
        "type": "object", "description": text, "title": text, "required": [text],
        "properties": {
            text: { "type": "string", "description": text, "default": text, "format": text },
            "kind": { "enum": [text, "plain"], "description": text },
            "only": { "const": text },
        },
    });
    let mut document: Value = serde_json::from_slice(&support::manifest("example")).unwrap();
    for pointer in [
        "/service/name",
        "/service/description",
        "/service/guidance",
        "/endpoints/0/summary",
        "/endpoints/0/description",
        "/endpoints/0/examples/0/name",
        "/errors/rate_limited/description",
        "/errors/rate_limited/action",
        "/rails/base-exact/payTo",
        "/rails/base-exact/scheme",
        "/assets/usdc-base/network",
        "/assets/usdc-base/symbol",
        "/service/version",
        "/endpoints/0/output/contentType",
        "/endpoints/0/scheduled/0/effectiveFrom",
        "/endpoints/1/price/dimensions/0/cases/0/equals",
        "/endpoints/2/price/units/0/id",
    ] {
        *document.pointer_mut(pointer).unwrap() = json!(text);
    }
    document["endpoints"][0]["examples"][0]["output"] = json!({ text: text });
    document["endpoints"][0]["output"]["contentType"] = json!("application/json");
    document["endpoints"][0]["deprecation"] = json!({ "deprecatedAt": text, "replacement": text });
    document["endpoints"][0]["input"]["query"]["properties"] =
        json!({ text: { "type": "string", "description": text } });
    document["endpoints"][1]["output"]["schema"] = schema.clone();
    document["schemas"]["Forecast"] = schema;
    document["errors"]["x"] =
        json!({ "status": 400, "retryable": false, "charged": false, "action": text });
    document["defaults"]["errors"] = json!(["x"]);
    serde_json::to_vec(&document).unwrap()
}

fn model(text: &str) -> ClientModel {
    read(&manifest(text)).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The kind and, where no foreign text decides about it, the name of each item of a file.
fn items(source: &str) -> Vec<String> {
    let file = syn::parse_file(source).unwrap_or_else(|error| panic!("{error}"));
    file.items
        .iter()
        .map(|item| match item {
            syn::Item::Struct(item) => format!("struct {}", item.fields.len()),
            syn::Item::Enum(item) => format!("enum {}", item.variants.len()),
            syn::Item::Impl(item) => format!("impl {}", item.items.len()),
            syn::Item::Fn(item) => format!("fn {}", item.sig.ident),
            _ => "other".to_owned(),
        })
        .collect()
}

/// All string literals of a Rust file, unescaped, but for those of attributes.
fn literals(source: &str) -> Vec<String> {
    struct Literals(Vec<String>);
    impl<'a> syn::visit::Visit<'a> for Literals {
        fn visit_lit_str(&mut self, literal: &'a syn::LitStr) {
            self.0.push(literal.value());
        }
    }
    let mut found = Literals(Vec::new());
    syn::visit::visit_file(&mut found, &syn::parse_file(source).unwrap());
    found.0
}

#[test]
fn m01_hostile_text_changes_no_item_of_rust() {
    let plain = items(&rust::render(&model("plain text")));
    for text in HOSTILE {
        let source = rust::render(&model(text));
        assert_eq!(items(&source).len(), plain.len(), "{text:?}");
        assert!(
            !items(&source).iter().any(|item| item == "fn pwned"),
            "{text:?}"
        );
        assert!(
            literals(&source).iter().any(|found| found == text),
            "{text:?} keeps its value"
        );
        assert!(
            !source.contains('\r') && !source.contains('\u{2028}'),
            "{text:?}"
        );
        let invisible = |c: char| ('\u{202a}'..='\u{202e}').contains(&c) || c > '\u{dffff}';
        assert!(!source.chars().any(invisible), "{text:?}");
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        assert!(
            code.clone().all(str::is_ascii),
            "{text:?}: only comments hold other letters"
        );
    }
}

/// A description with `text` in every place that takes text, the captures of a path among them.
fn description(text: &str) -> Vec<u8> {
    let paths = [
        format!("/a/{text}/b"),
        format!("/c/{{{text}}}"),
        format!("/d/{{*{text}}}"),
        format!("/e/x{{{text}}}y?{text}={text}"),
    ];
    let styled = |style: &str| {
        let name = format!("{text}{style}");
        json!({ "name": name, "in": "query", "style": style, "explode": false, "schema": { "type": "object" } })
    };
    let members = json!({ "type": "object", "properties": { text: { "type": "string" } }, "required": [text] });
    let body = |kind: &str| json!({ "content": { kind: { "schema": members } } });
    let operation = json!({
        "operationId": text, "summary": text, "description": text, "tags": [text],
        "parameters": [
            { "name": text, "in": "query", "description": text, "schema": { "type": "string" } }, styled("form"),
            styled("deepObject"), styled("pipeDelimited"),
            { "name": text, "in": "cookie" },
        ],
        "responses": { "204": { "description": text }, "200": { "description": text, "content": { "application/json": { "schema": { "title": text } } } } },
        "x-payment-info": { "price": { "mode": "fixed", "currency": text, "amount": "0.01" } },
    });
    let paths: serde_json::Map<String, Value> = paths
        .into_iter()
        .map(|path| {
            let with = |kind: &str| {
                let mut operation = operation.clone();
                operation["requestBody"] = body(kind);
                operation
            };
            let item = json!({
                "get": operation, "put": with("multipart/form-data"), "post": with("application/x-www-form-urlencoded"),
                "patch": with(&format!("application/{text}+json")), "delete": with(text),
            });
            (path, item)
        })
        .collect();
    let info = json!({ "title": text, "version": text, "description": text });
    serde_json::to_vec(&json!({ "openapi": "3.1.0", "info": info, "paths": paths })).unwrap()
}

#[test]
fn m01_hostile_text_in_a_description_adds_no_item_to_rust() {
    for text in HOSTILE {
        let model = read(&description(text)).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let source = rust::render(&model);
        let found = items(&source);
        assert!(!found.iter().any(|item| item == "fn pwned"), "{text:?}");
        assert!(
            !source.contains('\r') && !source.contains('\u{2028}'),
            "{text:?}"
        );
    }
}

#[test]
fn m02_no_comment_of_rust_holds_a_code_block() {
    for text in HOSTILE {
        let source = rust::render(&model(text));
        let docs = source.lines().filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("///")
                .or_else(|| line.strip_prefix("//!"))
        });
        for doc in docs {
            assert!(
                !doc.starts_with("     ") && !doc.trim_start().starts_with("```"),
                "{text:?}: {doc}"
            );
            assert!(!doc.trim_start().starts_with("~~~"), "{text:?}: {doc}");
        }
    }
}

/// Parses a file in another language and counts what stands at its top.
fn count(program: &str, script: &str, source: &str) -> String {
    let folder = support::tools::target().join("codegen/hostile");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{program}-{}", std::process::id()));
    std::fs::write(&path, source).unwrap();
    let output = Command::new(program)
        .args([if program == "node" { "-e" } else { "-c" }, script])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[test]
fn m05_hostile_text_changes_no_statement_of_python() {
    let script = "import ast,sys,warnings; warnings.simplefilter('error'); \
        tree=ast.parse(open(sys.argv[1],'rb').read()); text=lambda n: isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant); \
        print(len([n for n in tree.body if not text(n)]), len([n for n in ast.walk(tree) if isinstance(n, ast.Call)]))";
    let plain = count("python3", script, &python::render(&model("plain text")));
    for text in HOSTILE {
        let source = python::render(&model(text));
        let calls = |said: &str| {
            said.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (found, wanted) = (calls(&count("python3", script, &source)), calls(&plain));
        assert_eq!(found, wanted, "{text:?}");
        let first = source.lines().take(2).collect::<String>();
        assert!(!first.contains("coding"), "{text:?}");
    }
    let described = |text: &str| python::render(&read(&description(text)).unwrap());
    let plain = count("python3", script, &described("plain text"));
    // The others mean something in a path or a media type, and change how many parts it has.
    let plain_there = |text: &&&str| !text.contains(['{', '}', '/', '?', '#', ';', '=', '&']);
    for text in HOSTILE.iter().filter(plain_there) {
        assert_eq!(
            count("python3", script, &described(text)),
            plain,
            "{text:?}"
        );
    }
}

#[test]
fn m05_no_literal_of_typescript_ends_early() {
    // The types are checked by `compile_typescript`; here every string literal is read by a scanner of its own.
    let described = |text: &str| read(&description(text)).unwrap();
    let both = |text: &'static str| [(text, model(text)), (text, described(text))];
    for (text, model) in HOSTILE.iter().flat_map(|text| both(text)) {
        let source = typescript::render(&model);
        assert!(
            !source.contains("\u{2028}") && !source.contains('\r'),
            "{text:?}"
        );
        let (head, _) = source.split_once("// ---- What every call shares").unwrap();
        let mut outside = String::new();
        let mut rest = head.chars().peekable();
        while let Some(c) = rest.next() {
            if c == '"' {
                while let Some(inside) = rest.next() {
                    match inside {
                        '\\' => drop(rest.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            } else if c == '/' && rest.peek() == Some(&'*') {
                let mut last = ' ';
                rest.next();
                for inside in rest.by_ref() {
                    if last == '*' && inside == '/' {
                        break;
                    }
                    last = inside;
                }
            } else {
                outside.push(c);
            }
        }
        assert!(
            !outside.contains("pwned()")
                && !outside.contains("pwned=")
                && !outside.contains("require(")
                && !outside.contains('`'),
            "{text:?}: {outside}"
        );
    }
}

fn with_schemas(schemas: &Value, root: &Value) -> Result<ClientModel, CodegenError> {
    let mut document: Value = serde_json::from_slice(&support::manifest("price_free")).unwrap();
    document["schemas"] = schemas.clone();
    document["endpoints"][0]["output"]["schema"] = root.clone();
    read(&serde_json::to_vec(&document).unwrap())
}

#[test]
fn m07_references_lead_nowhere_else() {
    let code = |target: &str| {
        let refused = with_schemas(&json!({}), &json!({ "$ref": target }));
        refused.map_or_else(|error| error.code(), |_| "accepted")
    };
    for target in [
        "https://evil.example/x.json",
        "file:///etc/passwd",
        "other.json#/a",
        "//host/x",
        "",
    ] {
        assert_eq!(code(target), "schema_remote_ref", "{target}");
    }
    for target in ["#/schemas/Nope", "#/schemas/../service", "#/no"] {
        assert_eq!(code(target), "schema_dangling_ref", "{target}");
    }
}

#[test]
fn m07_schemas_that_never_end_are_refused() {
    let a = json!({ "$ref": "#/schemas/A" });
    let b = json!({ "$ref": "#/schemas/B" });
    let code = |schemas: Value| {
        let refused = with_schemas(&schemas, &a);
        refused.map_or_else(|error| error.code(), |_| "accepted")
    };
    let whole = with_schemas(&json!({}), &json!({ "$ref": "#" }));
    assert_eq!(whole.unwrap_err().code(), "schema_empty_cycle");
    assert_eq!(code(json!({ "A": a })), "schema_empty_cycle");
    assert_eq!(code(json!({ "A": b, "B": a })), "schema_empty_cycle");
    assert_eq!(
        code(
            json!({ "A": { "anyOf": [b, { "type": "string" }] }, "B": { "oneOf": [a, { "type": "null" }] } })
        ),
        "schema_empty_cycle"
    );
    assert_eq!(
        code(json!({ "A": { "allOf": [a, { "properties": {} }] } })),
        "schema_too_deep"
    );
    assert_eq!(
        code(json!({ "A": { "type": "array", "items": a } })),
        "accepted"
    );
}

#[test]
fn m07_a_bomb_of_references_costs_what_it_is_long() {
    let began = Instant::now();
    // Each level merges the next one three times: 3^14 without a budget.
    let mut schemas =
        json!({ "L14": { "type": "object", "properties": { "x": { "type": "string" } } } });
    for level in 0..14 {
        let next = json!({ "$ref": format!("#/schemas/L{}", level + 1) });
        schemas[format!("L{level}")] = json!({ "allOf": [next, next, next] });
    }
    let refused = with_schemas(&schemas, &json!({ "$ref": "#/schemas/L0" }));
    assert_eq!(refused.unwrap_err().code(), "schema_too_large");
    // Plain references are followed once each.
    let mut schemas = json!({ "L60": { "type": "string" } });
    for level in 0..60 {
        let next = json!({ "$ref": format!("#/schemas/L{}", level + 1) });
        schemas[format!("L{level}")] =
            json!({ "type": "object", "properties": { "a": next, "b": next } });
    }
    let model = with_schemas(&schemas, &json!({ "$ref": "#/schemas/L0" })).unwrap();
    assert_eq!(model.types.len(), 61);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn m07_deep_and_huge_documents_are_refused() {
    let deep = format!("{}1{}", "{\"items\":".repeat(100), "}".repeat(100));
    assert_eq!(
        read(deep.as_bytes()).unwrap_err().code(),
        "manifest_too_deep"
    );
    let huge = vec![b' '; x402_codegen::MAX_BYTES + 1];
    assert_eq!(read(&huge).unwrap_err().code(), "manifest_too_large");
    assert_eq!(read(b"{}").unwrap_err().code(), "input_unknown");
    assert_eq!(read(b"[").unwrap_err().code(), "manifest_not_json");
}

#[test]
fn m09_headers_that_belong_to_the_payment_cannot_be_parameters() {
    for name in [
        "Payment-Signature",
        "HOST",
        "x-payment",
        "content-length",
        "a b",
        "a\r\nb",
        "",
    ] {
        let mut document: Value = serde_json::from_slice(&support::manifest("price_free")).unwrap();
        document["endpoints"][0]["input"] =
            json!({ "header": { "properties": { name: { "type": "string" } } } });
        let refused = read(&serde_json::to_vec(&document).unwrap()).unwrap_err();
        assert_eq!(refused.code(), "parameter_invalid", "{name:?}");
    }
}
