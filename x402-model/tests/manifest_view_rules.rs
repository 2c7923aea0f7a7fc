//! The rules that readers of views have taught, each with a test that fails when it is broken.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

use serde_json::{Map, Value, json};
use x402_model::manifest::views;
use x402_model::manifest::{Document, Manifest, SCHEMA};

const EXAMPLE: &str = include_str!("manifest/manifest.signed.json");
const HARD: &str = include_str!("manifest/hard.json");

fn manifest(text: &str) -> Manifest {
    let document = Document::read(text.as_bytes()).unwrap();
    document.manifest().clone()
}

fn both() -> [Manifest; 2] {
    [manifest(EXAMPLE), manifest(HARD)]
}

fn blocks() -> Vec<(String, Value)> {
    let block = |manifest: &Manifest, id: &String| Some((id.clone(), views::bazaar(manifest, id)?));
    both()
        .iter()
        .flat_map(|m| {
            m.endpoints
                .iter()
                .filter_map(|e| block(m, &e.id))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn operations(openapi: &Value) -> Vec<(String, &Value)> {
    let paths = openapi["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap().iter();
            item.map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
        .collect()
}

/// Every member of a name, anywhere.
fn members<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(name));
            map.values().for_each(|inner| members(inner, name, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| members(inner, name, found)),
        _ => {}
    }
}

fn all<'v>(value: &'v Value, name: &str) -> Vec<&'v Value> {
    let mut found = Vec::new();
    members(value, name, &mut found);
    found
}

fn assert_references_resolve(document: &Value) {
    for reference in all(document, "$ref") {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
}

#[test]
fn the_harder_manifest_is_valid_by_the_schema_of_the_format() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_json::from_str(HARD).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&value)
        .map(|e| e.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn rule_01_definitions_stand_at_the_root_and_every_reference_resolves() {
    for (id, block) in blocks() {
        let schema = &block["schema"];
        assert_references_resolve(schema);
        assert!(
            schema
                .pointer("/properties/input/properties/body/$defs")
                .is_none()
        );
        assert!(
            jsonschema::validator_for(schema)
                .unwrap()
                .is_valid(&block["info"]),
            "{id}"
        );
    }
    let block = views::bazaar(&manifest(HARD), "putNode").unwrap();
    let names: Vec<_> = block["schema"]["$defs"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        names,
        ["Branch", "Note", "Note2"],
        "two schemas of one name are two"
    );
    // The negative control: definitions that stay nested do not resolve.
    let mut naive = block["schema"].clone();
    let definitions = naive.as_object_mut().unwrap().remove("$defs").unwrap();
    naive["properties"]["input"]["properties"]["body"]["$defs"] = definitions;
    assert!(jsonschema::validator_for(&naive).is_err());

    for manifest in both() {
        for openapi in [views::openapi(&manifest), views::openapi_30(&manifest)] {
            assert_references_resolve(&openapi);
            assert!(all(&openapi, "$defs").is_empty());
        }
        for tool in views::mcp_tools(&manifest)["tools"].as_array().unwrap() {
            assert_references_resolve(&tool["inputSchema"]);
            assert_references_resolve(tool.get("outputSchema").unwrap_or(&Value::Null));
        }
    }
}

#[test]
fn rule_01_recursion_is_kept() {
    let block = views::bazaar(&manifest(HARD), "getNode").unwrap();
    let node = &block["schema"]["properties"]["output"]["properties"]["example"];
    assert_eq!(
        node["properties"]["children"]["items"],
        json!({"$ref": "#/$defs/Node"})
    );
    let again = &block["schema"]["$defs"]["Node"]["properties"]["children"]["items"];
    assert_eq!(again, &json!({"$ref": "#/$defs/Node"}));
}

#[test]
fn rule_01_recursion_ends_where_a_reader_would_not() {
    let hard = manifest(HARD);
    let schemas = |openapi: Value| openapi["components"]["schemas"].clone();
    let item = |schemas: Value| schemas["Node"]["properties"]["children"]["items"].clone();
    assert_eq!(
        item(schemas(views::openapi(&hard))),
        json!({"x-x402-recursive": "Node"})
    );
    let whole = json!({"$ref": "#/components/schemas/Node"});
    assert_eq!(item(schemas(views::openapi_30(&hard))), whole);
    // Replacing every reference by what it leads to comes to an end.
    let openapi = views::openapi(&hard);
    fn expand(document: &Value, at: &Value, depth: usize) {
        assert!(depth < 60, "references without end");
        if let Some(reference) = at.get("$ref").and_then(Value::as_str) {
            expand(
                document,
                document.pointer(&reference[1..]).unwrap(),
                depth + 1,
            );
        }
        let list = at.as_array().into_iter().flatten();
        let inner = at.as_object().into_iter().flat_map(Map::values).chain(list);
        inner.for_each(|inner| expand(document, inner, depth + 1));
    }
    expand(&openapi, &openapi["paths"], 0);
}

#[test]
fn rule_02_no_ids_and_no_nested_dialects() {
    for (id, block) in blocks() {
        assert!(all(&block["schema"], "$id").is_empty(), "{id}");
        assert_eq!(
            all(&block["schema"], "$schema").len(),
            1,
            "{id}: only at the root"
        );
    }
    for manifest in both() {
        let openapi = views::openapi(&manifest);
        assert!(all(&openapi, "$id").is_empty() && all(&openapi, "$schema").is_empty());
    }
}

#[test]
fn rule_03_methods_without_a_body_have_query_parameters() {
    for (id, block) in blocks() {
        let input = &block["info"]["input"];
        if matches!(input["method"].as_str(), Some("GET" | "DELETE")) {
            assert!(input["queryParams"].is_object(), "{id}");
            let schema = &block["schema"]["properties"]["input"]["properties"]["queryParams"];
            assert!(schema["properties"].is_object(), "{id}");
        }
    }
    let remove = views::bazaar(&manifest(HARD), "remove").unwrap();
    assert_eq!(remove["info"]["input"]["queryParams"], json!({}));
}

#[test]
fn rule_03_an_operation_that_takes_nothing_takes_its_payment() {
    let mut hard = manifest(HARD);
    hard.endpoints[0].path = Some("/trees".to_owned());
    hard.endpoints[0].input = Default::default();
    let openapi = views::openapi(&hard);
    let parameters = openapi["paths"]["/trees"]["get"]["parameters"]
        .as_array()
        .unwrap();
    assert_eq!(parameters.len(), 1);
    assert_eq!(parameters[0]["name"], "PAYMENT-SIGNATURE");
    assert_eq!(parameters[0]["required"], false);
    assert!(
        openapi["paths"]["/health"]["get"]
            .get("parameters")
            .is_none(),
        "it is free"
    );
}

#[test]
fn rule_04_captures_are_path_params_and_a_template() {
    let manifest = manifest(HARD);
    let block = views::bazaar(&manifest, "getNode").unwrap();
    assert_eq!(block["routeTemplate"], "/trees/:tree_id/nodes/:rest");
    assert_eq!(
        block["info"]["input"]["pathParams"],
        json!({"tree_id": 7, "rest": "a/b c"})
    );
    let schema = &block["schema"]["properties"]["input"];
    assert!(schema["properties"]["pathParams"]["properties"]["rest"].is_object());
    assert!(
        schema["required"]
            .as_array()
            .unwrap()
            .contains(&json!("pathParams"))
    );
    assert!(
        views::bazaar(&manifest, "draw")
            .unwrap()
            .get("routeTemplate")
            .is_none()
    );
    assert!(views::openapi(&manifest)["paths"]["/trees/{tree_id}/nodes/{rest}"].is_object());
    // A capture that no schema describes is described by its name.
    let remove = views::bazaar(&manifest, "remove").unwrap();
    assert_eq!(
        remove["info"]["input"]["pathParams"],
        json!({"tree_id": "example"})
    );
}

#[test]
fn rule_05_captures_have_examples() {
    for manifest in both() {
        for openapi in [views::openapi(&manifest), views::openapi_30(&manifest)] {
            for (name, operation) in operations(&openapi) {
                let captures = name.matches('{').count();
                let parameters = operation.get("parameters").and_then(Value::as_array);
                let in_path = parameters
                    .into_iter()
                    .flatten()
                    .filter(|it| it["in"] == "path");
                let with_example =
                    in_path.filter(|it| it.get("example").is_some() && it["required"] == true);
                assert_eq!(with_example.count(), captures, "{name}");
            }
        }
    }
    let mut hard = manifest(HARD);
    let url = |manifest: &Manifest| views::well_known(manifest)["resources"][0]["url"].clone();
    assert_eq!(
        url(&hard),
        "https://archive.example.org/trees/7/nodes/a%2Fb%20c"
    );
    hard.endpoints[0].path = Some("/trees/{tree_id}/nodes/{*rest}".to_owned());
    assert_eq!(
        url(&hard),
        "https://archive.example.org/trees/7/nodes/a/b%20c"
    );
    assert!(views::openapi(&hard)["paths"]["/trees/{tree_id}/nodes/{rest}"].is_object());
}

#[test]
fn rule_06_a_sample_can_be_built_of_what_is_required() {
    for (id, block) in blocks() {
        let input = &block["info"]["input"];
        if matches!(input["method"].as_str(), Some("POST" | "PUT" | "PATCH")) {
            assert!(
                input.get("body").is_some() && input.get("bodyType").is_some(),
                "{id}"
            );
        }
    }
    // Without examples, the sample is made of the schema.
    let mut hard = manifest(HARD);
    hard.endpoints
        .iter_mut()
        .for_each(|endpoint| endpoint.examples.clear());
    for id in ["putNode", "draw", "tail", "getNode", "searchTrees"] {
        let block = views::bazaar(&hard, id).unwrap();
        let validator = jsonschema::validator_for(&block["schema"]).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&block["info"])
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{id}: {faults:?} {:#}", block["info"]);
    }
    let openapi = views::openapi(&manifest(EXAMPLE));
    let schema = &openapi["components"]["schemas"]["SummaryRequest"];
    assert_eq!(schema["required"], json!(["text"]));
    assert_eq!(schema["properties"]["quality"]["default"], "standard");
}

#[test]
fn rule_07_only_declared_methods_are_operations() {
    for manifest in both() {
        let openapi = views::openapi(&manifest);
        let found: Vec<String> = operations(&openapi).into_iter().map(|it| it.0).collect();
        let http = manifest
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.kind == "http");
        assert_eq!(found.len(), http.count());
        assert!(
            !found
                .iter()
                .any(|name| name.starts_with("head") || name.starts_with("options"))
        );
    }
}

#[test]
fn rule_08_what_can_be_left_out_is_never_null_and_enums_are_of_strings() {
    let manifest = manifest(HARD);
    let openapi = views::openapi(&manifest);
    let tools = views::mcp_tools(&manifest);
    let blocks: Vec<Value> = blocks()
        .into_iter()
        .map(|it| it.1["schema"].clone())
        .collect();
    for view in blocks.iter().chain([&openapi, &tools]) {
        assert!(!all(view, "type").iter().any(|kind| kind.is_array()));
        for values in all(view, "enum") {
            assert!(
                values.as_array().unwrap().iter().all(Value::is_string),
                "{values}"
            );
        }
    }
    let parameters = openapi["paths"]["/trees/{tree_id}/nodes/{rest}"]["get"]["parameters"].clone();
    let schema = |name: &str| {
        let all = parameters.as_array().unwrap();
        all.iter().find(|it| it["name"] == name).unwrap()["schema"].clone()
    };
    assert_eq!(schema("label"), json!({"type": "string"}));
    assert_eq!(
        schema("order"),
        json!({"type": "string", "enum": ["asc", "desc"]})
    );
    let depths = json!([{"const": 1}, {"const": 2}, {"const": 3}]);
    assert_eq!(schema("depth"), json!({"type": "integer", "oneOf": depths}));
    // Answers may hold null, and their schema says so in the spelling that readers take.
    let node = &openapi["components"]["schemas"]["Node"]["properties"];
    assert_eq!(
        node["weight"],
        json!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]})
    );
    let draft = &openapi["paths"]["/trees/{tree_id}"]["put"]["requestBody"]["content"]["application/json"]
        ["schema"];
    assert_eq!(
        draft["properties"]["note"],
        json!({"$ref": "#/components/schemas/Note2"})
    );
}

#[test]
fn rule_09_formats_of_numbers_and_bounds_beyond_doubles_are_left_out() {
    for manifest in both() {
        let document = views::openapi(&manifest);
        for format in all(&document, "format") {
            assert!(!format.as_str().unwrap().contains("int"), "{format}");
        }
        assert!(!document.to_string().contains("18446744073709"));
    }
    let node = views::openapi(&manifest(HARD))["components"]["schemas"]["Node"].clone();
    assert_eq!(
        node["properties"]["serial"],
        json!({"type": "integer", "minimum": 0})
    );
}

#[test]
fn rule_10_currencies_have_three_capitals_and_amounts_one_unit_each() {
    for manifest in both() {
        let openapi = views::openapi(&manifest);
        for (name, operation) in operations(&openapi) {
            let Some(info) = operation.get("x-payment-info") else {
                assert_eq!(name, "get /health");
                continue;
            };
            let info = info.as_object().unwrap();
            // An amount here would be read as base units by the other profile.
            assert_eq!(
                info.keys().collect::<Vec<_>>(),
                ["price", "protocols"],
                "{name}"
            );
            assert_eq!(info["price"]["currency"], "USD");
            for protocol in info["protocols"].as_array().unwrap() {
                let terms = &protocol["x402"];
                for amount in ["amount", "maxAmount"]
                    .into_iter()
                    .filter_map(|it| terms.get(it))
                {
                    assert!(
                        amount.as_str().unwrap().bytes().all(|b| b.is_ascii_digit()),
                        "{amount}"
                    );
                }
            }
        }
    }
    let openapi = views::openapi(&manifest(HARD));
    let node = &openapi["paths"]["/trees/{tree_id}/nodes/{rest}"]["get"]["x-payment-info"];
    assert_eq!(node["protocols"][0]["x402"]["amount"], "3000");
    let odd = &node["protocols"][1]["x402"];
    assert!(
        odd.get("amount").is_none(),
        "no whole number of atomic units: {odd}"
    );
    let mut hard = manifest(HARD);
    hard.endpoints[2].rails = Some(vec!["odd".to_owned()]);
    let draw = &views::openapi(&hard)["paths"]["/draw"]["post"]["x-payment-info"];
    let odd = &draw["protocols"][0]["x402"];
    assert!(
        odd["asset"].is_string() && odd.get("maxAmount").is_none(),
        "what the token is worth is not known: {odd}"
    );
}

#[test]
fn rule_11_every_operation_has_a_summary_no_security_and_a_402_if_it_costs() {
    for manifest in both() {
        for openapi in [views::openapi(&manifest), views::openapi_30(&manifest)] {
            for (name, operation) in operations(&openapi) {
                assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
                assert_eq!(operation["security"], json!([]), "{name}");
                let costs = operation.get("x-payment-info").is_some();
                assert_eq!(operation["responses"].get("402").is_some(), costs, "{name}");
            }
        }
    }
}

#[test]
fn rule_12_one_type_of_refusal_and_one_of_success() {
    for manifest in both() {
        for openapi in [views::openapi(&manifest), views::openapi_30(&manifest)] {
            let mut refusals = Vec::new();
            for (name, operation) in operations(&openapi) {
                let mut successes = 0;
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let content = response.get("content").and_then(Value::as_object);
                    let schemas = content
                        .into_iter()
                        .flat_map(Map::values)
                        .map(|it| &it["schema"]);
                    if status.starts_with('2') {
                        successes += 1;
                    } else {
                        refusals.extend(schemas.cloned());
                    }
                }
                assert_eq!(successes, 1, "{name}");
            }
            assert!(refusals.len() > 3);
            assert!(refusals.iter().all(|it| *it == refusals[0]), "{refusals:?}");
        }
    }
    // A schema of the seller does not pass for it.
    let schemas = views::openapi(&manifest(HARD))["components"]["schemas"].clone();
    assert!(schemas["Problem"]["properties"]["code"].is_object());
    assert!(schemas["Problem2"]["properties"]["statement"].is_object());
    assert!(schemas.get("Unused").is_none());
}

#[test]
fn rule_14_descriptions_are_short_and_addresses_come_from_the_origin() {
    let mut manifest = manifest(EXAMPLE);
    manifest.endpoints[0].description = Some("long ".repeat(300));
    manifest.service.guidance = Some("g".repeat(9000));
    let openapi = views::openapi(&manifest);
    let text = &openapi["paths"]["/v1/weather/{city}"]["get"]["description"];
    assert!(text.as_str().unwrap().chars().count() <= 480);
    assert!(
        openapi["info"]["x-guidance"]
            .as_str()
            .unwrap()
            .chars()
            .count()
            <= 4000
    );
    assert_eq!(
        openapi["servers"],
        json!([{"url": "https://api.example.com"}])
    );
    for resource in views::well_known(&manifest)["resources"]
        .as_array()
        .unwrap()
    {
        assert!(
            resource["url"]
                .as_str()
                .unwrap()
                .starts_with("https://api.example.com/v1/")
        );
    }
}
