//! Permit2 hashes and signatures against the recorded ones, bit for bit.
#![allow(
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/signing.rs"]
mod signing;
#[path = "support/vectors.rs"]
mod vectors;

use serde_json::Value;
use signing::{permit2_of, sign, signer};
use vectors::{Case, Vectors, same};
use x402_model::evm::address::read_word;
use x402_model::evm::{EvmKind, EvmPayload, Permit2Payload, permit2};
use x402_model::network::Network;

#[test]
fn every_permit2_case() {
    let file = Vectors::parse(include_str!("data/permit2.json"));
    let clock = file.clock();
    file.check(|case| signed(case, clock));
}

fn signed(case: Case<'_>, clock: u64) -> Result<(), String> {
    let terms = &case.input["requirements"];
    let signer = signer(&case.input["privateKey"])?;
    let recorded = &case.expected["payload"];
    let nonce = &recorded["permit2Authorization"]["nonce"];
    let authorization = permit2_of(terms, signer.address(), nonce, clock)?;

    let domain = &case.expected["typedData"]["domain"];
    same("domain name", domain["name"].as_str(), Some("Permit2"))?;
    same("domain version", domain.get("version"), None)?;
    same(
        "domain contract",
        domain["verifyingContract"].as_str(),
        Some(permit2::PERMIT2.to_checksum(None).as_str()),
    )?;
    let chain_id = domain["chainId"].as_u64().ok_or("no chain id")?;
    let network = terms["network"].as_str().map(Network::parse_any);
    same("chain id", network, Some(Ok(Network::evm(chain_id))))?;

    let digest = authorization.digest(&permit2::separator(chain_id));
    let recorded_digest = case.expected["digest"].as_str().and_then(read_word);
    same("digest", Some(digest), recorded_digest)?;
    let signature = sign(&signer, digest)?;
    same(
        "signature",
        Some(signature.to_hex().as_str()),
        case.expected["signature"].as_str(),
    )?;

    let payload = Permit2Payload {
        signature,
        authorization,
    };
    same("payload", &payload.to_json(), recorded)?;
    let read = EvmPayload::parse(recorded).map_err(|e| e.to_string())?;
    same("payload read back", &read, &EvmPayload::Permit2(payload))?;
    let extra = terms["extra"].as_object().ok_or("no extra")?;
    let scheme = terms["scheme"].as_str().unwrap_or_default();
    same("kind", Ok(read.kind()), EvmKind::of_terms(scheme, extra))
}

#[test]
fn the_message_that_is_signed_is_the_payload_without_the_payer() {
    Vectors::parse(include_str!("data/permit2.json")).check(|case| {
        let mut members = case.expected["payload"]["permit2Authorization"].clone();
        members.as_object_mut().and_then(|map| map.remove("from"));
        same("message", &members, &case.expected["typedData"]["message"])?;
        let types: &Value = &case.expected["typedData"]["types"];
        let witness = types["Witness"].as_array().ok_or("no witness type")?;
        let payload =
            Permit2Payload::parse(&case.expected["payload"]).map_err(|e| e.to_string())?;
        let upto = payload.authorization.witness.facilitator().is_some();
        same("witness members", witness.len(), 2 + usize::from(upto))
    });
}
