//! Runs calls and transactions of the sandbox chain on revm.

use std::convert::Infallible;

use alloy_primitives::{Address, Bytes, TxKind, U256};
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction, ResultAndState};
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::database_interface::WrapDatabaseRef;
use revm::primitives::hardfork::SpecId;
use revm::state::EvmState;
use revm::{DatabaseRef, ExecuteEvm, MainBuilder, MainContext};

use crate::evm::abi::revert_reason;
use crate::evm::chain::{CallError, CallRequest};

/// Gas limit of a block and of a call that names none.
pub(super) const BLOCK_GAS: u64 = 30_000_000;

/// The block something runs in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) chain_id: u64,
    pub(super) number: u64,
    pub(super) timestamp: u64,
    /// Wei; zero lets a sender without money run calls.
    pub(super) base_fee: u64,
}

/// Why a transaction could not even start.
pub(super) type NotRun = EVMError<Infallible, InvalidTransaction>;

/// Runs one transaction against a state without writing to it.
pub(super) fn run<D>(db: D, place: Place, tx: TxEnv, free: bool) -> Result<ResultAndState, NotRun>
where
    D: DatabaseRef<Error = Infallible>,
{
    let mut cfg = CfgEnv::new_with_spec(SpecId::PRAGUE).with_chain_id(place.chain_id);
    cfg.disable_nonce_check = free;
    // Nodes let calls run as a contract, too.
    cfg.disable_eip3607 = free;
    let block = BlockEnv {
        number: U256::from(place.number),
        timestamp: U256::from(place.timestamp),
        gas_limit: BLOCK_GAS,
        basefee: if free { 0 } else { place.base_fee },
        prevrandao: Some(Default::default()),
        ..BlockEnv::default()
    };
    let mut evm = Context::mainnet()
        .with_db(WrapDatabaseRef(db))
        .with_cfg(cfg)
        .with_block(block)
        .build_mainnet();
    evm.transact(tx)
}

/// A transaction that costs nothing: for calls, and for changes made by the sandbox's owner.
pub(super) fn free_tx(from: Address, kind: TxKind, data: Bytes, gas: u64, nonce: u64) -> TxEnv {
    TxEnv {
        caller: from,
        kind,
        data,
        gas_limit: gas,
        gas_price: 0,
        nonce,
        chain_id: None,
        ..TxEnv::default()
    }
}

/// `eth_call`.
pub(super) fn call<D>(db: D, place: Place, request: &CallRequest) -> Result<(Bytes, u64), CallError>
where
    D: DatabaseRef<Error = Infallible>,
{
    finish_call(run_call(db, place, request)?.result)
}

/// `eth_call`, together with what it would have changed.
pub(super) fn call_and_keep<D>(
    db: D,
    place: Place,
    request: &CallRequest,
) -> Result<(Result<Bytes, CallError>, EvmState), CallError>
where
    D: DatabaseRef<Error = Infallible>,
{
    let done = run_call(db, place, request)?;
    let result = finish_call(done.result).map(|(output, _)| output);
    Ok((result, done.state))
}

fn run_call<D>(db: D, place: Place, request: &CallRequest) -> Result<ResultAndState, CallError>
where
    D: DatabaseRef<Error = Infallible>,
{
    let gas = request.gas.unwrap_or(BLOCK_GAS).min(BLOCK_GAS);
    let tx = free_tx(
        request.from,
        TxKind::Call(request.to),
        request.data.clone(),
        gas,
        0,
    );
    run(db, place, tx, true).map_err(|error| CallError::Revert {
        data: Bytes::new(),
        message: error.to_string(),
    })
}

fn finish_call(result: ExecutionResult) -> Result<(Bytes, u64), CallError> {
    match result {
        ExecutionResult::Success { gas, output, .. } => {
            Ok((output.into_data(), gas.total_gas_spent()))
        }
        ExecutionResult::Revert { output, .. } => {
            let message = revert_reason(&output).unwrap_or_else(|| "execution reverted".to_owned());
            Err(CallError::Revert {
                data: output,
                message,
            })
        }
        ExecutionResult::Halt { reason, .. } => Err(CallError::Revert {
            data: Bytes::new(),
            message: format!("halted: {reason:?}"),
        }),
    }
}

/// `eth_estimateGas`: the smallest tried limit with which the call succeeds.
pub(super) fn estimate<D>(db: &D, place: Place, request: &CallRequest) -> Result<u64, CallError>
where
    D: DatabaseRef<Error = Infallible>,
{
    let cap = request.gas.unwrap_or(BLOCK_GAS).min(BLOCK_GAS);
    let (_, spent) = call(
        db,
        place,
        &CallRequest {
            gas: Some(cap),
            ..request.clone()
        },
    )?;
    // A nested call gets at most 63/64 of what is left, so the gas that was spent may be too little as a limit.
    let mut limit = spent
        .saturating_add(spent / 63)
        .saturating_add(2_300)
        .min(cap);
    while limit < cap {
        if call(
            db,
            place,
            &CallRequest {
                gas: Some(limit),
                ..request.clone()
            },
        )
        .is_ok()
        {
            return Ok(limit);
        }
        limit = limit.saturating_mul(2).min(cap);
    }
    Ok(cap)
}
