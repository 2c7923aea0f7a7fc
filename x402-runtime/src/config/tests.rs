use super::*;

fn vars(pairs: &[(&str, &str)]) -> Result<PaywallSettings, SettingsError> {
    PaywallSettings::from_vars(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

#[test]
fn all_mistakes_of_a_file_at_once() {
    let error = PaywallSettings::from_toml(
        "orgin = \"x\"\nprivate_key = \"0xabc\"\nrails = [\"bse:USDC\", 3]\npay_to = 5\n[limits]\nbody_cpa = 1\nanswer_cap = -1\n",
    )
    .unwrap_err();
    let text = error.to_string();
    for part in [
        "did you mean `origin`?",
        "settler_key_file",
        "bse:USDC",
        "a list of texts",
        "`pay_to` must be a text",
        "`limits.body_cpa`",
        "did you mean `body_cap`?",
        "limits.answer_cap",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("0xabc"), "a secret was repeated: {text}");
}

#[test]
fn broken_toml_names_the_line() {
    let error = PaywallSettings::from_toml("origin = \"a\"\npay_to = = 1\n").unwrap_err();
    assert!(
        matches!(error.mistakes(), [SettingMistake::Toml { line: 2, .. }]),
        "{error}"
    );
}

#[test]
fn environment_overrides_the_file() {
    let file = PaywallSettings::from_toml(
        "origin = \"https://a.example\"\nnetwork = \"base\"\n[limits]\nbody_cap = 7",
    )
    .unwrap();
    let env = vars(&[
        ("X402_ORIGIN", "https://b.example"),
        ("X402_RAILS", "base-sepolia:USDC, celo:USDT"),
        ("PATH", "/"),
    ])
    .unwrap();
    let both = file.overridden_by(env);
    assert_eq!(both.origin.as_deref(), Some("https://b.example"));
    assert_eq!(both.limits.body_cap, Some(7));
    let rails: Vec<String> = both.rails.iter().map(ToString::to_string).collect();
    assert_eq!(rails, ["base-sepolia:USDC", "celo:USDT"]);
}

#[test]
fn only_slips_of_variables_are_mistakes() {
    assert!(
        vars(&[
            ("X402_LISTEN", "x"),
            ("X402_FAILPOINT", "y"),
            ("X402_NETWORK", "")
        ])
        .is_ok()
    );
    let error = vars(&[("X402_PAYTO", "x"), ("X402_NETWORK", "bas")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("X402_PAY_TO") && error.contains("X402_NETWORK"),
        "{error}"
    );
}

#[test]
fn debug_hides_the_access_key_of_an_rpc_url() {
    let settings = vars(&[("X402_RPC_URL", "https://rpc.example/CANARY")]).unwrap();
    assert!(!format!("{settings:?}").contains("CANARY"));
}

#[test]
fn prices_of_coins_are_read_by_network() {
    let file = PaywallSettings::from_toml(
        "[native_prices]\nbase = \"3000 USD\"\n\"eip155:137\" = \"0.25 USD\"",
    )
    .unwrap();
    let env = vars(&[("X402_NATIVE_PRICES", "base=3000 USD, polygon = 0.25 USD")]).unwrap();
    assert_eq!(file.native_prices, env.native_prices);
    assert_eq!(file.native_prices.len(), 2);
    for wrong in ["3000 USD", "base=3000", "bas=3000 USD", "base=3000 EUR"] {
        let error = vars(&[("X402_NATIVE_PRICES", wrong)]).unwrap_err();
        assert!(error.to_string().contains("X402_NATIVE_PRICES"), "{error}");
    }
    for wrong in ["native_prices = 3", "[native_prices]\nbase = 3000"] {
        let error = PaywallSettings::from_toml(wrong).unwrap_err();
        assert!(error.to_string().contains("native_prices"), "{error}");
    }
}
