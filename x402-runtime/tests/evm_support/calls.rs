//! Calls that third parties make in the tests of own settlement.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue, sol};
use x402_runtime::sandbox::Sandbox;

use super::support::{Payment, artifact};

sol! {
    function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature) external;
    function setLie(uint8 lie) external;
    function setAppetite(uint256 gasToBurn) external;
    function deploy(address owner, bytes32 salt) external returns (address);
    function predict(address owner, bytes32 salt) external returns (address);
}

/// Somebody who is not the settler.
pub(crate) const STRANGER: Address = Address::repeat_byte(0x57);

/// Has a stranger submit a payment.
pub(crate) fn submit_as_stranger(sandbox: &Sandbox, payment: &Payment) -> B256 {
    let a = payment.authorization();
    let call = transferWithAuthorizationCall {
        from: a.from,
        to: a.to,
        value: a.value,
        validAfter: a.valid_after,
        validBefore: a.valid_before,
        nonce: a.nonce,
        signature: payment.signature(),
    };
    sandbox
        .transact_as(STRANGER, payment.token, call.abi_encode())
        .unwrap()
        .transaction
}

/// Chooses what a lying token lies about.
pub(crate) fn set_lie(sandbox: &Sandbox, token: Address, lie: u8) {
    sandbox
        .transact_as(STRANGER, token, setLieCall { lie }.abi_encode())
        .unwrap();
}

/// Chooses how much gas a guzzling token burns.
pub(crate) fn set_appetite(sandbox: &Sandbox, token: Address, gas: u64) {
    sandbox
        .transact_as(
            STRANGER,
            token,
            setAppetiteCall {
                gasToBurn: U256::from(gas),
            }
            .abi_encode(),
        )
        .unwrap();
}

/// Deploys a wallet that obeys `owner`'s key.
pub(crate) fn wallet(sandbox: &Sandbox, owner: Address) -> Address {
    let code = [
        artifact("ERC1271Wallet").creation.as_ref(),
        &owner.abi_encode(),
    ]
    .concat();
    sandbox.deploy(code).unwrap()
}

/// A factory, the wallet that it would deploy, and the call that does.
pub(crate) struct Planned {
    pub(crate) factory: Address,
    pub(crate) wallet: Address,
    pub(crate) calldata: Bytes,
}

/// Plans a wallet without deploying it.
pub(crate) fn planned_wallet(sandbox: &Sandbox, owner: Address) -> Planned {
    let factory = sandbox.deploy(artifact("WalletFactory").creation).unwrap();
    let salt = B256::repeat_byte(1);
    let answer = sandbox
        .read(factory, predictCall { owner, salt }.abi_encode())
        .unwrap();
    Planned {
        factory,
        wallet: predictCall::abi_decode_returns(&answer).unwrap(),
        calldata: deployCall { owner, salt }.abi_encode().into(),
    }
}
