//! Calls that are answered: what goes out, what comes back, and what is said about the money.

use serde_json::{Value, json};

use crate::home::{Home, Run};
use crate::seller::Seller;
use crate::{BUYER, PAYEE};

const PAY: [&str; 4] = ["--key-file", "buyer.key", "--max", "0.05 USD"];

fn pay(home: &Home, args: &[&str]) -> Run {
    home.run(&[&["call"][..], args, &PAY].concat())
}

#[test]
fn a_paid_call_prints_the_body_and_a_receipt() {
    let seller = Seller::start();
    let home = Home::with_key();
    let run = pay(&home, &[&seller.url("/weather/zurich")]);
    run.said(
        0,
        &[&format!(
            "paid 0.01 USDC on Base Sepolia (eip155:84532) to {PAYEE}, transaction 0x"
        )],
    );
    let body: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(body["city"], "zurich");
    assert_eq!(seller.earned(), 10_000);
    assert!(
        home.payments().is_empty(),
        "an answered payment is not kept"
    );
    assert_eq!(home.mode(".local/state/x402/payments"), 0o700);
}

#[test]
fn json_is_one_object_with_everything_about_the_money() {
    let seller = Seller::start();
    let home = Home::with_key();
    let run = pay(&home, &[&seller.url("/weather/zurich"), "--json"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:#?}");
    let mut report = run.json();
    for (member, digits) in [("transaction", 64), ("nonce", 64)] {
        let text = report[member].take();
        assert_eq!(text.as_str().unwrap().len(), 2 + digits);
    }
    let expected = json!({
        "status": 200, "paid": true, "amount": "10000", "amount_text": "0.01 USDC",
        "charged_amount": "10000", "charged_text": "0.01 USDC",
        "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "symbol": "USDC", "decimals": 6,
        "network": "eip155:84532", "pay_to": PAYEE, "payer": BUYER, "transaction": null, "nonce": null,
        "settle": "settled", "headers": null, "body": {"city": "zurich", "celsius": 21}, "body_encoding": "json",
        "options": null, "resume": null, "error": null,
    });
    assert_eq!(report, expected);
}

#[test]
fn a_metered_call_says_what_it_cost_of_what_it_could_have() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/permit2/upto");
    let report = pay(&home, &[&url, "--json"]).json();
    let of = |member: &str| report[member].as_str().unwrap().to_owned();
    assert_eq!(
        (of("amount"), of("charged_amount")),
        ("50000".into(), "12345".into())
    );
    assert_eq!(
        (of("charged_text"), of("settle")),
        ("0.012345 USDC".into(), "settled".into())
    );
    assert_eq!(report["paid"], json!(true));
    let run = pay(&home, &[&url]);
    run.said(
        0,
        &["paid 0.012345 USDC of at most 0.05 USDC on Base Sepolia"],
    );
    let look = home.run(&["call", &url, "--dry-run", "--max", "0.05 USD"]);
    for part in [
        "at most 0.05 USDC on Base Sepolia",
        "price   at most 0.05 USDC",
    ] {
        assert!(look.out.contains(part), "{part:?} is missing: {look:#?}");
    }
    let dear = ["call", &url, "--key-file", "buyer.key", "--max", "0.01 USD"];
    home.run(&dear).said(
        3,
        &["the call costs at most 0.05 USDC, which is more than --max 0.01 USD"],
    );
}

#[test]
fn a_missing_approval_is_told_with_the_call_that_gives_it() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/permit2/exact");
    let report = pay(&home, &[&url, "--json"]).json();
    let error = &report["error"];
    assert_eq!(
        (&error["code"], &error["charged"]),
        (&json!("approval_required"), &json!(false))
    );
    assert_eq!(error["action"], "ask-human");
    let help = error["help"].as_str().unwrap();
    for part in [
        "approve(0x000000000022D473030F116dDEE9F6B43aC78BA3, 50000)",
        "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "Base Sepolia (eip155:84532)",
        BUYER,
    ] {
        assert!(help.contains(part), "{part:?} is missing: {help}");
    }
    // The payment is good once the approval is there, so it is kept.
    let kept = report["resume"].as_str().unwrap();
    assert_eq!(home.payments().len(), 1);
    home.run(&["call", "--resume", kept])
        .said(5, &["has to approve Permit2", "--resume"]);
    assert_eq!(home.payments().len(), 1);
}

#[test]
fn a_free_call_needs_neither_wallet_nor_max() {
    let seller = Seller::start();
    let home = Home::new();
    let run = home.run(&["call", &seller.url("/free")]);
    assert_eq!(
        (run.code, run.out.as_str(), run.err.as_str()),
        (0, "free", "")
    );
    let report = home.run(&["call", &seller.url("/free"), "--json"]).json();
    assert_eq!(
        (&report["paid"], &report["body"]),
        (&json!(false), &json!("free"))
    );
    assert_eq!(report["amount"], Value::Null);
}

#[test]
fn a_dry_run_shows_the_choice_and_signs_nothing() {
    let seller = Seller::start();
    let home = Home::new();
    let url = seller.url("/weather/zurich");
    let run = home.run(&["call", &url, "--dry-run", "--max", "0.01 USD"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:#?}");
    for part in [
        "0.01 USDC",
        "10000 atomic units of 0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "Base Sepolia (eip155:84532)",
        PAYEE,
        "option 1 of 1",
        "no wallet was found",
        "--max 0.01 USD: the call would be paid",
        "nothing was signed",
    ] {
        assert!(run.out.contains(part), "{part:?} is missing: {run:#?}");
    }
    let dear = home.run(&["call", &url, "--dry-run", "--max", "0.001 USD"]);
    assert!(dear.out.contains("the call would not be paid"), "{dear:#?}");
    dear.said(3, &["the call costs 0.01 USDC"]);
    let key = crate::KEYS[0];
    home.write("buyer.key", key, 0o600);
    let report = home
        .run(&[
            "call",
            &url,
            "--dry-run",
            "--json",
            "--key-file",
            "buyer.key",
            "--max",
            "1 USD",
        ])
        .json();
    assert_eq!(
        (
            &report["status"],
            &report["paid"],
            &report["amount"],
            &report["payer"]
        ),
        (&json!(402), &json!(false), &json!("10000"), &json!(BUYER))
    );
    let option = &report["options"][0];
    assert_eq!(
        (&option["chosen"], &option["refusal"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!((report["error"].clone(), seller.earned()), (Value::Null, 0));
    assert_eq!(seller.paid_answers(), 0);
}

#[test]
fn bodies_and_headers_go_out_as_curl_sends_them() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/echo");
    let text = pay(&home, &[&url, "-d", "hello", "-H", "X-Trace: 7", "--json"]).json();
    assert_eq!(
        text["body"],
        json!({"body": "hello", "type": null, "trace": "7"})
    );
    home.write("body.json", "{\"a\": 1}", 0o644);
    let file = pay(
        &home,
        &["POST", &url, "--data-json", "@body.json", "--json"],
    )
    .json();
    assert_eq!(file["body"]["body"], "{\"a\": 1}");
    assert_eq!(file["body"]["type"], "application/json");
    let args = [
        &["call", "-X", "post", &url, "-d", "@-", "--json"][..],
        &PAY,
    ]
    .concat();
    assert_eq!(home.run_fed(&args, "piped").json()["body"]["body"], "piped");
    pay(&home, &[&url, "--data-json", "{a: 1}"]).said(2, &["not JSON (line 1, column 2)"]);
    pay(&home, &[&url, "-H", "nonsense"]).said(2, &["NAME: VALUE"]);
    pay(&home, &[&url, "-d", "@nothing"]).said(2, &["cannot be read from nothing"]);
    assert_eq!(seller.earned(), 60_000);
}

#[test]
fn answers_are_shown_or_written_as_asked() {
    let seller = Seller::start();
    let home = Home::with_key();
    let shown = pay(&home, &["-i", &seller.url("/weather/oslo")]);
    assert!(shown.out.starts_with("HTTP 200 OK\n"), "{shown:#?}");
    assert!(
        shown.out.contains("content-type: application/json\n"),
        "{shown:#?}"
    );
    let written = pay(&home, &[&seller.url("/bytes"), "-o", "answer.bin"]);
    assert_eq!(
        (written.code, written.out.as_str()),
        (0, ""),
        "{written:#?}"
    );
    assert_eq!(
        std::fs::read(home.path("answer.bin")).unwrap(),
        [0xff, 0x00]
    );
    let report = pay(&home, &[&seller.url("/bytes"), "--json"]).json();
    assert_eq!(
        (&report["body"], &report["body_encoding"]),
        (&json!("/wA="), &json!("base64"))
    );
    let earned = seller.earned();
    pay(&home, &[&seller.url("/bytes"), "-o", "no/such/folder/x"]).said(2, &["cannot be written"]);
    assert_eq!(seller.earned(), earned, "found out before it was paid");
}

#[test]
fn an_error_of_the_handler_is_told_apart_from_a_refusal() {
    let seller = Seller::start();
    let home = Home::with_key();
    let run = pay(&home, &[&seller.url("/missing")]);
    run.said(
        4,
        &[
            "the seller answered 404 Not Found",
            "did not report a settlement",
        ],
    );
    assert_eq!((run.out.as_str(), seller.earned()), ("no such thing", 0));
    let report = home
        .run(&["call", &seller.url("/nowhere"), "--json"])
        .json();
    assert_eq!(
        (&report["status"], &report["error"]["code"]),
        (&json!(404), &json!("http_status"))
    );
}

#[test]
fn only_the_pinned_payee_is_paid() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/weather/zurich");
    pay(&home, &[&url, "--pay-to", BUYER]).said(3, &["--pay-to"]);
    pay(&home, &[&url, "--pay-to", "somebody"]).said(2, &["--pay-to is not an address"]);
    assert_eq!(pay(&home, &[&url, "--pay-to", PAYEE]).code, 0);
    assert_eq!(seller.earned(), 10_000);
}

#[test]
fn the_same_idempotency_key_is_charged_once() {
    let seller = Seller::start();
    let home = Home::with_key();
    let args = [
        &seller.url("/weather/zurich")[..],
        "--idempotency-key",
        "order-17",
    ];
    assert_eq!(pay(&home, &args).code, 0);
    // Another process signs the same nonce again: the seller knows the payment or the token refuses it.
    pay(&home, &args);
    assert_eq!(seller.earned(), 10_000);
}

#[test]
fn usage_errors_in_json_mode_are_json_too() {
    let home = Home::new();
    let run = home.run(&["call", "https://a.example/", "--max", "1 USD", "--json"]);
    assert_eq!((run.code, run.err.as_str()), (2, ""), "{run:#?}");
    let report = run.json();
    assert_eq!(report["error"]["code"], "wallet_missing");
    assert_eq!(report["error"]["charged"], false);
    assert_eq!(report["error"]["action"], "fix-request");
    assert_eq!(
        (&report["status"], &report["paid"]),
        (&Value::Null, &json!(false))
    );
}
