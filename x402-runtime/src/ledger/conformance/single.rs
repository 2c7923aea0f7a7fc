//! Checks with one handle, one call at a time.

use super::sample::{
    LEASE_MS, OWNER, START_MS, VALID_BEFORE, answer, answered, charged, intend, metered, payment,
    settled, settlement,
};
use super::{apply, become_next, ensure, reserve, same, text, walk};
use crate::facilitator::Evidence;
use crate::ledger::{Advanced, Begin, Event, Ledger, NewPayment, PaymentKey, Record, StoredAnswer};
use alloy_primitives::{Address, B256, U256};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

/// Every arrow of the life of a payment.
pub(super) async fn life(ledger: &impl Ledger) -> Result<(), String> {
    let lives = lives().into_iter().chain(metered_lives());
    for (n, events) in (1..).zip(lives) {
        walk(ledger, n, events)
            .await
            .map_err(|error| format!("life {n}: {error}"))?;
    }
    Ok(())
}

fn refused() -> Event {
    Event::Refused {
        code: "insufficient_funds".to_owned(),
    }
}

fn unanswered() -> Event {
    Event::Unanswered {
        transaction: Some("0x01".to_owned()),
    }
}

/// The lives at a price that is known before.
fn lives() -> Vec<Vec<Event>> {
    let paid = || {
        Event::Evidence(Evidence::Paid {
            transaction: "0x02".to_owned(),
            confirmations: 3,
        })
    };
    let unused = |chain_time| Event::Evidence(Evidence::Unused { chain_time });
    let unavailable = || {
        Event::Evidence(Evidence::Unavailable {
            reason: "down".to_owned(),
        })
    };
    let cancelled = || {
        Event::Evidence(Evidence::Cancelled {
            transaction: "0x03".to_owned(),
        })
    };
    let lease_over = || Event::LeaseOver { now_ms: LEASE_MS };
    vec![
        vec![answered("1"), intend(1), settled(), Event::Finalised],
        vec![answered("2"), intend(1), refused(), intend(2), settled()],
        vec![answered("3"), intend(1), refused(), Event::Expired],
        vec![
            answered("4"),
            intend(1),
            unanswered(),
            unused(VALID_BEFORE),
            intend(2),
            refused(),
            unused(VALID_BEFORE + 1),
        ],
        vec![
            answered("5"),
            intend(1),
            lease_over(),
            unavailable(),
            paid(),
            Event::ReceiptGone,
            intend(3),
            settled(),
        ],
        vec![answered("6"), intend(1), unanswered(), cancelled()],
        vec![answered("7"), paid(), Event::Finalised],
    ]
}

/// The metered lives: streamed to its end, for nothing, and broken off by a crash.
fn metered_lives() -> Vec<Vec<Event>> {
    vec![
        vec![
            metered(1),
            metered(2),
            charged("8", 3),
            intend(1),
            settled(),
        ],
        vec![charged("9", 0), intend(1), Event::Waived],
        vec![metered(5), intend(2), unanswered(), intend(3), settled()],
        vec![charged("11", 10_000), intend(1), refused(), Event::Expired],
    ]
}

pub(super) async fn every_field_survives(ledger: &impl Ledger) -> Result<(), String> {
    let new = odd_payment()?;
    let mut record = Record::reserve(new.clone());
    ledger.begin(new).await.map_err(text)?;
    same(
        "the reservation",
        &ledger.get(&record.key).await.map_err(text)?,
        &Some(record.clone()),
    )?;

    let mut response = settlement();
    response.amount = Some("1".to_owned());
    response.extra = serde_json::json!({ "nested": { "deep": [true] } })
        .as_object()
        .cloned();
    let events = [
        Event::Answered {
            owner: u64::MAX,
            answer: odd_answer().into(),
            charge: None,
        },
        Event::Intend {
            owner: 0,
            lease_until_ms: 0,
        },
        Event::Refused {
            code: "é\0".to_owned(),
        },
        Event::Intend {
            owner: u64::MAX,
            lease_until_ms: u64::MAX,
        },
        Event::Unanswered {
            transaction: Some("0xé".to_owned()),
        },
        Event::Settled { response },
    ];
    for event in events {
        record = become_next(ledger, &record, event, u64::MAX).await?;
    }
    Ok(())
}

fn odd_payment() -> Result<NewPayment, String> {
    let mut new = payment(1);
    new.key.network = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
        .parse::<Network>()
        .map_err(text)?;
    new.endpoint = "é\"'\0\n".into();
    new.amount = AtomicAmount::new(U256::MAX);
    new.valid_before = u64::MAX;
    new.owner = u64::MAX;
    new.lease_until_ms = u64::MAX;
    new.request.payload =
        serde_json::json!({ "a": [1, 1.5, null, "\u{0}\u{1f600}"], "b": u64::MAX }).into();
    Ok(new)
}

fn odd_answer() -> StoredAnswer {
    StoredAnswer {
        status: 599,
        headers: vec![
            ("x".to_owned(), vec![0, 0x80, 0xff]),
            ("x".to_owned(), Vec::new()),
            (String::new(), b"y".to_vec()),
        ],
        body: (0..=u8::MAX)
            .cycle()
            .take(100_000)
            .collect::<Vec<u8>>()
            .into(),
    }
}

/// Two payers may choose the same nonce, and one payer may use it in two tokens or on two networks.
pub(super) async fn keys_are_apart(ledger: &impl Ledger) -> Result<(), String> {
    let base = payment(1).key;
    let keys = [
        base.clone(),
        PaymentKey {
            network: Network::evm(8_453),
            ..base.clone()
        },
        PaymentKey {
            asset: Address::repeat_byte(1),
            ..base.clone()
        },
        PaymentKey {
            payer: Address::repeat_byte(1),
            ..base.clone()
        },
        PaymentKey {
            nonce: B256::repeat_byte(2),
            ..base
        },
    ];
    for key in &keys {
        let mut new = payment(1);
        new.key = key.clone();
        let begun = ledger.begin(new).await.map_err(text)?;
        ensure(matches!(begun, Begin::Reserved), || {
            format!("{key} was taken for another payment: {begun:?}")
        })?;
    }
    let event = Event::HandlerFailed { owner: OWNER };
    let [first, others @ ..] = &keys;
    let removed = ledger.advance(first, event, START_MS).await.map_err(text)?;
    ensure(matches!(removed, Advanced::Removed), || {
        format!("not removed: {removed:?}")
    })?;
    for key in others {
        ensure(ledger.get(key).await.map_err(text)?.is_some(), || {
            format!("{key} went with another payment")
        })?;
    }
    Ok(())
}

/// An event that is not allowed changes nothing and shows the record as it is.
pub(super) async fn losers_change_nothing(ledger: &impl Ledger) -> Result<(), String> {
    let nobody = payment(9).key;
    let lost = ledger
        .advance(&nobody, intend(1), START_MS)
        .await
        .map_err(text)?;
    ensure(matches!(lost, Advanced::Lost(None)), || {
        format!("no record, yet: {lost:?}")
    })?;

    let reserved = reserve(ledger, 1).await?;
    refuses(
        ledger,
        &reserved,
        vec![
            Event::Answered {
                owner: OWNER + 1,
                answer: answer("zombie").into(),
                charge: None,
            },
            Event::HandlerFailed { owner: OWNER + 1 },
            Event::Waived,
            // One more than was signed.
            metered(10_001),
            charged("too much", 10_001),
            Event::LeaseOver {
                now_ms: LEASE_MS - 1,
            },
            intend(1),
            settled(),
            Event::Expired,
        ],
    )
    .await?;
    // The first stored answer is the only one there will ever be.
    let served = become_next(ledger, &reserved, answered("first"), START_MS).await?;
    refuses(
        ledger,
        &served,
        vec![
            answered("second"),
            Event::HandlerFailed { owner: OWNER },
            Event::Finalised,
        ],
    )
    .await?;
    let closed = losers_to_the_end(ledger, &served).await?;
    match ledger.begin(payment(1)).await.map_err(text)? {
        Begin::Exists(record) => same("a second begin", &*record, &closed),
        Begin::Reserved => Err("a used payment was reserved again".to_owned()),
    }
}

async fn losers_to_the_end(ledger: &impl Ledger, served: &Record) -> Result<Record, String> {
    let settling = become_next(ledger, served, intend(1), START_MS).await?;
    let mut failure = settlement();
    failure.success = false;
    refuses(
        ledger,
        &settling,
        vec![
            intend(2),
            answered("second"),
            Event::Settled { response: failure },
            Event::Expired,
        ],
    )
    .await?;
    let done = become_next(ledger, &settling, settled(), START_MS).await?;
    let unused = Event::Evidence(Evidence::Unused {
        chain_time: VALID_BEFORE + 1,
    });
    let gone = Event::Evidence(Evidence::Cancelled {
        transaction: "0x03".to_owned(),
    });
    refuses(
        ledger,
        &done,
        vec![
            intend(2),
            unused,
            gone,
            Event::Expired,
            settled(),
            answered("second"),
        ],
    )
    .await?;
    let closed = become_next(ledger, &done, Event::Finalised, START_MS).await?;
    refuses(
        ledger,
        &closed,
        vec![Event::ReceiptGone, intend(2), Event::Finalised],
    )
    .await?;
    Ok(closed)
}

async fn refuses(ledger: &impl Ledger, record: &Record, events: Vec<Event>) -> Result<(), String> {
    for event in events {
        let name = event.name();
        match ledger
            .advance(&record.key, event, START_MS + 5)
            .await
            .map_err(text)?
        {
            Advanced::Lost(Some(found)) => same(name, &*found, record)?,
            other => {
                return Err(format!(
                    "{name} on a payment that is {}: {other:?}",
                    record.state
                ));
            }
        }
        same(
            name,
            &ledger.get(&record.key).await.map_err(text)?,
            &Some(record.clone()),
        )?;
    }
    Ok(())
}

/// A payment whose handler failed, or whose owner died, can be presented again.
pub(super) async fn removed_is_free(ledger: &impl Ledger) -> Result<(), String> {
    for event in [
        Event::HandlerFailed { owner: OWNER },
        Event::LeaseOver { now_ms: LEASE_MS },
    ] {
        let record = reserve(ledger, 1).await?;
        let left = apply(ledger, &record, event, START_MS).await?;
        ensure(left.is_none(), || format!("still there: {left:?}"))?;
    }
    // A late answer of the first owner must not land in the second reservation.
    let mut second = payment(1);
    second.owner = OWNER + 1;
    ledger.begin(second).await.map_err(text)?;
    let zombie = ledger
        .advance(&payment(1).key, answered("late"), START_MS)
        .await
        .map_err(text)?;
    ensure(matches!(zombie, Advanced::Lost(Some(_))), || {
        format!("a late answer was stored: {zombie:?}")
    })
}
