//! EIP-3009 hashes and signatures against the recorded ones, bit for bit.
#![allow(
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/signing.rs"]
mod signing;
#[path = "support/vectors.rs"]
mod vectors;

use alloy_primitives::{U256, hex};
use serde_json::Value;
use signing::{domain_of, sign, signer};
use vectors::{Case, Vectors, same};
use x402_model::evm::address::{read_address, read_word};
use x402_model::evm::{Authorization, ExactEvmPayload, Signature};

#[test]
fn every_eip3009_case() {
    let file = Vectors::parse(include_str!("data/eip3009.json"));
    let clock = file.clock();
    file.check(|case| signed(case, clock));
}

fn signed(case: Case<'_>, clock: u64) -> Result<(), String> {
    let terms = &case.input["requirements"];
    let signer = signer(&case.input["privateKey"])?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("a text is missing");
    let timeout = terms["maxTimeoutSeconds"].as_u64().ok_or("no timeout")?;
    let authorization = Authorization {
        from: signer.address(),
        to: read_address(&text(&terms["payTo"])?).ok_or("bad payTo")?,
        value: text(&terms["amount"])?.parse().map_err(|_| "bad amount")?,
        valid_after: U256::ZERO,
        valid_before: U256::from(clock + timeout),
        nonce: read_word(&text(&case.input["nonce"])?).ok_or("bad nonce")?,
    };
    let separator = domain_of(terms)?.separator();
    let word = |key: &str| case.expected[key].as_str().and_then(read_word);
    if case.expected.get("domainSeparator").is_some() {
        same(
            "domain separator",
            Some(separator.0),
            word("domainSeparator"),
        )?;
    }
    if case.expected.get("structHash").is_some() {
        same(
            "struct hash",
            Some(authorization.struct_hash()),
            word("structHash"),
        )?;
    }
    same(
        "digest",
        Some(authorization.digest(&separator)),
        word("digest"),
    )?;

    let signature = sign(&signer, authorization.digest(&separator))?;
    same(
        "signature",
        Some(signature.to_hex().as_str()),
        case.expected["signature"].as_str(),
    )?;
    let parts = signature.split().ok_or("not an ECDSA signature")?;
    same("low s", parts.is_low_s(), true)?;
    for (key, ours) in [("r", parts.r), ("s", parts.s)] {
        if case.expected.get(key).is_some() {
            same(key, Some(ours), word(key))?;
        }
    }
    if let Some(v) = case.expected["v"].as_u64() {
        same("v", u64::from(parts.v()), v)?;
    }
    let payload = ExactEvmPayload {
        signature,
        authorization,
    };
    same("payload", &payload.to_json(), &case.expected["payload"])?;
    let read = ExactEvmPayload::parse(&case.expected["payload"]).map_err(|e| e.to_string())?;
    same("payload read back", &read, &payload)
}

#[test]
fn a_signature_prints_as_the_wire_wants_it() {
    let signature = Signature::new(vec![0xab; 65]).map(|s| s.to_hex());
    assert_eq!(signature, Ok(format!("0x{}", hex::encode([0xab; 65]))));
}
