//! Payments whose outcome is open: kept before they are sent, presented again, never signed twice.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::json;
use x402_runtime::model::wire::headers::encode;

use crate::home::{Home, ended};
use crate::seller::{Line, Seller};

const PAY: [&str; 4] = ["--key-file", "buyer.key", "--max", "0.05 USD"];

#[test]
fn a_lost_answer_leaves_a_file_that_gets_it_without_paying_again() {
    let seller = Seller::start();
    let home = Home::with_key();
    seller.set_line(Line::Loses);
    let url = seller.url("/weather/zurich");
    let args = [&["call", &url, "--attempts", "2"][..], &PAY].concat();
    let run = home.run(&args);
    let [file] = &home.payments()[..] else {
        panic!("one payment is kept: {run:#?}")
    };
    let resume = format!("x402 call --resume {}", file.display());
    run.said(6, &["whether 0.01 USDC was paid is unknown", &resume]);
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(seller.earned(), 10_000, "the money did move");

    let file = file.to_str().unwrap();
    let report = home.run(&["call", "--resume", file, "--attempts", "1", "--json"]);
    assert_eq!(report.code, 6, "{report:#?}");
    let report = report.json();
    assert_eq!(
        (&report["paid"], &report["resume"]),
        (&json!("maybe"), &json!(file))
    );
    assert_eq!(report["error"]["action"], "retry-same-id");

    seller.set_line(Line::Sound);
    let run = home.run(&["call", "--resume", file]);
    run.said(0, &["paid 0.01 USDC on Base Sepolia"]);
    assert!(run.out.contains("zurich"), "{run:#?}");
    assert_eq!(seller.earned(), 10_000, "once");
    assert!(home.payments().is_empty());
    home.run(&["call", "--resume", file])
        .said(2, &["there is no file"]);
}

#[test]
fn a_second_call_is_told_of_the_open_payment_of_the_first() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/weather/zurich");
    let args = [&["call", &url, "--attempts", "1"][..], &PAY].concat();
    seller.set_line(Line::Loses);
    assert_eq!(home.run(&args).code, 6);
    seller.set_line(Line::Sound);
    home.run(&args).said(
        0,
        &["an earlier payment for this call has no known outcome"],
    );
}

#[test]
fn a_file_that_is_no_payment_is_refused() {
    let home = Home::new();
    let file = home.write("x.json", "{}", 0o600);
    home.run(&["call", "--resume", &file])
        .said(2, &["does not hold a payment"]);
    home.run(&["call", "--resume", &file, "https://a.example/"])
        .said(2, &["cannot be used with"]);
}

/// A call that is in the middle of being paid.
fn hanging(seller: &Seller, home: &Home) -> Child {
    seller.set_line(Line::Hangs);
    let url = seller.url("/weather/zurich");
    let args = [&["call", &url, "--timeout", "600"][..], &PAY].concat();
    let child = home.command(&args).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    while seller.paid_answers() == 0 {
        assert!(Instant::now() < patience, "the call is not paid");
        std::thread::yield_now();
    }
    child
}

#[test]
fn ctrl_c_and_sigterm_in_the_middle_of_a_paid_call_keep_the_payment() {
    for signal in ["-INT", "-TERM"] {
        let seller = Seller::start();
        let home = Home::with_key();
        let child = hanging(&seller, &home);
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let run = ended(&child.wait_with_output().unwrap());
        run.said(
            6,
            &[
                "interrupted after the payment was signed",
                "x402 call --resume ",
            ],
        );
        assert_eq!(home.payments().len(), 1);
    }
}

#[test]
fn a_killed_process_has_written_the_payment_before_it_sent_it() {
    let seller = Seller::start();
    let home = Home::with_key();
    let mut child = hanging(&seller, &home);
    child.kill().unwrap();
    child.wait().unwrap();
    let [file] = &home.payments()[..] else {
        panic!("one payment is kept")
    };
    seller.set_line(Line::Sound);
    home.run(&["call", "--resume", file.to_str().unwrap()])
        .said(0, &["paid 0.01 USDC"]);
    assert_eq!(seller.earned(), 10_000, "once");
}

/// Answers one request with terms and is gone before the payment comes.
fn vanishing_seller() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/weather", listener.local_addr().unwrap());
    let terms = json!({
        "x402Version": 2, "resource": { "url": url },
        "accepts": [{
            "scheme": "exact", "network": "eip155:84532", "amount": "10000", "maxTimeoutSeconds": 60,
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "payTo": crate::PAYEE,
            "extra": { "name": "USDC", "version": "2" },
        }],
    });
    let terms = encode(&terms).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).unwrap() > 0);
        let head = "HTTP/1.1 402 Payment Required\r\nconnection: close\r\ncontent-length: 0\r\n";
        write!(stream, "{head}payment-required: {terms}\r\n\r\n").unwrap();
    });
    url
}

#[test]
fn a_payment_that_never_left_is_over_and_its_file_is_removed() {
    let home = Home::with_key();
    let url = vanishing_seller();
    let args = [&["call", &url, "--attempts", "1", "--json"][..], &PAY].concat();
    let run = home.run(&args);
    let report = run.json();
    assert_eq!(
        (run.code, &report["paid"], &report["error"]["code"]),
        (1, &json!(false), &json!("never_sent")),
        "{report}"
    );
    assert!(home.path(".local/state/x402/payments").exists());
    assert!(home.payments().is_empty());
}

/// `/dev/full` takes nothing, like a disk without room.
#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_printed_is_not_lost() {
    let seller = Seller::start();
    let home = Home::with_key();
    let url = seller.url("/weather/zurich");
    for more in [&[][..], &["--json"]] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let args = [&["call", &url][..], &PAY, more].concat();
        let output = home.command(&args).stdout(full).output().unwrap();
        ended(&output).said(
            6,
            &["cannot write to standard output", "x402 call --resume "],
        );
        let [file] = &home.payments()[..] else {
            panic!("one payment is kept")
        };
        let again = home.run(&["call", "--resume", file.to_str().unwrap()]);
        assert!(again.out.contains("zurich"), "{again:#?}");
    }
    assert_eq!(seller.earned(), 20_000, "once each");
}

#[test]
fn a_payment_that_cannot_be_written_down_is_not_made() {
    let seller = Seller::start();
    let home = Home::with_key();
    let blocked = home.write("state", "a file, not a folder", 0o600);
    let url = seller.url("/weather/zurich");
    let args = [&["call", &url][..], &PAY].concat();
    home.run_with(&args, &[("XDG_STATE_HOME", &blocked)])
        .said(2, &["cannot make the folder", "XDG_STATE_HOME"]);
    assert_eq!(seller.earned(), 0);
}
