//! The manifest that a paywall publishes: what it says is what the endpoints ask for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Request;
use common::shop::{Shop, builder};
use common::{Buyer, Double, NOW, PAY_TO, Stand};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use x402_runtime::clock::ManualClock;
use x402_runtime::handler::{QuoteRequest, QuoteResult};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::manifest::{Discovery, Service};
use x402_runtime::model::endpoint::read_instant;
use x402_runtime::model::manifest::{Document, Manifest, WELL_KNOWN_PATH};
use x402_runtime::model::money::{AtomicAmount, Decimal};
use x402_runtime::model::price::{Due, Facts, Price, PriceUnit, evaluate};
use x402_runtime::model::wire::{ResourceInfo, SupportedKind};
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};
use x402_runtime::{Meter, Network, paid};

#[derive(Serialize, JsonSchema)]
struct Weather {
    /// The city as asked.
    city: String,
    celsius: i16,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its shape counts")]
struct Units {
    #[serde(default)]
    units: Option<String>,
}

/// Current weather for a city.
#[paid(
    GET "/weather/{city}",
    price = "0.01 USDC",
    tags = ["weather"],
    free = "3/day per payer",
    scheduled = [price("0.02 USDC", from = "2026-12-01"), price("0.03 USDC", from = "2027-12-01")],
)]
async fn current_weather(Path(city): Path<String>, _: Query<Units>) -> Json<Weather> {
    Json(Weather { city, celsius: 21 })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its shape counts")]
enum Quality {
    Fast,
    Best,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its shape counts")]
struct Text {
    text: String,
    quality: Option<Quality>,
    parts: Option<Vec<Self>>,
}

/// Shorten a text.
#[paid(
    POST "/summaries",
    price = tiers(
        multiply,
        by = body.quality or "best", "fast" => "0.05 USDC", "best" => "0.50 USDC",
        by = bytes(body), ..=100 => "x1", ..=1_000 => "x2",
    ),
    probe = r#"{"body": {"quality": "fast", "text": "Agents pay."}}"#,
    scheduled = [price(tiers(by = bytes(body), ..=100 => "0.07 USDC", ..=1_000 => "0.90 USDC"), from = "2027-01-01")],
)]
async fn summarize(Json(_): Json<Text>) -> Result<Json<Weather>, String> {
    Err("no".to_owned())
}

/// By the size that a header tells.
#[paid(PUT "/blobs/{id}/{part}", price = tiers(by = header("x-size"), ..=10 => "0.01 USDC", ..=20 => "0.02 USDC"), timeout = "120s")]
async fn store_blob(Path((_, _)): Path<(String, u8)>, _: bytes::Bytes) {}

/// By the word.
#[paid(
    POST "/complete",
    price = upto("0.02 USDC", units(words = unit("0.001 USDC", per = 10, estimate = query.most or 5))),
    probe = r#"{"query": {"most": 31}}"#,
    scheduled = [
        price(upto("0.03 USDC", units(words = unit("0.003 USDC", per = 10, estimate = query.most or 5))), from = "2026-12-01"),
    ],
)]
async fn complete(_: Meter) -> String {
    String::new()
}

async fn one_cent(_: QuoteRequest) -> QuoteResult {
    Ok(Price {
        amount: Decimal::new(1, 2),
        unit: PriceUnit::Symbol("USDC".into()),
    })
}

/// At what it is worth.
#[paid(GET "/quote", price = dynamic(one_cent, min = "0.01 USDC", max = "0.10 USDC", factors = ["demand"]), probe = "{}")]
async fn quote() -> &'static str {
    "quote"
}

fn double() -> Arc<Double> {
    let double = Arc::new(Double::default());
    let named = json!({"facilitatorAddress": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"});
    let mut supported = double.supported.lock().unwrap().clone().unwrap();
    supported.kinds.push(SupportedKind {
        x402_version: 2,
        scheme: "upto".into(),
        network: "eip155:84532".into(),
        extra: named.as_object().cloned(),
    });
    *double.supported.lock().unwrap() = Ok(supported);
    double
}

async fn stand_with(change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>) -> Stand {
    let (double, clock) = (double(), Arc::new(ManualClock::at_seconds(NOW)));
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .mount(current_weather)
        .mount(summarize)
        .mount(store_blob)
        .mount(complete)
        .mount(quote);
    Stand::of(change(builder), double, clock).await
}

async fn stand() -> Stand {
    stand_with(|builder| builder.service(service())).await
}

fn service() -> Service {
    Service::new("com.example.kit", "Kit", "1.2.0")
        .issued(7, "2026-11-20T09:00:00Z")
        .tags(["kit"])
        .icon("https://api.example.com/kit.png")
}

async fn read(stand: &Stand) -> Document {
    let answer = stand.get(WELL_KNOWN_PATH, None).await;
    assert_eq!(answer.status, 200);
    Document::read(&answer.body).unwrap()
}

fn entry<'m>(manifest: &'m Manifest, id: &str) -> &'m x402_runtime::model::manifest::EndpointEntry {
    manifest
        .endpoints
        .iter()
        .find(|one| one.id == id)
        .unwrap_or_else(|| panic!("{id}"))
}

#[tokio::test]
async fn it_is_served_for_anybody_to_keep_and_states_its_hash() {
    let stand = stand().await;
    let answer = stand.get(WELL_KNOWN_PATH, None).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let document = Document::read(&answer.body).unwrap();
    assert_eq!(document.states_its_hash(), Some(true));
    let etag = answer.header("etag").unwrap();
    assert_eq!(etag, format!("\"{}\"", document.content_hash_text()));
    for known in [etag.to_owned(), format!("\"x\", W/{etag}"), "*".to_owned()] {
        let request = Request::get(WELL_KNOWN_PATH).header("if-none-match", known);
        let again = stand.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status, again.body.len()), (304, 0));
    }
    assert_eq!(
        stand.call("POST", WELL_KNOWN_PATH, None, "").await.status,
        405
    );
}

#[tokio::test]
async fn the_same_code_publishes_the_same_bytes() {
    let (one, other) = (stand().await, stand().await);
    assert_eq!(
        one.paywall.manifest().bytes(),
        other.paywall.manifest().bytes()
    );
    let served = one.get(WELL_KNOWN_PATH, None).await.body;
    assert_eq!(served, *one.paywall.manifest().bytes());
}

fn seller() -> PaywallBuilder<Shop> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .service(service())
        .mount(current_weather)
        .mount(summarize)
        .mount(store_blob)
        .mount(complete)
        .mount(quote)
}

#[tokio::test]
async fn a_seller_that_does_not_run_has_the_same_manifest() {
    let offline = seller().manifest().unwrap();
    assert_eq!(offline.bytes(), stand().await.paywall.manifest().bytes());
    let error = Paywall::<Shop>::builder().manifest().unwrap_err();
    let codes: Vec<_> = error.mistakes().iter().map(|one| one.code()).collect();
    assert_eq!(codes, ["origin_missing", "no_rails", "nothing_mounted"]);
}

#[test]
fn a_program_prints_its_manifest_when_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    let arguments = |list: &[&str]| {
        list.iter()
            .map(Into::into)
            .collect::<Vec<std::ffi::OsString>>()
    };
    assert!(
        !seller()
            .print_manifest_if_asked(arguments(&["seller", "--port"]))
            .unwrap()
    );
    let asked = arguments(&["seller", "--manifest", file.to_str().unwrap()]);
    assert!(seller().print_manifest_if_asked(asked).unwrap());
    let written = std::fs::read(&file).unwrap();
    let document = Document::read(&written).unwrap();
    assert_eq!(
        document.content_hash_text(),
        seller().manifest().unwrap().content_hash()
    );
}

#[test]
fn a_committed_manifest_that_is_not_the_codes_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    let published = seller().manifest().unwrap();
    let missing = published.matches_file(&file).unwrap_err().to_string();
    assert!(missing.contains("BLESS=1"), "{missing}");
    std::fs::write(&file, published.pretty()).unwrap();
    published.matches_file(&file).unwrap();
    // When it was issued does not count.
    let later = seller().service(service().issued(7, "2026-11-24T09:00:00Z"));
    later.manifest().unwrap().matches_file(&file).unwrap();
    let dearer = published.pretty().replace("\"0.5\"", "\"0.6\"");
    std::fs::write(&file, dearer).unwrap();
    let drift = published.matches_file(&file).unwrap_err().to_string();
    assert!(
        drift.contains("/endpoints/1/price/dimensions/0/cases/1/amount"),
        "{drift}"
    );
}

#[tokio::test]
async fn the_service_is_named_after_its_host_until_somebody_names_it() {
    let stand = stand_with(|builder| builder).await;
    let service = &stand.paywall.manifest().manifest().service;
    assert_eq!((&*service.id, service.revision), ("com.example.api", 1));
    assert_eq!(service.issued_at, "2026-09-21T14:13:20.000Z");
    assert_eq!(service.origin, "https://api.example.com");
}

#[tokio::test]
async fn types_become_schemas() {
    let stand = stand().await;
    let document = read(&stand).await;
    let manifest = document.manifest();
    let weather = entry(manifest, "currentWeather");
    assert_eq!((weather.safe, weather.idempotent), (Some(true), Some(true)));
    let path = weather.input.path.as_ref().unwrap();
    assert_eq!(path["properties"], json!({"city": {"type": "string"}}));
    assert_eq!(
        weather.input.query,
        Some(json!({"$ref": "#/schemas/Units"}))
    );
    assert_eq!(
        weather.output.schema,
        Some(json!({"$ref": "#/schemas/Weather"}))
    );
    let named = &manifest.schemas["Weather"];
    assert_eq!(
        named["properties"]["city"]["description"],
        "The city as asked."
    );
    // What the price takes where the request says nothing stands in the schema.
    let text = &manifest.schemas["Text"];
    assert_eq!(text["properties"]["quality"]["default"], "best", "{text}");
    let body = entry(manifest, "summarize").input.body.as_ref().unwrap();
    assert_eq!(
        (&*body.content_type, body.max_bytes),
        ("application/json", Some(2 * 1024 * 1024))
    );
    let blob = entry(manifest, "storeBlob");
    let path = blob.input.path.as_ref().unwrap();
    assert_eq!(path["required"], json!(["id", "part"]));
    assert_eq!(path["properties"]["part"]["type"], "integer");
    let header = blob.input.header.as_ref().unwrap();
    assert_eq!(header["properties"], json!({"x-size": {"type": "string"}}));
    let complete = entry(manifest, "complete");
    let query = complete.input.query.as_ref().unwrap();
    assert_eq!(query["properties"]["most"]["default"], 5);
    assert_eq!(complete.output.content_type, "text/plain; charset=utf-8");
}

#[tokio::test]
async fn rules_and_offers_stand_in_the_entries() {
    let stand = stand().await;
    let document = read(&stand).await;
    let manifest = document.manifest();
    let weather = entry(manifest, "currentWeather");
    assert_eq!(weather.allowances[0].calls, 3);
    assert_eq!(
        weather.allowances[0].identify.as_deref(),
        Some("sign-in-with-x")
    );
    let summarize = entry(manifest, "summarize");
    assert_eq!(summarize.examples[0].cost.unwrap().to_string(), "0.05");
    // What the 402 of that very request asks for, and nothing where only a quote tells.
    let complete = &entry(manifest, "complete").examples[0];
    let asked = stand.call("POST", "/complete?most=31", None, "").await;
    let asked: AtomicAmount = asked.terms().accepts[0]
        .view()
        .unwrap()
        .amount
        .parse()
        .unwrap();
    assert_eq!(complete.cost.unwrap().0.to_atomic(6).unwrap(), asked);
    assert_eq!(entry(manifest, "quote").examples[0].cost, None);
    assert_eq!(summarize.price.model, "tiered");
    assert_eq!(summarize.price.bounds.max.to_string(), "1");
    assert_eq!(
        entry(manifest, "quote").price.rule["factors"],
        json!(["demand"])
    );
    for code in ["payment_required", "settlement_pending", "usage_unmetered"] {
        assert!(manifest.errors.contains_key(code), "{code}");
    }
    assert_eq!(
        manifest.errors["answer_gone"].charged,
        x402_runtime::model::problem::Charged::Yes
    );
}

#[tokio::test]
async fn the_views_are_served_beside_it_and_every_402_leads_there() {
    let stand = stand().await;
    let link = "</.well-known/x402-manifest.json>; rel=\"service-meta\", </openapi.json>; rel=\"service-desc\"";
    let unpaid = stand.get("/weather/oslo", None).await;
    assert_eq!(unpaid.header("link"), Some(link));
    for (path, kind) in [
        ("/openapi.json", "application/json"),
        ("/openapi-3.0.json", "application/json"),
        ("/llms.txt", "text/plain; charset=utf-8"),
        ("/.well-known/api-catalog", "application/linkset+json"),
        ("/mcp-tools.json", "application/json"),
    ] {
        let answer = stand.get(path, None).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind)),
            "{path}"
        );
        let views = stand.paywall.manifest().views();
        let view = views
            .iter()
            .find(|view| format!("/{}", view.path) == path)
            .unwrap();
        assert_eq!(answer.body, view.bytes, "{path}");
        assert!(answer.header("etag").unwrap().starts_with("\"sha-256:"));
    }
    let openapi = stand.get("/openapi.json", None).await.json();
    assert_eq!(openapi["openapi"], "3.1.0");
    assert_eq!(
        openapi["paths"]["/weather/{city}"]["get"]["operationId"],
        "currentWeather"
    );
    assert_eq!(
        openapi["x-x402-manifest"]["contentHash"],
        *stand.paywall.manifest().content_hash()
    );
    // Off unless somebody turns it on.
    assert_eq!(stand.get("/.well-known/x402", None).await.status, 404);
}

#[tokio::test]
async fn catalogues_find_their_block_in_every_402_and_no_payment_depends_on_it() {
    let quiet = stand_with(|builder| builder.discovery(Discovery::all().bazaar(false))).await;
    let terms = quiet.terms("GET", "/quote").await;
    assert!(terms.extensions.is_none(), "it was turned off");
    let stand = stand().await;
    for (method, path) in [
        ("GET", "/weather/oslo"),
        ("POST", "/summaries"),
        ("GET", "/quote"),
    ] {
        let answer = stand.call(method, path, None, "").await;
        assert!(
            answer.header("payment-required").unwrap().len() < 8 * 1024,
            "{path}"
        );
        let terms = answer.terms();
        let block = &terms.extensions.as_ref().unwrap()["bazaar"];
        assert_eq!(block["info"]["input"]["method"], method, "{path}");
    }
    let terms = stand.terms("GET", "/weather/oslo").await;
    let block = &terms.extensions.as_ref().unwrap()["bazaar"];
    assert_eq!(block["routeTemplate"], "/weather/:city");
    let payment = Buyer::new(1).pay(&terms, stand.now());
    assert_eq!(stand.get("/weather/oslo", Some(&payment)).await.status, 200);
}

#[tokio::test]
async fn a_seller_who_wants_no_discovery_has_none() {
    let stand = stand_with(|builder| builder.discovery(Discovery::none())).await;
    for path in [WELL_KNOWN_PATH, "/openapi.json", "/llms.txt"] {
        assert_eq!(stand.get(path, None).await.status, 404, "{path}");
    }
    let answer = stand.get("/quote", None).await;
    assert_eq!(answer.header("link"), None);
    assert!(answer.terms().extensions.is_none());
    let all = stand_with(|builder| builder.discovery(Discovery::all().well_known_x402(true))).await;
    assert_eq!(
        all.get("/.well-known/x402", None).await.json()["version"],
        1
    );
}

/// A request of an endpoint, and what it is made of.
struct Case {
    id: &'static str,
    method: &'static str,
    target: &'static str,
    body: &'static str,
    header: Option<(&'static str, &'static str)>,
}

const CASES: [Case; 9] = [
    Case {
        id: "currentWeather",
        method: "GET",
        target: "/weather/oslo",
        body: "",
        header: None,
    },
    Case {
        id: "summarize",
        method: "POST",
        target: "/summaries",
        body: r#"{"text":"a","quality":"fast"}"#,
        header: None,
    },
    Case {
        id: "summarize",
        method: "POST",
        target: "/summaries",
        body: r#"{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
        header: None,
    },
    Case {
        id: "summarize",
        method: "POST",
        target: "/summaries",
        body: r#"{"text":"a"}"#,
        header: None,
    },
    Case {
        id: "storeBlob",
        method: "PUT",
        target: "/blobs/a/1",
        body: "x",
        header: Some(("x-size", "9")),
    },
    Case {
        id: "storeBlob",
        method: "PUT",
        target: "/blobs/a/1",
        body: "x",
        header: Some(("x-size", "11")),
    },
    Case {
        id: "complete",
        method: "POST",
        target: "/complete",
        body: "",
        header: None,
    },
    Case {
        id: "complete",
        method: "POST",
        target: "/complete?most=31",
        body: "",
        header: None,
    },
    Case {
        id: "quote",
        method: "GET",
        target: "/quote",
        body: "",
        header: None,
    },
];

#[tokio::test]
async fn each_live_402_equals_its_entry_before_and_after_each_change_of_price() {
    let stand = stand().await;
    let mut editions = BTreeSet::new();
    for day in ["2026-09-21", "2026-12-01", "2027-01-01", "2027-12-01"] {
        let from = read_instant(day).unwrap();
        for now in [from - 1, from, from + 1] {
            stand.clock.set_ms(now * 1000);
            each_live_402_equals_its_entry(&stand).await;
            editions.insert(read(&stand).await.content_hash_text());
        }
    }
    assert_eq!(editions.len(), 4, "one before any change, and one for each");
}

async fn each_live_402_equals_its_entry(stand: &Stand) {
    let document = read(stand).await;
    let manifest = document.manifest();
    let mut seen = BTreeMap::new();
    for case in &CASES {
        let entry = entry(manifest, case.id);
        *seen.entry(case.id).or_insert(0) += 1;
        let mut request = Request::builder().method(case.method).uri(case.target);
        if let Some((name, value)) = case.header {
            request = request.header(name, value);
        }
        let answer = stand
            .send(request.body(Body::from(case.body)).unwrap())
            .await;
        assert_eq!(answer.status, 402, "{}", case.target);
        let terms = answer.terms();
        let kind = terms.resource.mime_type.as_deref();
        assert_eq!(kind, Some(&*entry.output.content_type), "{}", case.target);
        names_what_is_sold(manifest, entry, &terms.resource);
        let keys = entry.rails.as_ref().unwrap_or(&manifest.defaults.rails);
        assert_eq!(terms.accepts.len(), keys.len());
        for (offer, key) in terms.accepts.iter().zip(keys) {
            let (offer, rail) = (offer.view().unwrap(), &manifest.rails[key]);
            let asset = &manifest.assets[&rail.asset];
            assert_eq!((&offer.scheme, &offer.pay_to), (&rail.scheme, &rail.pay_to));
            assert_eq!(
                (&offer.network, &offer.asset),
                (&asset.network, &asset.address)
            );
            assert_eq!(offer.max_timeout_seconds, rail.max_timeout_seconds);
            let domain = asset.eip712.as_ref().unwrap();
            assert_eq!(offer.extra["name"], *domain.name);
            assert_eq!(offer.extra["version"], *domain.version);
            let due = due(manifest, entry, case, asset.decimals);
            let amount: AtomicAmount = offer.amount.parse().unwrap();
            if let Some(due) = due {
                assert_eq!(amount, due, "{} {}", case.id, case.target);
            }
            let least = entry.price.bounds.min.0.to_atomic(asset.decimals).unwrap();
            let most = entry.price.bounds.max.0.to_atomic(asset.decimals).unwrap();
            assert!(least <= amount && amount <= most, "{}", case.target);
        }
    }
    assert_eq!(
        seen.len(),
        manifest.endpoints.len(),
        "every endpoint has a case"
    );
}

/// The resource of a 402 is the endpoint of the manifest, of the service of the manifest.
fn names_what_is_sold(
    manifest: &Manifest,
    entry: &x402_runtime::model::manifest::EndpointEntry,
    resource: &ResourceInfo,
) {
    let service = &manifest.service;
    let description = entry.description.as_ref().unwrap_or(&entry.summary);
    let tags = [&entry.tags, &service.tags];
    let tags = tags.into_iter().find(|tags| !tags.is_empty());
    let expected = ResourceInfo {
        // The path is the request's own.
        url: resource.url.clone(),
        description: Some(description.clone()),
        mime_type: Some(entry.output.content_type.clone()),
        service_name: Some(service.name.clone()),
        tags: tags.cloned(),
        icon_url: service.icon_url.clone(),
    };
    assert_eq!(*resource, expected, "{}", entry.id);
    assert!(resource.url.starts_with(&service.origin));
}

/// What a reader of the manifest alone works out; none where only the seller can tell.
fn due(
    manifest: &Manifest,
    entry: &x402_runtime::model::manifest::EndpointEntry,
    case: &Case,
    decimals: u8,
) -> Option<AtomicAmount> {
    let model = manifest
        .model_of(entry, &entry.price)
        .unwrap()
        .expect("a known model");
    let query = case.target.split_once('?').map_or("", |(_, query)| query);
    let mut facts = Facts::new().query(query).body(case.body.as_bytes());
    if let Some((name, value)) = case.header {
        facts = facts.header(name, value.as_bytes());
    }
    match evaluate(&model, &facts, &[]).unwrap() {
        Due::Exact(price) => Some(price.amount.to_atomic(decimals).unwrap()),
        Due::UpTo(ceiling) => Some(ceiling.on(decimals).unwrap()),
        _ => None,
    }
}

#[test]
fn a_service_that_directories_would_drop_is_a_mistake() {
    let error = seller()
        .service(Service::new("weather", "Weather", "1.0.0"))
        .manifest()
        .unwrap_err();
    assert!(error.to_string().contains("/service/id"), "{error}");
}
