//! The recorded exchanges of the reference server, replayed against ours on the recording's clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use x402_model::network::Network;
use x402_model::wire::SettleResponse;
use x402_runtime::clock::ManualClock;
use x402_runtime::facilitator::FacilitatorError;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};
use x402_tests::buyer::{Answer, Buyer};
use x402_tests::differences::{CLOCK, Instead, difference, settlement_open, verification_failed};
use x402_tests::doubles::{Double, OnSettle, OnVerify};
use x402_tests::vectors::{Exchange, exchanges};
use x402_tests::world::World;

/// What the paid handler answers, and how often it ran.
#[derive(Clone)]
struct Script {
    runs: Arc<AtomicUsize>,
    reply: Arc<Mutex<Value>>,
}

fn play(script: &Script) -> Response {
    script.runs.fetch_add(1, Ordering::SeqCst);
    let reply = script.reply.lock().unwrap().clone();
    let status =
        StatusCode::from_u16(reply["status"].as_u64().unwrap().try_into().unwrap()).unwrap();
    let mut response = (status, Json(reply["body"].clone())).into_response();
    if let Some(cache) = reply["cache"].as_str() {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_str(cache).unwrap());
    }
    response
}

macro_rules! priced {
    ($($name:ident $price:literal;)*) => {$(
        /// Sells what the recording sold.
        #[paid(GET "/", price = $price)]
        async fn $name(State(script): State<Script>) -> Response {
            play(&script)
        }
    )*};
}

priced! {
    cent "0.01 USDC";
    two_cents "0.02 USDC";
    three_cents "0.03 USDC";
    five_cents "0.05 USDC";
    ten_cents "0.1 USDC";
    tenth_of_a_cent "0.001 USDC";
}

/// Mounts a handler with the price of these terms where the exchange looks for it.
fn mount(
    builder: PaywallBuilder<Script>,
    exchange: &Exchange,
    terms: &Value,
) -> PaywallBuilder<Script> {
    use x402_model::endpoint::Method as Verb;
    let verb = match exchange.method.as_str() {
        "POST" => Verb::Post,
        "PUT" => Verb::Put,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        _ => Verb::Get,
    };
    // A segment with an escape can only be matched by a parameter.
    let segments = exchange
        .route()
        .split('/')
        .map(|s| if s.contains('%') { "{escaped}" } else { s });
    let path: &'static str = segments.collect::<Vec<_>>().join("/").leak();
    match terms["amount"].as_str().unwrap_or("10000") {
        "1000" => builder.mount_at(verb, path, tenth_of_a_cent),
        "10000" => builder.mount_at(verb, path, cent),
        "20000" => builder.mount_at(verb, path, two_cents),
        "30000" => builder.mount_at(verb, path, three_cents),
        "50000" => builder.mount_at(verb, path, five_cents),
        "100000" => builder.mount_at(verb, path, ten_cents),
        other => panic!("{}: add a handler with the price {other}", exchange.name),
    }
}

/// One seller per exchange, set up as the recorded terms say.
struct Stage {
    buyer: Buyer,
    runs: Arc<AtomicUsize>,
    double: Arc<Double>,
}

/// What the recorded handler must have answered.
fn reply(exchange: &Exchange) -> Value {
    if !exchange.ran() || exchange.status() == 402 {
        return json!({"status": 200, "body": {"ok": true}});
    }
    let cache = exchange.expected["cacheControl"]
        .as_str()
        .unwrap_or_default();
    let own = cache
        .trim_end_matches("private")
        .trim_end_matches([' ', ',']);
    let own = (!own.is_empty()).then_some(own);
    json!({"status": exchange.status(), "body": exchange.expected["body"], "cache": own})
}

impl Stage {
    async fn set(world: &World, exchange: &Exchange, terms: &Value, origin: &str) -> Self {
        let double = Double::new(world.facilitator());
        let script = Script {
            runs: Arc::default(),
            reply: Arc::new(Mutex::new(reply(exchange))),
        };
        let builder = Paywall::builder()
            .origin(origin)
            .pay_to(terms["payTo"].as_str().unwrap())
            .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
            .facilitator_arc(Arc::clone(&double) as Arc<dyn x402_runtime::facilitator::Facilitator>)
            .ledger(MemoryLedger::new())
            .clock_arc(world.clock());
        let app = if exchange.is_free() {
            let body = exchange.expected["body"].clone();
            axum::Router::new().route(
                exchange.route(),
                axum::routing::any(|| async { Json(body) }),
            )
        } else if exchange.status() == 404 || exchange.route().contains("//") {
            axum::Router::new()
        } else {
            let paywall = mount(builder, exchange, terms).build().await.unwrap();
            paywall.router().with_state(script.clone())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let buyer = Buyer::new(&format!("http://{}", listener.local_addr().unwrap()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            buyer,
            runs: script.runs,
            double,
        }
    }

    async fn send(&self, exchange: &Exchange) -> Answer {
        let headers: Vec<(&str, &str)> = exchange
            .headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let method = Method::from_bytes(exchange.method.as_bytes()).unwrap();
        self.buyer
            .send(method, &exchange.path, &headers, exchange.body.clone())
            .await
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

/// Makes the facilitator fail as the recorded one did.
fn script_facilitator(double: &Double, exchange: &Exchange) {
    if verification_failed(exchange) {
        let told = FacilitatorError::BadAnswer(exchange.error().to_owned());
        double.on_verify([OnVerify::Fail(told)]);
    }
    if settlement_open(exchange) {
        double.set_blind(true);
        return double.on_settle([OnSettle::LoseRequest]);
    }
    let Some(receipt) = exchange
        .receipt()
        .filter(|receipt| receipt["success"] == false)
    else {
        return;
    };
    let hash = format!("0x{}", "ab".repeat(32));
    let mut refusal = receipt.clone();
    if receipt["transaction"] == "<tx hash>" {
        refusal["transaction"] = json!(hash);
    }
    let refusal: SettleResponse = serde_json::from_value(refusal).unwrap();
    double.on_settle([OnSettle::Refuse(Box::new(refusal))]);
}

/// Our origins are https, whatever the recording's was.
fn secure(url: &str) -> String {
    url.strip_prefix("http://")
        .map_or_else(|| url.to_owned(), |rest| format!("https://{rest}"))
}

fn compare_terms(exchange: &Exchange, answer: &Answer, wrong: &mut Vec<String>) {
    let (ours, theirs) = (answer.required(), exchange.required());
    let (Some(ours), Some(theirs)) = (&ours, theirs) else {
        if ours.is_some() != theirs.is_some() {
            wrong.push(format!("terms: {ours:?} instead of {theirs:?}"));
        }
        return;
    };
    for key in ["x402Version", "accepts", "error"] {
        if ours[key] != theirs[key] {
            wrong.push(format!("{key}: {} instead of {}", ours[key], theirs[key]));
        }
    }
    let url = theirs["resource"]["url"]
        .as_str()
        .and_then(|url| url.split('?').next());
    let url = url.map(secure);
    if ours["resource"]["url"].as_str() != url.as_deref() {
        wrong.push(format!(
            "resource.url: {} instead of {url:?}",
            ours["resource"]["url"]
        ));
    }
}

fn compare_receipts(exchange: &Exchange, answer: &Answer, wrong: &mut Vec<String>) {
    let (ours, theirs) = (answer.receipt(), exchange.receipt());
    let (Some(ours), Some(theirs)) = (&ours, theirs) else {
        if ours.is_some() != theirs.is_some() {
            wrong.push(format!("receipt: {ours:?} instead of {theirs:?}"));
        }
        return;
    };
    for (key, value) in theirs.as_object().unwrap() {
        let equal = match key.as_str() {
            "errorMessage" => true,
            "transaction" if theirs["success"] == false => ours[key] == "",
            "transaction" if value == "<tx hash>" => {
                ours[key].as_str().is_some_and(|hash| hash.len() == 66)
            }
            _ => ours[key] == *value,
        };
        if !equal {
            wrong.push(format!("receipt.{key}: {} instead of {value}", ours[key]));
        }
    }
}

/// Everything that differs where no rule allows it.
async fn replay(stage: &Stage, exchange: &Exchange) -> Vec<String> {
    let mut wrong = Vec::new();
    let answer = stage.send(exchange).await;
    if u64::from(answer.status) != exchange.status() {
        wrong.push(format!(
            "status {} instead of {}: {}",
            answer.status,
            exchange.status(),
            answer.json()
        ));
    }
    if stage.runs() != usize::from(exchange.ran()) {
        wrong.push(format!("the handler ran {} times", stage.runs()));
    }
    compare_terms(exchange, &answer, &mut wrong);
    compare_receipts(exchange, &answer, &mut wrong);
    if exchange.ran() && exchange.status() != 402 && answer.json() != exchange.expected["body"] {
        wrong.push(format!("body {}", answer.json()));
    }
    let gated = exchange.status() == 402 || (exchange.ran() && exchange.status() == 200);
    let cache = answer.header("cache-control").unwrap_or_default();
    if gated && !(cache.contains("private") && cache.contains("no-store")) {
        wrong.push(format!("cache-control {cache:?}"));
    }
    if exchange.status() == 402 && answer.code().is_empty() {
        wrong.push("no code in the body".to_owned());
    }
    wrong
}

/// What a rule says instead.
async fn replay_otherwise(stage: &Stage, exchange: &Exchange, instead: Instead) -> Vec<String> {
    let first = stage.send(exchange).await;
    let (status, runs) = (first.status, stage.runs());
    let is = |expected: u16, code: &str| {
        // A HEAD answer has no body to hold the code.
        status == expected && (first.code() == code || exchange.method == "HEAD")
    };
    let fine = match instead {
        Instead::NotOffered => true,
        Instead::NoRoute => status != 200 && runs == 0,
        Instead::Refuse(expected, code) => {
            is(expected, code) && runs == 0 && first.receipt().is_none()
        }
        Instead::Withhold(expected, code) => {
            is(expected, code) && runs == 1 && first.required().is_none()
        }
        Instead::ServeAgain => {
            let again = stage.send(exchange).await;
            status == 200
                && again.body == first.body
                && again.receipt() == first.receipt()
                && stage.runs() == 1
        }
    };
    if fine {
        Vec::new()
    } else {
        vec![format!(
            "not as the rule says: {status} after {runs} runs, {}",
            first.json()
        )]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_exchanges_of_the_reference_server() {
    let cases = exchanges("http_server_v2.json");
    // What a path costs is known from the cases that show its terms.
    let shown = cases
        .iter()
        .filter_map(|case| Some((case.path.clone(), case.required()?)));
    let shown: BTreeMap<String, &Value> = shown.collect();
    let default = json!({"accepts": [{"payTo": x402_tests::accounts::text(1)}], "resource": {"url": "http://api.example.com/"}});
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for case in &cases {
        let rule = difference(case);
        *counts
            .entry(rule.map_or("as recorded", |rule| rule.rule))
            .or_default() += 1;
        if rule.is_some_and(|rule| rule.instead == Instead::NotOffered) {
            continue;
        }
        let terms = shown.get(&case.path).copied().unwrap_or(&default);
        let url = terms["resource"]["url"].as_str().unwrap();
        let origin = secure(
            url.splitn(4, '/')
                .take(3)
                .collect::<Vec<_>>()
                .join("/")
                .as_str(),
        );
        // Each has a chain of its own: recordings may use one payment several times.
        let world = World::poor_sandbox(Arc::new(ManualClock::at_seconds(CLOCK)));
        let stage = Stage::set(&world, case, &terms["accepts"][0], &origin).await;
        script_facilitator(&stage.double, case);
        let faults = match rule {
            Some(rule) => replay_otherwise(&stage, case, rule.instead).await,
            None => replay(&stage, case).await,
        };
        wrong.extend(
            faults
                .into_iter()
                .map(|fault| format!("{}: {fault}", case.name)),
        );
    }
    eprintln!("{} exchanges: {counts:#?}", cases.len());
    assert!(
        wrong.is_empty(),
        "{} differences that no rule allows:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
    assert!(
        counts.get("as recorded").is_some_and(|count| *count >= 10),
        "{counts:?}"
    );
}
