//! `x402 call ORIGIN ENDPOINT NAME=VALUE`: what is checked before anything is asked, and what a manifest promises.

use serde_json::{Value, json};
use x402_runtime::model::manifest::WELL_KNOWN_PATH;
use x402_runtime::model::wire::headers::encode;

use crate::documents::{example, hashed, ok, signed, web};
use crate::home::{Home, Run};
use crate::seller::Seller;
use crate::{BUYER, KEYS, PAYEE};

const PAY: [&str; 4] = ["--key-file", "buyer.key", "--max", "5 USD"];
const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

fn call(home: &Home, args: &[&str]) -> Run {
    home.run(&[&["call"][..], args].concat())
}

#[test]
fn a_call_by_id_is_quoted_paid_and_answered() {
    let seller = Seller::start();
    let home = Home::with_key();
    let origin = seller.origin.as_str();
    let args = [
        origin,
        "forecast",
        "city=San José/1?",
        "units=imperial",
        "days=3",
        "hourly=true",
    ];
    let run = call(&home, &[&args[..], &PAY].concat());
    run.said(
        0,
        &[
            "forecast costs 0.01 USD by its manifest\n",
            &format!("paid 0.01 USDC on Base Sepolia (eip155:84532) to {PAYEE}, transaction 0x"),
        ],
    );
    let body: Value = serde_json::from_str(&run.out).unwrap();
    let expected = json!({ "city": "San José/1?", "units": "imperial", "days": 3, "hourly": true });
    assert_eq!(body, expected);
    assert_eq!(seller.earned(), 10_000);
    assert!(home.payments().is_empty());
    let places = ["path.city=x", "query.units=metric"];
    let run = call(&home, &[&[origin, "forecast"][..], &places, &PAY].concat());
    assert_eq!(run.code, 0, "{run:#?}");
}

#[test]
fn bodies_are_made_of_members_and_priced_before_they_are_sent() {
    let seller = Seller::start();
    let home = Home::with_key();
    let origin = seller.origin.as_str();
    home.write("article.txt", "A long article.\nIt ends.", 0o644);
    let members = [
        "text=@article.txt",
        "quality=best",
        "keep=long",
        "keep=article",
    ];
    let look = call(
        &home,
        &[
            &[origin, "summarize"][..],
            &members,
            &["--dry-run", "--max", "1 USD"],
        ]
        .concat(),
    );
    for part in [
        "summarize costs 0.04 USD by its manifest\n",
        "price   0.04 USDC",
        "--max 1 USD: the call would be paid",
        "nothing was signed",
    ] {
        assert!(look.out.contains(part), "{part:?} is missing: {look:#?}");
    }
    let run = call(
        &home,
        &[&[origin, "summarize", "--json"][..], &members, &PAY].concat(),
    );
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:#?}");
    let report = run.json();
    let sent = json!({ "text": "A long article.\nIt ends.", "quality": "best", "keep": ["long", "article"] });
    assert_eq!(
        (&report["body"], &report["amount"]),
        (&sent, &json!("40000"))
    );
    let mut quote = report["quote"].clone();
    assert!(
        quote["content_hash"]
            .take()
            .as_str()
            .unwrap()
            .starts_with("sha-256:")
    );
    let expected = json!({
        "endpoint": "summarize", "kind": "exact", "amount": "0.04", "currency": "USD", "min": "0.01", "max": "0.04",
        "content_hash": null, "revision": 1, "warnings": [],
    });
    assert_eq!(quote, expected);
}

#[test]
fn a_body_is_given_by_members_in_json_or_as_a_whole() {
    let seller = Seller::start();
    let home = Home::with_key();
    let origin = seller.origin.as_str();
    let fast = [
        origin,
        "summarize",
        "text=x",
        "quality=fast",
        "keep:=[\"x\"]",
        "--dry-run",
    ];
    let run = call(&home, &fast);
    assert!(
        run.out
            .contains("summarize costs 0.01 USD by its manifest, and never more than 0.04 USD"),
        "{run:#?}"
    );
    let whole = [
        origin,
        "summarize",
        "--data-json",
        r#"{"text":"x","quality":"fast"}"#,
    ];
    let run = call(&home, &[&whole[..], &PAY].concat());
    assert_eq!(run.code, 0, "{run:#?}");
    assert_eq!(seller.earned(), 10_000);
}

type Mistake = (&'static [&'static str], &'static [&'static str]);

/// What is wrong about parameters, and what is said about it.
const PARAMETERS: &[Mistake] = &[
    (
        &["forcast"],
        &["there is no endpoint forcast", "did you mean forecast?"],
    ),
    (
        &["nothing-like-it"],
        &["there is no endpoint", "it has weather, echo, forecast"],
    ),
    (&["forecast"], &["forecast needs city", "forecast city=… "]),
    (
        &["forecast", "city=x", "unit=metric"],
        &[
            "takes no argument unit",
            "did you mean units?",
            "units=metric|imperial",
        ],
    ),
    (
        &["forecast", "city=x", "zone=utc"],
        &["takes no argument zone", "it takes city"],
    ),
    (
        &["forecast", "city=x", "units=metrik"],
        &[
            "units is \"metrik\", and has to be one of metric, imperial",
            "did you mean metric?",
        ],
    ),
    (
        &["forecast", "city=x", "days=many"],
        &["days is \"many\", and has to be an integer"],
    ),
    (
        &["forecast", "city=x", "days=8"],
        &["days is 8, and has to be at most 7"],
    ),
    (
        &["forecast", "city=x", "hourly=1"],
        &["hourly is \"1\", and has to be true or false"],
    ),
    (
        &["forecast", "city=x", "city=y"],
        &["city is given 2 times"],
    ),
    (
        &["forecast", "zurich"],
        &["zurich is no argument", "NAME=VALUE"],
    ),
    (
        &["forecast", "city:=zurich"],
        &["city is written with := and is not JSON"],
    ),
    (
        &["forecast", "city=@no.txt"],
        &["city cannot be read from no.txt"],
    ),
    (&["forecast", "city=x", "-X", "POST"], &["leave -X out"]),
];

/// What is wrong about bodies.
const BODIES: &[Mistake] = &[
    (
        &["forecast", "city=x", "--data", "x"],
        &["forecast takes no body"],
    ),
    (&["summarize", "quality=fast"], &["summarize needs text"]),
    (
        &["summarize", "quality=fast", "text="],
        &["text has 0 characters, and needs at least 1"],
    ),
    (
        &["summarize", "quality=slow", "text=x"],
        &["the call has no price", "one of \"fast\", \"best\""],
    ),
    (
        &["summarize", "keep:=[1]", "quality=fast", "text=x"],
        &["keep[0] is 1, and has to be a string"],
    ),
    (
        &["summarize", "--data-json", "{\"quality\":\"fast\"}"],
        &["body needs text"],
    ),
    (
        &["summarize", "--data", "no json"],
        &["the body is not JSON"],
    ),
    (
        &["summarize", "text=x", "quality=fast", "--data-json", "{}"],
        &["the body is given twice"],
    ),
];

#[test]
fn mistakes_are_told_before_the_endpoint_is_asked() {
    let seller = Seller::start();
    let home = Home::new();
    let origin = seller.origin.as_str();
    for (args, parts) in PARAMETERS.iter().chain(BODIES) {
        call(&home, &[&[origin][..], args].concat()).said(2, parts);
    }
    for args in [&["forecast", KEYS[0]][..], &[KEYS[0]]] {
        let run = call(&home, &[&[origin][..], args].concat());
        run.said(2, &["looks like a private key"]);
        assert!(!run.err.contains(&KEYS[0][2..]), "{run:#?}");
    }
    call(&home, &["GET", origin, "city=x"]).said(2, &["no endpoint is named"]);
    call(&home, &["http://127.0.0.1:1", "forecast"]).said(1, &["cannot be fetched"]);
    let report = call(&home, &[origin, "forecast", "unit=x", "--json"]);
    assert_eq!(
        (report.code, &report.json()["error"]["code"]),
        (2, &json!("unknown_argument"))
    );
    assert_eq!(seller.paid_answers(), 0);
}

#[test]
fn m09_arguments_stay_in_their_place() {
    let seller = Seller::start();
    let home = Home::new();
    for city in ["", ".", ".."] {
        let city = format!("city={city}");
        call(&home, &[&seller.origin, "forecast", &city])
            .said(2, &["which cannot stand in a path"]);
    }
    for (city, path) in [
        ("../weather", "/forecast/..%2Fweather"),
        ("a?b#c", "/forecast/a%3Fb%23c"),
        ("a\r\nx: y", "/forecast/a%0D%0Ax%3A%20y"),
    ] {
        let home = Home::with_key();
        let city_argument = format!("city={city}");
        let args = [
            &[seller.origin.as_str(), "forecast", &city_argument, "--json"][..],
            &PAY,
        ]
        .concat();
        let report = call(&home, &args).json();
        assert_eq!(report["body"]["city"], city, "{path}");
    }
    let mut document = shop_manifest("http://127.0.0.1:1");
    document["endpoints"][0]["input"]["header"] =
        json!({ "properties": { "X-Note": { "type": "string" } } });
    let origin = web(move |_, here| {
        let mut document = document.clone();
        document["service"]["origin"] = json!(here);
        Some(ok(&document))
    });
    call(
        &home,
        &[&origin, "getWeather", "city=x", "X-Note=a\r\nHost: evil"],
    )
    .said(
        2,
        &["X-Note goes into a header, which takes visible ASCII only"],
    );
}

/// The example on a test network, about a place.
fn shop_manifest(here: &str) -> Value {
    let mut document = example();
    document["service"]["origin"] = json!(here);
    for asset in ["usdc-base", "usdc-base-permit2"] {
        document["assets"][asset]["network"] = json!("eip155:84532");
        document["assets"][asset]["address"] = json!(USDC);
    }
    for rail in ["base-exact", "base-upto"] {
        document["rails"][rail]["payTo"] = json!(PAYEE);
    }
    document
}

/// A seller that shows that manifest and asks for whatever it is told to. What is paid is lost.
fn shop(change: impl Fn(&mut Value) + Send + Sync + 'static) -> String {
    web(move |path, here| {
        if path == WELL_KNOWN_PATH {
            return Some(ok(&hashed(shop_manifest(here))));
        }
        let mut option = json!({
            "scheme": "exact", "network": "eip155:84532", "amount": "1000", "maxTimeoutSeconds": 60,
            "asset": USDC, "payTo": PAYEE, "extra": { "name": "USDC", "version": "2" },
        });
        change(&mut option);
        let terms = json!({ "x402Version": 2, "resource": { "url": here }, "accepts": [option] });
        let terms = encode(&terms).unwrap();
        let head = "HTTP/1.1 402 Payment Required\r\nconnection: close\r\ncontent-length: 0\r\n";
        Some(format!("{head}payment-required: {terms}\r\n\r\n"))
    })
}

#[test]
fn m08_a_request_for_more_than_the_bound_is_a_breach_of_contract() {
    let origin = shop(|option| option["amount"] = json!("1001"));
    let home = Home::with_key();
    let args = [origin.as_str(), "getWeather", "city=x"];
    let run = call(&home, &[&args[..], &PAY].concat());
    run.said(
        3,
        &[
            "contract breach: the seller asks for 0.001001 USDC, and its manifest promises at most 0.001 USD for getWeather",
            "it costs more than the manifest promises (contract_breach)",
            "do not pay it; tell the seller",
        ],
    );
    let report = call(&home, &[&args[..], &PAY, &["--json"]].concat()).json();
    assert_eq!(
        [
            &report["error"]["code"],
            &report["error"]["action"],
            &report["options"][0]["refusal"],
            &report["paid"]
        ],
        [
            &json!("contract_breach"),
            &json!("stop"),
            &json!("contract_breach"),
            &json!(false)
        ]
    );
    let look = call(&home, &[&args[..], &["--dry-run"]].concat());
    look.said(3, &["contract breach"]);
    assert!(home.payments().is_empty(), "nothing was signed");
}

#[test]
fn m08_payee_token_network_and_scheme_are_those_of_the_manifest() {
    let home = Home::with_key();
    let changes: [(&str, Value); 4] = [
        ("payTo", json!(BUYER)),
        ("asset", json!("0x808456652fdb597867f38412077A9182bf77359F")),
        ("network", json!("eip155:43113")),
        ("scheme", json!("upto")),
    ];
    for (member, value) in changes {
        let origin = shop(move |option| option[member] = value.clone());
        for more in [&PAY[..], &["--dry-run"]] {
            let run = call(
                &home,
                &[&[origin.as_str(), "getWeather", "city=x"], more].concat(),
            );
            run.said(3, &["the manifest does not name this payee, token and network together (not_in_manifest)"]);
        }
    }
    assert!(home.payments().is_empty(), "nothing was signed");
}

#[test]
fn m08_each_payee_is_for_its_own_network() {
    let other = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    let origin = web(move |path, here| {
        if path == WELL_KNOWN_PATH {
            let mut document = shop_manifest(here);
            document["assets"]["fuji"] = json!({
                "network": "eip155:43113", "address": "0x5425890298aed601595a70AB815c96711a31Bc65", "symbol": "USDC",
                "decimals": 6, "transfer": "eip3009", "usdPeg": "1",
            });
            document["rails"]["fuji"] = json!({
                "scheme": "exact", "asset": "fuji", "payTo": other, "maxTimeoutSeconds": 60,
            });
            document["endpoints"][0]["rails"] = json!(["base-exact", "fuji"]);
            return Some(ok(&document));
        }
        let payee = if path.ends_with("good") { PAYEE } else { other };
        let terms = json!({ "x402Version": 2, "resource": { "url": here }, "accepts": [{
            "scheme": "exact", "network": "eip155:84532", "amount": "1000", "maxTimeoutSeconds": 60,
            "asset": USDC, "payTo": payee, "extra": { "name": "USDC", "version": "2" },
        }] });
        let terms = encode(&terms).unwrap();
        let head = "HTTP/1.1 402 Payment Required\r\nconnection: close\r\ncontent-length: 0\r\n";
        Some(format!("{head}payment-required: {terms}\r\n\r\n"))
    });
    let home = Home::with_key();
    let args = [origin.as_str(), "getWeather", "city=bad"];
    call(&home, &[&args[..], &PAY].concat()).said(3, &["(not_in_manifest)"]);
    assert!(home.payments().is_empty(), "nothing was signed");
    let good = call(
        &home,
        &[
            &origin,
            "getWeather",
            "city=good",
            "--dry-run",
            "--max",
            "1 USD",
        ],
    );
    assert_eq!(good.code, 0, "{good:#?}");
}

#[test]
fn the_smaller_of_max_and_bound_is_the_ceiling() {
    let origin = shop(|_| {});
    let home = Home::with_key();
    let args = [
        origin.as_str(),
        "getWeather",
        "city=x",
        "--key-file",
        "buyer.key",
    ];
    call(&home, &[&args[..], &["--max", "0.0009 USD"]].concat()).said(
        3,
        &["the call costs 0.001 USDC, which is more than --max 0.0009 USD"],
    );
    call(&home, &[&args[..], &["--max", "5 EURC"]].concat()).said(
        3,
        &[
            "the call is not paid: --max is in another unit",
            "--max \"0.001 USD\"",
        ],
    );
    call(&home, &args).said(
        3,
        &[
            "getWeather costs 0.001 USD by its manifest",
            "nothing is paid without --max",
        ],
    );
    let look = [&args[..], &["--max", "0.001 USD", "--dry-run"]].concat();
    assert!(
        call(&home, &look)
            .out
            .contains("--max 0.001 USD: the call would be paid")
    );
    call(&home, &[&look[..], &["--network", "base"]].concat()).said(
        3,
        &[
            "--network allows none of the networks",
            "it names Base Sepolia (eip155:84532)",
        ],
    );
    call(&home, &[&look[..], &["--pay-to", BUYER]].concat())
        .said(3, &["does not name the address of --pay-to"]);
    let paid = call(
        &home,
        &[&look[..], &["--pay-to", PAYEE, "--network", "base-sepolia"]].concat(),
    );
    assert_eq!(paid.code, 0, "{paid:#?}");
}

#[test]
fn a_price_above_the_rule_and_within_the_bounds_is_told() {
    let origin = shop(|option| option["amount"] = json!("6000"));
    let home = Home::new();
    let args = [
        origin.as_str(),
        "summarize",
        "text=x",
        "--dry-run",
        "--max",
        "1 USD",
    ];
    let run = call(&home, &args);
    run.said(
        0,
        &["note: the seller asks for 0.006 USDC, more than the 0.005 USD that its own rule gives"],
    );
    assert!(
        run.out
            .contains("summarize costs 0.005 USD by its manifest, and never more than 0.12 USD"),
        "{run:#?}"
    );
}

#[test]
fn a_metered_call_is_quoted_with_its_estimate() {
    let origin = shop(|option| {
        option["scheme"] = json!("upto");
        option["amount"] = json!("338");
        option["extra"] = json!({
            "name": "USDC", "version": "2", "assetTransferMethod": "permit2",
            "facilitatorAddress": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        });
    });
    let args = [
        &origin,
        "complete",
        "prompt=Write a haiku about ledgers.",
        "maxOutputTokens=64",
        "--dry-run",
        "--json",
    ];
    let run = call(&Home::new(), &args);
    let report = run.json();
    let quote = &report["quote"];
    assert_eq!(
        (&quote["kind"], &quote["max"]),
        (&json!("up-to"), &json!("0.02")),
        "{report}"
    );
    let amount = quote["amount"].as_str().unwrap();
    assert!(amount.starts_with("0.0003"), "{report}");
    assert_eq!(report["options"][0]["chosen"], true, "{report}");
}

#[test]
fn m08_a_manifest_that_is_wrong_or_about_another_place_is_not_bought_by() {
    let home = Home::with_key();
    let buy = |origin: &str| {
        call(
            &home,
            &[&[origin, "getWeather", "city=x"], &PAY[..]].concat(),
        )
    };
    let elsewhere = web(|_, _| Some(ok(&example())));
    buy(&elsewhere).said(
        1,
        &[
            "the manifest is about https://api.example.com",
            "name that origin",
        ],
    );
    let changed = web(|_, here| {
        let mut document = signed(shop_manifest(here), KEYS[0]);
        document["rails"]["base-exact"]["payTo"] = json!(BUYER);
        Some(ok(&document))
    });
    buy(&changed).said(
        1,
        &[
            "the content hash that the manifest states",
            "do not pay by it",
        ],
    );
    let old = web(|path, here| {
        let mut document = shop_manifest(here);
        document["service"]["validUntil"] = json!("2026-11-21T00:00:00Z");
        Some(if path == WELL_KNOWN_PATH {
            ok(&document)
        } else {
            ok(&json!("free"))
        })
    });
    buy(&old).said(0, &["warning: the manifest is not valid at this time"]);
    let report = call(
        &home,
        &[&[old.as_str(), "getWeather", "city=x", "--json"], &PAY[..]].concat(),
    )
    .json();
    assert_eq!(report["quote"]["warnings"], json!(["manifest_expired"]));
    let hostile = web(|_, here| {
        let mut document = shop_manifest(here);
        let query = json!({ "properties": { "a\u{1b}[2J\u{202e}": { "type": "string" } } });
        document["endpoints"][0]["input"]["query"] = query;
        Some(ok(&document))
    });
    let run = call(&home, &[&hostile, "getWeather", "city=x", "b=c"]);
    run.said(2, &["takes no argument b"]);
    assert!(!run.err.contains(['\u{1b}', '\u{202e}']), "{run:#?}");
    assert!(home.payments().is_empty());
}
