//! Properties of purses: whatever happens in whatever order, no credit is made and none is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::Address;
use proptest::prelude::*;

use super::*;
use x402_model::network::Network;

use crate::ledger::{MemoryLedger, Posted, Posting};

#[derive(Clone, Debug)]
enum Act {
    Buy { units: u8, lives: Option<u8> },
    Hold { units: u8 },
    Capture { hold: u8, part: u8 },
    Release { hold: u8 },
    Wait { ms: u8 },
    Refund { name: u8 },
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1..20_u8, prop::option::of(1..30_u8)).prop_map(|(units, lives)| Act::Buy { units, lives }),
        5 => (1..15_u8).prop_map(|units| Act::Hold { units }),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(hold, part)| Act::Capture { hold, part }),
        2 => any::<u8>().prop_map(|hold| Act::Release { hold }),
        2 => (1..9_u8).prop_map(|ms| Act::Wait { ms }),
        1 => (0..4_u8).prop_map(|name| Act::Refund { name }),
    ]
}

fn units(amount: AtomicAmount) -> u64 {
    u64::try_from(amount.get()).unwrap()
}

fn sum(purse: &PurseBalance) -> u64 {
    [
        purse.available,
        purse.held,
        purse.spent,
        purse.expired,
        purse.refunded,
    ]
    .map(units)
    .iter()
    .sum()
}

#[allow(clippy::too_many_lines, reason = "a table of cases")]
async fn live(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let ledger = MemoryLedger::new();
    let (purse, payer) = (Purse::new("/x", "usdc"), Address::repeat_byte(1));
    let whose = Whose::anywhere(payer);
    let buyer = Buyer {
        payer,
        network: Network::BASE,
    };
    let (mut now_ms, mut credited, mut captured) = (1_000_u64, 0_u64, 0_u64);
    let mut holds: BTreeMap<u64, u64> = BTreeMap::new();
    for (number, act) in (0_u64..).zip(acts) {
        let books = ledger.accounts();
        let name = format!("act/{number}");
        let before = purse.balance(&ledger, &whose, now_ms).await.unwrap();
        match act {
            Act::Buy { units, lives } => {
                let until = lives.map(|lives| now_ms + u64::from(lives));
                let amount = AtomicAmount::from_u128(units.into());
                for wanted_once in [true, false] {
                    let posted = purse
                        .credit(books, &buyer, amount, until, (&name, now_ms))
                        .await
                        .unwrap();
                    prop_assert_eq!(matches!(posted, Posted::Done(_)), wanted_once);
                }
                credited += u64::from(units);
            }
            Act::Hold { units: wanted } => {
                let amount = AtomicAmount::from_u128(wanted.into());
                let held = purse
                    .hold(books, &whose, amount, (&name, now_ms))
                    .await
                    .unwrap();
                // Alone, a hold succeeds exactly if there is enough, however many lots it lies in.
                let enough = units(before.available) >= u64::from(wanted);
                prop_assert_eq!(held == Held::Yes, enough);
                if enough {
                    holds.insert(number, wanted.into());
                }
            }
            Act::Capture { hold, part } => {
                let Some((&number, &held)) =
                    holds.iter().nth(usize::from(hold) % holds.len().max(1))
                else {
                    continue;
                };
                let taken = u64::from(part) % (held + 1);
                let amount = AtomicAmount::from_u128(taken.into());
                let posting = Posting::Capture { amount };
                let posted = books.post(&format!("act/{number}"), posting, now_ms).await;
                prop_assert!(matches!(posted, Ok(Posted::Done(_))));
                captured += taken;
                holds.remove(&number);
            }
            Act::Release { hold } => {
                let Some(&number) = holds.keys().nth(usize::from(hold) % holds.len().max(1)) else {
                    continue;
                };
                let posted = books
                    .post(&format!("act/{number}"), Posting::Release, now_ms)
                    .await;
                prop_assert!(matches!(posted, Ok(Posted::Done(_))));
                holds.remove(&number);
            }
            Act::Wait { ms } => now_ms += u64::from(ms),
            Act::Refund { name } => {
                let name = name.to_string();
                purse.refund(&ledger, payer, &name, now_ms).await.unwrap();
            }
        }
        let after = purse.balance(&ledger, &whose, now_ms).await.unwrap();
        prop_assert_eq!(sum(&after), credited, "nothing is made or lost");
        prop_assert_eq!(units(after.spent), captured);
        prop_assert_eq!(units(after.held), holds.values().sum::<u64>());
        let lots: u64 = after.lots.iter().map(|lot| units(lot.available)).sum();
        prop_assert_eq!(units(after.available), lots);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn all_credit_is_available_held_spent_expired_or_refunded(acts in prop::collection::vec(acts(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(live(acts))?;
    }
}

/// Racing holds over many small lots take all that is there, and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_holds_take_everything_and_no_more() {
    let ledger = Arc::new(MemoryLedger::new());
    let (purse, payer) = (Purse::new("/x", "usdc"), Address::repeat_byte(1));
    let whose = Whose::anywhere(payer);
    let buyer = Buyer {
        payer,
        network: Network::BASE,
    };
    for n in 0..300_u64 {
        let amount = AtomicAmount::from_u128(1);
        purse
            .credit(
                ledger.accounts(),
                &buyer,
                amount,
                Some(1_000 + n),
                (&format!("c{n}"), 1),
            )
            .await
            .unwrap();
    }
    let mut racers = tokio::task::JoinSet::new();
    for n in 0..256 {
        let (ledger, purse, whose) = (Arc::clone(&ledger), purse.clone(), whose.clone());
        racers.spawn(async move {
            let amount = AtomicAmount::from_u128(3);
            purse
                .hold(ledger.accounts(), &whose, amount, (&format!("h{n}"), 1))
                .await
                .unwrap()
        });
    }
    let won = racers.join_all().await;
    assert_eq!(won.iter().filter(|held| **held == Held::Yes).count(), 100);
}

/// A contract at the same address on another chain may be somebody else's.
#[tokio::test]
async fn a_contract_has_only_what_was_bought_on_its_chain() {
    let ledger = MemoryLedger::new();
    let (purse, payer) = (Purse::new("/x", "usdc"), Address::repeat_byte(1));
    for (name, network, units) in [("b", Network::BASE, 5), ("c", Network::CELO, 3)] {
        let buyer = Buyer { payer, network };
        let amount = AtomicAmount::from_u128(units);
        purse
            .credit(ledger.accounts(), &buyer, amount, None, (name, 1))
            .await
            .unwrap();
    }
    for (contract_on, wanted) in [
        (Some(Network::BASE), 5),
        (Some(Network::CELO), 3),
        (Some(Network::POLYGON), 0),
        (None, 8),
    ] {
        let whose = Whose::on(payer, contract_on);
        let found = purse.balance(&ledger, &whose, 2).await.unwrap();
        assert_eq!(units(found.available), wanted);
        let more = AtomicAmount::from_u128(u128::from(wanted) + 1);
        let held = purse
            .hold(ledger.accounts(), &whose, more, ("h", 2))
            .await
            .unwrap();
        assert_eq!(held, Held::Short);
    }
}
