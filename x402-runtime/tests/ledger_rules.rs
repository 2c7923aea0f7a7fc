//! What the chain's word does to a payment, and what a full ledger still does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod ledger_common;
#[path = "ledger_common/steps.rs"]
mod steps;

use ledger_common::{VALID_BEFORE, payment};
use std::sync::Arc;
use steps::{OWNER, answered, done, intend, settled, settling};
use x402_runtime::facilitator::Evidence;
use x402_runtime::ledger::{
    Advanced, Begin, Commit, Event, Ledger, LedgerError, MemoryLedger, Next, Record, State, step,
};

/// S3: what is unused is not failed before its authorization has expired on the chain's clock.
#[tokio::test]
async fn s3_late_broadcast_is_not_failed() {
    let ledger = MemoryLedger::new();
    let key = settling(&ledger, 1).await.key;
    done(&ledger, &key, Event::Unanswered { transaction: None }).await;
    let unused = |chain_time| Event::Evidence(Evidence::Unused { chain_time });
    assert_eq!(
        done(&ledger, &key, unused(VALID_BEFORE)).await.state,
        State::Unknown
    );
    let paid = Event::Evidence(Evidence::Paid {
        transaction: "0x02".to_owned(),
        confirmations: 1,
    });
    let record = done(&ledger, &key, paid).await;
    assert_eq!(
        (record.state, record.settlement.unwrap().transaction),
        (State::Settled, "0x02".to_owned())
    );
    assert!(matches!(
        ledger
            .advance(&key, unused(VALID_BEFORE + 1), 0)
            .await
            .unwrap(),
        Advanced::Lost(Some(_))
    ));
}

#[tokio::test]
async fn s2_cancelled_nonce_is_not_paid() {
    let ledger = MemoryLedger::new();
    for evidence in [
        Evidence::Cancelled {
            transaction: "0x03".to_owned(),
        },
        Evidence::Mismatch {
            transaction: "0x03".to_owned(),
        },
        Evidence::Unused {
            chain_time: VALID_BEFORE + 1,
        },
    ] {
        let key = settling(&ledger, 1).await.key;
        let record = done(&ledger, &key, Event::Evidence(evidence)).await;
        assert_eq!((record.state, record.answer), (State::Failed, None));
        assert!(
            matches!(
                ledger.begin(payment(1, OWNER)).await.unwrap(),
                Begin::Exists(_)
            ),
            "the nonce stays taken"
        );
        ledger.purge(u64::MAX, 1).await.unwrap();
    }
}

#[tokio::test]
async fn s6_a_reorg_reopens_the_record_and_never_fails_it_directly() {
    let ledger = MemoryLedger::new();
    let key = settling(&ledger, 1).await.key;
    done(&ledger, &key, settled()).await;
    let record = done(&ledger, &key, Event::ReceiptGone).await;
    assert_eq!(
        (record.state, record.settlement, record.in_doubt),
        (State::Unknown, None, true)
    );
    assert!(
        record.answer.is_some(),
        "the same answer is shown once it is settled again"
    );
    done(&ledger, &key, intend()).await;
    // The first transaction may come back, so a refusal of the second call proves nothing.
    let refused = Event::Refused {
        code: "invalid_transaction_state".to_owned(),
    };
    assert_eq!(done(&ledger, &key, refused).await.state, State::Unknown);
}

#[tokio::test]
async fn a_full_memory_ledger_takes_no_new_payment_and_finishes_old_ones() {
    let ledger = MemoryLedger::new().with_max_records(1);
    let record = settling(&ledger, 1).await;
    assert_eq!(
        ledger.begin(payment(2, OWNER)).await.unwrap_err(),
        LedgerError::Full
    );
    done(&ledger, &record.key, settled()).await;
    done(&ledger, &record.key, Event::Finalised).await;
    assert_eq!(ledger.purge(u64::MAX, 10).await.unwrap(), 1);
    assert!(ledger.is_empty());
    assert!(matches!(
        ledger.begin(payment(2, OWNER)).await.unwrap(),
        Begin::Reserved
    ));
}

/// One fsync per paid call, before the money moves: nothing else on a buyer's way waits for the disk.
#[test]
fn s13_a_paid_call_takes_one_hard_step() {
    let mut record = Record::reserve(payment(1, OWNER));
    let mut hard = Vec::new();
    for event in [answered(b"a"), intend(), settled(), Event::Finalised] {
        let taken = step(&record, &event).unwrap();
        if taken.durability == Commit::Hard {
            hard.push(event.name());
        }
        let Next::Become(next) = taken.next else {
            panic!("{event:?}");
        };
        record = Arc::unwrap_or_clone(next);
    }
    assert_eq!(hard, ["intend"]);
}

/// A payment that somebody else sent has no intent that brought its answer to the disk.
#[test]
fn s13_a_payment_that_others_settled_is_made_durable() {
    let Next::Become(served) = step(&Record::reserve(payment(1, OWNER)), &answered(b"a"))
        .unwrap()
        .next
    else {
        panic!("not served");
    };
    let paid = Event::Evidence(Evidence::Paid {
        transaction: "0x01".to_owned(),
        confirmations: 1,
    });
    for event in [paid, settled()] {
        assert_eq!(step(&served, &event).unwrap().durability, Commit::Hard);
    }
}
