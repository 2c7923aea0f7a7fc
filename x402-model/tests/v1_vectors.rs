//! Version 1 messages, network names and signatures against the recorded ones.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/signing.rs"]
mod signing;
#[path = "support/vectors.rs"]
mod vectors;

use alloy_primitives::U256;
use serde_json::{Value, json};
use signing::{domain_of, sign, signer};
use vectors::{Case, Vectors, same};
use x402_model::evm::ExactEvmPayload;
use x402_model::evm::address::read_word;
use x402_model::network::Network;
use x402_model::wire::headers::{self, DEFAULT_CAP};
use x402_model::wire::{Required402, parse_402, v1};

#[test]
fn every_version_1_case() {
    let file = Vectors::parse(include_str!("data/v1.json"));
    let clock = file.clock();
    file.check(|case| {
        if case.input.get("privateKey").is_some() {
            payment(case, clock)
        } else if case.input.get("authorization").is_some() {
            digest(case)
        } else if case.expected.get("accepts").is_some() {
            terms(case)
        } else {
            networks(case)
        }
    });
}

fn terms(case: Case<'_>) -> Result<(), String> {
    let body = case.expected.to_string();
    match parse_402(None, body.as_bytes(), DEFAULT_CAP).map_err(|e| e.to_string())? {
        Required402::V1(terms) => {
            same(
                "every entry is understood",
                terms.accepts.iter().all(|entry| entry.view().is_some()),
                true,
            )?;
            let rewritten: Vec<v1::PaymentRequirements> = terms
                .accepts
                .iter()
                .filter_map(|entry| entry.view().cloned())
                .collect();
            let rewritten = serde_json::to_value(&rewritten).map_err(|e| e.to_string())?;
            same("entries", &rewritten, &case.expected["accepts"])?;
            let again = serde_json::to_value(&terms).map_err(|e| e.to_string())?;
            same("terms", &again, case.expected)
        }
        other => Err(format!("read as {other:?}")),
    }
}

/// The times and the nonce are the reference client's choice and are taken from its payment; the signature over
/// them has to be the same.
fn payment(case: Case<'_>, clock: u64) -> Result<(), String> {
    let terms = &case.input["paymentRequired"]["accepts"][0];
    let read = ExactEvmPayload::parse(&case.expected["payload"]).map_err(|e| e.to_string())?;
    let signer = signer(&case.input["privateKey"])?;
    same("payer", signer.address(), read.authorization.from)?;
    let timeout = terms["maxTimeoutSeconds"].as_u64().ok_or("no timeout")?;
    same(
        "validBefore",
        read.authorization.valid_before,
        U256::from(clock + timeout),
    )?;
    let signature = sign(
        &signer,
        read.authorization.digest(&domain_of(terms)?.separator()),
    )?;
    same("signature", signature, read.signature)?;

    let message: v1::PaymentPayload =
        serde_json::from_str(&case.expected.to_string()).map_err(|e| e.to_string())?;
    let header = headers::encode_v1(&message).map_err(|e| e.to_string())?;
    let message = v1::PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP)
        .map_err(|e| e.to_string())?;
    same(
        "payment",
        &message.to_value().map_err(|e| e.to_string())?,
        case.expected,
    )
}

/// The case names no token; the recorder used USDC on Base Sepolia throughout.
fn digest(case: Case<'_>) -> Result<(), String> {
    let usdc = json!({
        "network": "base-sepolia",
        "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "extra": {"name": "USDC", "version": "2"},
    });
    let terms = case.input.get("requirements").unwrap_or(&usdc);
    let payload = json!({"authorization": case.input["authorization"], "signature": case.expected["signature"]});
    let payload = ExactEvmPayload::parse(&payload).map_err(|e| e.to_string())?;
    let digest = payload.authorization.digest(&domain_of(terms)?.separator());
    same(
        "digest",
        Some(digest),
        case.expected["digest"].as_str().and_then(read_word),
    )
}

fn networks(case: Case<'_>) -> Result<(), String> {
    let map = case.expected.as_object().ok_or("unknown kind of case")?;
    for (name, chain_id) in map {
        let network = Network::from_short_name(name).ok_or_else(|| format!("{name} is unknown"))?;
        same(name, network.chain_id(), chain_id.as_u64())?;
        same(name, network.short_name(), Some(name.as_str()))?;
    }
    Ok(())
}

#[test]
fn version_1_headers_read_the_same_as_latin_1_and_as_utf_8() {
    let message = json!({"network": "Zürich 支払い 💸"});
    let header = headers::encode_v1(&message).expect("encodes");
    let text = headers::decode_text(header.as_bytes(), DEFAULT_CAP).expect("decodes");
    assert!(text.is_ascii());
    assert_eq!(
        headers::decode_v1::<Value>(header.as_bytes(), DEFAULT_CAP),
        Ok(message)
    );
}

#[test]
fn version_1_entries_always_write_text_for_description_and_mime_type() {
    let entry: v1::PaymentRequirements = serde_json::from_value(json!({
        "scheme": "exact", "network": "base", "maxAmountRequired": "1", "resource": "https://a.example/",
        "payTo": "0x1", "maxTimeoutSeconds": 60, "asset": "0x2", "mimeType": null,
    }))
    .expect("reads");
    let text = serde_json::to_string(&entry).expect("writes");
    assert!(
        text.contains(r#""description":"""#) && text.contains(r#""mimeType":"""#),
        "{text}"
    );
}
