//! The marketplace example as its operator starts it: by environment, on a real chain.

use std::path::Path;

use alloy_primitives::{Address, address};
use serde_json::{Value, json};
use x402_client::{Budget, Client, Opened, Wallet};
use x402_model::asset::checksum;
use x402_tests::accounts::{self, PAYEE, PAYER, SETTLER};
use x402_tests::marketplace::{key_file, start};
use x402_tests::permit2::Rails as _;
use x402_tests::token::USDC;
use x402_tests::world::World;

/// Where the second dollar stands on the test chain.
const SECOND: Address = address!("0x00000000000000000000000000000000000074e5");

fn agent() -> Client {
    let wallet = Wallet::from_local_key(accounts::signer(PAYER));
    let budget = Budget::new("2.00 USD", "0.60 USD").unwrap();
    Client::new(wallet, budget)
}

async fn offers(url: &str) -> Vec<String> {
    use x402_model::wire::{Offered, PaymentRequired, headers};
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 402);
    let header = answer.headers()[headers::PAYMENT_REQUIRED].as_bytes();
    let terms: PaymentRequired = headers::decode(header, headers::DEFAULT_CAP).unwrap();
    terms
        .accepts
        .iter()
        .map(|offer| Offered::view(offer).unwrap().asset.clone())
        .collect()
}

/// The marketplace on a real chain with two dollars, its ledger in a file.
async fn on_anvil(world: &World, folder: &Path) -> String {
    world.as_anvil().place_token("TestUsd", SECOND).await;
    start(vec![
        ("X402_LISTEN", "127.0.0.1:0".to_owned()),
        ("X402_PAY_TO", accounts::text(PAYEE)),
        ("X402_NETWORK", "base-sepolia".to_owned()),
        ("X402_RPC_URL", world.as_anvil().url().to_owned()),
        (
            "X402_SETTLER_KEY_FILE",
            key_file(folder, SETTLER).to_str().unwrap().to_owned(),
        ),
        (
            "X402_SECOND_ASSET",
            format!("TUSD:{}:6:USDC:2", checksum(SECOND)),
        ),
        (
            "X402_LEDGER",
            folder.join("payments.sqlite").to_str().unwrap().to_owned(),
        ),
    ])
    .await
}

#[tokio::test]
async fn the_marketplace_sells_each_route_once_at_its_price_on_anvil() {
    let world = World::anvil().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = on_anvil(&world, folder.path()).await;
    let books = world.books().await;
    let client = agent();

    let weather = client
        .get(&format!("{origin}/weather/oslo"))
        .send()
        .await
        .unwrap();
    assert_eq!(weather.receipt().expect("paid").amount_text(), "0.01 USDC");
    let text = json!({"text": "Agents pay. Sellers earn. Agents keep receipts.", "sentences": 1});
    let summary = client
        .post(&format!("{origin}/summarize"))
        .json(&text)
        .send()
        .await
        .unwrap();
    assert_eq!(summary.json::<Value>().unwrap()["sentences_read"], 3);
    assert_eq!(
        offers(&format!("{origin}/report")).await,
        [checksum(USDC), checksum(SECOND)]
    );
    let report = client
        .get(&format!("{origin}/report"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        report.json::<Value>().unwrap(),
        json!({"readings": 1, "summaries": 1})
    );
    books.moved(&world, 10_000 + 500_000 + 50_000, 3).await;

    let refused = client
        .post(&format!("{origin}/summarize"))
        .json(&json!({"text": " "}))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 422);
    let health = client
        .get(&format!("{origin}/health"))
        .send()
        .await
        .unwrap();
    assert!(health.receipt().is_none(), "health is free");
    books.moved(&world, 560_000, 3).await;
}

#[tokio::test]
async fn the_marketplace_prices_by_the_request_and_by_demand_and_gives_samples_away() {
    let world = World::anvil().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = on_anvil(&world, folder.path()).await;
    let books = world.books().await;
    let client = agent();
    // By quality and length.
    for (quality, length, price) in [("fast", 20, "0.05 USDC"), ("fast", 5_000, "0.1 USDC")] {
        let text = json!({"text": "x".repeat(length) + ".", "quality": quality});
        let summary = client.post(&format!("{origin}/summarize")).json(&text);
        let answer = summary.send().await.unwrap();
        assert_eq!(answer.receipt().expect("paid").amount_text(), price);
    }
    // By demand.
    for price in ["0.01 USDC", "0.011 USDC"] {
        let answer = client.get(&format!("{origin}/quote")).send().await.unwrap();
        assert_eq!(answer.receipt().expect("paid").amount_text(), price);
    }
    books.moved(&world, 150_000 + 21_000, 4).await;
    // Free three times for whoever signs in, paid after that.
    for paid in [false, false, false, true] {
        let sample = client.get(&format!("{origin}/sample")).sign_in();
        let answer = sample.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.receipt().is_some(), paid);
    }
    books.moved(&world, 181_000, 5).await;
}

#[tokio::test]
async fn the_marketplace_sells_completions_by_the_word_whole_and_streamed() {
    let world = World::anvil().await;
    world.as_anvil().place_permit2().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = on_anvil(&world, folder.path()).await;
    world.as_anvil().allow_permit2(USDC, 1_000_000).await;
    let books = world.books().await;
    let client = agent();
    let call = |route: &str| {
        let prompt = json!({"prompt": "agents pay sellers", "max_words": 20});
        client.post(&format!("{origin}{route}")).json(&prompt)
    };
    let buy = |route: &str| call(route).send();

    // 0.0005, three words read at 0.00001 and twenty written at 0.0001.
    let answer = buy("/complete").await.unwrap();
    let completion = answer.json::<Value>().unwrap();
    assert_eq!(completion["usage"], json!({"input": 3, "output": 20}));
    let receipt = answer.receipt().expect("paid");
    assert_eq!(receipt.charged_text().as_deref(), Some("0.00253 USDC"));
    // Signed for what the request could cost at most: eighteen characters and twenty words.
    assert_eq!(receipt.amount_text(), "0.00268 USDC");
    books.moved(&world, 2_530, 1).await;

    let answer = buy("/complete/stream").await.unwrap();
    let words = answer.text().unwrap().matches("data: ").count();
    assert_eq!(words, 20, "{:?}", answer.text());
    let receipt = answer.receipt().expect("paid");
    assert!(receipt.is_settled());
    assert_eq!(receipt.charged_text().as_deref(), Some("0.00253 USDC"));
    books.moved(&world, 5_060, 2).await;

    // The same stream as it comes: what it cost is known at its end.
    let Opened::Stream(mut answer) = call("/complete/stream").open().await.unwrap() else {
        panic!("a stream")
    };
    assert!(!answer.receipt().expect("paid").is_settled());
    let mut text = Vec::new();
    while let Some(part) = answer.part().await {
        text.extend_from_slice(&part.unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches("data: ").count(), 20, "{text}");
    let receipt = answer.receipt().expect("paid");
    assert!(receipt.is_settled());
    assert_eq!(receipt.charged_text().as_deref(), Some("0.00253 USDC"));
    books.moved(&world, 7_590, 3).await;

    // What was not charged can be spent on something else.
    assert_eq!(client.budget().spent(), "0.00759");
}

#[tokio::test]
async fn the_marketplace_sells_credit_for_completions_and_takes_it() {
    let world = World::anvil().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = on_anvil(&world, folder.path()).await;
    let books = world.books().await;
    let wallet = Wallet::from_local_key(accounts::signer(PAYER));
    let client = Client::new(wallet, Budget::new("2.00 USD", "1.00 USD").unwrap());
    let url = format!("{origin}/complete");
    let bought = client.credits();
    let desk = format!("{origin}/x402/credits");
    let bought = bought.buy(&desk, Some("prepaid-1-usdc")).await.unwrap();
    assert_eq!(bought.balance, "1.1");
    books.moved(&world, 1_000_000, 1).await;
    for left in ["1.09747", "1.09494"] {
        let prompt = json!({"prompt": "agents pay sellers", "max_words": 20});
        let answer = client.post(&url).json(&prompt).send().await.unwrap();
        assert_eq!(answer.json::<Value>().unwrap()["usage"]["output"], 20);
        assert!(answer.receipt().is_none(), "nothing more was signed for");
        let told = answer.headers()["x402-credit"].to_str().unwrap();
        let told: Value = serde_json::from_str(told).unwrap();
        assert_eq!(told["left"], left, "{told}");
    }
    books.moved(&world, 1_000_000, 1).await;
    assert_eq!(client.budget().spent(), "1");
}

#[tokio::test]
async fn the_marketplace_publishes_a_manifest_that_says_what_it_sells() {
    use x402_model::manifest::{Document, WELL_KNOWN_PATH};
    let world = World::anvil().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = on_anvil(&world, folder.path()).await;
    let answer = reqwest::get(format!("{origin}{WELL_KNOWN_PATH}"))
        .await
        .unwrap();
    let document = Document::read(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(document.states_its_hash(), Some(true));
    let manifest = document.manifest();
    let ids: Vec<_> = manifest
        .endpoints
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "complete",
            "completeStreamed",
            "weather",
            "summarize",
            "report",
            "quote",
            "sample"
        ]
    );
    let body = manifest.endpoints[3].input.body.as_ref().unwrap();
    assert_eq!(
        body.schema,
        Some(json!({"$ref": "#/schemas/SummaryRequest"}))
    );
    assert_eq!(manifest.plans[0].id, "prepaid-1-usdc");
    assert_eq!(manifest.plans[0].endpoints, ["complete"]);
}

/// A call of the program, and the object that it prints.
async fn program(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_x402_program"))
        .args(["call", "--json"])
        .args(arguments)
        .env("XDG_STATE_HOME", folder)
        .env_remove("X402_MAX")
        .output()
        .await
        .unwrap();
    let said = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), said)
}

#[tokio::test]
async fn the_program_signs_in_for_free_samples_and_pays_when_they_are_gone() {
    let world = World::anvil().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = on_anvil(&world, folder.path()).await;
    let books = world.books().await;
    let key = key_file(folder.path(), PAYER);
    let sample = format!("{origin}/sample");
    let wallet = [
        "--key-file",
        key.to_str().unwrap(),
        "--sign-in",
        sample.as_str(),
    ];
    for paid in [false, false, false, true] {
        let call = [&["--max", "0.05 USD"], wallet.as_slice()].concat();
        let (code, said) = program(folder.path(), &call).await;
        assert_eq!((code, &said["paid"]), (0, &json!(paid)), "{said}");
    }
    books.moved(&world, 10_000, 1).await;
    let (code, said) = program(folder.path(), &wallet).await;
    assert_eq!(
        (code, &said["error"]["code"]),
        (2, &json!("sign_in_without_max")),
        "{said}"
    );
}

#[tokio::test]
async fn the_program_signs_the_permit_that_the_seller_sponsors_if_it_has_a_node() {
    let world = World::anvil().await;
    world.as_anvil().place_permit2().await;
    let folder = tempfile::tempdir().unwrap();
    let origin = on_anvil(&world, folder.path()).await;
    let books = world.books().await;
    let key = key_file(folder.path(), PAYER);
    let node = format!("base-sepolia={}", world.as_anvil().url());
    let url = format!("{origin}/complete");
    let prompt = r#"{"prompt": "agents pay sellers", "max_words": 20}"#;
    let call = [
        "--key-file",
        key.to_str().unwrap(),
        "--max",
        "0.05 USD",
        "--data-json",
        prompt,
        url.as_str(),
    ];
    let (code, said) = program(
        folder.path(),
        &[&["--rpc", node.as_str()], call.as_slice()].concat(),
    )
    .await;
    assert_eq!((code, &said["paid"]), (0, &json!(true)), "{said}");
    books.moved(&world, 2_530, 1).await;
    let (code, said) = program(
        folder.path(),
        &[&["--rpc", "nowhere"], call.as_slice()].concat(),
    )
    .await;
    assert_eq!(
        (code, &said["error"]["code"]),
        (2, &json!("invalid_rpc")),
        "{said}"
    );
}
