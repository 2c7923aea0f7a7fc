//! Checks with one handle, one call at a time.

use super::sample::{LEASE_MS, OWNER, START_MS, VALID_BEFORE, answer, answered, intend, payment, settled, settlement};
use super::{apply, become_next, ensure, reserve, same, text, walk};
use crate::facilitator::Evidence;
use crate::ledger::{Advanced, Begin, Event, Ledger, PaymentKey, Record, StoredAnswer};
use alloy_primitives::{Address, B256, U256};
use std::collections::BTreeSet;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

/// Every arrow of the life of a payment.
pub(super) async fn life(ledger: &impl Ledger) -> Result<(), String> {
    let refused = || Event::Refused { code: "insufficient_funds".to_owned() };
    let unanswered = || Event::Unanswered { transaction: Some("0x01".to_owned()) };
    let paid = || Event::Evidence(Evidence::Paid { transaction: "0x02".to_owned(), confirmations: 3 });
    let unused = |chain_time| Event::Evidence(Evidence::Unused { chain_time });
    let unavailable = || Event::Evidence(Evidence::Unavailable { reason: "down".to_owned() });
    let cancelled = || Event::Evidence(Evidence::Cancelled { transaction: "0x03".to_owned() });
    let lease_over = || Event::LeaseOver { now_ms: LEASE_MS };
    let lives = vec![
        vec![answered("1"), intend(1), settled(), Event::Finalised],
        vec![answered("2"), intend(1), refused(), intend(2), settled()],
        vec![answered("3"), intend(1), refused(), Event::Expired],
        vec![answered("4"), intend(1), unanswered(), unused(VALID_BEFORE), intend(2), refused(), unused(VALID_BEFORE + 1)],
        vec![answered("5"), intend(1), lease_over(), unavailable(), paid(), Event::ReceiptGone, intend(3), settled()],
        vec![answered("6"), intend(1), unanswered(), cancelled()],
        vec![answered("7"), paid(), Event::Finalised],
    ];
    for (n, events) in (1..).zip(lives) {
        walk(ledger, n, events).await.map_err(|error| format!("life {n}: {error}"))?;
    }
    Ok(())
}

pub(super) async fn every_field_survives(ledger: &impl Ledger) -> Result<(), String> {
    let mut new = payment(1);
    new.key.network = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp".parse::<Network>().map_err(text)?;
    new.endpoint = "é\"'\0\n".to_owned();
    new.amount = AtomicAmount::new(U256::MAX);
    new.valid_before = u64::MAX;
    new.owner = u64::MAX;
    new.lease_until_ms = u64::MAX;
    new.request.payload = serde_json::json!({ "a": [1, 1.5, null, "\u{0}\u{1f600}"], "b": u64::MAX });
    let mut record = Record::reserve(new.clone());
    ledger.begin(new).await.map_err(text)?;
    same("the reservation", &ledger.get(&record.key).await.map_err(text)?, &Some(record.clone()))?;

    let odd = StoredAnswer {
        status: 599,
        headers: vec![("x".to_owned(), vec![0, 0x80, 0xff]), ("x".to_owned(), Vec::new()), (String::new(), b"y".to_vec())],
        body: (0..=u8::MAX).cycle().take(100_000).collect::<Vec<u8>>().into(),
    };
    let mut response = settlement();
    response.amount = Some("1".to_owned());
    response.extra = serde_json::json!({ "nested": { "deep": [true] } }).as_object().cloned();
    let events = [
        Event::Answered { owner: u64::MAX, answer: odd },
        Event::Intend { owner: 0, lease_until_ms: 0 },
        Event::Refused { code: "é\0".to_owned() },
        Event::Intend { owner: u64::MAX, lease_until_ms: u64::MAX },
        Event::Unanswered { transaction: Some("0xé".to_owned()) },
        Event::Settled { response },
    ];
    for event in events {
        record = become_next(ledger, &record, event, u64::MAX).await?;
    }
    Ok(())
}

/// Two payers may choose the same nonce, and one payer may use it in two tokens or on two networks.
pub(super) async fn keys_are_apart(ledger: &impl Ledger) -> Result<(), String> {
    let base = payment(1).key;
    let keys = [
        base.clone(),
        PaymentKey { network: Network::evm(8_453), ..base.clone() },
        PaymentKey { asset: Address::repeat_byte(1), ..base.clone() },
        PaymentKey { payer: Address::repeat_byte(1), ..base.clone() },
        PaymentKey { nonce: B256::repeat_byte(2), ..base },
    ];
    for key in &keys {
        let mut new = payment(1);
        new.key = key.clone();
        let begun = ledger.begin(new).await.map_err(text)?;
        ensure(matches!(begun, Begin::Reserved), || format!("{key} was taken for another payment: {begun:?}"))?;
    }
    let event = Event::HandlerFailed { owner: OWNER };
    let [first, others @ ..] = &keys;
    let removed = ledger.advance(first, event, START_MS).await.map_err(text)?;
    ensure(matches!(removed, Advanced::Removed), || format!("not removed: {removed:?}"))?;
    for key in others {
        ensure(ledger.get(key).await.map_err(text)?.is_some(), || format!("{key} went with another payment"))?;
    }
    Ok(())
}

/// An event that is not allowed changes nothing and shows the record as it is.
pub(super) async fn losers_change_nothing(ledger: &impl Ledger) -> Result<(), String> {
    let nobody = payment(9).key;
    let lost = ledger.advance(&nobody, intend(1), START_MS).await.map_err(text)?;
    ensure(matches!(lost, Advanced::Lost(None)), || format!("no record, yet: {lost:?}"))?;

    let reserved = reserve(ledger, 1).await?;
    refuses(ledger, &reserved, vec![
        Event::Answered { owner: OWNER + 1, answer: answer("zombie") },
        Event::HandlerFailed { owner: OWNER + 1 },
        Event::LeaseOver { now_ms: LEASE_MS - 1 },
        intend(1),
        settled(),
        Event::Expired,
    ])
    .await?;
    // The first stored answer is the only one there will ever be.
    let served = become_next(ledger, &reserved, answered("first"), START_MS).await?;
    refuses(ledger, &served, vec![answered("second"), Event::HandlerFailed { owner: OWNER }, Event::Finalised]).await?;
    let settling = become_next(ledger, &served, intend(1), START_MS).await?;
    let mut failure = settlement();
    failure.success = false;
    refuses(ledger, &settling, vec![intend(2), answered("second"), Event::Settled { response: failure }, Event::Expired]).await?;
    let done = become_next(ledger, &settling, settled(), START_MS).await?;
    let unused = Event::Evidence(Evidence::Unused { chain_time: VALID_BEFORE + 1 });
    let gone = Event::Evidence(Evidence::Cancelled { transaction: "0x03".to_owned() });
    refuses(ledger, &done, vec![intend(2), unused, gone, Event::Expired, settled(), answered("second")]).await?;
    let closed = become_next(ledger, &done, Event::Finalised, START_MS).await?;
    refuses(ledger, &closed, vec![Event::ReceiptGone, intend(2), Event::Finalised]).await?;

    match ledger.begin(payment(1)).await.map_err(text)? {
        Begin::Exists(record) => same("a second begin", &*record, &closed),
        Begin::Reserved => Err("a used payment was reserved again".to_owned()),
    }
}

async fn refuses(ledger: &impl Ledger, record: &Record, events: Vec<Event>) -> Result<(), String> {
    for event in events {
        let name = event.name();
        match ledger.advance(&record.key, event, START_MS + 5).await.map_err(text)? {
            Advanced::Lost(Some(found)) => same(name, &*found, record)?,
            other => return Err(format!("{name} on a payment that is {}: {other:?}", record.state)),
        }
        same(name, &ledger.get(&record.key).await.map_err(text)?, &Some(record.clone()))?;
    }
    Ok(())
}

/// A payment whose handler failed, or whose owner died, can be presented again.
pub(super) async fn removed_is_free(ledger: &impl Ledger) -> Result<(), String> {
    for event in [Event::HandlerFailed { owner: OWNER }, Event::LeaseOver { now_ms: LEASE_MS }] {
        let record = reserve(ledger, 1).await?;
        let left = apply(ledger, &record, event, START_MS).await?;
        ensure(left.is_none(), || format!("still there: {left:?}"))?;
    }
    // A late answer of the first owner must not land in the second reservation.
    let mut second = payment(1);
    second.owner = OWNER + 1;
    ledger.begin(second).await.map_err(text)?;
    let zombie = ledger.advance(&payment(1).key, answered("late"), START_MS).await.map_err(text)?;
    ensure(matches!(zombie, Advanced::Lost(Some(_))), || format!("a late answer was stored: {zombie:?}"))
}

pub(super) async fn due(ledger: &impl Ledger) -> Result<(), String> {
    reserve(ledger, 1).await?;
    walk(ledger, 2, vec![answered("2")]).await?;
    walk(ledger, 3, vec![answered("3"), intend(1)]).await?;
    walk(ledger, 4, vec![answered("4"), intend(1), Event::Unanswered { transaction: None }]).await?;
    walk(ledger, 5, vec![answered("5"), intend(1), settled()]).await?;
    walk(ledger, 6, vec![answered("6"), intend(1), settled(), Event::Finalised]).await?;
    walk(ledger, 7, vec![answered("7"), Event::Expired]).await?;
    walk(ledger, 8, vec![answered("8"), intend(1), Event::Refused { code: "no".to_owned() }]).await?;

    nonces_due(ledger, START_MS, 99, &[]).await?;
    nonces_due(ledger, START_MS + 3, 99, &[4, 5]).await?;
    nonces_due(ledger, LEASE_MS - 1, 99, &[4, 5]).await?;
    nonces_due(ledger, LEASE_MS, 99, &[1, 2, 3, 4, 5]).await?;
    // A refused payment is not tried again in the background, but it must end.
    nonces_due(ledger, (VALID_BEFORE + 1) * 1000, 99, &[1, 2, 3, 4, 5, 8]).await?;

    // Longest due first, and looked-at records go to the back: nobody starves behind a few that cannot be decided.
    let first = ledger.due(LEASE_MS, 1).await.map_err(text)?;
    let [record] = first.as_slice() else { return Err(format!("wanted one record, found {}", first.len())) };
    ensure(matches!(record.key.nonce.first(), Some(4 | 5)), || format!("not the longest due: {record:?}"))?;
    let looked = Event::Evidence(Evidence::Unavailable { reason: "down".to_owned() });
    become_next(ledger, record, looked, LEASE_MS).await?;
    let second = ledger.due(LEASE_MS, 1).await.map_err(text)?;
    ensure(second.first().is_some_and(|other| other.key != record.key), || "the same record again".to_owned())
}

async fn nonces_due(ledger: &impl Ledger, now_ms: u64, max: usize, wanted: &[u8]) -> Result<(), String> {
    let records = ledger.due(now_ms, max).await.map_err(text)?;
    let times: Vec<_> = records.iter().map(Record::due_ms).collect();
    ensure(times.is_sorted(), || format!("due at {now_ms} is not in order: {times:?}"))?;
    for record in &records {
        same("a due record", &ledger.get(&record.key).await.map_err(text)?, &Some(record.clone()))?;
    }
    let found: BTreeSet<u8> = records.iter().filter_map(|record| record.key.nonce.first().copied()).collect();
    same(&format!("due at {now_ms}"), &found, &wanted.iter().copied().collect())
}

/// Only closed records go, and not before their authorization has expired: the nonce must not buy again.
pub(super) async fn purge(ledger: &impl Ledger) -> Result<(), String> {
    let late = VALID_BEFORE * 1000;
    walk(ledger, 1, vec![answered("1"), intend(1), settled(), Event::Finalised]).await?;
    walk(ledger, 2, vec![answered("2"), Event::Expired]).await?;
    walk(ledger, 3, vec![answered("3"), intend(1), settled()]).await?;
    walk(ledger, 4, vec![answered("4"), Event::Expired]).await?;
    reserve(ledger, 5).await?;
    same("purged too early", &ledger.purge(late, 99).await.map_err(text)?, &0)?;
    same("purged two of three", &ledger.purge(late + 1, 2).await.map_err(text)?, &2)?;
    same("purged the third", &ledger.purge(u64::MAX, 99).await.map_err(text)?, &1)?;
    same("purged what is open", &ledger.purge(u64::MAX, 99).await.map_err(text)?, &0)?;
    for (n, kept) in [(1, false), (2, false), (3, true), (4, false), (5, true)] {
        let found = ledger.get(&payment(n).key).await.map_err(text)?.is_some();
        ensure(found == kept, || format!("payment {n}: kept is {found}, wanted {kept}"))?;
    }
    Ok(())
}

/// Price changes between a 402 and its payment.
pub(super) async fn offers(ledger: &impl Ledger) -> Result<(), String> {
    publish(ledger, "a", "[1]", START_MS, &[]).await?;
    publish(ledger, "a", "[1]", START_MS + 1, &[]).await?;
    publish(ledger, "b", "[9]", START_MS + 1, &[]).await?;
    publish(ledger, "a", "[2]", START_MS + 2, &["[1]"]).await?;
    publish(ledger, "a", "[2]", START_MS + 3, &["[1]"]).await?;
    publish(ledger, "a", "[3]", START_MS + 4, &["[1]", "[2]"]).await?;
    // Back to earlier terms: they are the present ones again.
    publish(ledger, "a", "[1]", START_MS + 5, &["[2]", "[3]"]).await?;
    // 60 seconds after each was replaced.
    publish(ledger, "a", "[1]", START_MS + 60_004, &["[2]", "[3]"]).await?;
    publish(ledger, "a", "[1]", START_MS + 60_005, &["[3]"]).await?;
    publish(ledger, "a", "[1]", START_MS + 60_006, &[]).await?;
    publish(ledger, "b", "[9]", START_MS + 60_006, &[]).await
}

async fn publish(ledger: &impl Ledger, endpoint: &str, terms: &str, now_ms: u64, wanted: &[&str]) -> Result<(), String> {
    let older = ledger.publish_offers(endpoint, terms, 60, now_ms).await.map_err(text)?;
    for offer in &older {
        same("the end of older terms", &offer.until_ms, &offer.superseded_ms.saturating_add(60_000))?;
    }
    let found: Vec<&str> = older.iter().map(|offer| offer.accepts_json.as_str()).collect();
    same(&format!("older terms of {endpoint} at {now_ms}"), &found, &wanted.to_vec())
}

