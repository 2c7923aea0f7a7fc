//! Wallets: made, imported, looked at.

use serde_json::{Value, json};

use crate::home::Home;
use crate::seller::Seller;
use crate::{BUYER, KEYS};

fn home() -> Home {
    let home = Home::new();
    home.write("password", "a long password\n", 0o600);
    home
}

const WITH: [&str; 2] = ["--password-file", "password"];

#[test]
fn k07_a_new_wallet_is_private_encrypted_and_never_overwritten() {
    let home = home();
    let made = home.run(&[&["wallet", "new"][..], &WITH].concat());
    made.said(0, &["wallet.json made"]);
    let address = made.out.trim().to_owned();
    assert_eq!(home.mode(".config/x402"), 0o700);
    assert_eq!(home.mode(".config/x402/wallet.json"), 0o600);
    let text = std::fs::read_to_string(home.path(".config/x402/wallet.json")).unwrap();
    let keystore: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&keystore["version"], &keystore["crypto"]["kdf"]),
        (&json!(3), &json!("scrypt"))
    );

    let shown = home.run(&["wallet", "address"]);
    assert_eq!(
        (shown.code, shown.out.trim()),
        (0, address.as_str()),
        "no password is needed"
    );
    assert_eq!(
        home.run(&["wallet", "address", "--json"]).json(),
        json!({"address": address})
    );

    let json = home.run(&[&["wallet", "new", "--json"][..], &WITH].concat());
    assert_eq!(
        (json.code, &json.json()["error"]["code"]),
        (2, &json!("wallet_exists"))
    );
    let again = home.run(&[&["wallet", "new"][..], &WITH].concat());
    again.said(2, &["exists already and is not overwritten"]);
    assert_eq!(
        std::fs::read_to_string(home.path(".config/x402/wallet.json")).unwrap(),
        text
    );
    assert_eq!(
        home.files().len(),
        2,
        "no temporary file stays: {:?}",
        home.files()
    );
}

#[test]
fn k07_an_empty_password_makes_no_wallet() {
    let home = Home::new();
    home.write("empty", "\nsecond line\n", 0o600);
    home.run(&["wallet", "new", "--password-file", "empty"])
        .said(2, &["the password is empty"]);
    home.run(&["wallet", "new"])
        .said(2, &["no terminal to ask", "--password-file"]);
    assert_eq!(home.files().len(), 1);
}

#[test]
fn k06_importing_a_public_key_works_and_warns() {
    let home = home();
    home.write("buyer.key", KEYS[0], 0o600);
    let file = home.run(
        &[
            &["wallet", "import", "buyer.key", "--out", "a.json"][..],
            &WITH,
        ]
        .concat(),
    );
    file.said(
        0,
        &[
            "warning: this is a public development key",
            "refuses to pay",
        ],
    );
    assert_eq!(file.out.trim(), BUYER);
    let args = [
        &["wallet", "import", "--out", "b.json", "--json"][..],
        &WITH,
    ]
    .concat();
    let piped = home.run_fed(&args, &format!("{}\n", KEYS[0]));
    assert_eq!(
        piped.json(),
        json!({"address": BUYER, "keystore": "b.json", "development": true})
    );
    home.run_fed(
        &[&["wallet", "import", "-", "--out", "c.json"][..], &WITH].concat(),
        "not a key",
    )
    .said(2, &["not a private key", "64 hex digits"]);
    assert!(!home.path("c.json").exists());
}

#[test]
fn an_imported_wallet_pays() {
    let seller = Seller::start();
    let home = home();
    home.run_fed(&[&["wallet", "import"][..], &WITH].concat(), KEYS[0])
        .said(0, &[]);
    let url = seller.url("/weather/zurich");
    home.run(&[&["call", &url, "--max", "0.01 USDC"][..], &WITH].concat())
        .said(0, &["paid 0.01 USDC"]);
    let named = [
        ("X402_KEYSTORE", ".config/x402/wallet.json"),
        ("X402_MAX", "0.01 USD"),
        ("X402_PASSWORD_FILE", "password"),
    ];
    home.run_with(&["call", &url], &named)
        .said(0, &["paid 0.01 USDC"]);
    let both = [
        ("X402_KEYSTORE", "a"),
        ("X402_KEY_FILE", "b"),
        ("X402_MAX", "1 USD"),
    ];
    home.run_with(&["call", &url], &both).said(2, &["both set"]);
    assert_eq!(seller.earned(), 20_000);
}

#[test]
fn a_keystore_that_names_another_address_is_not_used() {
    let home = home();
    home.run_fed(
        &[&["wallet", "import", "--out", "a.json"][..], &WITH].concat(),
        KEYS[0],
    )
    .said(0, &[]);
    let text = std::fs::read_to_string(home.path("a.json")).unwrap();
    let own = BUYER.trim_start_matches("0x").to_lowercase();
    assert!(text.contains(&own));
    home.write("b.json", &text.replace(&own, &"1".repeat(40)), 0o600);
    let args = [
        "call",
        "http://127.0.0.1:1/",
        "--max",
        "1 USD",
        "--keystore",
        "b.json",
    ];
    home.run(&[&args[..], &WITH].concat())
        .said(2, &["another address"]);
}

#[test]
fn balances_are_exact_and_need_an_endpoint() {
    let seller = Seller::start();
    let home = Home::with_key();
    let rpc = seller.url("/rpc");
    home.run(&["wallet", "balance", "--address", BUYER])
        .said(2, &["no JSON-RPC endpoint", "X402_RPC_URL"]);
    let pay = ["--key-file", "buyer.key", "--max", "0.01 USD"];
    assert_eq!(
        home.run(&[&["call", &seller.url("/weather/zurich")][..], &pay].concat())
            .code,
        0
    );
    let run = home.run(&[
        "wallet",
        "balance",
        "--rpc-url",
        &rpc,
        "--key-file",
        "buyer.key",
        "--json",
    ]);
    let report = run.json();
    assert_eq!(
        (&report["address"], &report["network"]),
        (&json!(BUYER), &json!("eip155:84532"))
    );
    let usdc = json!({"symbol": "USDC", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "amount": "999990000",
        "decimals": 6, "amount_text": "999.99 USDC"});
    assert_eq!(report["balances"][0], usdc);
    let people = home.run_with(
        &["wallet", "balance", "--address", BUYER],
        &[("X402_RPC_URL", &rpc)],
    );
    assert_eq!(
        (people.code, people.out.lines().next()),
        (0, Some("999.99 USDC")),
        "{people:#?}"
    );
    let args = [
        "wallet",
        "balance",
        "--address",
        BUYER,
        "--rpc-url",
        &rpc,
        "--network",
        "base",
    ];
    home.run(&args)
        .said(1, &["the endpoint serves Base Sepolia"]);
    let args = [
        "wallet",
        "balance",
        "--address",
        BUYER,
        "--rpc-url",
        "http://127.0.0.1:1/",
    ];
    home.run(&args).said(1, &["cannot be reached"]);
}
