//! What a seller says of the service as a whole, in every 402: its name, its picture, its search words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use common::shop::{Shop, builder};
use common::{Answer, Buyer, Double, NOW, Stand};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::manifest::{Discovery, Service};
use x402_runtime::model::manifest::views::MAX_HEADER_BYTES;
use x402_runtime::model::wire::ResourceInfo;
use x402_runtime::paywall::{PaywallBuilder, Rail};
use x402_runtime::{Network, paid};

#[derive(Serialize, JsonSchema)]
struct Weather {
    city: String,
    celsius: i16,
}

/// Current weather for a city.
#[paid(GET "/weather/{city}", price = "0.01 USDC", tags = ["weather"])]
async fn weather(Path(city): Path<String>) -> Json<Weather> {
    Json(Weather { city, celsius: 21 })
}

/// By nothing that it tells.
#[paid(GET "/news", price = "0.01 USDC", plans = [prepaid("1 USDC", credit = "1.1 USDC", expires = "180d")])]
async fn news() -> &'static str {
    "news"
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its shape counts")]
struct Size {
    size: String,
}

/// At a price that depends on the request.
#[paid(GET "/sized", price = tiers(by = query.size, "small" => "0.01 USDC", "large" => "0.03 USDC"))]
async fn sized(_: Query<Size>) -> &'static str {
    "sized"
}

const PLAN: &str = "/x402/credits";

async fn stand_with(change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>) -> Stand {
    let double = Arc::new(Double::default());
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .mount(weather)
        .mount(news)
        .mount(sized);
    Stand::of(change(builder), double, clock).await
}

const ICON: &str = "https://cdn.example.com/kit.png?size=64";

fn service() -> Service {
    Service::new("com.example.kit", "Kit \"A\\B\"", "1.2.0")
        .tags(["kit", "tools"])
        .icon(ICON)
}

/// Whose the terms of an answer say that the resource is.
fn whose(answer: &Answer) -> (Option<String>, Option<String>, Option<Vec<String>>) {
    let ResourceInfo {
        service_name,
        icon_url,
        tags,
        ..
    } = answer.terms().resource;
    (service_name, icon_url, tags)
}

#[tokio::test]
async fn every_402_says_whose_it_is() {
    let stand = stand_with(|builder| builder.service(service())).await;
    let said = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let name = "Kit \"A\\B\"".to_owned();
        (Some(name), Some(ICON.to_owned()), Some(tags))
    };
    let garbage = Some("garbage");
    for (method, path, payment, tags) in [
        ("GET", "/weather/oslo", None, &["weather"][..]),
        ("GET", "/weather/oslo", garbage, &["weather"]),
        ("HEAD", "/weather/bergen", None, &["weather"]),
        // An endpoint without search words of its own has those of the service.
        ("GET", "/news", None, &["kit", "tools"]),
        ("GET", "/news", garbage, &["kit", "tools"]),
        ("GET", "/sized", None, &["kit", "tools"]),
        ("GET", "/sized?size=large", None, &["kit", "tools"]),
        ("GET", "/sized?size=large", garbage, &["kit", "tools"]),
        ("POST", PLAN, None, &["kit", "tools"]),
        // Terms that only ask for a sign-in.
        ("GET", PLAN, None, &["kit", "tools"]),
    ] {
        let answer = stand.call(method, path, payment, "").await;
        assert_eq!(answer.status, 402, "{method} {path}");
        assert_eq!(whose(&answer), said(tags), "{method} {path} {payment:?}");
    }
}

#[tokio::test]
async fn what_was_not_said_is_not_there() {
    let text = |answer: &Answer| {
        let resource = answer.terms().resource;
        serde_json::to_value(resource).unwrap()
    };
    let nobody = stand_with(|builder| builder).await;
    assert_eq!(
        text(&nobody.get("/news", None).await),
        json!({
            "url": "https://api.example.com/news",
            "description": "By nothing that it tells.",
            "mimeType": "text/plain; charset=utf-8",
        })
    );
    // The manifest names a service of which nothing is known after its host. That is no name that anybody gave.
    let manifest = nobody.paywall.manifest().manifest();
    assert_eq!(manifest.service.name, "api.example.com");
    let named = Service::new("com.example.kit", "Kit", "1.2.0");
    let named = stand_with(|builder| builder.service(named)).await;
    let told = text(&named.get("/news", None).await);
    assert_eq!(told["serviceName"], "Kit");
    assert_eq!((told.get("iconUrl"), told.get("tags")), (None, None));
}

#[tokio::test]
async fn what_directories_would_drop_stops_the_start() {
    let named = |name: &str| Service::new("com.example.kit", name, "1.2.0");
    let longest = named(&"K".repeat(32));
    stand_with(|builder| builder.service(longest.clone())).await;
    let (long, tag) = ("K".repeat(33), "t".repeat(33));
    for (service, place) in [
        (named(""), "/service/name"),
        (named(&long), "/service/name"),
        (named("K\u{e4}se"), "/service/name"),
        (named("K\n"), "/service/name"),
        (
            named("K").icon("https://127.0.0.1/i.png"),
            "/service/iconUrl",
        ),
        (
            named("K").icon("http://localhost:3000/i.png"),
            "/service/iconUrl",
        ),
        (named("K").icon("/i.png"), "/service/iconUrl"),
        (named("K").tags([&*tag]), "/service/tags"),
        (
            named("K").tags(["a", "b", "c", "d", "e", "f"]),
            "/service/tags",
        ),
    ] {
        let (double, clock) = (Arc::default(), Arc::new(ManualClock::at_seconds(NOW)));
        let seller = builder(&double, &clock, Arc::new(MemoryLedger::default()))
            .service(service)
            // What is not served is not said either.
            .discovery(Discovery::none())
            .mount(news);
        let error = seller.build().await.unwrap_err();
        assert_eq!(error.codes(), ["manifest_invalid"], "{error}");
        assert!(error.to_string().contains(place), "{error}");
    }
}

#[tokio::test]
async fn the_buyers_copy_of_it_reaches_the_facilitator() {
    let stand = stand_with(|builder| builder.service(service())).await;
    let terms = stand.terms("GET", "/weather/oslo").await;
    let payment = Buyer::new(1).pay(&terms, stand.now());
    assert_eq!(stand.get("/weather/oslo", Some(&payment)).await.status, 200);
    let asked = stand.double.requests.lock().unwrap();
    let sent = asked[0].payload.to_value();
    assert_eq!(sent["resource"]["serviceName"], "Kit \"A\\B\"");
    assert_eq!(sent["resource"]["iconUrl"], ICON);
    assert_eq!(sent["resource"]["tags"], json!(["weather"]));
}

/// With as many bytes of description as there can be.
#[paid(
    GET "/long/{of_what_there_is_something_to_tell}",
    price = "0.01 USDC",
    description = "\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
    ",
)]
async fn long(Path(of): Path<String>) -> Json<Weather> {
    weather(Path(of)).await
}

/// An account whose key is not published, as real money needs it.
const OWN: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

#[tokio::test]
async fn the_longest_values_leave_the_header_below_8_kib() {
    let path = "/long/{of_what_there_is_something_to_tell}".replace(['{', '}'], "z");
    let longest = format!("https://cdn.example.com/{}", "i".repeat(2048 - 24));
    let rails = [
        Rail::new(Network::BASE_SEPOLIA, "USDC"),
        Rail::new(Network::BASE, "USDC"),
        Rail::new(Network::POLYGON, "USDC"),
        Rail::new(Network::ARBITRUM, "USDC"),
        Rail::new(Network::AVALANCHE, "USDC"),
        Rail::new(Network::ETHEREUM, "USDC"),
    ];
    let tags = ["a", "b", "c", "d", "e"].map(|tag| tag.repeat(32));
    for (bazaar, rails, icon, shown) in [
        (true, &rails[..1], &*longest, false),
        (true, &rails, &*longest, false),
        (false, &rails[..1], &*longest, true),
        (false, &rails, &*longest, false),
        // What is not long stays, beside the block and without it.
        (true, &rails[..1], ICON, true),
        (false, &rails, ICON, true),
    ] {
        let service = Service::new("com.example.kit", "K".repeat(32), "1.2.0")
            .icon(icon)
            .tags(tags.clone());
        let stand = stand_with(|builder| {
            let builder = rails
                .iter()
                .skip(1)
                .fold(builder, |builder, rail| builder.accept(rail.clone()));
            let discovery = Discovery::all().bazaar(bazaar);
            let builder = builder.pay_to(OWN).allow_volatile_ledger();
            builder.service(service).discovery(discovery).mount(long)
        })
        .await;
        let answer = stand.get(&path, None).await;
        let bytes = answer.header("payment-required").unwrap().len();
        let what = format!("{bazaar}, {} rails: {bytes}", rails.len());
        assert!(bytes <= MAX_HEADER_BYTES, "{what}");
        let (name, told, words) = whose(&answer);
        assert_eq!(name.map(|name| name.len()), Some(32), "{what}");
        assert_eq!(words.as_deref(), Some(&tags[..]), "{what}");
        assert!(told.as_deref() == shown.then_some(icon), "{what}");
        let extensions = answer.terms().extensions.unwrap_or_default();
        assert_eq!(extensions.contains_key("bazaar"), bazaar, "{what}");
        // The manifest has it in any case, and so has an endpoint that says less.
        let manifest = stand.paywall.manifest().manifest();
        assert!(manifest.service.icon_url.as_deref() == Some(icon));
        let short = whose(&stand.get("/sized", None).await).1;
        assert!(short.as_deref() == Some(icon), "{what}");
    }
}

/// With terms that are longer in every answer: a sign-in is asked for, and the price is told for one request.
#[paid(
    GET "/signed/{city}",
    price = tiers(by = query.size, "small" => "0.01 USDC", "large" => "0.03 USDC"),
    free = "3/day per payer",
    plans = [prepaid("1 USDC", credit = "1.1 USDC", expires = "180d")],
    description = "\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
        🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧🌧\
    ",
)]
async fn signed(Path(city): Path<String>, _: Query<Size>) -> Json<Weather> {
    weather(Path(city)).await
}

#[tokio::test]
async fn what_is_added_to_every_answer_fits_beside_a_picture_of_any_length() {
    let mut shown = Vec::new();
    for length in (0..=2000).step_by(100) {
        let icon = format!("https://cdn.example.com/{}", "i".repeat(length));
        let service = Service::new("com.example.kit", "Kit", "1.2.0").icon(&*icon);
        let stand = stand_with(|builder| builder.service(service).mount(signed)).await;
        for path in ["/signed/oslo", "/signed/oslo?size=large"] {
            let answer = stand.get(path, None).await;
            let bytes = answer.header("payment-required").unwrap().len();
            assert!(bytes <= MAX_HEADER_BYTES, "{path} {length}: {bytes}");
            let extensions = answer.terms().extensions.unwrap();
            assert!(extensions.contains_key("sign-in-with-x"));
            assert!(extensions.contains_key("bazaar"));
        }
        shown.push(whose(&stand.get("/signed/oslo", None).await).1.is_some());
    }
    // Up to a length it is there.
    assert!(shown[0] && !shown[shown.len() - 1]);
    assert!(shown.is_sorted_by(|one, next| one >= next), "{shown:?}");
}

#[paid(GET "/first", price = "0.01 USDC", id = "_1")]
async fn first() {}

#[paid(GET "/second", price = "0.01 USDC", id = "_")]
async fn second() {}

#[tokio::test]
async fn what_a_seller_may_be_called_is_what_a_manifest_may_say() {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()));
    let builder = builder
        .origin("https://shop_2.example.com")
        .mount(first)
        .mount(second);
    let published = builder.manifest().unwrap();
    let manifest = published.manifest();
    assert_eq!(manifest.service.origin, "https://shop_2.example.com");
    let ids: Vec<&str> = manifest.endpoints.iter().map(|it| &*it.id).collect();
    assert_eq!(ids, ["x1", "x"]);
}
