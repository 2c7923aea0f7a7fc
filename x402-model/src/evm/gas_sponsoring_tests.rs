//! Every refusal of an approval that comes with a payment.

use alloy_primitives::{Address, B256, Bytes, U256, b256};
use serde_json::json;

use super::*;
use crate::evm::permit2::PERMIT2;
use crate::evm::transaction::{CallTransaction, approve_call};
use crate::evm::{DEVELOPMENT_ACCOUNTS, EcdsaParts, Permit, Signature};

const PAYER: Address = DEVELOPMENT_ACCOUNTS[0];
const OTHER: Address = DEVELOPMENT_ACCOUNTS[3];
const TOKEN: Address = Address::repeat_byte(0x70);
const NOW: u64 = 1_790_000_000;

/// A change for the worse, and the code it leads to.
type Bad<T> = (fn(&mut T), &'static str);

fn parts() -> EcdsaParts {
    EcdsaParts {
        r: b256!("0xa8027c673470e09c5d07192d7518cf8380c531b7b8ad7882a989fc5915ce3143"),
        s: b256!("0x661ae7c666bf7e77f19b113a8185a3299f5cdc5ac1a06ef08217babf86193ff5"),
        y_parity: true,
    }
}

fn permit() -> Eip2612Info {
    Eip2612Info {
        asset: TOKEN,
        permit: Permit {
            owner: PAYER,
            spender: PERMIT2,
            value: U256::from(10_000),
            nonce: U256::from(7),
            deadline: U256::from(NOW + 300),
        },
        signature: Signature::from_parts(&parts()),
    }
}

fn call() -> CallTransaction {
    CallTransaction {
        chain_id: 84_532,
        nonce: 3,
        max_priority_fee_per_gas: 1,
        max_fee_per_gas: 2,
        gas_limit: APPROVAL_GAS_LIMIT,
        to: TOKEN,
        data: approve_call(PERMIT2, U256::MAX),
    }
}

fn approval(call: &CallTransaction) -> Erc20ApprovalInfo {
    Erc20ApprovalInfo {
        from: PAYER,
        asset: TOKEN,
        spender: PERMIT2,
        amount: U256::MAX,
        signed_transaction: call.encode_signed(&parts()).into(),
    }
}

fn info(members: Map<String, Value>) -> Value {
    Value::Object(members)
}

fn with(mut members: Map<String, Value>, key: &str, value: Value) -> Value {
    members.insert(key.to_owned(), value);
    Value::Object(members)
}

#[test]
fn infos_read_back_beside_the_sellers_own_members() {
    let permit = permit();
    let own = with(permit.to_json(), "description", json!("whatever"));
    assert_eq!(Eip2612Info::parse(&own), Ok(permit.clone()));
    let approval = approval(&call());
    let own = with(approval.to_json(), "description", json!("whatever"));
    assert_eq!(Erc20ApprovalInfo::parse(&own), Ok(approval.clone()));
    let shown = format!("{permit:?} {approval:?}");
    assert!(!shown.contains("a8027c67"), "{shown}");
}

#[test]
fn every_bad_member_of_a_permit_is_a_format_error() {
    for key in permit().to_json().keys() {
        for bad in [Value::Null, json!("x"), json!([]), json!(true)] {
            let error = Eip2612Info::parse(&with(permit().to_json(), key, bad)).unwrap_err();
            assert!(matches!(error, SponsoringError::Eip2612Format(_)), "{key}");
            assert_eq!(error.code(), "invalid_eip2612_extension_format");
        }
    }
    let compact = with(
        permit().to_json(),
        "signature",
        json!(format!("0x{}", "11".repeat(64))),
    );
    assert!(Eip2612Info::parse(&compact).is_err());
    for version in ["1.", ".", "", "1..2", "v1"] {
        assert!(Eip2612Info::parse(&with(permit().to_json(), "version", json!(version))).is_err());
    }
    assert!(Eip2612Info::parse(&with(permit().to_json(), "version", json!("1.20"))).is_ok());
    assert!(Eip2612Info::parse(&json!([])).is_err());
}

#[test]
fn every_bad_member_of_an_approval_is_a_format_error() {
    let good = approval(&call()).to_json();
    for key in good.keys() {
        for bad in [Value::Null, json!("x"), json!("0x"), json!([])] {
            let error = Erc20ApprovalInfo::parse(&with(good.clone(), key, bad)).unwrap_err();
            assert!(matches!(error, SponsoringError::Erc20Format(_)), "{key}");
            assert_eq!(error.code(), "invalid_erc20_approval_extension_format");
        }
    }
    let long = format!("0x{}", "02".repeat(1025));
    assert!(Erc20ApprovalInfo::parse(&with(good, "signedTransaction", json!(long))).is_err());
    assert!(Erc20ApprovalInfo::parse(&json!(1)).is_err());
}

#[test]
fn a_permit_must_be_the_payers_for_permit2_and_this_token() {
    let amount = U256::from(10_000);
    let check = |change: fn(&mut Eip2612Info)| {
        let mut info = permit();
        change(&mut info);
        info.check(PAYER, TOKEN, amount, NOW).map_err(|e| e.code())
    };
    assert_eq!(check(|_| ()), Ok(()));
    assert_eq!(
        check(|info| info.permit.deadline = U256::from(NOW + 6)),
        Ok(())
    );
    let table: [Bad<Eip2612Info>; 6] = [
        (|info| info.permit.owner = OTHER, "eip2612_from_mismatch"),
        (|info| info.asset = OTHER, "eip2612_asset_mismatch"),
        (
            |info| info.permit.spender = OTHER,
            "eip2612_spender_not_permit2",
        ),
        (
            |info| info.permit.deadline = U256::from(NOW + 5),
            "eip2612_deadline_expired",
        ),
        (
            |info| info.permit.value = U256::from(9_999),
            "permit2_2612_amount_mismatch",
        ),
        (
            |info| info.permit.value = U256::MAX,
            "permit2_2612_amount_mismatch",
        ),
    ];
    for (change, code) in table {
        assert_eq!(check(change), Err(code));
    }
}

#[test]
fn an_approval_must_be_the_payers_for_permit2_and_this_token() {
    let check = |info: &Erc20ApprovalInfo, signer: Option<Address>| {
        info.check(PAYER, TOKEN, 84_532, |digest, signature| {
            assert_eq!((digest, *signature), (approved_digest(info), parts()));
            signer
        })
        .map(|signed| signed.transaction)
        .map_err(|error| error.code())
    };
    let good = approval(&call());
    assert_eq!(check(&good, Some(PAYER)), Ok(call()));
    assert_eq!(
        check(&good, None),
        Err("erc20_approval_tx_invalid_signature")
    );
    assert_eq!(
        check(&good, Some(OTHER)),
        Err("erc20_approval_tx_signer_mismatch")
    );

    let infos: [Bad<Erc20ApprovalInfo>; 4] = [
        (|info| info.from = OTHER, "erc20_approval_from_mismatch"),
        (|info| info.asset = OTHER, "erc20_approval_asset_mismatch"),
        (
            |info| info.spender = OTHER,
            "erc20_approval_spender_not_permit2",
        ),
        (
            |info| info.signed_transaction = Bytes::from_static(&[1, 2]),
            "erc20_approval_tx_parse_failed",
        ),
    ];
    for (change, code) in infos {
        let mut info = good.clone();
        change(&mut info);
        assert_eq!(check(&info, Some(PAYER)), Err(code));
    }
    let calls: [Bad<CallTransaction>; 6] = [
        (|call| call.chain_id = 1, "erc20_approval_tx_parse_failed"),
        (|call| call.to = OTHER, "erc20_approval_tx_wrong_target"),
        (
            |call| call.data = Bytes::from_static(&[0xa9, 0x05, 0x9c, 0xbb, 0]),
            "erc20_approval_tx_wrong_selector",
        ),
        (
            |call| call.data = Bytes::new(),
            "erc20_approval_tx_wrong_selector",
        ),
        (
            |call| call.data = call.data.slice(..67),
            "erc20_approval_tx_invalid_calldata",
        ),
        (
            |call| call.data = approve_call(OTHER, U256::MAX),
            "erc20_approval_tx_wrong_spender",
        ),
    ];
    for (change, code) in calls {
        let mut call = call();
        change(&mut call);
        assert_eq!(check(&approval(&call), Some(PAYER)), Err(code));
    }
}

fn approved_digest(info: &Erc20ApprovalInfo) -> B256 {
    crate::evm::SignedCall::decode(&info.signed_transaction)
        .unwrap()
        .transaction
        .signing_hash()
}

#[test]
fn an_echoed_declaration_is_no_approval_and_a_permit_counts_first() {
    let sent = |parts: &[(&str, Value)]| {
        let map = parts
            .iter()
            .map(|(key, info)| ((*key).to_owned(), json!({"info": info})))
            .collect();
        GasSponsoring::find(Some(&map))
    };
    let permit = permit();
    let approval = approval(&call());
    let (permit_info, approval_info) = (info(permit.to_json()), info(approval.to_json()));
    let declared = json!({"description": "d", "version": "1"});
    assert_eq!(GasSponsoring::find(None), Ok(None));
    assert_eq!(sent(&[]), Ok(None));
    assert_eq!(
        sent(&[(EIP2612_GAS_SPONSORING, declared.clone())]),
        Ok(None)
    );
    assert_eq!(
        sent(&[
            (EIP2612_GAS_SPONSORING, declared),
            (ERC20_APPROVAL_GAS_SPONSORING, approval_info.clone()),
        ]),
        Ok(Some(GasSponsoring::Erc20Approval(approval)))
    );
    assert_eq!(
        sent(&[
            (EIP2612_GAS_SPONSORING, permit_info),
            (ERC20_APPROVAL_GAS_SPONSORING, approval_info),
        ]),
        Ok(Some(GasSponsoring::Eip2612(permit)))
    );
    // What was meant to be an approval and is none is refused, not left aside.
    for bad in [
        json!({"from": PAYER.to_checksum(None)}),
        json!("x"),
        json!([]),
    ] {
        assert!(matches!(
            sent(&[(EIP2612_GAS_SPONSORING, bad.clone())]),
            Err(SponsoringError::Eip2612Format(_))
        ));
        assert!(matches!(
            sent(&[(ERC20_APPROVAL_GAS_SPONSORING, bad)]),
            Err(SponsoringError::Erc20Format(_))
        ));
    }
}

#[test]
fn every_code_is_one_of_the_named_reasons() {
    let format = PayloadError::NotAnObject;
    let all = [
        SponsoringError::Eip2612Format(format),
        SponsoringError::Eip2612From,
        SponsoringError::Eip2612Asset,
        SponsoringError::Eip2612Spender,
        SponsoringError::Eip2612Deadline,
        SponsoringError::Eip2612Amount,
        SponsoringError::Erc20Format(format),
        SponsoringError::Erc20From,
        SponsoringError::Erc20Asset,
        SponsoringError::Erc20Spender,
        SponsoringError::Transaction(TransactionError::Type),
        SponsoringError::Transaction(TransactionError::Signature),
        SponsoringError::TransactionChain,
        SponsoringError::TransactionTarget,
        SponsoringError::TransactionSelector,
        SponsoringError::TransactionCalldata,
        SponsoringError::TransactionSpender,
        SponsoringError::TransactionSignature,
        SponsoringError::TransactionSigner,
    ];
    for error in all {
        assert!(reason::ALL.contains(&error.code()), "{error}");
    }
}
