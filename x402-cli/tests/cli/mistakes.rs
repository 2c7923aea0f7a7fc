//! The mistakes of a first hour: each is told in words, with what to do about it.

use crate::home::Home;
use crate::seller::Seller;
use crate::{BUYER, KEYS};

#[test]
fn no_wallet_yet() {
    let seller = Seller::start();
    let home = Home::new();
    home.run(&["call", &seller.url("/weather/zurich"), "--max", "0.01 USD"])
        .said(
            2,
            &["there is no wallet yet", "x402 wallet new", "--key-file"],
        );
    home.run(&["wallet", "address"])
        .said(2, &["there is no wallet yet", "x402 wallet new"]);
}

#[test]
fn k02_a_key_that_others_can_read() {
    let home = Home::new();
    let key = home.write("my.key", KEYS[0], 0o644);
    let url = "http://127.0.0.1:1/";
    home.run(&["call", url, "--max", "0.01 USD", "--key-file", &key])
        .said(
            2,
            &["can be read by others", "0644", &format!("chmod 600 {key}")],
        );
    home.run(&["wallet", "import", &key])
        .said(2, &["can be read by others", "chmod 600"]);
    let password = home.write("password", "a long password", 0o640);
    home.run(&["wallet", "new", "--password-file", &password])
        .said(2, &["can be read by others", "chmod 600"]);
}

#[test]
fn a_wrong_password_and_no_password() {
    let home = Home::new();
    let right = home.write("right", "a long password\n", 0o600);
    let wrong = home.write("wrong", "another password\n", 0o600);
    assert_eq!(
        home.run(&["wallet", "new", "--password-file", &right]).code,
        0
    );
    let call = ["call", "http://127.0.0.1:1/", "--max", "0.01 USD"];
    let with = |file: &str| home.run(&[&call[..], &["--password-file", file]].concat());
    with(&wrong).said(2, &["does not open with this password"]);
    home.run(&call).said(
        2,
        &[
            "a password is needed",
            "--password-file",
            "X402_PASSWORD_FILE",
        ],
    );
    with(&home.write("empty", "\n", 0o600)).said(2, &["the password is empty"]);
}

#[test]
fn max_missing_shows_the_terms_and_pays_nothing() {
    let seller = Seller::start();
    let home = Home::with_key();
    let run = home.run(&[
        "call",
        &seller.url("/weather/zurich"),
        "--key-file",
        "buyer.key",
    ]);
    run.said(
        3,
        &[
            "the seller asks for payment:",
            "0.01 USDC on Base Sepolia (eip155:84532) to 0x7099",
            "nothing is paid without --max",
            "--max \"0.01 USD\"",
        ],
    );
    assert_eq!((run.out.as_str(), seller.earned()), ("", 0));
}

#[test]
fn max_too_low_says_the_price() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/weather/zurich");
    let call = |max: &str| home.run(&["call", &url, "--key-file", "buyer.key", "--max", max]);
    call("0.005 USD").said(
        3,
        &[
            "the call costs 0.01 USDC, which is more than --max 0.005 USD",
            "--max \"0.01 USD\"",
        ],
    );
    call("0.005 USDC").said(3, &["--max \"0.01 USDC\""]);
    call("5 EURC").said(3, &["--max is in another unit"]);
    assert_eq!(seller.earned(), 0);
}

#[test]
fn max_in_a_wrong_form_says_the_right_one() {
    let home = Home::with_key();
    let call = |max: &str| {
        home.run(&[
            "call",
            "http://127.0.0.1:1/",
            "--key-file",
            "buyer.key",
            "--max",
            max,
        ])
    };
    call("$0.05").said(2, &["\"0.05 USD\""]);
    call("0.05").said(2, &["the unit is missing", "0.05 USD"]);
    call("0,05 USD").said(2, &["the decimal mark is a dot"]);
    call("0 USD").said(2, &["leave --max out to see the price"]);
    let variable = home.run_with(&["call", "http://127.0.0.1:1/"], &[("X402_MAX", "$1")]);
    variable.said(2, &["\"1 USD\""]);
}

#[test]
fn an_empty_balance_says_which_address_to_fund_with_what() {
    let seller = Seller::start();
    let home = Home::new();
    home.write("password", "a long password\n", 0o600);
    let file = [("X402_PASSWORD_FILE", "password")];
    let made = home.run_with(&["wallet", "new"], &file);
    let address = made.out.trim();
    let run = home.run_with(
        &["call", &seller.url("/weather/zurich"), "--max", "0.01 USD"],
        &file,
    );
    let fund =
        format!("send at least 0.01 USDC on Base Sepolia (eip155:84532) to your address {address}");
    let token = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    run.said(5, &["insufficient_balance", &fund, token]);
    assert!(
        home.payments().is_empty(),
        "nothing was charged, nothing is kept"
    );
}

#[test]
fn plain_http_to_another_machine() {
    let home = Home::with_key();
    home.run(&["call", "http://api.example.com/weather"]).said(
        2,
        &[
            "http://api.example.com is not encrypted",
            "https://",
            "--allow-http",
        ],
    );
}

#[test]
fn a_url_without_a_scheme() {
    let home = Home::new();
    home.run(&["call", "api.example.com/weather/zurich"]).said(
        2,
        &[
            "it has no scheme",
            "write https://api.example.com/weather/zurich",
        ],
    );
    home.run(&["call", "localhost:4021/x"])
        .said(2, &["write http://localhost:4021/x"]);
    home.run(&["call", "https://api.example.com/x", "POST"])
        .said(2, &["is not an HTTP method", "before the URL"]);
    home.run(&["call"]).said(2, &["Usage"]);
}

#[test]
fn the_wrong_network() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/weather/zurich");
    let call = |network: &str| {
        let key = ["--key-file", "buyer.key", "--max", "0.01 USD"];
        home.run(&[&["call", &url, "--network", network][..], &key].concat())
    };
    for network in ["base", "main", "eip155:1"] {
        call(network).said(
            3,
            &[
                "--network does not allow its network",
                "Base Sepolia (eip155:84532)",
            ],
        );
    }
    call("base-seplia").said(2, &["base-sepolia"]);
    assert_eq!(seller.earned(), 0);
    assert_eq!(call("test").code, 0);
    assert_eq!(call("base-sepolia").code, 0);
}

#[test]
fn a_server_that_is_not_there() {
    let home = Home::new();
    home.run(&["call", "http://127.0.0.1:1/weather"])
        .said(1, &["the seller was not reached", "is the server running?"]);
}

#[test]
fn k01_a_key_on_the_command_line_is_refused_and_not_repeated() {
    let home = Home::new();
    let key = KEYS[3];
    let bare = key.trim_start_matches("0x");
    let url = "https://api.example.com/";
    for args in [
        vec!["call", url, "--key", key],
        vec!["call", url, "--private-key", bare],
        vec!["call", url, "--key"],
        vec!["call", url, "--key-file", key],
        vec!["call", url, "--keystore", bare],
        vec!["call", url, "--password-file", bare],
        vec!["call", key],
        vec!["call", key, url],
        vec!["call", url, "--no-such-option", key],
        vec!["call", url, "--timeout", key],
        vec!["wallet", "import", key],
        vec!["wallet", "import", "--key", key],
        vec!["wallet", "new", key],
        vec!["wallet", "new", "--out", bare],
        vec!["wallet", "address", "--key-file", key],
        vec!["wallet", "balance", "--rpc-url", url, "--address", key],
        vec![key],
    ] {
        let run = home.run(&args);
        run.said(
            2,
            &[
                "not taken from the command line",
                "x402 wallet import",
                "move it",
            ],
        );
        assert!(
            !format!("{run:?}").to_lowercase().contains(bare),
            "{run:#?}"
        );
    }
    let phrase = "test test test test test test test test test test test junk";
    let run = home.run(&["wallet", "import", phrase]);
    run.said(2, &["not taken from the command line"]);
    assert!(!run.err.contains("junk"));
    home.run(&["wallet", "new", "--password", "hunter2"])
        .said(2, &["passwords are not taken", "--password-file"]);
}

#[test]
fn k06_a_public_key_does_not_pay_where_money_is_real() {
    let seller = Seller::start();
    let home = Home::with_key();
    let call = [
        "call",
        &seller.url("/main"),
        "--max",
        "0.01 USD",
        "--key-file",
        "buyer.key",
    ];
    home.run(&call)
        .said(3, &["public development key", "x402 wallet new"]);
    let json = home.run(&[&call[..], &["--json"]].concat()).json();
    assert_eq!(json["error"]["code"], "public_key_on_main_network");
    assert_eq!(json["paid"], false);
    assert_eq!(json["payer"], BUYER);
}
