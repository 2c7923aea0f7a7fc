//! Signs payments with the public development keys of the vector files.
#![allow(
    clippy::indexing_slicing,
    dead_code,
    reason = "shared by test files that each use a part, and may stop at what is not as expected"
)]

use alloy_primitives::{Address, B256, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use serde_json::Value;
use x402_model::evm::address::read_address;
use x402_model::evm::permit2::{TokenPermissions, Witness};
use x402_model::evm::{Eip712Domain, Permit2Authorization, Signature};
use x402_model::network::Network;

/// The signer of a `privateKey` member.
pub(crate) fn signer(key: &Value) -> Result<PrivateKeySigner, String> {
    key.as_str()
        .ok_or("no private key")?
        .parse()
        .map_err(|_| "bad private key".to_owned())
}

/// The token domain that payment requirements of either version name.
pub(crate) fn domain_of(terms: &Value) -> Result<Eip712Domain, String> {
    let text = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .ok_or("a text is missing in the terms")
    };
    Ok(Eip712Domain {
        name: text(&terms["extra"]["name"])?,
        version: text(&terms["extra"]["version"])?,
        chain_id: Network::parse_any(&text(&terms["network"])?)
            .map_err(|e| e.to_string())?
            .chain_id()
            .ok_or("not an EVM network")?,
        verifying_contract: read_address(&text(&terms["asset"])?).ok_or("bad asset")?,
    })
}

/// Signs a digest.
pub(crate) fn sign(signer: &PrivateKeySigner, digest: B256) -> Result<Signature, String> {
    let signature = signer.sign_hash_sync(&digest).map_err(|e| e.to_string())?;
    Signature::new(signature.as_bytes().to_vec()).map_err(|e| e.to_string())
}

/// What the reference's buyer signs for terms that go through Permit2.
pub(crate) fn permit2_of(
    terms: &Value,
    from: Address,
    nonce: &Value,
    clock: u64,
) -> Result<Permit2Authorization, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("a text is missing");
    let address = |value: &Value| value.as_str().and_then(read_address).ok_or("bad address");
    let to = address(&terms["payTo"])?;
    let valid_after = U256::ZERO;
    let witness = match terms["scheme"].as_str() {
        Some("upto") => Witness::Upto {
            to,
            facilitator: address(&terms["extra"]["facilitatorAddress"])?,
            valid_after,
        },
        _ => Witness::Exact { to, valid_after },
    };
    let timeout = terms["maxTimeoutSeconds"].as_u64().ok_or("no timeout")?;
    Ok(Permit2Authorization {
        from,
        permitted: TokenPermissions {
            token: address(&terms["asset"])?,
            amount: text(&terms["amount"])?.parse().map_err(|_| "bad amount")?,
        },
        spender: witness.proxy(),
        nonce: text(nonce)?.parse().map_err(|_| "bad nonce")?,
        deadline: U256::from(clock + timeout),
        witness,
    })
}
