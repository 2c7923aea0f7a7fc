//! The `sign-in-with-x` extension against the recorded answers of the reference package: declaration, text, header, checks.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/vectors.rs"]
mod vectors;

use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use vectors::{Case, Vectors, same};
use x402_model::extension::siwx::{
    Chain, Challenge, Origin, Proof, SignatureType, Unreadable, challenge, declare, personal_hash,
};
use x402_model::extension::{SignIn, SignInMessage, SiwxError, base58};
use x402_model::wire::headers::{DEFAULT_CAP, decode_value};

const MAX_AGE_MS: u64 = 300_000;

/// What the reference does otherwise, and why.
const DIFFERENCES: &[(&str, &str)] = &[(
    "_options",
    "the reference keeps its own settings inside of a declaration until it is sent; they are not of the wire",
)];

fn file() -> Vectors {
    Vectors::parse(include_str!("data/siwx.json"))
}

#[test]
fn every_siwx_case() {
    let file = file();
    let now_ms = file.clock() * 1000;
    file.check(|case| {
        if case.input.get("payload").is_some() {
            checked(case, now_ms)
        } else if case.input.get("info").is_some() {
            signed(case)
        } else if case.input.get("header").is_some() {
            header(case)
        } else if case.input.get("origin").is_some() {
            enriched(case, now_ms)
        } else if case.input == &json!({}) {
            declared(case)
        } else {
            Err("unknown kind of case".to_owned())
        }
    });
}

fn chains(of: &Value) -> Result<Vec<Chain>, String> {
    let names = of.as_array().ok_or("no chains")?.iter();
    names
        .map(|chain| {
            Chain::new(chain["chainId"].as_str().unwrap_or_default())
                .ok_or_else(|| chain.to_string())
        })
        .collect()
}

fn declared(case: Case<'_>) -> Result<(), String> {
    let mut theirs = case.expected["sign-in-with-x"].clone();
    for (member, _) in DIFFERENCES {
        theirs
            .as_object_mut()
            .ok_or("not an object")?
            .remove(*member);
    }
    let statement = theirs["info"]["statement"].as_str();
    let ours = declare(&chains(&theirs["supportedChains"])?, statement);
    same("declaration", &ours, &theirs)
}

fn enriched(case: Case<'_>, now_ms: u64) -> Result<(), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let origin = Origin::new(&text(&case.input["origin"])).ok_or("no origin")?;
    let url = text(&case.input["resourceUrl"]);
    let path = url
        .splitn(4, '/')
        .nth(3)
        .map_or_else(String::new, |rest| format!("/{rest}"));
    let info = &case.expected["info"];
    let nonce = u128::from_str_radix(&text(&info["nonce"]), 16).map_err(|e| e.to_string())?;
    let ours = challenge(
        &origin,
        &path,
        &chains(&case.expected["supportedChains"])?,
        info["statement"].as_str(),
        nonce.to_be_bytes(),
        now_ms,
        MAX_AGE_MS,
    );
    same("declaration", &ours, case.expected)?;
    let read = json!({"sign-in-with-x": ours});
    let read = Challenge::read(read.as_object()).ok_or("our own cannot be read")?;
    same("for this origin", read.is_for(&origin), true)?;
    let other = Origin::new("https://evil.example").ok_or("no origin")?;
    same("for another origin", read.is_for(&other), false)
}

/// The buyer's part: the message of a declaration, its text, its signature and its header.
fn signed(case: Case<'_>) -> Result<(), String> {
    let declaration = json!({ "sign-in-with-x": {
        "info": case.input["info"],
        "supportedChains": [{ "chainId": case.input["info"]["chainId"], "type": case.input["info"]["type"] }],
    }});
    let read = Challenge::read(declaration.as_object()).ok_or("the declaration cannot be read")?;
    let chain = read.supported_chains.first().ok_or("no chain")?;
    let key = evm_key(case.input);
    let seed = solana_key(case.input);
    let address = match chain.kind {
        SignatureType::Eip191 => key
            .as_ref()
            .map_or_else(first_account, |key| key.address().to_string()),
        SignatureType::Ed25519 => seed.as_ref().map_or_else(String::new, |key| {
            base58::encode(key.verifying_key().as_bytes())
        }),
    };
    let message = read.message(chain, &address).map_err(|e| e.to_string())?;
    let text = message.text().map_err(|e| e.to_string())?;
    same(
        "text",
        Some(text.as_str()),
        case.expected["message"].as_str(),
    )?;
    same(
        "read back",
        SignInMessage::parse(&text),
        Ok(message.clone()),
    )?;
    let signature = if let Some(key) = key {
        let hash = personal_hash(&text);
        let theirs = case.expected["personalSignHash"].as_str();
        same("hash", Some(hash.to_string().as_str()), theirs)?;
        let signature = key.sign_hash_sync(&hash).map_err(|e| e.to_string())?;
        format!("0x{}", hex::encode(signature.as_bytes()))
    } else if let Some(key) = seed {
        base58::encode(&key.sign(text.as_bytes()).to_bytes())
    } else {
        return Ok(());
    };
    let sign_in = SignIn {
        message,
        signature,
        signature_scheme: None,
    };
    let ours = sign_in.to_header().map_err(|e| e.to_string())?;
    let decode = |text: &str| decode_value(text.as_bytes(), DEFAULT_CAP).map_err(|e| e.to_string());
    let mut theirs = vec![case.expected["payload"].clone()];
    if let Some(header) = case.expected["header"].as_str() {
        theirs.push(decode(header)?);
    }
    for theirs in theirs.iter().filter(|value| !value.is_null()) {
        same("header", &decode(&ours)?, theirs)?;
    }
    Ok(())
}

/// The account that the recording uses where it names no key.
fn first_account() -> String {
    x402_model::evm::DEVELOPMENT_ACCOUNTS[0].to_string()
}

fn evm_key(input: &Value) -> Option<PrivateKeySigner> {
    input["privateKey"].as_str()?.parse().ok()
}

fn solana_key(input: &Value) -> Option<SigningKey> {
    let seed = hex::decode(input["ed25519Seed"].as_str()?).ok()?;
    Some(SigningKey::from_bytes(&seed.try_into().ok()?))
}

fn header(case: Case<'_>) -> Result<(), String> {
    let text = case.input["header"].as_str().unwrap_or_default();
    let ours = SignIn::from_header(text.as_bytes(), DEFAULT_CAP);
    let refused = case.expected.get("parseError").is_some() || case.expected["error"].is_string();
    same("refused", ours.is_err(), refused)
}

/// The seller's part.
fn checked(case: Case<'_>, now_ms: u64) -> Result<(), String> {
    let sign_in = match SignIn::from_value(case.input["payload"].clone()) {
        Ok(sign_in) => sign_in,
        Err(error) => return refused(case, error),
    };
    let origin = Origin::new(case.input["origin"].as_str().unwrap_or_default()).ok_or("origin")?;
    let now_ms = case.input["nowUnixSeconds"]
        .as_u64()
        .map_or(now_ms, |seconds| seconds * 1000);
    let ours = sign_in
        .check(&origin, now_ms, MAX_AGE_MS)
        .and_then(|()| sign_in.proof())
        .and_then(|proof| verified(&proof));
    let theirs = case.expected["invalidReason"].as_str();
    same("code", ours.err().map(SiwxError::code), theirs)?;
    same(
        "valid",
        Some(ours.is_ok()),
        case.expected["isValid"].as_bool(),
    )?;
    if let Some(payer) = case.expected["payer"].as_str() {
        same("payer", sign_in.message.address.as_str(), payer)?;
    }
    Ok(())
}

/// Where the reference names the member it stumbled over, so do we.
fn refused(case: Case<'_>, error: Unreadable) -> Result<(), String> {
    let theirs = case.expected["parseError"]
        .as_str()
        .ok_or_else(|| format!("read by the reference, but not by us: {error}"))?;
    let (Unreadable::Missing(member) | Unreadable::Invalid(member)) = error else {
        return Err(error.to_string());
    };
    if theirs.contains(&format!(" {member}: ")) {
        Ok(())
    } else {
        Err(format!("ours {member}, reference {theirs}"))
    }
}

fn verified(proof: &Proof) -> Result<(), SiwxError> {
    let holds = match proof {
        Proof::Evm {
            address,
            hash,
            signature,
            ..
        } => alloy_primitives::Signature::try_from(signature.as_bytes())
            .and_then(|signature| signature.recover_address_from_prehash(hash))
            .is_ok_and(|found| found == *address),
        Proof::Solana {
            public_key,
            text,
            signature,
        } => VerifyingKey::from_bytes(public_key).is_ok_and(|key| {
            key.verify_strict(
                text.as_bytes(),
                &ed25519_dalek::Signature::from_bytes(signature),
            )
            .is_ok()
        }),
        _ => false,
    };
    if holds {
        Ok(())
    } else {
        Err(SiwxError::Signature)
    }
}

/// Cases of kinds that the recording lacks, by the rules of protocol 6.4.
#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn more_checks() {
    let valid = || {
        json!({
            "domain": "api.example.com", "address": first_account(), "uri": "https://api.example.com/a", "version": "1",
            "chainId": "eip155:84532", "type": "eip191", "nonce": "646b727980878e95", "issuedAt": "2026-09-21T14:13:20.000Z",
            "signature": format!("0x{}", "11".repeat(65)),
        })
    };
    let cases: [(&str, Value, Value); 19] = [
        (
            "issuedAt",
            json!("yesterday"),
            json!("invalid_siwx_issued_at"),
        ),
        (
            "issuedAt",
            json!("2026-09-21T14:08:19.999Z"),
            json!("invalid_siwx_issued_at_too_old"),
        ),
        (
            "issuedAt",
            json!("2026-09-21T14:08:20.000Z"),
            json!("invalid_siwx_signature"),
        ),
        (
            "issuedAt",
            json!("2026-09-21T14:13:20.001Z"),
            json!("invalid_siwx_issued_at_in_future"),
        ),
        (
            "expirationTime",
            json!("later"),
            json!("invalid_siwx_expiration_time"),
        ),
        (
            "expirationTime",
            json!("2026-09-21T14:13:20.000Z"),
            json!("invalid_siwx_expired"),
        ),
        (
            "notBefore",
            json!("later"),
            json!("invalid_siwx_not_before"),
        ),
        (
            "notBefore",
            json!("2026-09-21T14:13:20.000Z"),
            json!("invalid_siwx_signature"),
        ),
        ("chainId", json!("eip155:x"), json!("invalid_siwx_chain_id")),
        (
            "chainId",
            json!("eip155:01"),
            json!("invalid_siwx_chain_id"),
        ),
        (
            "chainId",
            json!("solana:x"),
            json!("invalid_siwx_unsupported_chain"),
        ),
        (
            "chainId",
            json!("eip155"),
            json!("invalid_siwx_unsupported_chain"),
        ),
        (
            "signature",
            json!("0x1"),
            json!("invalid_siwx_malformed_signature"),
        ),
        (
            "address",
            json!("0x12"),
            json!("invalid_siwx_malformed_signature"),
        ),
        (
            "uri",
            json!("https://api.example.com.evil.example/"),
            json!("invalid_siwx_uri_mismatch"),
        ),
        (
            "uri",
            json!("https://api.example.com@evil.example/"),
            json!("invalid_siwx_uri_mismatch"),
        ),
        (
            "uri",
            json!("HTTPS://API.example.com"),
            json!("invalid_siwx_signature"),
        ),
        (
            "uri",
            json!("http://api.example.com/a"),
            json!("invalid_siwx_uri_mismatch"),
        ),
        (
            "domain",
            json!("api.example.com:443"),
            json!("invalid_siwx_domain_mismatch"),
        ),
    ];
    let cases: Vec<Value> = cases
        .into_iter()
        .map(|(member, value, code)| {
            let mut payload = valid();
            payload[member] = value;
            json!({
                "name": format!("{member} {code}"), "input": { "payload": payload, "origin": "https://api.example.com" },
                "expected": { "isValid": false, "invalidReason": code },
            })
        })
        .collect();
    let file =
        Vectors::parse(&json!({ "clockUnixSeconds": 1_790_000_000, "cases": cases }).to_string());
    file.check(|case| checked(case, file.clock() * 1000));
}

#[test]
fn no_member_can_bring_lines_of_its_own() {
    let mut payload = json!({
        "domain": "a.example", "address": first_account(), "uri": "https://a.example/", "version": "1",
        "chainId": "eip155:1", "type": "eip191", "nonce": "646b727980878e95", "issuedAt": "2026-09-21T14:13:20.000Z",
        "signature": "0x11",
    });
    assert!(SignIn::from_value(payload.clone()).is_ok());
    for member in [
        "domain",
        "address",
        "statement",
        "uri",
        "chainId",
        "nonce",
        "issuedAt",
        "expirationTime",
        "notBefore",
        "requestId",
    ] {
        let before = payload[member].clone();
        for bad in ["a\nURI: https://b.example/", "a\r", "a\u{85}b", "\0"] {
            payload[member] = Value::from(bad);
            let read = SignIn::from_value(payload.clone());
            assert_eq!(read, Err(Unreadable::Invalid(member)), "{bad:?}");
        }
        payload[member] = before;
    }
    payload["resources"] = json!(["https://a.example/\n- https://b.example/"]);
    assert_eq!(
        SignIn::from_value(payload.clone()),
        Err(Unreadable::Invalid("resources"))
    );
    payload["resources"] = json!(vec!["https://a.example/"; 33]);
    assert_eq!(
        SignIn::from_value(payload.clone()),
        Err(Unreadable::Invalid("resources"))
    );
    payload["resources"] = Value::Null;
    assert!(SignIn::from_value(payload).is_ok());
}

#[test]
fn what_could_let_others_in_is_not_shown() {
    let sign_in = SignIn::from_value(json!({
        "domain": "a.example", "address": first_account(), "uri": "https://a.example/", "version": "1",
        "chainId": "eip155:1", "type": "eip191", "nonce": "646b727980878e95", "issuedAt": "2026-09-21T14:13:20.000Z",
        "signature": "0x1122334455",
    }))
    .expect("a sign-in");
    let shown = format!("{sign_in:?}");
    assert!(
        !shown.contains("1122") && !shown.contains("646b"),
        "{shown}"
    );
}
