//! Records as rows and back.

use crate::ledger::{Fingerprint, LedgerError, PaymentKey, Record, State, StoredAnswer};
use alloy_primitives::{Address, B256};
use bytes::Bytes;
use rusqlite::Row;
use rusqlite::types::FromSql;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

/// The columns [`record`] expects first, in its order, from `payment p` and `request r`. [`ANSWER`] or [`NO_ANSWER`] follow.
pub(super) const COLUMNS: &str = "p.id, p.network, p.asset, p.payer, p.nonce, p.state, p.fingerprint, p.endpoint, p.amount, \
     p.pay_to, p.valid_before, p.owner, p.lease_until_ms, p.settlement, p.tx, p.attempts, p.in_doubt, p.refusal, \
     p.created_ms, p.updated_ms, r.json";

/// The columns of an answer that may be absent, from `answer a`.
pub(super) const ANSWER: &str = "a.status, a.headers, a.body";

/// In place of [`ANSWER`], for a record without one.
pub(super) const NO_ANSWER: &str = "NULL, NULL, NULL";

/// A record and the number of its row.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) id: i64,
    pub(super) record: Arc<Record>,
}

/// Reads a row of [`COLUMNS`].
pub(super) fn record(row: &Row<'_>) -> Result<Numbered, LedgerError> {
    let state: u8 = column(row, 5)?;
    let settlement: Option<String> = column(row, 13)?;
    let request: String = column(row, 20)?;
    let record = Record {
        key: PaymentKey {
            network: parsed(row, 1)?,
            asset: Address::from(column::<[u8; 20]>(row, 2)?),
            payer: Address::from(column::<[u8; 20]>(row, 3)?),
            nonce: B256::from(column::<[u8; 32]>(row, 4)?),
        },
        state: state_of(state)
            .ok_or_else(|| LedgerError::Corrupt(format!("unknown payment state {state}")))?,
        fingerprint: Fingerprint(column(row, 6)?),
        endpoint: column(row, 7)?,
        amount: parsed(row, 8)?,
        pay_to: Address::from(column::<[u8; 20]>(row, 9)?),
        valid_before: unsigned(row, 10)?,
        request: Arc::new(
            serde_json::from_str(&request).map_err(|error| damaged("request", &error))?,
        ),
        owner: unsigned(row, 11)?,
        lease_until_ms: unsigned(row, 12)?,
        answer: answer(row)?.map(Arc::new),
        settlement: settlement
            .map(|json| serde_json::from_str(&json).map_err(|error| damaged("settlement", &error)))
            .transpose()?,
        transaction: column(row, 14)?,
        attempts: column(row, 15)?,
        in_doubt: column(row, 16)?,
        refusal: column(row, 17)?,
        created_ms: unsigned(row, 18)?,
        updated_ms: unsigned(row, 19)?,
    };
    Ok(Numbered {
        id: column(row, 0)?,
        record: Arc::new(record),
    })
}

fn answer(row: &Row<'_>) -> Result<Option<StoredAnswer>, LedgerError> {
    let Some(status) = column::<Option<u16>>(row, 21)? else {
        return Ok(None);
    };
    let headers: Vec<u8> = column(row, 22)?;
    let headers = read_headers(&headers)
        .ok_or_else(|| LedgerError::Corrupt("headers of a stored answer".to_owned()))?;
    let body: Vec<u8> = column(row, 23)?;
    Ok(Some(StoredAnswer {
        status,
        headers,
        body: Bytes::from(body),
    }))
}

fn column<T: FromSql>(row: &Row<'_>, index: usize) -> Result<T, LedgerError> {
    row.get(index)
        .map_err(|error| LedgerError::Corrupt(format!("column {index} of a payment: {error}")))
}

/// 64 bits are stored as SQLite's signed integer with the same bits.
fn unsigned(row: &Row<'_>, index: usize) -> Result<u64, LedgerError> {
    column::<i64>(row, index).map(i64::cast_unsigned)
}

fn parsed<T: FromStr<Err: Display>>(row: &Row<'_>, index: usize) -> Result<T, LedgerError> {
    let text: String = column(row, index)?;
    text.parse().map_err(|error: T::Err| {
        LedgerError::Corrupt(format!("column {index} of a payment: {error}"))
    })
}

/// A serde_json error names a position and a kind, and may quote the value; only the position goes to the log.
fn damaged(what: &str, error: &serde_json::Error) -> LedgerError {
    LedgerError::Corrupt(format!(
        "{what} of a payment is not what was stored (byte {})",
        error.column()
    ))
}

/// Times that are compared in SQL: later than any clock is as good as never.
pub(super) fn sortable(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// The number a state is stored as. Never change one.
pub(super) const fn state_code(state: State) -> u8 {
    match state {
        State::Reserved => 1,
        State::Served => 2,
        State::Settling => 3,
        State::Settled => 4,
        State::Final => 5,
        State::Unknown => 6,
        State::Failed => 7,
    }
}

fn state_of(code: u8) -> Option<State> {
    State::ALL
        .iter()
        .copied()
        .find(|state| state_code(*state) == code)
}

/// Headers as bytes: for each, the length of the name, the name, the length of the value, the value; lengths are 4 bytes, big
/// endian. `None` if one is longer than 4 GiB.
pub(super) fn write_headers(headers: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(
        headers
            .iter()
            .map(|(name, value)| name.len() + value.len() + 8)
            .sum(),
    );
    for part in headers
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), value.as_slice()])
    {
        out.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
        out.extend_from_slice(part);
    }
    Some(out)
}

fn read_headers(mut bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut headers = Vec::new();
    while !bytes.is_empty() {
        let name = String::from_utf8(take(&mut bytes)?.to_vec()).ok()?;
        headers.push((name, take(&mut bytes)?.to_vec()));
    }
    Some(headers)
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *bytes = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_byte_for_byte() {
        let headers = vec![
            ("a".to_owned(), vec![0, 255, b'\r', b'\n']),
            (String::new(), vec![]),
            ("a".to_owned(), b"2".to_vec()),
        ];
        let bytes = write_headers(&headers).unwrap();
        assert_eq!(read_headers(&bytes), Some(headers));
        assert_eq!(read_headers(&bytes[..bytes.len() - 1]), None, "cut short");
        assert_eq!(
            read_headers(&[255, 255, 255, 255]),
            None,
            "a length without bytes"
        );
    }

    #[test]
    fn every_state_has_its_own_number() {
        for state in State::ALL {
            assert_eq!(state_of(state_code(*state)), Some(*state));
        }
        assert_eq!(state_of(0), None);
    }
}
