//! What a signed call must be, and what it must not be.

use alloy_primitives::{address, b256};

use super::*;

fn call() -> CallTransaction {
    CallTransaction {
        chain_id: 84_532,
        nonce: 3,
        max_priority_fee_per_gas: 1_000_000,
        max_fee_per_gas: 2_000_000_000,
        gas_limit: 70_000,
        to: address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e"),
        data: approve_call(Address::repeat_byte(0x22), U256::MAX),
    }
}

fn parts() -> EcdsaParts {
    EcdsaParts {
        r: b256!("0xa8027c673470e09c5d07192d7518cf8380c531b7b8ad7882a989fc5915ce3143"),
        s: b256!("0x661ae7c666bf7e77f19b113a8185a3299f5cdc5ac1a06ef08217babf86193ff5"),
        y_parity: true,
    }
}

#[test]
fn a_signed_call_reads_back_as_the_same_bytes() {
    let bytes = call().encode_signed(&parts());
    let read = SignedCall::decode(&bytes).unwrap();
    assert_eq!((&read.transaction, read.signature), (&call(), parts()));
    assert_eq!(read.encode(), bytes);
    assert_eq!(read.hash(), keccak256(&bytes));
    assert!(!format!("{read:?}").contains("a8027c67"));
}

#[test]
fn no_damaged_byte_reads_as_another_spelling_of_the_same_call() {
    let bytes = call().encode_signed(&parts());
    for at in 0..bytes.len() {
        assert!(SignedCall::decode(&bytes[..at]).is_err(), "cut at {at}");
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            if let Ok(read) = SignedCall::decode(&damaged) {
                assert_eq!(read.encode(), damaged, "{at}");
                assert!(read.transaction != call() || read.signature != parts());
            }
        }
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(
        SignedCall::decode(&longer),
        Err(TransactionError::Malformed)
    );
}

/// The members of a transaction with one of them written by the test.
fn with(member: usize, bytes: &[u8]) -> Result<SignedCall, TransactionError> {
    let CallTransaction { to, data, .. } = call();
    let EcdsaParts { r, s, .. } = parts();
    let own: [&[u8]; 12] = [
        &[1],
        &[3],
        &[9],
        &[9],
        &[7],
        to.as_slice(),
        &[],
        &data,
        &[],
        &[1],
        r.as_slice(),
        s.as_slice(),
    ];
    let mut members = Vec::new();
    for (at, value) in own.into_iter().enumerate() {
        let value = if at == member { bytes } else { value };
        match at {
            8 => members.extend_from_slice(&rlp::list(value)),
            _ => rlp::put_bytes(&mut members, value),
        }
    }
    SignedCall::decode(&envelope(&members))
}

#[test]
fn every_other_kind_of_transaction_is_refused() {
    assert!(with(99, &[]).is_ok());
    let high = U256::MAX.to_be_bytes::<32>();
    let table: [(usize, &[u8], TransactionError); 9] = [
        (5, &[], TransactionError::Malformed),
        (5, &[1; 19], TransactionError::Malformed),
        (0, &[1; 9], TransactionError::Malformed),
        (1, &[0, 1], TransactionError::Malformed),
        (6, &[1], TransactionError::Value),
        (8, &[0xc0], TransactionError::Malformed),
        (9, &[2], TransactionError::Signature),
        (10, &[], TransactionError::Signature),
        (11, &high, TransactionError::Signature),
    ];
    for (member, bytes, error) in table {
        assert_eq!(with(member, bytes), Err(error), "{member}");
    }
    assert_eq!(SignedCall::decode(&[]), Err(TransactionError::Type));
    assert_eq!(SignedCall::decode(&[0xc0]), Err(TransactionError::Type));
    assert_eq!(
        SignedCall::decode(&[0x01, 0xc0]),
        Err(TransactionError::Type)
    );
    assert_eq!(
        SignedCall::decode(&[0x02; MAX_TRANSACTION_BYTES + 1]),
        Err(TransactionError::TooLong)
    );
}

#[test]
fn only_a_plain_call_of_approve_is_one() {
    let good = approve_call(Address::repeat_byte(7), U256::from(5));
    assert_eq!(
        read_approve_call(&good),
        Some((Address::repeat_byte(7), U256::from(5)))
    );
    for at in [0, 3, 4, 15] {
        let mut bad = good.to_vec();
        bad[at] ^= 1;
        assert_eq!(read_approve_call(&bad), None, "{at}");
    }
    assert_eq!(read_approve_call(&good[..67]), None);
    assert_eq!(read_approve_call(&[&good[..], &[0]].concat()), None);
}
