//! The views of a price manifest before the readers they are for: other people's packages, fetched by npm.
//!
//! Three manifests are put to them: the worked example of the format, one of everything that is hard to say in a schema, and what
//! the marketplace publishes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken expectation is a failed test"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use x402_examples::marketplace::{Seller, Settings};
use x402_model::extension::payment_identifier;
use x402_model::manifest::{Document, EndpointEntry, Manifest, views};
use x402_model::wire::{Offered, PaymentRequired, PaymentRequirements, ResourceInfo};
use x402_runtime::evm::SettlerKey;
use x402_runtime::manifest::Service;
use x402_runtime::{Network, Paywall, Rail, paid};
use x402_tests::{accounts, tools};

const EXAMPLE: &str = include_str!("../../../x402-model/tests/manifest/manifest.signed.json");
const HARD: &str = include_str!("../../../x402-model/tests/manifest/hard.json");

/// What one reader says about one document.
#[derive(Debug, Deserialize)]
struct Verdict {
    reader: String,
    document: String,
    ok: bool,
    detail: Value,
}

/// Writes the views and, for every endpoint that costs something, a 402.
fn write(manifest: &Manifest, folder: &Path) {
    let put = |path: &str, bytes: &[u8]| {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    };
    for view in views::all(manifest) {
        // Where the OpenAPI document is served is the manifest's choice; the readers are told.
        let openapi = view.path.ends_with("openapi.json");
        put(
            if openapi { "openapi.json" } else { &view.path },
            &view.bytes,
        );
    }
    for endpoint in &manifest.endpoints {
        if let Some(required) = payment_required(manifest, endpoint) {
            let file = format!("402/{}.json", endpoint.id);
            put(&file, &serde_json::to_vec(&required).unwrap());
        }
    }
}

/// The 402 of the first example of an endpoint, with its block.
fn payment_required(manifest: &Manifest, endpoint: &EndpointEntry) -> Option<PaymentRequired> {
    let tools = views::mcp_tools(manifest);
    let tools = tools["tools"].as_array().unwrap();
    let tool = tools
        .iter()
        .find(|tool| tool["name"] == *endpoint.id)
        .unwrap();
    let terms: Vec<Offered<PaymentRequirements>> = tool["_meta"]
        .get("x402/accepts")?
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry.get("amount").is_some())
        .map(|entry| Offered::new(serde_json::from_value(entry.clone()).unwrap()))
        .collect();
    let resources = views::well_known(manifest)["resources"].clone();
    let paths: Vec<&Value> = resources.as_array().unwrap().iter().collect();
    let summary = Value::from(endpoint.summary.clone());
    let url = paths.iter().find(|it| it["description"] == summary);
    let service = &manifest.service;
    let resource = ResourceInfo {
        url: url
            .map_or("https://archive.example.org/mcp", |it| {
                it["url"].as_str().unwrap()
            })
            .to_owned(),
        description: Some(endpoint.summary.clone()),
        mime_type: Some(endpoint.output.content_type.clone()),
        service_name: Some(service.name.clone()),
        tags: Some(service.tags.clone()),
        icon_url: service.icon_url.clone(),
    };
    let mut required = PaymentRequired::new("Payment required", resource, terms);
    let identifier = payment_identifier::declare(false);
    let key = payment_identifier::KEY.to_owned();
    required.extensions = Some(Map::from_iter([(key, identifier)]));
    let limit = views::MAX_HEADER_BYTES;
    let fitted = views::fit(manifest, &endpoint.id, &required, limit).unwrap();
    assert!(fitted.reductions.is_empty() && fitted.header_bytes <= limit);
    required
        .extensions
        .get_or_insert_default()
        .insert("bazaar".to_owned(), fitted.block.unwrap());
    Some(required)
}

/// What the readers say about the views of these manifests.
fn verdicts(manifests: &[(&str, &Manifest)]) -> Vec<Verdict> {
    let scripts = tools::workspace().join("tests/peers/js-discovery");
    let home = tools::npm_packages(&scripts, "js-discovery");
    let folder = tempfile::tempdir().unwrap();
    for (name, manifest) in manifests {
        write(manifest, &folder.path().join(name));
    }
    let output = Command::new("node")
        .arg(home.join("check.mjs"))
        .arg(folder.path())
        .current_dir(&home)
        .output()
        .expect("these tests need Node.js 20 or newer");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let verdicts: Vec<Verdict> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}\n{said}", String::from_utf8_lossy(&output.stdout)));
    let refused: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.ok).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    verdicts
}

#[tokio::test]
async fn readers_of_other_people_accept_the_views_of_the_marketplace() {
    let settings = Settings::from_lookup(|_| None).unwrap();
    let seller = Seller::open(&settings, "https://market.example.com")
        .await
        .unwrap();
    let manifest = seller.paywall.manifest().manifest();
    let verdicts = verdicts(&[("marketplace", manifest)]);
    let paid = verdicts
        .iter()
        .filter(|verdict| verdict.reader == "@agentcash/discovery PaymentInfoSchema");
    assert!(paid.count() >= 6);
}

#[test]
fn readers_of_other_people_accept_every_view_and_refuse_what_is_known_to_be_wrong() {
    let read = |text: &str| Document::read(text.as_bytes()).unwrap();
    let (example, hard) = (read(EXAMPLE), read(HARD));
    let verdicts = verdicts(&[("example", example.manifest()), ("hard", hard.manifest())]);
    // A reader that was never asked has accepted nothing.
    for (reader, documents) in [
        ("@agentcash/discovery OpenApiDocSchema", 2),
        ("@agentcash/discovery PaymentInfoSchema", 9),
        ("@agentcash/discovery getOpenAPI", 2),
        ("@agentcash/discovery validatePaymentRequiredDetailed", 9),
        ("@x402/core parsePaymentRequired", 10),
        ("@x402/extensions validateDiscoveryExtension", 10),
        ("@x402/extensions validateDiscoveryExtensionSpec", 10),
        ("@x402/extensions extractDiscoveryInfo", 10),
        ("mppx validate", 2),
        ("@readme/openapi-parser validate", 4),
        ("@modelcontextprotocol/sdk ListToolsResultSchema", 2),
        ("ajv tool schemas", 11),
        ("ajv bazaar schemas", 10),
        ("control", 11),
    ] {
        let asked = verdicts.iter().filter(|verdict| verdict.reader == reader);
        let asked: Vec<&str> = asked.map(|verdict| verdict.document.as_str()).collect();
        assert_eq!(asked.len(), documents, "{reader}: {asked:?}");
    }
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.detail.is_null() || !verdict.ok)
    );
}

/// What viem says about the signatures of a manifest.
fn signatures(manifest: &[u8]) -> Value {
    let home = tools::npm_packages(&tools::workspace().join("tests/peers/js"), "peers");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), manifest).unwrap();
    let output = Command::new("node")
        .arg(home.join("manifest.mjs"))
        .arg(file.path())
        .current_dir(&home)
        .output()
        .expect("these tests need Node.js 20 or newer");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"))
}

#[test]
fn m08_a_library_of_other_people_finds_the_signer_of_the_example_and_of_ours() {
    #[paid(GET "/weather", price = "0.01 USDC")]
    async fn weather() -> &'static str {
        "rain"
    }
    let signer = accounts::text(accounts::PAYER);
    let key = SettlerKey::from_signer(accounts::signer(accounts::PAYER));
    let seller = Paywall::<()>::builder()
        .origin("https://api.example.com")
        .pay_to(&signer)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .service(
            Service::new("com.example.kit", "Kit", "1.2.0").valid_until("2126-11-20T09:00:00Z"),
        )
        .sign_manifest(key)
        .mount(weather);
    let ours = seller.manifest().unwrap();
    for manifest in [EXAMPLE.as_bytes(), &ours.bytes()[..]] {
        let found = signatures(manifest);
        // The example was signed with the same development key.
        assert_eq!(
            (&found["signer"], &found["prover"]),
            (&json!(signer), &json!(signer))
        );
        for told in [
            "signerIsNamed",
            "proverIsNamed",
            "hashIsSigned",
            "anotherRevisionIsSomebodyElse",
        ] {
            assert_eq!(found[told], true, "{told}: {found}");
        }
    }
}

#[test]
fn the_page_names_the_versions_that_are_installed() {
    let text = |path: &str| fs::read_to_string(tools::workspace().join(path)).unwrap();
    let page = text("docs/interop.md");
    let packages: Value =
        serde_json::from_str(&text("tests/peers/js-discovery/package.json")).unwrap();
    for (name, version) in packages["dependencies"].as_object().unwrap() {
        let version = version.as_str().unwrap();
        let row = |line: &str| line.starts_with(&format!("| `{name}` | {version} |"));
        assert!(
            page.lines().any(row),
            "docs/interop.md does not say that {name} is {version}"
        );
    }
}
