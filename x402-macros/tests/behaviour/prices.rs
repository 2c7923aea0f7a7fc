//! Every way to price a call: what the attribute says is what the endpoint's data holds, and data that passes the check.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::Request;
use serde::Deserialize;
use x402_runtime::handler::{PaidHandler, QuoteError, QuoteRequest, QuoteResult, spec_of};
use x402_runtime::model::endpoint::EndpointSpec;
use x402_runtime::model::money::{AtomicAmount, Decimal};
use x402_runtime::model::price::{
    Allowance, AllowanceKind, Due, Facts, Identify, PlanKind, Scope, Volume, evaluate,
};
use x402_runtime::paid;

#[derive(Deserialize)]
struct Summary {
    #[allow(dead_code, reason = "only the price looks at it")]
    quality: Quality,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Quality {
    Draft,
    Deep,
}

/// Summarises.
#[paid(
    POST "/summaries",
    price = tiers(
        multiply,
        by = body.quality or "draft", "draft" => "0.002 USDC", "deep" => "0.02 USDC",
        by = bytes(body), ..=64 => "x1", ..=1_000 => "x3",
    ),
    rebate = volume("30d", 1_000 => "x0.5", 10_000 => "x0.25"),
    probe = r#"{"body": {"quality": "deep", "text": "…"}}"#,
)]
async fn summarise(Json(summary): Json<Summary>) -> String {
    match summary.quality {
        Quality::Draft => "short".to_owned(),
        Quality::Deep => summary.text,
    }
}

fn checked(spec: EndpointSpec) -> EndpointSpec {
    assert_eq!(spec.check(), [], "{}", spec.id);
    spec
}

fn due(spec: &EndpointSpec, facts: &Facts<'_>, volumes: &[Volume]) -> String {
    match evaluate(&spec.price, facts, volumes) {
        Ok(Due::Exact(price)) => price.to_string(),
        Ok(Due::UpTo(ceiling)) => format!("up to {}", ceiling.on(6).expect("six decimals")),
        other => format!("{other:?}"),
    }
}

#[test]
fn tiers_multiply_with_rebates() {
    let spec = checked(spec_of::<_, _, ()>(&summarise));
    let bounds = spec.price.bounds();
    assert_eq!(
        (bounds.min.to_string(), bounds.max.to_string()),
        ("0.00050 USDC".to_owned(), "0.06 USDC".to_owned())
    );
    let short = Facts::new().body(br#"{"quality":"deep","text":""}"#.as_slice());
    let long = format!(r#"{{"text":"{}"}}"#, "a".repeat(100));
    let long = Facts::new().body(long.as_bytes());
    assert_eq!(due(&spec, &short, &[]), "0.02 USDC");
    assert_eq!(
        due(&spec, &long, &[]),
        "0.006 USDC",
        "the default is the draft"
    );
    let bought = |calls| {
        [Volume {
            calls,
            ..Volume::default()
        }]
    };
    assert_eq!(due(&spec, &short, &bought(1_000)), "0.010 USDC");
    assert_eq!(due(&spec, &short, &bought(10_000)), "0.0050 USDC");
    assert_eq!(
        spec.price.probe_price(spec.probe).unwrap().to_string(),
        "0.02 USDC"
    );
    assert_eq!(spec.price.exact_on(6), Ok(()));
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only the price looks at it")]
struct Map {
    zoom: u8,
    layers: Option<Vec<String>>,
    night: bool,
}

#[paid(
    GET "/maps/{region}",
    price = tiers(
        add,
        by = path.region, "north" => "0.01 USD", "south" => "0.02 USD",
        by = query.zoom, ..=3 => "0 USD", ..=10.5 => "0.001 USD", .. => "0.002 USD",
        by = query.night or false, true => "0.1 USD", false => "0 USD",
        by = chars(header("x-style")) or 0, ..=4 => "0 USD", .. => "1 USD",
    )
)]
async fn map(Path(region): Path<String>, Query(_): Query<Map>) -> String {
    region
}

#[test]
fn tiers_add_from_all_parts_of_a_request() {
    let spec = checked(spec_of::<_, _, ()>(&map));
    let facts = Facts::new()
        .capture("region", "south")
        .query("zoom=4&layers=a");
    assert_eq!(due(&spec, &facts, &[]), "0.021 USD");
    let facts = facts.header("X-Style", b"night".as_slice());
    assert_eq!(due(&spec, &facts, &[]), "1.021 USD");
    assert!(!spec.price.needs().body);
}

#[paid(
    POST "/words",
    price = tiers(by = chars(body("/text")) / 3, ..=1_000 => "0.01 USDC", .. => "0.05 USDC"),
    rebate = volume("7d", "100 USDC" => "x0.8"),
)]
async fn words(body: String) -> String {
    body
}

#[paid(GET "/cheaper", price = "0.001 USDC", rebate = volume("30d", 1_000 => "x0.5"))]
async fn cheaper() {}

#[test]
fn one_price_with_a_rebate() {
    let spec = checked(spec_of::<_, _, ()>(&cheaper));
    assert!(!spec.price.needs().body && spec.price.needs().volume);
    assert_eq!(due(&spec, &Facts::new(), &[]), "0.001 USDC");
    let bought = Volume {
        calls: 1_000,
        ..Volume::default()
    };
    assert_eq!(due(&spec, &Facts::new(), &[bought]), "0.0005 USDC");
    let spec = checked(spec_of::<_, _, ()>(&words));
    let spent = Volume {
        calls: 0,
        spend: Decimal::new(100, 0),
    };
    let facts = Facts::new().body(br#"{"text":"abc"}"#.as_slice());
    assert_eq!(due(&spec, &facts, &[spent]), "0.008 USDC");
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only the price looks at it")]
struct Prompt {
    prompt: String,
    max_tokens: Option<u32>,
}

#[paid(
    POST "/completions",
    price = upto(
        "0.02 USDC",
        base = "0.0002 USDC",
        headroom = "1.2",
        units(
            input = unit("0.0005 USDC", per = 1_000, meter = answer.usage.input, estimate = chars(body.prompt) / 3),
            output = unit("0.002 USDC", per = 1_000, estimate = body.max_tokens or 512),
        ),
    ),
    plans = [prepaid("10 USDC", credit = "11 USDC", expires = "180d")],
    free = "trial 10 per payer",
)]
async fn complete(Json(prompt): Json<Prompt>) -> String {
    prompt.prompt
}

#[paid(GET "/pages", price = upto(max = "1 USDC", rounding = down, units(pages = "0.0000005 USDC")), free = "100/day per payer")]
async fn pages() {}

#[test]
fn metered_prices_and_what_stands_beside_them() {
    let spec = checked(spec_of::<_, _, ()>(&complete));
    let facts = Facts::new()
        .body(br#"{"prompt":"Write a haiku about ledgers.","max_tokens":64}"#.as_slice());
    assert_eq!(due(&spec, &facts, &[]), "up to 400");
    let answered = Facts::new().answer([], br#"{"usage":{"input":8,"output":60}}"#);
    let quantities = spec.price.quantities(&answered).unwrap();
    let signed = AtomicAmount::from_u128(400);
    assert_eq!(
        spec.price
            .metered(&quantities, 6, signed)
            .unwrap()
            .to_string(),
        "324"
    );
    let [plan] = spec.plans else {
        panic!("one plan")
    };
    assert_eq!(
        (&*plan.id, plan.purchase.path),
        ("prepaid-10-usdc", "/x402/credits")
    );
    assert!(
        matches!(&plan.kind, PlanKind::Prepaid { credit, expires_seconds: Some(15_552_000), .. } if credit.to_string() == "11 USDC")
    );
    assert_eq!(spec.allowances[0].kind, AllowanceKind::Trial);

    let spec = checked(spec_of::<_, _, ()>(&pages));
    let free = Allowance {
        kind: AllowanceKind::FreeQuota {
            window_seconds: 86_400,
        },
        scope: Scope::Payer,
        calls: 100,
        identify: Identify::SignInWithX,
    };
    assert_eq!(spec.allowances, [free]);
    let three = [("pages", Decimal::new(3, 0))];
    assert_eq!(
        spec.price.metered(&three, 6, signed).unwrap().to_string(),
        "1",
        "1.5, down"
    );
}

#[derive(Clone)]
struct Fleet {
    cents_per_stop: u32,
}

#[derive(Deserialize)]
struct Tour {
    stops: u32,
}

#[expect(clippy::unused_async, reason = "quote functions are async")]
async fn by_stops(fleet: Fleet, request: QuoteRequest) -> QuoteResult {
    let tour: Tour = request.query()?;
    let cents = tour.stops.checked_mul(fleet.cents_per_stop);
    let cents = cents.ok_or_else(|| QuoteError::request("too many stops"))?;
    Ok(format!("{}.{:02} USDC", cents / 100, cents % 100).parse()?)
}

#[expect(clippy::unused_async, reason = "quote functions are async")]
async fn by_city(request: QuoteRequest) -> QuoteResult {
    Ok(match request.capture("city") {
        Some("Oslo") => "0.05 USD".parse()?,
        _ => "0.01 USD".parse()?,
    })
}

#[paid(GET "/tours", price = dynamic(by_stops, max = "0.50 USDC", min = "0.01 USDC", factors = ["stops"]))]
async fn tour(State(fleet): State<Fleet>) -> String {
    fleet.cents_per_stop.to_string()
}

/// Takes no state, and its quote function does.
#[paid(GET "/more", price = dynamic(by_stops, state = Fleet, max = "0.50 USDC", ttl = "5m"))]
async fn more() {}

#[paid(GET "/cities/{city}", price = dynamic(by_city, max = "0.10 USD"))]
async fn city() {}

async fn quoted<T, S, H: PaidHandler<T, S>>(_: H, state: S, uri: &str) -> QuoteResult {
    let (parts, ()) = Request::get(uri).body(()).expect("a request").into_parts();
    let request = QuoteRequest::new(&parts, "").with_capture("city", "Oslo");
    H::quote(&state, request).await
}

#[tokio::test]
async fn quote_functions_get_the_state_they_take() {
    let fleet = Fleet { cents_per_stop: 2 };
    let spec = checked(spec_of::<_, _, Fleet>(&tour));
    let price = quoted(tour, fleet.clone(), "/tours?stops=3").await.unwrap();
    assert_eq!(price.to_string(), "0.06 USDC");
    assert!(spec.price.quoted(price).is_ok());
    let price = quoted(more, fleet.clone(), "/more?stops=90").await.unwrap();
    let refused = spec.price.quoted(price).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "1.80 USDC is outside the bounds 0.01 USDC to 0.50 USDC"
    );
    let missing = quoted(more, fleet.clone(), "/more").await.unwrap_err();
    assert!(matches!(missing, QuoteError::Request(_)));
    let price = quoted(city, (), "/cities/Oslo").await.unwrap();
    assert_eq!(price.to_string(), "0.05 USD");
    assert!(
        quoted(cheaper, fleet, "/cheaper").await.is_err(),
        "nobody asks it"
    );
}
