//! Gas sponsoring against the recorded declarations, permits and approvals, bit for bit.
#![allow(
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/signing.rs"]
mod signing;
#[path = "support/vectors.rs"]
mod vectors;

use alloy_primitives::{Address, B256, U256};
use serde_json::Value;
use signing::{domain_of, permit2_of, sign, signer};
use vectors::{Case, Vectors, same};
use x402_model::evm::gas_sponsoring::{
    APPROVAL_GAS_LIMIT, EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING, Eip2612Info,
    Erc20ApprovalInfo, GasSponsoring, declaration,
};
use x402_model::evm::permit2::{PERMIT2, separator};
use x402_model::evm::transaction::approve_call;
use x402_model::evm::{CallTransaction, Permit, Permit2Payload};

#[test]
fn every_gas_sponsoring_case() {
    let file = Vectors::parse(include_str!("data/gas_sponsoring.json"));
    let clock = file.clock();
    file.check(|case| match case.name {
        "declare_eip2612GasSponsoring" => declared(case, EIP2612_GAS_SPONSORING),
        "declare_erc20ApprovalGasSponsoring" => declared(case, ERC20_APPROVAL_GAS_SPONSORING),
        "client_eip2612_permit_attached" => attached(case, clock, EIP2612_GAS_SPONSORING, permit),
        "client_erc20_approval_tx_attached" => {
            attached(case, clock, ERC20_APPROVAL_GAS_SPONSORING, approval)
        }
        _ => Err("a case that is not run".into()),
    });
}

/// Everything but the sentences for people, which are each package's own.
fn without_prose(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.retain(|key, value| key != "description" || !value.is_string());
            map.values_mut()
                .for_each(|value| *value = without_prose(value.take()));
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|value| *value = without_prose(value.take())),
        _ => {}
    }
    value
}

fn declared(case: Case<'_>, key: &str) -> Result<(), String> {
    let ours = declaration(key).ok_or("not declared")?;
    let info = ours["info"]["description"].as_str().unwrap_or_default();
    same("a description", info.is_empty(), false)?;
    same(
        "declaration",
        without_prose(ours),
        without_prose(case.expected[key].clone()),
    )
}

/// The payment and the info that the wallet adds to the one declared extension.
fn attached(
    case: Case<'_>,
    clock: u64,
    key: &str,
    make: fn(Case<'_>, u64) -> Result<serde_json::Map<String, Value>, String>,
) -> Result<(), String> {
    let required = &case.input["paymentRequired"];
    let terms = &required["accepts"][0];
    let sent = &case.expected["payload"];
    let signer = signer(&case.input["privateKey"])?;
    let nonce = &sent["payload"]["permit2Authorization"]["nonce"];
    let authorization = permit2_of(terms, signer.address(), nonce, clock)?;
    let signature = sign(&signer, authorization.digest(&separator(84_532)))?;
    let payload = Permit2Payload {
        signature,
        authorization,
    };
    same("payload", &payload.to_json(), &sent["payload"])?;

    let mut extensions = required["extensions"].clone();
    let info = extensions[key]["info"].as_object_mut().ok_or("no info")?;
    info.extend(make(case, clock)?);
    same("extensions", &extensions, &sent["extensions"])
}

fn permit(case: Case<'_>, clock: u64) -> Result<serde_json::Map<String, Value>, String> {
    let terms = &case.input["paymentRequired"]["accepts"][0];
    let signer = signer(&case.input["privateKey"])?;
    let domain = domain_of(terms)?;
    let nonce = case.input["chainState"]["nonces"]
        .as_str()
        .ok_or("no nonce")?;
    let permit = Permit {
        owner: signer.address(),
        spender: PERMIT2,
        value: U256::from(10_000),
        nonce: nonce.parse().map_err(|_| "bad nonce")?,
        deadline: U256::from(clock + 300),
    };
    let info = Eip2612Info {
        asset: domain.verifying_contract,
        permit,
        signature: sign(&signer, permit.digest(&domain.separator()))?,
    };
    let found = GasSponsoring::find(case.expected["payload"]["extensions"].as_object());
    same(
        "found",
        found,
        Ok(Some(GasSponsoring::Eip2612(info.clone()))),
    )?;
    let checked = info.check(signer.address(), info.asset, permit.value, clock);
    same("check", checked, Ok(()))?;
    Ok(info.to_json())
}

fn approval(case: Case<'_>, _clock: u64) -> Result<serde_json::Map<String, Value>, String> {
    let terms = &case.input["paymentRequired"]["accepts"][0];
    let signer = signer(&case.input["privateKey"])?;
    let chain = &case.input["chainState"];
    let fee = |key: &str| {
        let text = chain[key].as_str().unwrap_or_default();
        text.parse().map_err(|_| format!("bad {key}"))
    };
    let token = domain_of(terms)?.verifying_contract;
    let call = CallTransaction {
        chain_id: 84_532,
        nonce: chain["txCount"].as_u64().ok_or("no txCount")?,
        max_priority_fee_per_gas: fee("maxPriorityFeePerGas")?,
        max_fee_per_gas: fee("maxFeePerGas")?,
        gas_limit: APPROVAL_GAS_LIMIT,
        to: token,
        data: approve_call(PERMIT2, U256::MAX),
    };
    let parts = sign(&signer, call.signing_hash())?
        .split()
        .ok_or("no ECDSA")?;
    let info = Erc20ApprovalInfo {
        from: signer.address(),
        asset: token,
        spender: PERMIT2,
        amount: U256::MAX,
        signed_transaction: call.encode_signed(&parts).into(),
    };
    let found = GasSponsoring::find(case.expected["payload"]["extensions"].as_object());
    same(
        "found",
        found,
        Ok(Some(GasSponsoring::Erc20Approval(info.clone()))),
    )?;
    let signed = info.check(signer.address(), token, 84_532, |digest, parts| {
        recover(digest, &x402_model::evm::Signature::from_parts(parts))
    });
    same("check", signed.map(|signed| signed.transaction), Ok(call))?;
    Ok(info.to_json())
}

fn recover(digest: B256, signature: &x402_model::evm::Signature) -> Option<Address> {
    let signature = alloy_primitives::Signature::from_raw(signature.as_bytes()).ok()?;
    signature.recover_address_from_prehash(&digest).ok()
}
