//! The A2A agent card, for services that really answer A2A.

use serde_json::{Map, Value, json};

use super::text::{DESCRIPTION, SUMMARY, clipped, line, visible};
use super::{links, pay, put};
use crate::manifest::{EndpointEntry, Manifest, canonical};

/// The extension by which A2A agents are paid.
const EXTENSION: &str = "https://github.com/google-agentic-commerce/a2a-x402/blob/main/spec/v0.2";

/// The agent card. Nothing unless the link `a2a` says where the A2A endpoint is: a card without one sends agents nowhere.
#[must_use]
pub fn agent_card(manifest: &Manifest) -> Option<Value> {
    let url = links::url(manifest, "a2a")?;
    let service = &manifest.service;
    let name = line(&service.name);
    let modes = json!(["application/json"]);
    let skills = manifest
        .endpoints
        .iter()
        .map(|endpoint| skill(manifest, endpoint, &modes));
    let mut card = Map::new();
    put(&mut card, "name", Some(&*name));
    put(
        &mut card,
        "description",
        Some(visible(&service.description)),
    );
    put(&mut card, "version", Some(&*service.version));
    let interface = json!({
        "url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0", "tenant": "",
    });
    put(&mut card, "supportedInterfaces", Some(vec![interface]));
    let provider = json!({ "organization": name, "url": service.origin });
    put(&mut card, "provider", Some(provider));
    put(
        &mut card,
        "documentationUrl",
        links::url(manifest, "llmsTxt"),
    );
    put(&mut card, "iconUrl", links::icon(manifest));
    let extension = json!({
        "uri": EXTENSION,
        "description": "x402 payments",
        "required": true,
        "params": { "manifest": links::url(manifest, "self") },
    });
    let capabilities = json!({
        "streaming": false, "pushNotifications": false, "extensions": [extension],
    });
    put(&mut card, "capabilities", Some(capabilities));
    put(&mut card, "securitySchemes", Some(json!({})));
    put(&mut card, "securityRequirements", Some(json!([])));
    put(&mut card, "defaultInputModes", Some(&modes));
    put(&mut card, "defaultOutputModes", Some(&modes));
    put(&mut card, "skills", Some(skills.collect::<Vec<_>>()));
    put(&mut card, "signatures", Some(json!([])));
    Some(Value::Object(card))
}

fn skill(manifest: &Manifest, endpoint: &EndpointEntry, modes: &Value) -> Value {
    let text = endpoint.description.as_ref().unwrap_or(&endpoint.summary);
    let text = clipped(&visible(text), DESCRIPTION);
    let bounds = endpoint.price.bounds;
    let price = if pay::is_free(endpoint) {
        "Free.".to_owned()
    } else {
        let (min, max) = (pay::text(bounds.min), pay::text(bounds.max));
        format!("Price {min} to {max} {}.", manifest.currency)
    };
    let paid = ["x402", "paid"]
        .into_iter()
        .filter(|_| !pay::is_free(endpoint));
    let tags: Vec<&str> = endpoint
        .tags
        .iter()
        .map(String::as_str)
        .chain(paid)
        .collect();
    let examples: Vec<String> = endpoint
        .examples
        .iter()
        .map(|example| canonical(&example.input))
        .collect();
    json!({
        "id": endpoint.id,
        "name": clipped(&line(&endpoint.summary), SUMMARY),
        "description": format!("{text} {price}"),
        "tags": tags,
        "examples": examples,
        "inputModes": modes,
        "outputModes": modes,
        "securityRequirements": [],
    })
}
