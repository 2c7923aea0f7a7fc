//! Endpoints that go away: what their answers, the manifest and the start say of it.
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

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use common::shop::{Shop, builder, request, send};
use common::{Answer, Buyer, Double, NOW, Stand};
use serde_json::json;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::manifest::Discovery;
use x402_runtime::model::endpoint::read_instant;
use x402_runtime::model::manifest::{Document, WELL_KNOWN_PATH};
use x402_runtime::paywall::{Paywall, PaywallBuilder};
use x402_runtime::{Meter, paid};

/// Old weather.
#[paid(
    GET "/weather/{how}",
    price = "0.01 USDC",
    deprecated = since("2026-09-01", sunset = "2026-12-01T12:00:00Z", replacement = "new_weather")
)]
async fn old_weather(axum::extract::Path(how): axum::extract::Path<String>) -> Response {
    match how.as_str() {
        "fails" => StatusCode::NOT_FOUND.into_response(),
        _ => [
            ("deprecation", "never"),
            ("x-own", "kept"),
            ("link", OWN_LINK),
        ]
        .into_response(),
    }
}

/// What a handler links to.
const OWN_LINK: &str = r#"</maps>; rel="related""#;

/// New weather.
#[paid(GET "/v2/weather", price = "0.01 USDC")]
async fn new_weather() -> &'static str {
    "rain"
}

/// The same path and another method.
#[paid(POST "/weather/{how}", price = "0.01 USDC")]
async fn report() -> &'static str {
    "noted"
}

/// Goes away in a hurry.
#[paid(GET "/hurried", price = "0.01 USDC", deprecated = since("2026-09-25", sunset = "2026-10-24"))]
async fn hurried() {}

/// Is out of fashion.
#[paid(GET "/old", price = "0.01 USDC", deprecated = since("2020-01-01", replacement = "https://b.example/old"))]
async fn old() {}

/// By what is used.
#[paid(POST "/metered", price = upto("0.02 USDC", units(words = "0.001 USDC")), deprecated = since("2026-09-01"))]
async fn metered(_: Meter) {}

const SINCE: &str = "@1788220800";
const SUNSET: &str = "Tue, 01 Dec 2026 12:00:00 GMT";

async fn stand_at(
    now: u64,
    change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>,
) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(now)),
    );
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .mount(old_weather)
        .mount(new_weather)
        .mount(report);
    Stand::of(change(builder), double, clock).await
}

/// A day in a city, as it was sold first.
#[paid(
    GET "/days/{city}/{day}",
    price = "0.01 USDC",
    deprecated = since("2026-09-01", replacement = "day_of_city")
)]
async fn day_in_city(_: axum::extract::Path<(String, String)>) {}

/// A day of a city.
#[paid(GET "/v2/{day}/of/{city}", price = "0.01 USDC", id = "day_of_city")]
async fn day_of_city(_: axum::extract::Path<(String, String)>) {}

/// By a name that the older one does not know.
#[paid(GET "/nameless", price = "0.01 USDC", deprecated = since("2026-09-01", replacement = "dayOfCity"))]
async fn nameless() {}

fn links(answer: &Answer) -> Vec<&str> {
    let all = answer.headers.get_all("link").iter();
    all.map(|link| link.to_str().unwrap()).collect()
}

fn notice(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.header("deprecation"), answer.header("sunset"))
}

#[tokio::test]
async fn every_answer_of_a_deprecated_endpoint_says_so() {
    let stand = stand_at(NOW, |builder| builder).await;
    let said = (Some(SINCE), Some(SUNSET));
    let unpaid = stand.get("/weather/oslo", None).await;
    assert_eq!((unpaid.status, notice(&unpaid)), (402, said));
    let head = stand.call("HEAD", "/weather/oslo", None, "").await;
    assert_eq!((head.status, notice(&head)), (402, said));
    let garbage = stand.get("/weather/oslo", Some("garbage")).await;
    assert_eq!((garbage.status, notice(&garbage)), (402, said));
    let payment = Buyer::new(1).pay(&unpaid.terms(), stand.now());
    for _ in 0..2 {
        // The stored answer, too, and whatever the handler says of it.
        let paid = stand.get("/weather/oslo", Some(&payment)).await;
        assert_eq!((paid.status, notice(&paid)), (200, said));
        assert_eq!(paid.header("x-own"), Some("kept"));
        assert_eq!(paid.headers.get_all("deprecation").iter().count(), 1);
    }
    let payment = Buyer::new(2).pay(&stand.terms("GET", "/weather/fails").await, stand.now());
    let failed = stand.get("/weather/fails", Some(&payment)).await;
    assert_eq!((failed.status, notice(&failed)), (404, said));
    // Others do not.
    for (method, path) in [("GET", "/v2/weather"), ("POST", "/weather/oslo")] {
        let other = stand.call(method, path, None, "").await;
        assert_eq!(
            (other.status, notice(&other)),
            (402, (None, None)),
            "{path}"
        );
    }
}

/// What every 402 links to.
const MANIFEST: &str =
    r#"</.well-known/x402-manifest.json>; rel="service-meta", </openapi.json>; rel="service-desc""#;

#[tokio::test]
async fn every_answer_of_a_replaced_endpoint_links_to_its_successor() {
    let stand = stand_at(NOW, |builder| builder.mount(old)).await;
    let successor = r#"<https://api.example.com/v2/weather>; rel="successor-version""#;
    let unpaid = stand.get("/weather/oslo", None).await;
    assert_eq!(links(&unpaid), [MANIFEST, successor]);
    let garbage = stand.get("/weather/oslo", Some("garbage")).await;
    assert_eq!(links(&garbage), [MANIFEST, successor]);
    let payment = Buyer::new(1).pay(&unpaid.terms(), stand.now());
    for _ in 0..2 {
        // The stored answer, too. What the handler links to stays.
        let paid = stand.get("/weather/oslo", Some(&payment)).await;
        assert_eq!(
            (paid.status, links(&paid)),
            (200, vec![OWN_LINK, successor])
        );
    }
    let payment = Buyer::new(2).pay(&stand.terms("GET", "/weather/fails").await, stand.now());
    let failed = stand.get("/weather/fails", Some(&payment)).await;
    assert_eq!((failed.status, links(&failed)), (404, vec![successor]));
    let elsewhere = stand.get("/old", None).await;
    let url = r#"<https://b.example/old>; rel="successor-version""#;
    assert_eq!(links(&elsewhere), [MANIFEST, url]);
    // Others have none.
    for (method, path) in [("GET", "/v2/weather"), ("POST", "/weather/oslo")] {
        let other = stand.call(method, path, None, "").await;
        assert_eq!(links(&other), [MANIFEST], "{path}");
    }
}

#[tokio::test]
async fn a_successor_is_linked_for_the_same_city_and_day_wherever_it_is_nested() {
    let stand = stand_at(NOW, |builder| {
        let builder = builder.discovery(Discovery::none());
        builder
            .mount(day_in_city)
            .mount(day_of_city)
            .mount(nameless)
    })
    .await;
    let link = |path: &str| format!("<https://api.example.com{path}>; rel=\"successor-version\"");
    let answer = stand.get("/days/oslo/2026-12-01?units=metric", None).await;
    assert_eq!(links(&answer), [link("/v2/2026-12-01/of/oslo")]);
    // Nothing of a request ends the link, or begins another one.
    let odd = stand.get("/days/a%2Fb%3E,%3C/x%22;rel=y,'|z", None).await;
    assert_eq!(links(&odd), [link("/v2/x%22;rel=y,'%7Cz/of/a%2Fb%3E,%3C")]);
    let nested = axum::Router::new().nest("/shops/{shop}", stand.app.clone());
    let answer = send(
        &nested,
        request("GET", "/shops/n%201/days/oslo/today", None, ""),
    )
    .await;
    assert_eq!(answer.status, 402);
    assert_eq!(links(&answer), [link("/shops/n%201/v2/today/of/oslo")]);
    // Of which city, nobody knows: the manifest names it nevertheless.
    let nameless = stand.get("/nameless", None).await;
    assert_eq!(nameless.header("deprecation"), Some("@1788220800"));
    assert!(links(&nameless).is_empty());
    let manifest = stand.paywall.manifest().manifest();
    let entry = manifest.endpoints.iter().find(|one| one.id == "nameless");
    let told = entry.unwrap().deprecation.as_ref().unwrap();
    assert_eq!(told.replacement.as_deref(), Some("dayOfCity"));
}

#[tokio::test]
async fn manifest_and_openapi_say_it_too() {
    let stand = stand_at(NOW, |builder| builder.mount(old)).await;
    let document = Document::read(&stand.get(WELL_KNOWN_PATH, None).await.body).unwrap();
    let entry = |id: &str| {
        let mut all = document.manifest().endpoints.iter();
        all.find(|endpoint| endpoint.id == id).unwrap().clone()
    };
    let said = serde_json::to_value(entry("oldWeather").deprecation).unwrap();
    let expected = json!({
        "deprecatedAt": "2026-09-01T00:00:00Z",
        "sunset": "2026-12-01T12:00:00Z",
        "replacement": "newWeather",
    });
    assert_eq!(said, expected);
    let url = serde_json::to_value(entry("old").deprecation).unwrap();
    let elsewhere =
        json!({ "deprecatedAt": "2020-01-01T00:00:00Z", "replacement": "https://b.example/old" });
    assert_eq!(url, elsewhere);
    assert_eq!(entry("newWeather").deprecation, None);
    for file in ["/openapi.json", "/openapi-3.0.json"] {
        let openapi = stand.get(file, None).await.json();
        let old = &openapi["paths"]["/weather/{how}"]["get"];
        assert_eq!(old["deprecated"], true, "{file}");
        let new = &openapi["paths"]["/v2/weather"]["get"];
        assert!(new.get("deprecated").is_none(), "{file}");
    }
}

#[tokio::test]
async fn an_endpoint_is_sold_after_its_sunset_and_the_start_says_so() {
    let before = stand_at(NOW, |builder| builder).await;
    assert_eq!(before.paywall.warnings(), []);
    let late = read_instant("2026-12-01T12:00:00Z").unwrap();
    let stand = stand_at(late, |builder| builder).await;
    let codes: Vec<_> = stand
        .paywall
        .warnings()
        .iter()
        .map(|one| one.code())
        .collect();
    assert_eq!(codes, ["sunset_passed"]);
    let text = stand.paywall.warnings()[0].to_string();
    assert!(
        text.contains("old_weather") && text.contains("2026-12-01T12:00:00Z"),
        "{text}"
    );
    let payment = Buyer::new(1).pay(&stand.terms("GET", "/weather/oslo").await, stand.now());
    let paid = stand.get("/weather/oslo", Some(&payment)).await;
    assert_eq!((paid.status, paid.header("sunset")), (200, Some(SUNSET)));
}

#[tokio::test]
async fn less_than_thirty_days_of_notice_are_warned_of() {
    let stand = stand_at(NOW, |builder| builder.mount(hurried).mount(old)).await;
    let warnings = stand.paywall.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(
        (warnings[0].code(), warnings[0].rail()),
        ("sunset_soon", "")
    );
    let text = warnings[0].to_string();
    assert!(text.contains("`hurried` is deprecated 29 days"), "{text}");
}

#[test]
fn a_replacement_is_another_endpoint_of_the_paywall() {
    let error = Paywall::<Shop>::builder()
        .origin("https://api.example.com")
        .pay_to(common::PAY_TO)
        .accept(x402_runtime::Rail::new(
            x402_runtime::Network::BASE_SEPOLIA,
            "USDC",
        ))
        .mount(old_weather)
        .mount_at(x402_runtime::paywall::Method::Get, "/new", renamed)
        .manifest()
        .unwrap_err();
    assert_eq!(error.codes(), ["replacement_unknown"]);
    assert!(
        error.to_string().contains("did you mean `new_wether`?"),
        "{error}"
    );
}

#[paid(price = "0.01 USDC", id = "new_wether")]
async fn renamed() {}

#[tokio::test]
async fn endpoints_of_every_price_say_it() {
    let with_settler = |builder: PaywallBuilder<Shop>| builder.mount(hurried);
    let stand = stand_at(NOW, with_settler).await;
    let answer = stand.get("/hurried", None).await;
    assert_eq!(answer.header("deprecation"), Some("@1790294400"));
    assert_eq!(
        answer.header("sunset"),
        Some("Sat, 24 Oct 2026 00:00:00 GMT")
    );
    // A metered price has other terms and the same headers.
    let offline = Paywall::<Shop>::builder()
        .origin("https://api.example.com")
        .pay_to(common::PAY_TO)
        .accept(x402_runtime::Rail::new(
            x402_runtime::Network::BASE_SEPOLIA,
            "USDC",
        ))
        .mount(metered);
    let published = offline.manifest().unwrap();
    assert!(published.manifest().endpoints[0].deprecation.is_some());
}
