//! Selections that follow from the same rules of the reference (protocol 8.5) and that the recording does not hold.

use super::*;

const OTHER: &str = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const NO_NETWORK: &str =
    "No network/scheme registered for x402 version: 2 which comply with the payment requirements.";
const NO_FLOW: &str = "No payment requirements with a recognized paymentFlow for x402 version: 2";
const NOT_DEFAULT: &str = "All payment requirements were rejected by spendControls: only default assets or entries in spendControls.allowedAssets are allowed.";
const OVER_DOLLARS: &str = "All payment requirements were rejected by spendControls.maxAmountPerPayment ($1, including USDC).";
const OVER_LISTED: &str =
    "All payment requirements were rejected by spendControls.allowedAssets maxAmountPerPayment.";

fn with(changes: &[(&str, Value)]) -> Value {
    let mut option = option();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        option.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    option
}

fn amount(amount: &str) -> Value {
    with(&[("/amount", json!(amount))])
}

fn flow(flow: &str) -> Value {
    with(&[("/extra/paymentFlow", json!(flow))])
}

fn unknown() -> Value {
    with(&[("/asset", json!(OTHER))])
}

fn run(name: &str, controls: Value, options: &[Value], expected: Value) {
    check(&Case {
        name: name.to_owned(),
        input: Input {
            payment_required: json!({"x402Version": 2, "resource": {"url": CALLED}, "accepts": options}),
            spend_controls: controls,
        },
        expected,
    });
}

fn pays(name: &str, controls: Value, options: &[Value], wanted: usize) {
    let expected = json!({"ok": true, "accepted": options[wanted], "resource": {"url": CALLED}});
    run(name, controls, options, expected);
}

fn refuses(name: &str, controls: Value, options: &[Value], error: &str) {
    run(
        name,
        controls,
        options,
        json!({"ok": false, "error": error}),
    );
}

#[test]
fn caps() {
    let usual = || json!("default");
    pays("exactly the cap", usual(), &[amount("1000000")], 0);
    refuses("a unit above", usual(), &[amount("1000001")], OVER_DOLLARS);
    pays(
        "the one that fits",
        usual(),
        &[amount("2000000"), amount("10000")],
        1,
    );
    let off = json!({"maxAmountPerPayment": false});
    pays("cap off", off.clone(), &[amount("2000000")], 0);
    refuses("cap off, token unknown", off, &[unknown()], NOT_DEFAULT);
    for cap in [
        json!("$0.005"),
        json!("0.005"),
        json!("0.005 USD"),
        json!(0.005),
    ] {
        refuses(
            "low cap",
            json!({"maxAmountPerPayment": cap}),
            &[option()],
            OVER_DOLLARS,
        );
    }
    pays(
        "number",
        json!({"maxAmountPerPayment": 5}),
        &[amount("2000000")],
        0,
    );
    let mega = |amount: &str| {
        with(&[
            ("/network", json!("eip155:4326")),
            (
                "/asset",
                json!("0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7"),
            ),
            ("/amount", json!(amount)),
            (
                "/extra",
                json!({"name": "MegaUSD", "version": "1", "assetTransferMethod": "permit2"}),
            ),
        ])
    };
    pays(
        "18 decimals below",
        usual(),
        &[mega("500000000000000000")],
        0,
    );
    refuses(
        "18 decimals above",
        usual(),
        &[mega("2000000000000000000")],
        OVER_DOLLARS,
    );
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn listed_tokens() {
    let listed = |network: &str, asset: &str, cap: Value| json!({"allowedAssets": [{"network": network, "asset": asset, "maxAmountPerPayment": cap}]});
    let dear = amount("2000000");
    let base = "eip155:84532";
    pays(
        "own cap above",
        listed(base, TOKEN, json!("2000000")),
        std::slice::from_ref(&dear),
        0,
    );
    refuses(
        "own cap below",
        listed(base, TOKEN, json!("1999999")),
        std::slice::from_ref(&dear),
        OVER_LISTED,
    );
    let other = listed(base, OTHER, json!("5000000"));
    refuses(
        "another token's cap",
        other.clone(),
        std::slice::from_ref(&dear),
        OVER_DOLLARS,
    );
    refuses(
        "no cap of its own",
        listed(base, TOKEN, Value::Null),
        &[dear],
        OVER_DOLLARS,
    );
    pays(
        "lower case",
        listed(base, &OTHER.to_lowercase(), Value::Null),
        &[unknown()],
        0,
    );
    pays(
        "pattern",
        listed("eip155:*", OTHER, json!("10000")),
        &[unknown()],
        0,
    );
    refuses(
        "other network",
        listed("eip155:8453", OTHER, Value::Null),
        &[unknown()],
        NOT_DEFAULT,
    );
    pays("default token beside", other, &[option()], 0);
    pays(
        "all allowed",
        json!({"allowedAssets": true}),
        &[unknown()],
        0,
    );
    refuses(
        "all allowed, cap stays",
        json!({"allowedAssets": true}),
        &[amount("2000000")],
        OVER_DOLLARS,
    );
    let mint = listed(
        "solana:*",
        "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU",
        json!("1"),
    );
    pays("a mint beside", mint, &[option()], 0);
}

#[test]
fn flows() {
    let usual = || json!("default");
    pays("upfront first", usual(), &[flow("upfront"), option()], 1);
    pays(
        "escrow first",
        usual(),
        &[flow("escrow"), flow("authorization")],
        1,
    );
    pays("upfront alone", usual(), &[flow("upfront")], 0);
    pays("unknown first", usual(), &[flow("layaway"), option()], 1);
    refuses(
        "unknown, then dear",
        usual(),
        &[flow("layaway"), amount("2000000")],
        OVER_DOLLARS,
    );
    refuses(
        "unknown only",
        usual(),
        &[flow("layaway"), flow("later")],
        NO_FLOW,
    );
}

#[test]
fn earlier_filters_are_not_named() {
    let usual = || json!("default");
    let solana = with(&[("/network", json!("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"))]);
    let scheme = with(&[("/scheme", json!("deferred"))]);
    let both = [solana.clone(), scheme];
    refuses("none supported", usual(), &both, NO_NETWORK);
    refuses(
        "supported and dear",
        usual(),
        &[solana.clone(), amount("2000000")],
        OVER_DOLLARS,
    );
    refuses(
        "supported and unknown",
        usual(),
        &[solana.clone(), unknown()],
        NOT_DEFAULT,
    );
    refuses(
        "unknown and dear",
        usual(),
        &[unknown(), amount("2000000")],
        OVER_DOLLARS,
    );
    refuses("nothing offered", usual(), &[], "some text of the library");
    let domainless = with(&[("/extra", json!({}))]);
    refuses(
        "found when signing",
        usual(),
        &[domainless, option()],
        SIGNING,
    );
    let facilitator = json!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    let upto = with(&[
        ("/scheme", json!("upto")),
        ("/extra/assetTransferMethod", json!("permit2")),
        ("/extra/facilitatorAddress", facilitator),
    ]);
    pays("registered upto", usual(), &[upto.clone(), option()], 0);
    let mut dear = upto;
    dear["amount"] = json!("2000000");
    refuses("a dear ceiling", usual(), &[dear], OVER_DOLLARS);
    let permit2 = with(&[("/extra/assetTransferMethod", json!("permit2"))]);
    pays("permit2 first", usual(), &[permit2, option()], 0);
    pays("registered solana", usual(), &[solana], 0);
    pays(
        "long validity",
        usual(),
        &[with(&[("/maxTimeoutSeconds", json!(3600))])],
        0,
    );
    pays("free of charge", usual(), &[amount("0")], 0);
}

#[test]
fn version_1_terms() {
    let entry = json!({
        "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000", "resource": CALLED,
        "description": "", "mimeType": "", "payTo": PAYEE, "asset": TOKEN, "maxTimeoutSeconds": 60,
        "extra": {"name": "USDC", "version": "2"},
    });
    check(&Case {
        name: "version 1".to_owned(),
        input: Input {
            payment_required: json!({"x402Version": 1, "error": "X-PAYMENT header is required", "accepts": [entry]}),
            spend_controls: json!("default"),
        },
        expected: json!({"ok": true, "accepted": entry}),
    });
}
