//! What the gate asks for is what the model says, and what anybody works out from the published rule in whole numbers: inside the
//! bounds, and to the last unit of a token with six decimals as of one with eighteen.

use std::borrow::Cow;
use std::sync::Arc;

use alloy_primitives::address;
use axum::Json;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use x402_runtime::clock::ManualClock;
use x402_runtime::handler::{QuoteRequest, QuoteResult};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::asset::{Asset, TransferMethod};
use x402_runtime::model::money::Decimal;
use x402_runtime::model::network::Network;
use x402_runtime::model::price::{Due, Facts, Price, PriceModel, PriceUnit, evaluate};
use x402_runtime::paid;
use x402_runtime::paywall::Rail;

use super::common::shop::{Answer, builder, request};
use super::common::{Buyer, Double, NOW, Stand};

#[derive(Deserialize)]
struct Print {
    paper: Option<String>,
    pages: u32,
    duplex: Option<bool>,
}

/// Prints a document.
#[paid(
    POST "/print",
    price = tiers(
        multiply,
        by = body.paper or "plain", "scrap" => "0 USD", "plain" => "0.002 USD", "photo" => "0.02 USD",
        by = body.pages, ..=10 => "x1", ..=100 => "x2.5", ..=1_000 => "x12",
        by = body.duplex or false, true => "x0.75", false => "x1",
    ),
)]
async fn print(Json(_): Json<Print>) -> &'static str {
    "printed"
}

#[derive(Deserialize)]
struct Letter {
    grams: u64,
}

/// Posts a letter.
#[paid(
    GET "/post/{zone}",
    price = tiers(
        add,
        by = path.zone, "eu" => "0.01 USD", "us" => "0.012345 USD",
        by = query.grams, ..=20 => "0 USD", ..=500 => "0.001 USD", .. => "0.05 USD",
        by = header("x-express") or "no", "no" => "0 USD", "yes" => "0.000001 USD",
    ),
)]
async fn post(
    Path(_): Path<String>,
    axum::extract::Query(_): axum::extract::Query<Letter>,
) -> &'static str {
    "posted"
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

/// Reads a text aloud.
#[paid(
    POST "/read",
    price = tiers(by = chars(body.text) / 3, ..=5 => "0.001 USD", ..=10 => "0.0025 USD", ..=40 => "0.1 USD"),
)]
async fn read(Json(_): Json<Text>) -> &'static str {
    "read"
}

#[derive(Deserialize)]
struct Stops {
    stops: u32,
}

async fn by_stops(request: QuoteRequest) -> QuoteResult {
    let asked: Stops = request.query()?;
    Ok(micros(u128::from(asked.stops) * 13_337))
}

/// Plans a tour.
#[paid(GET "/tour", price = dynamic(by_stops, max = "0.50 USD", min = "0.02 USD"))]
async fn tour() -> &'static str {
    "planned"
}

/// A price in millionths of a dollar.
const fn micros(amount: u128) -> Price {
    Price {
        amount: Decimal::new(amount, 6),
        unit: PriceUnit::Usd,
    }
}

/// One request, and what the published rules say of it, without a line of the product's arithmetic.
#[derive(Debug, Clone)]
enum Call {
    Print(Option<&'static str>, u32, Option<bool>),
    Post(&'static str, u64, Option<&'static str>),
    Read(String),
    Tour(u32),
}

/// What a rule says, in millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Costs(u128),
    /// The request has no price.
    Refused,
    /// The seller tells a price that he never published.
    Unpublished,
}

impl Call {
    fn rule(&self) -> Rule {
        match self {
            Self::Print(paper, pages, duplex) => {
                let paper = match paper.unwrap_or("plain") {
                    "scrap" => 0,
                    "plain" => 2_000,
                    "photo" => 20_000,
                    _ => return Rule::Refused,
                };
                let pages = match pages {
                    0..=10 => 100,
                    11..=100 => 250,
                    101..=1_000 => 1_200,
                    _ => return Rule::Refused,
                };
                let sides = if *duplex == Some(true) { 75 } else { 100 };
                let product = paper * pages * sides;
                assert_eq!(product % 10_000, 0, "no rule of this test rounds");
                Rule::Costs(product / 10_000)
            }
            Self::Post(zone, grams, express) => {
                let zone = match *zone {
                    "eu" => 10_000,
                    "us" => 12_345,
                    _ => return Rule::Refused,
                };
                let weight = match grams {
                    0..=20 => 0,
                    21..=500 => 1_000,
                    _ => 50_000,
                };
                match express.unwrap_or("no") {
                    "no" => Rule::Costs(zone + weight),
                    "yes" => Rule::Costs(zone + weight + 1),
                    _ => Rule::Refused,
                }
            }
            // A third of the characters: each band ends at three times its number.
            Self::Read(text) => match text.chars().count() {
                0..=15 => Rule::Costs(1_000),
                16..=30 => Rule::Costs(2_500),
                31..=120 => Rule::Costs(100_000),
                _ => Rule::Refused,
            },
            Self::Tour(stops) => match u128::from(*stops) * 13_337 {
                told @ 20_000..=500_000 => Rule::Costs(told),
                _ => Rule::Unpublished,
            },
        }
    }

    /// Least and most of the endpoint, in millionths of a dollar.
    fn bounds(&self) -> (u128, u128) {
        match self {
            Self::Print(..) => (0, 240_000),
            Self::Post(..) => (10_000, 62_346),
            Self::Read(_) => (1_000, 100_000),
            Self::Tour(_) => (20_000, 500_000),
        }
    }

    /// Route, method, path with query, header and body.
    fn parts(&self) -> (&'static str, &'static str, String, Option<&str>, String) {
        match self {
            Self::Print(paper, pages, duplex) => {
                let mut body = json!({"pages": pages, "duplex": duplex});
                if let Some(paper) = paper {
                    body["paper"] = json!(paper);
                }
                ("/print", "POST", "/print".into(), None, body.to_string())
            }
            Self::Post(zone, grams, express) => {
                let path = format!("/post/{zone}?grams={grams}");
                ("/post/{zone}", "GET", path, *express, String::new())
            }
            Self::Read(text) => {
                let body = json!({ "text": text }).to_string();
                ("/read", "POST", "/read".into(), None, body)
            }
            Self::Tour(stops) => {
                let path = format!("/tour?stops={stops}");
                ("/tour", "GET", path, None, String::new())
            }
        }
    }

    async fn send(&self, stand: &Stand, payment: Option<&str>) -> Answer {
        let (_, method, path, express, body) = self.parts();
        let mut request = request(method, &path, payment, &body);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
        if let Some(express) = express {
            headers.insert("x-express", express.parse().unwrap());
        }
        stand.send(request).await
    }

    /// What the model says.
    fn by_model(&self, model: &PriceModel) -> Rule {
        let (_, _, path, express, body) = self.parts();
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let mut facts = Facts::new().query(query);
        if let Self::Post(zone, ..) = self {
            facts = facts.capture("zone", *zone);
        }
        if let Some(express) = express {
            facts = facts.header("x-express", express.as_bytes());
        }
        if !body.is_empty() {
            facts = facts.body(body.as_bytes());
        }
        let told = match (evaluate(model, &facts, &[]), self) {
            (Ok(Due::Exact(price)), _) => Ok(price),
            (Ok(Due::Quoted(_)), Self::Tour(stops)) => {
                model.quoted(micros(u128::from(*stops) * 13_337))
            }
            (Err(_), _) => return Rule::Refused,
            (other, _) => panic!("{other:?}"),
        };
        told.map_or(Rule::Unpublished, |price| {
            Rule::Costs(units(price.amount, 6))
        })
    }
}

fn units(amount: Decimal, decimals: u8) -> u128 {
    let exact = amount.to_atomic(decimals).unwrap();
    exact.to_string().parse().unwrap()
}

/// A dollar with eighteen decimals, which moves through Permit2.
fn fine_dollar() -> Asset {
    Asset {
        network: Network::BASE_SEPOLIA,
        address: address!("6B175474E89094C44Da98b954EedeAC495271d0F"),
        symbol: Cow::Borrowed("FINE"),
        decimals: 18,
        eip712: None,
        transfer: TransferMethod::Permit2,
        eip2612: false,
        usd_pegged: true,
    }
}

async fn open() -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .accept(Rail::custom(fine_dollar()))
        .mount(print)
        .mount(post)
        .mount(read)
        .mount(tour);
    Stand::of(builder, double, clock).await
}

/// The amounts that are asked for, first in the token with six decimals, then in the one with eighteen.
fn amounts(answer: &Answer) -> Vec<u128> {
    let terms = answer.terms();
    let offers = terms.accepts.iter();
    offers
        .map(|offer| offer.view().unwrap().amount.parse().unwrap())
        .collect()
}

fn range(stand: &Stand, call: &Call, decimals: u8) -> (u128, u128) {
    let bounds = model(stand, call).bounds();
    (
        units(bounds.min.amount, decimals),
        units(bounds.max.amount, decimals),
    )
}

fn model<'s>(stand: &'s Stand, call: &Call) -> &'s PriceModel {
    let route = call.parts().0;
    let mut endpoints = stand.paywall.endpoints().iter();
    let endpoint = endpoints.find(|one| one.path() == route);
    &endpoint.expect("it is mounted").spec().price
}

async fn holds(stand: &Stand, call: &Call, buyer: &Buyer) {
    let rule = call.rule();
    assert_eq!(call.by_model(model(stand, call)), rule, "{call:?}");
    let answer = call.send(stand, None).await;
    let cost = match rule {
        Rule::Refused => {
            assert_eq!(answer.brief(), (400, "price_undetermined".into()));
            return;
        }
        Rule::Unpublished => {
            assert_eq!(answer.brief(), (503, "price_unavailable".into()));
            return;
        }
        Rule::Costs(0) => {
            assert_eq!(answer.status, 200, "{call:?} costs nothing");
            return;
        }
        Rule::Costs(cost) => cost,
    };
    assert_eq!(answer.status, 402, "{call:?}");
    assert_eq!(amounts(&answer), [cost, cost * 10_u128.pow(12)], "{call:?}");
    let (least, most) = call.bounds();
    assert_eq!(range(stand, call, 6), (least, most), "{call:?}");
    assert!((least..=most).contains(&cost), "{call:?}");

    // And it is what is settled.
    let payment = buyer.pay(&answer.terms(), NOW);
    let paid = call.send(stand, Some(&payment)).await;
    assert_eq!(paid.status, 200, "{call:?}: {}", paid.json());
    let asked = stand.double.requests.lock().unwrap().last().cloned();
    let settled: Value = asked.expect("it was settled").requirements.to_value();
    assert_eq!(settled["amount"], cost.to_string(), "{call:?}");
}

fn call() -> impl Strategy<Value = Call> {
    let papers = [
        None,
        Some("scrap"),
        Some("plain"),
        Some("photo"),
        Some("gold"),
    ];
    let paper = prop::sample::select(papers.to_vec());
    let pages = prop_oneof![0..20_u32, 90..110_u32, 990..1_010_u32, Just(u32::MAX)];
    let duplex = prop::option::of(any::<bool>());
    let zone = prop::sample::select(vec!["eu", "us", "mars"]);
    let grams = prop_oneof![0..30_u64, 490..510_u64, Just(u64::MAX)];
    let express = prop::sample::select(vec![None, Some("no"), Some("yes"), Some("maybe")]);
    let text = prop::collection::vec(prop::char::any(), 0..130);
    prop_oneof![
        (paper, pages, duplex).prop_map(|(paper, pages, duplex)| Call::Print(paper, pages, duplex)),
        (zone, grams, express).prop_map(|(zone, grams, express)| Call::Post(zone, grams, express)),
        text.prop_map(|chars| Call::Read(chars.into_iter().collect())),
        (0..60_u32).prop_map(Call::Tour),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_asked_for_is_what_the_published_rule_says(calls in prop::collection::vec(call(), 1..16)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let stand = open().await;
            let buyer = Buyer::new(7);
            for call in &calls {
                holds(&stand, call, &buyer).await;
            }
        });
    }
}

/// The ends of every band, which random requests may miss.
#[tokio::test]
async fn both_sides_of_each_end_of_a_band_cost_what_is_published() {
    let stand = open().await;
    let buyer = Buyer::new(7);
    let pages = [0, 10, 11, 100, 101, 1_000, 1_001];
    let grams = [0, 20, 21, 500, 501];
    let chars = [0, 15, 16, 30, 31, 120, 121];
    let calls = pages
        .map(|pages| Call::Print(Some("photo"), pages, Some(true)))
        .into_iter()
        .chain(grams.map(|grams| Call::Post("us", grams, Some("yes"))))
        .chain(chars.map(|chars| Call::Read("ß".repeat(chars))))
        .chain([1, 2, 37, 38].map(Call::Tour));
    for call in calls {
        holds(&stand, &call, &buyer).await;
    }
}
