//! `x402 manifest`: what is read, who vouches for it, and what is refused.

use serde_json::{Value, json};
use x402_runtime::model::manifest::WELL_KNOWN_PATH;

use crate::documents::{example, hashed, ok, page, redirect, signed, web};
use crate::home::{Home, Run};
use crate::seller::Seller;
use crate::{BUYER, KEYS, PAYEE};

fn of(home: &Home, document: &Value) -> Run {
    let file = home.write("manifest.json", &document.to_string(), 0o644);
    home.run(&["manifest", &file])
}

#[test]
fn a_live_seller_is_read_from_its_origin_and_saved_as_it_was() {
    let seller = Seller::start();
    let home = Home::new();
    let run = home.run(&["manifest", &seller.origin, "--out", "seller.json"]);
    run.said(0, &["saved to seller.json"]);
    for part in [
        &format!("at {}", seller.origin),
        "not signed: nobody but the server vouches for it",
        "which is what it states",
        "weather  GET /weather/{city}",
        "takes       city",
        "price       Costs 0.01 USD a call.",
        "bounds      0.01 USD",
        &format!("paid by     exact, USDC on Base Sepolia (eip155:84532) to {PAYEE}"),
        "echo  POST /echo",
    ] {
        assert!(run.out.contains(part), "{part:?} is missing: {run:#?}");
    }
    let again = home.run(&["manifest", "seller.json"]);
    assert_eq!((again.code, &again.out), (0, &run.out));
    let whole = home.run(&["manifest", &seller.url(WELL_KNOWN_PATH), "--json"]);
    let report = whole.json();
    let saved: Value =
        serde_json::from_str(&std::fs::read_to_string(home.path("seller.json")).unwrap()).unwrap();
    assert_eq!((whole.code, &report["manifest"]), (0, &saved));
    assert_eq!(report["content_hash"], saved["integrity"]["contentHash"]);
    assert_eq!(home.mode("seller.json") & 0o600, 0o600);
}

#[test]
fn the_table_says_everything_that_decides_about_buying() {
    let home = Home::new();
    let mut document = example();
    document["endpoints"][1]["deprecation"] = json!({
        "deprecatedAt": "2026-12-01T00:00:00Z", "sunset": "2027-06-01T00:00:00Z", "replacement": "complete",
    });
    let run = of(&home, &document);
    for part in [
        "Textkit 2.3.0 (revision 17) at https://api.example.com",
        "issued      2026-11-20T09:00:00Z, good until 2999-01-01T00:00:00Z",
        "takes       city [units=metric|imperial]",
        "free        10 calls in 1 day for each payer, told apart by sign-in-with-x",
        "announced   from 2026-12-15T00:00:00Z (price-increase): Costs 0.0012 USD a call.",
        "price       Costs 0.0016 to 0.12 USD a call, by what is asked for.",
        "by          `/quality` of the body: draft 0.002 USD, standard 0.005 USD, deep 0.02 USD; standard if it is missing",
        "by          the bytes of the body: up to 16384 ×1, up to 131072 ×3, up to 262144 ×6",
        "rebate      calls bought in 30 days: up to 1000 ×1, more ×0.8",
        "base        0.0002 USD",
        "metered     0.0005 USD for 1000 inputTokens, from `/usage/inputTokens` of the answer",
        "bounds      0.0016 to 0.12 USD",
        "deprecated  since 2026-12-01T00:00:00Z, gone after 2027-06-01T00:00:00Z; use complete",
        "paid by     upto, USDC on Base (eip155:8453) to 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "plans       credits-10",
        "credits-10  prepaid: 10 USD buys 11 USD of credit, lost after 180 days; bought with POST /v1/credits",
    ] {
        assert!(run.out.contains(part), "{part:?} is missing: {run:#?}");
    }
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}

#[test]
fn m08_who_signed_is_told() {
    let home = Home::new();
    let by_payee = signed(example(), KEYS[0]);
    let run = of(&home, &by_payee);
    assert!(
        run.out
            .contains(&format!("signed by {BUYER}, which is paid")),
        "{run:#?}"
    );
    let by_another = signed(example(), KEYS[1]);
    let run = of(&home, &by_another);
    let sentence = format!("signed by {PAYEE}, which is not paid: see that it is the seller's");
    assert!(run.out.contains(&sentence), "{run:#?}");

    let file = home.write("signed.json", &by_payee.to_string(), 0o644);
    let report = home
        .run(&["manifest", &file, "--json", "--signer", BUYER])
        .json();
    let of = |member: &str| report[member].clone();
    assert_eq!(
        [
            of("hash"),
            of("signature"),
            of("signer"),
            of("origin_proof"),
            of("error")
        ],
        [
            json!("right"),
            json!("receiver"),
            json!(BUYER),
            json!("receiver"),
            Value::Null
        ]
    );
    home.run(&["manifest", &file, "--signer", PAYEE])
        .said(1, &["--signer wants", "do not pay"]);
    home.run(&["manifest", &file, "--signer", "me"])
        .said(2, &["--signer: ", "write 0x"]);
}

#[test]
fn m08_what_is_wrong_about_hash_and_signature_is_an_error() {
    let home = Home::new();
    let right = signed(example(), KEYS[0]);
    let mut other_price = right.clone();
    other_price["endpoints"][0]["summary"] = json!("Another one");
    let mut other_hash = hashed(example());
    other_hash["integrity"]["contentHash"] = json!(format!("sha-256:{}", "0".repeat(64)));
    let mut other_signer = right.clone();
    other_signer["integrity"]["signatures"][0]["signer"] = json!(PAYEE);
    let mut unreadable = right.clone();
    unreadable["integrity"]["signatures"][0]["signature"] = json!("0x12");
    let mut other_proof = right.clone();
    other_proof["integrity"]["signatures"][1]["signer"] = json!(PAYEE);
    let mut other_revision = right;
    other_revision["integrity"]["signatures"][0]["payload"]["revision"] = json!(18);
    for (document, code, reason) in [
        (
            other_price,
            "manifest_hash_wrong",
            "not that of its content",
        ),
        (other_hash, "manifest_hash_wrong", "not that of its content"),
        (
            other_signer,
            "manifest_signature_other_signer",
            "not made by the signer it names",
        ),
        (unreadable, "manifest_signature_malformed", "cannot be read"),
        (
            other_proof,
            "manifest_signature_other_signer",
            "the proof of the origin is wrong",
        ),
        (
            other_revision,
            "manifest_signature_other_document",
            "is not this document",
        ),
    ] {
        let run = of(&home, &document);
        run.said(1, &[reason, "do not pay by it"]);
        assert_eq!(run.out, "");
        let run = home.run(&["manifest", "manifest.json", "--json", "--out", "saved.json"]);
        assert_eq!((run.code, &run.json()["error"]["code"]), (1, &json!(code)));
        assert!(
            !home.path("saved.json").exists(),
            "what is wrong is not saved"
        );
    }
}

#[test]
fn a_manifest_whose_time_is_over_is_shown_with_a_warning() {
    let home = Home::new();
    let mut old = example();
    old["service"]["validUntil"] = json!("2026-11-21T00:00:00Z");
    for document in [old.clone(), signed(old, KEYS[0])] {
        let run = of(&home, &document);
        run.said(
            0,
            &[
                "warning: the manifest is not valid at this time",
                "2026-11-21",
            ],
        );
        let report = home.run(&["manifest", "manifest.json", "--json"]).json();
        assert_eq!(report["warnings"][0]["code"], "manifest_expired");
    }
    assert!(
        home.run(&["manifest", "manifest.json"])
            .out
            .contains("which is paid")
    );
}

#[test]
fn m10_text_of_a_manifest_steers_no_terminal() {
    let hostile = "x\nerror: y\u{1b}[2J\u{202e}y\u{9b}z\u{7}\u{200b}";
    let mut document = example();
    for pointer in [
        "/service/description",
        "/service/contact/url",
        "/endpoints/0/summary",
        "/plans/0/kind",
    ] {
        *document.pointer_mut(pointer).unwrap() = json!(hostile);
    }
    document["endpoints"][0]["input"]["query"]["properties"] =
        json!({ hostile: { "enum": [hostile] } });
    document["endpoints"][0]["allowances"][0]["scope"] = json!(hostile);
    document["endpoints"][2]["price"]["units"][0]["id"] = json!(hostile);
    document["service"]["issuedAt"] = json!(hostile);
    document["service"]["validUntil"] = json!(hostile);
    let home = Home::new();
    let mut runs = vec![of(&home, &document)];
    runs.push(home.run(&["manifest", "manifest.json", "--json"]));
    assert_eq!(
        runs[1].json()["manifest"]["service"]["description"],
        hostile
    );
    document["currency"] = json!(hostile);
    document["protocols"] = json!(hostile);
    runs.push(of(&home, &document));
    assert_eq!(runs[2].code, 2);
    for run in runs {
        for text in [&run.out, &run.err] {
            let steers = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
            assert!(!text.contains(steers), "{run:#?}");
            assert!(!text.contains("\nerror: y"), "no line is made up: {run:#?}");
        }
    }
}

#[test]
fn documents_are_fetched_within_limits_and_from_no_other_place() {
    let origin = web(|path, here| {
        Some(match path {
            WELL_KNOWN_PATH => redirect("/moved"),
            "/moved" => redirect(&format!("{here}/manifest.json")),
            "/manifest.json" => ok(&example()),
            "/away" => redirect("http://localhost:1/manifest.json"),
            "/loop" => redirect("/loop"),
            "/long" => page("200 OK", &" ".repeat(256 * 1024 + 1)),
            "/html" => page("200 OK", "<html>"),
            "/402" => {
                "HTTP/1.1 402 Payment Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                    .to_owned()
            }
            "/hangs" => return None,
            _ => page("404 Not Found", ""),
        })
    });
    let home = Home::new();
    home.run(&["manifest", &origin]).said(
        0,
        &["warning: the manifest is about https://api.example.com, and it was fetched from"],
    );
    for (path, code, parts) in [
        (
            "/away",
            1,
            &[
                "redirects to another place: http://localhost:1",
                "name it yourself",
            ][..],
        ),
        ("/loop", 1, &["redirects more than 3 times"]),
        ("/long", 1, &["is longer than 256 KiB"]),
        ("/html", 1, &["the document is not JSON (line 1, column 1)"]),
        ("/402", 1, &["cannot be fetched"]),
        ("/none", 1, &["was answered with 404 Not Found"]),
    ] {
        home.run(&["manifest", &format!("{origin}{path}")])
            .said(code, parts);
    }
    home.run(&["manifest", &format!("{origin}/hangs"), "--timeout", "1"])
        .said(1, &["did not answer within 1 seconds", "--timeout"]);
    home.run(&["manifest", "http://api.example.com"])
        .said(2, &["is not encrypted", "--allow-http"]);
    home.run(&["manifest", "ftp://api.example.com"])
        .said(2, &["not an absolute http(s) URL"]);
    home.run(&["manifest", "http://127.0.0.1:1"])
        .said(1, &["cannot be fetched", "is the server running?"]);
    let report = home
        .run(&["manifest", &format!("{origin}/none"), "--json"])
        .json();
    assert_eq!(report["error"]["code"], "http_status");
}

#[test]
fn the_mistakes_of_a_first_manifest() {
    let home = Home::new();
    let long = home.write("long.json", &" ".repeat(17 << 20), 0o644);
    home.run(&["manifest", "localhost:4021"])
        .said(2, &["write http://localhost:4021"]);
    home.run(&["manifest", "api.example.com"]).said(
        2,
        &[
            "there is no file api.example.com",
            "write https://api.example.com",
        ],
    );
    home.run(&["manifest", "no.json", "--json"]);
    home.run(&["manifest", "."]).said(2, &["cannot be read"]);
    home.run(&["manifest", &long])
        .said(2, &["is longer than 16 MiB"]);
    home.run_fed(&["manifest", "-"], "{}")
        .said(2, &["standard input: not a price manifest"]);
    home.run_fed(&["manifest", "-"], r#"{"manifestVersion":"2.0"}"#)
        .said(2, &["this reader knows 1.x"]);
    home.run(&["manifest", KEYS[0]])
        .said(2, &["looks like a private key"]);
    let file = home.write("m.json", &example().to_string(), 0o644);
    home.run(&["manifest", &file, "--out", "no/such/folder.json"])
        .said(2, &["no/such/folder.json cannot be written"]);
}
