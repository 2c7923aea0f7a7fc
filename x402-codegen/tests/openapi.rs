//! Descriptions of others are input, too: what they promise is kept, what they leave open is not paid.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

mod support;

use serde_json::{Value, json};
use x402_codegen::model::{EndpointModel, Output, TypeRef};
use x402_codegen::read;
use x402_model::manifest::{Document, views};

fn endpoint<'m>(all: &'m [EndpointModel], id: &str) -> &'m EndpointModel {
    all.iter()
        .find(|endpoint| endpoint.id == id)
        .unwrap_or_else(|| panic!("{id}"))
}

#[test]
fn the_view_of_a_manifest_gives_the_client_of_the_manifest() {
    let manifest = read(&support::manifest("example")).unwrap();
    let openapi = read(&support::manifest("openapi_ours")).unwrap();
    for wanted in &manifest.endpoints {
        let found = endpoint(&openapi.endpoints, &wanted.id);
        let (price, other) = (
            wanted.price.as_ref().unwrap(),
            found.price.as_ref().unwrap(),
        );
        assert_eq!(
            (price.min, price.max, &price.model),
            (other.min, other.max, &other.model),
            "{}",
            wanted.id
        );
        assert_eq!((&wanted.method, &wanted.path), (&found.method, &found.path));
        let names = |endpoint: &EndpointModel| {
            endpoint
                .params
                .iter()
                .map(|p| p.field.wire.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(wanted), names(found));
        assert!(
            found
                .rails
                .iter()
                .all(|rail| openapi.pins.iter().any(|pin| pin.rail == *rail))
        );
    }
    assert_eq!(openapi.pins[0].pay_to, manifest.pins[0].pay_to);
}

#[test]
fn every_view_that_this_repository_writes_is_read() {
    for case in support::cases() {
        let bytes = support::manifest(&case);
        let Ok(document) = Document::read(&bytes) else {
            continue;
        };
        let view = views::openapi(document.manifest());
        let found = read(&serde_json::to_vec(&view).unwrap());
        let found = found.unwrap_or_else(|error| panic!("{case}: {error}"));
        let wanted = read(&bytes).unwrap();
        assert_eq!(found.endpoints.len(), wanted.endpoints.len(), "{case}");
        for wanted in &wanted.endpoints {
            let found = endpoint(&found.endpoints, &wanted.id);
            let most = |endpoint: &EndpointModel| endpoint.price.as_ref().map(|price| price.max);
            let free = most(wanted).is_some_and(|most| most.is_zero());
            assert!(free || most(found) == most(wanted), "{case}: {}", wanted.id);
        }
    }
}

#[test]
fn what_a_description_leaves_open_is_not_paid() {
    let model = read(&support::manifest("openapi_foreign")).unwrap();
    assert_eq!(model.service.base, "https://api.foreign.example/base");
    let find = |id: &str| endpoint(&model.endpoints, id);
    let priced = |id: &str| {
        find(id)
            .price
            .as_ref()
            .map(|price| format!("{} {}", price.min, price.max))
    };
    assert_eq!(priced("get /search").as_deref(), Some("0.02 0.02"));
    assert_eq!(priced("legacy").as_deref(), Some("0.01 0.05"));
    for open in ["openEnded", "otherCurrency", "health"] {
        assert_eq!(priced(open), None, "{open}");
        assert!(find(open).rails.is_empty(), "{open}");
    }
    assert!(!model.pins.is_empty() && model.pins.iter().all(|pin| pin.pay_to == "*"));
    let params: Vec<&str> = find("get /search")
        .params
        .iter()
        .map(|p| p.field.wire.as_str())
        .collect();
    assert_eq!(
        params,
        ["lang", "q"],
        "no cookies, no headers of the transport"
    );
    assert!(matches!(
        find("otherCurrency").output,
        Output::Json(TypeRef::Any)
    ));
    assert_eq!(model.warnings.len(), 3, "{:?}", model.warnings);
}

#[test]
fn broken_descriptions_are_refused() {
    let code = |document: Value| {
        read(&serde_json::to_vec(&document).unwrap())
            .unwrap_err()
            .code()
    };
    assert_eq!(
        code(json!({ "openapi": "2.0", "paths": {} })),
        "openapi_invalid"
    );
    assert_eq!(code(json!({ "openapi": "3.1.0" })), "openapi_invalid");
}

#[test]
fn a_call_that_cannot_be_made_is_left_out_and_the_others_are_not() {
    let with = |operation: Value| {
        let paths = json!({ "/a": { "get": operation, "put": { "operationId": "other" } } });
        let servers = json!([{ "url": "https://a.example" }]);
        let document =
            json!({ "openapi": "3.1.0", "info": {}, "servers": servers, "paths": paths });
        let model = read(&serde_json::to_vec(&document).unwrap()).unwrap();
        assert_eq!(model.endpoints.last().unwrap().id, "other");
        (
            model.endpoints[0].params.len(),
            model.endpoints.len(),
            model.warnings.join("\n"),
        )
    };
    let left_out = |operation: Value, why: &str| {
        let (_, calls, warning) = with(operation);
        assert_eq!(calls, 1, "{warning}");
        let begins = warning.starts_with("/paths/~1a/get: left out, because of /paths/~1a/get");
        assert!(begins && warning.contains(why), "{warning}");
    };
    let reference = |target: &str| json!({ "requestBody": { "$ref": target } });
    left_out(
        reference("https://evil.example/body"),
        "only references inside of the document are followed",
    );
    left_out(reference("#/components/nope"), "is not in the document");
    left_out(
        reference("#/paths/~1a/get/requestBody"),
        "refers only to itself",
    );
    let header =
        |name: &str| json!({ "parameters": [{ "name": name, "in": "header", "schema": {} }] });
    left_out(header("a\r\nb"), "a header has a name of letters");
    assert_eq!(with(header("X-PAYMENT")).0, 0, "the client sets it itself");
    assert_eq!(with(header("X-Trace")).0, 1);

    let huge: Vec<Value> = (0..501)
        .map(|n| json!({ "type": "object", "properties": { format!("p{n}"): {} } }))
        .collect();
    let json_of = |schema: Value| json!({ "responses": { "200": { "content": { "application/json": { "schema": schema } } } } });
    let (_, calls, warning) = with(json_of(json!({ "oneOf": huge })));
    assert_eq!(calls, 2);
    assert!(
        warning.ends_with("a union of more than 500 alternatives; the value is any JSON"),
        "{warning}"
    );
    let (_, calls, warning) = with(json_of(json!({ "$ref": "#/nowhere" })));
    assert_eq!(calls, 2);
    assert!(
        warning.ends_with("\"#/nowhere\" is not in the document; the value is any JSON"),
        "{warning}"
    );
}

#[test]
fn what_is_left_out_is_a_warning_and_no_more_than_somebody_reads() {
    let model = read(&support::manifest("openapi_shapes")).unwrap();
    let said = |part: &str| model.warnings.iter().any(|warning| warning.contains(part));
    assert!(said(
        "the cookie \"session\" is no parameter; give a `cookie` header"
    ));
    assert!(said(
        "/paths/~1files/options: calls with this method are left out"
    ));
    assert!(said(
        "/components/schemas/Broken: not a schema; the value is any JSON"
    ));
    assert_eq!(model.warnings.len(), 3, "{:?}", model.warnings);

    let cookie =
        |number: usize| json!({ "name": format!("c{number}"), "in": "cookie", "schema": {} });
    let all: Vec<Value> = (0..500).map(cookie).collect();
    let document = json!({ "openapi": "3.0.0", "info": {}, "servers": [{ "url": "https://a.example" }],
        "paths": { "/a": { "get": { "parameters": all } } } });
    let model = read(&serde_json::to_vec(&document).unwrap()).unwrap();
    assert_eq!(model.warnings.len(), 101);
    assert_eq!(model.warnings[100], "and 400 more like these");
}

/// A description of `GET /a`, with these servers, at this place of its own, and for this payment.
fn described(servers: &Value, own: &Value, payment: &Value) -> Value {
    let operation = json!({ "operationId": "a", "servers": own, "x-payment-info": payment });
    let paths = json!({ "/a": { "get": operation }, "/b": { "get": { "operationId": "b" } } });
    json!({ "openapi": "3.1.0", "info": {}, "servers": servers, "paths": paths })
}

#[test]
fn the_address_of_a_server_has_the_defaults_of_its_variables() {
    let base = |servers: Value| {
        let document = described(&servers, &json!([]), &json!({}));
        let model = read(&serde_json::to_vec(&document).unwrap()).unwrap();
        (model.service.base, model.warnings.join("\n"))
    };
    let variables = json!({ "region": { "default": "eu" }, "base": { "default": "v1" } });
    let (found, _) =
        base(json!([{ "url": "https://{region}.example.com/{base}/", "variables": variables }]));
    assert_eq!(found, "https://eu.example.com/v1");
    for (open, hint) in [
        (
            json!([{ "url": "https://{region}.example.com" }]),
            "told one",
        ),
        (
            json!([{ "url": "https://{region.example.com" }]),
            "told one",
        ),
        (json!([{ "url": "/v1" }]), "ends with \"/v1\""),
        (json!([{ "url": "https://a@b.example" }]), "told one"),
        (
            json!([{ "url": "{x}", "variables": { "x": { "default": "a".repeat(600) } } }]),
            "told one",
        ),
        (json!([]), "told one"),
        (json!("x"), "told one"),
    ] {
        let (found, warnings) = base(open);
        assert_eq!(found, "");
        assert!(warnings.contains(hint), "{warnings}");
    }
}

#[test]
fn a_call_that_is_answered_elsewhere_is_left_out() {
    let servers = json!([{ "url": "https://a.example/v1" }]);
    let calls = |own: Value| {
        let document = described(&servers, &own, &json!({}));
        let model = read(&serde_json::to_vec(&document).unwrap()).unwrap();
        let told = model
            .warnings
            .iter()
            .any(|one| one.contains("/get: answered at another address"));
        (model.endpoints.len(), told)
    };
    for usual in [json!([]), json!([{ "url": "https://a.example/v1/" }])] {
        assert_eq!(calls(usual), (2, false));
    }
    for other in ["https://uploads.a.example", "/v2", "https://{x}.example"] {
        assert_eq!(calls(json!([{ "url": other }])), (1, true), "{other}");
    }
}

#[test]
fn what_a_description_says_of_a_payment_is_pinned_and_what_is_not_known_is_not_paid() {
    let base_usdc = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
    let payee = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let pins = |currency: &str, terms: Value| {
        let price = json!({ "mode": "fixed", "amount": "0.01", "currency": currency });
        let payment = json!({ "price": price, "protocols": [{ "x402": terms }] });
        let document = described(&json!([]), &json!([]), &payment);
        let model = read(&serde_json::to_vec(&document).unwrap()).unwrap();
        let warned = model
            .warnings
            .iter()
            .any(|one| one.contains("the call is not paid"));
        assert_eq!(warned, endpoint(&model.endpoints, "a").rails.is_empty());
        model.pins
    };
    let payees = |pins: &[x402_codegen::model::Pin]| -> Vec<(String, String)> {
        pins.iter()
            .map(|pin| (pin.network.clone(), pin.pay_to.clone()))
            .collect()
    };
    let on_base = |pay_to: &str| vec![("eip155:8453".to_owned(), pay_to.to_owned())];
    assert_eq!(
        payees(&pins("USD", json!({ "network": "base" }))),
        on_base("*")
    );
    assert_eq!(
        payees(&pins("USD", json!({ "asset": base_usdc, "payTo": payee }))),
        on_base(payee)
    );
    let any = pins("USD", json!({}));
    let paid = pins("USD", json!({ "payTo": payee }));
    assert!(any.len() > 10 && paid.len() == any.len());
    assert!(paid.iter().all(|pin| pin.pay_to == payee));
    for unknown in [
        json!({ "network": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp" }),
        json!({ "network": 5 }),
        json!({ "network": "base", "asset": payee }),
        json!({ "network": "base", "asset": base_usdc, "payTo": "0xnope" }),
    ] {
        assert!(pins("USD", unknown.clone()).is_empty(), "{unknown}");
    }
    // A yen is no dollar.
    for terms in [
        json!({}),
        json!({ "network": "base", "asset": base_usdc, "payTo": payee }),
    ] {
        assert!(pins("JPY", terms).is_empty());
    }
}
