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

/// Makes, imports and looks at wallets, and misuses them.
fn wallet_commands<'a>(files: &'a Files, json: &[&'a str]) -> Vec<Vec<&'a str>> {
    let secret = ["--password-file", files.password.as_str()];
    let (key, rpc) = (files.key.as_str(), files.rpc.as_str());
    let name = if json.is_empty() { "a.json" } else { "b.json" };
    let new = if json.is_empty() { "c.json" } else { "d.json" };
    let import = [&["wallet", "import", key, "--out", name][..], &secret].concat();
    let commands = [
        import.clone(),
        import,
        [&["wallet", "new", "--out", new][..], &secret].concat(),
        vec!["wallet", "address", "--keystore", name],
        vec!["wallet", "address", "--key-file", key],
        vec!["wallet", "balance", "--keystore", name, "--rpc-url", rpc],
        vec!["wallet", "new", "--password", PASSWORD],
        vec!["wallet", "import", KEYS[3]],
    ];
    commands
        .map(|command| [&command[..], json].concat())
        .to_vec()
}

/// Calls with both kinds of wallet, allowed and not, and with the wrong files.
fn calls<'a>(files: &'a Files, json: &[&'a str]) -> Vec<Vec<&'a str>> {
    let (url, key, password) = (
        files.url.as_str(),
        files.key.as_str(),
        files.password.as_str(),
    );
    let with_key = ["call", url, "--key-file", key];
    let locked = ["call", url, "--keystore", "a.json", "--password-file"];
    let max = ["--max", "0.01 USD"];
    let mut calls = vec![
        [&locked[..], &[files.wrong.as_str()], &max].concat(),
        [
            &["call", url, "--keystore", key, "--password-file", password][..],
            &max,
        ]
        .concat(),
        [&["call", url, "--key-file", password][..], &max].concat(),
        vec!["call", url, "--key", KEYS[3]],
    ];
    for more in [
        &[][..],
        &["--dry-run"],
        &["--max", "0.001 USD"],
        &["--max", "0.01 USD", "-i"],
        &["--max", "0.01 USD", "--idempotency-key", "order-1"],
        &["--max", "nonsense"],
    ] {
        calls.push([&with_key[..], more].concat());
        calls.push([&locked[..], &[password], more].concat());
    }
    calls
        .iter()
        .map(|call| [&call[..], json].concat())
        .collect()
}

/// What the commands are given.
struct Files {
    key: String,
    password: String,
    wrong: String,
    url: String,
    rpc: String,
}

#[test]
fn t09_no_command_prints_or_writes_key_or_password() {
    let seller = Seller::start();
    let home = Home::new();
    let files = Files {
        key: home.write("canary.key", KEYS[3], 0o600),
        password: home.write("password", PASSWORD, 0o600),
        wrong: home.write("wrong", "not the password", 0o600),
        url: seller.url("/weather/zurich"),
        rpc: seller.url("/rpc"),
    };
    let mut runs: Vec<Run> = Vec::new();
    for json in [&[][..], &["--json"]] {
        let commands = [wallet_commands(&files, json), calls(&files, json)].concat();
        runs.extend(commands.iter().map(|command| home.run(command)));
    }
    seller.set_line(Line::Loses);
    let pay = ["--max", "1 USD", "--attempts", "1"];
    runs.push(home.run(&[&["call", &files.url, "--key-file", &files.key][..], &pay].concat()));
    let kept = home.payments();
    let kept = kept[0].to_str().unwrap();
    runs.push(home.run(&["call", "--resume", kept, "--attempts", "1", "--json"]));
    for more in [
        &["man"][..],
        &["completions", "bash"],
        &["--help"],
        &["call", "--help"],
    ] {
        runs.push(home.run(more));
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
