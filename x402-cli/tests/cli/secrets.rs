//! Canaries: whatever the program does, neither key nor password appears in what it prints or writes (T9, K1).

use alloy_primitives::{U256, hex};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::KEYS;
use crate::home::{Home, Run};
use crate::seller::{Line, Seller};

const PASSWORD: &str = "canary-password-of-this-test";

/// Every form in which the two secrets could be read.
fn forms() -> Vec<String> {
    let hex = KEYS[3].trim_start_matches("0x");
    let bytes = hex::decode(hex).unwrap();
    let mut forms = vec![
        hex.to_owned(),
        U256::from_be_slice(&bytes).to_string(),
        bytes
            .iter()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        bytes
            .iter()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join(","),
        PASSWORD.to_owned(),
        hex::encode(PASSWORD),
    ];
    // Encoded at any offset, a secret of this length leaves its middle unchanged.
    for secret in [&bytes[..], hex.as_bytes(), PASSWORD.as_bytes()] {
        for offset in 0..3 {
            let shifted = [&vec![b'x'; offset][..], secret].concat();
            for text in [
                STANDARD_NO_PAD.encode(&shifted),
                URL_SAFE_NO_PAD.encode(&shifted),
            ] {
                forms.push(text[4..text.len() - 4].to_owned());
            }
        }
    }
    forms
}

fn assert_clean(place: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let lower = text.to_lowercase();
    for form in forms() {
        assert!(!text.contains(&form), "{place} holds a secret as {form}");
        assert!(
            !lower.contains(&form.to_lowercase()),
            "{place} holds a secret as {form}"
        );
    }
}

#[test]
fn t09_no_command_prints_or_writes_key_or_password() {
    let seller = Seller::start();
    let home = Home::new();
    let key = home.write("canary.key", KEYS[3], 0o600);
    let password = home.write("password", PASSWORD, 0o600);
    let wrong = home.write("wrong", "not the password", 0o600);
    let url = seller.url("/weather/zurich");
    let rpc = seller.url("/rpc");
    let secret = ["--password-file", password.as_str()];
    let mut runs: Vec<Run> = Vec::new();
    let mut run = |args: &[&str]| runs.push(home.run(args));
    for json in [&[][..], &["--json"]] {
        let name = format!("wallet{}.json", json.len());
        run(&[
            &["wallet", "import", &key, "--out", &name][..],
            &secret,
            json,
        ]
        .concat());
        run(&[
            &["wallet", "import", &key, "--out", &name][..],
            &secret,
            json,
        ]
        .concat());
        run(&[
            &["wallet", "new", "--out", &format!("new-{name}")][..],
            &secret,
            json,
        ]
        .concat());
        run(&[&["wallet", "address", "--keystore", &name][..], json].concat());
        run(&[&["wallet", "address", "--key-file", &key][..], json].concat());
        run(&[
            &["wallet", "balance", "--keystore", &name, "--rpc-url", &rpc][..],
            json,
        ]
        .concat());
        for more in [
            &[][..],
            &["--dry-run"],
            &["--max", "0.001 USD"],
            &["--max", "0.01 USD", "-i"],
            &["--max", "0.01 USD", "--idempotency-key", "order-1"],
            &["--max", "nonsense"],
        ] {
            let with_key = ["call", &url, "--key-file", &key];
            run(&[&with_key[..], more, json].concat());
            let with_keystore = ["call", &url, "--keystore", &name];
            run(&[&with_keystore[..], &secret, more, json].concat());
        }
        run(&[
            &[
                "call",
                &url,
                "--max",
                "1 USD",
                "--keystore",
                &name,
                "--password-file",
                &wrong,
            ][..],
            json,
        ]
        .concat());
        run(&[
            &["call", &url, "--max", "1 USD", "--keystore", &key][..],
            &secret,
            json,
        ]
        .concat());
        run(&[
            &["call", &url, "--max", "1 USD", "--key-file", &password][..],
            json,
        ]
        .concat());
        run(&[
            &["call", &url, "--max", "1 USD", "--key", KEYS[3]][..],
            json,
        ]
        .concat());
        run(&[&["wallet", "new", "--password", PASSWORD][..], json].concat());
    }
    seller.set_line(Line::Loses);
    run(&[
        "call",
        &url,
        "--key-file",
        &key,
        "--max",
        "1 USD",
        "--attempts",
        "1",
    ]);
    let kept = home.payments();
    assert_eq!(kept.len(), 1);
    run(&[
        "call",
        "--resume",
        kept[0].to_str().unwrap(),
        "--attempts",
        "1",
        "--json",
    ]);
    for more in [
        &["man"][..],
        &["completions", "bash"],
        &["--help"],
        &["call", "--help"],
        &["wallet", "--help"],
    ] {
        run(more);
    }
    let successes = runs.iter().filter(|run| run.code == 0).count();
    assert!(successes > 20, "the commands did work: {runs:#?}");
    for run in &runs {
        assert_clean("standard output", run.out.as_bytes());
        assert_clean("standard error", run.err.as_bytes());
    }
    let inputs = [home.path("canary.key"), home.path("password")];
    for file in home.files().iter().filter(|file| !inputs.contains(file)) {
        assert_clean(&file.display().to_string(), &std::fs::read(file).unwrap());
    }
}
