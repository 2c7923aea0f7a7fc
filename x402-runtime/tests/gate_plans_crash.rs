//! Credit after a process died: what was held is free again, what was served is taken, what was paid for is there.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;
#[path = "gate_plans/stand.rs"]
mod stand;

use std::sync::Arc;

use alloy_primitives::B256;
use serde_json::json;
use stand::{Stand, address};
use x402_runtime::facilitator::FacilitatorRequest;
use x402_runtime::ledger::{
    Event, Fingerprint, Ledger, MemoryLedger, NewPayment, PaymentKey, Posting, State, StoredAnswer,
};
use x402_runtime::model::money::AtomicAmount;
use x402_runtime::model::network::Network;

const CENT: u128 = 10_000_000_000_000_000;

/// A call from credit as a process leaves it that dies in the middle.
struct Left {
    ledger: Arc<MemoryLedger>,
    stand: Stand,
    key: PaymentKey,
    hold: String,
}

impl Left {
    /// Reserved and held, by an owner that is gone.
    async fn new() -> Self {
        let ledger = Arc::new(MemoryLedger::new());
        let stand = Stand::open(Arc::<MemoryLedger>::clone(&ledger)).await;
        stand.buy("?plan=tiny", 7).await;
        stand.buy("?plan=tiny", 7).await;
        let key = PaymentKey {
            network: Network::Other("x402:credit".into()),
            asset: alloy_primitives::Address::ZERO,
            payer: address(7),
            nonce: B256::repeat_byte(9),
        };
        let hold = format!("call/{}/{}", key.payer, key.nonce);
        let terms =
            json!({ "amount": CENT.to_string(), "hold": hold, "path": stand::BUY, "unit": "USDC" });
        let rest = terms.to_string().split_off(1);
        let payer = common::Buyer::new(7).checksum();
        let requirements =
            format!(r#"{{"scheme":"x402-credit","network":"x402:credit","payer":"{payer}",{rest}"#);
        let now_ms = stand.now() * 1000;
        let new = NewPayment {
            key: key.clone(),
            fingerprint: Fingerprint([1; 32]),
            endpoint: "call".into(),
            amount: AtomicAmount::from_u128(CENT),
            pay_to: alloy_primitives::Address::ZERO,
            valid_before: stand.now() + 3_600,
            request: FacilitatorRequest {
                x402_version: 2,
                payload: json!({}).into(),
                requirements: x402_runtime::model::wire::RawJson::parse(&requirements).unwrap(),
            },
            owner: 1,
            lease_until_ms: now_ms + 60_000,
            now_ms,
        };
        ledger.begin(new).await.unwrap();
        let books = ledger.accounts();
        let holder = format!("credit/x402/credits/USDC/{payer}");
        let lot = books.accounts_of(&holder).await.unwrap().remove(0).0;
        let amount = AtomicAmount::from_u128(CENT);
        let posting = Posting::Hold {
            account: lot,
            amount,
        };
        let held = books.post(&hold, posting, now_ms).await.unwrap();
        assert!(
            matches!(held, x402_runtime::ledger::Posted::Done(_)),
            "{held:?}"
        );
        Self {
            ledger,
            stand,
            key,
            hold,
        }
    }

    async fn advance(&self, event: Event) {
        let now_ms = self.stand.now() * 1000;
        self.ledger.advance(&self.key, event, now_ms).await.unwrap();
    }

    async fn answered(&self) {
        let answer = StoredAnswer {
            status: 200,
            headers: Vec::new(),
            body: "x".into(),
        };
        self.advance(Event::Answered {
            owner: 1,
            answer: Arc::new(answer),
            charge: None,
        })
        .await;
    }

    async fn intended(&self) {
        let lease_until_ms = self.stand.now() * 1000 + 60_000;
        self.advance(Event::Intend {
            owner: 2,
            lease_until_ms,
        })
        .await;
    }

    /// Looks after what was left, this much later; the parts of the credit and the record's state then.
    async fn later(&self, ms: u64) -> ([String; 3], Option<State>) {
        self.stand.clock.advance_ms(ms);
        for _ in 0..3 {
            self.stand.paywall.recover().await;
            self.stand.clock.advance_ms(10_000);
        }
        let told = self.stand.balance(7).await;
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let record = self.ledger.get(&self.key).await.unwrap();
        (
            [text("balance"), text("held"), text("spent")],
            record.map(|record| record.state),
        )
    }
}

fn parts(balance: &str, held: &str, spent: &str) -> [String; 3] {
    [balance, held, spent].map(str::to_owned)
}

#[tokio::test]
async fn what_a_dead_process_held_is_free_again_after_its_lease() {
    let left = Left::new().await;
    let (found, state) = left.later(1_000).await;
    assert_eq!(
        (found, state),
        (parts("0", "0.01", "0"), Some(State::Reserved))
    );
    let (found, state) = left.later(100_000).await;
    assert_eq!((found, state), (parts("0.01", "0", "0"), None));
    assert_eq!(left.stand.spend("/calls/x", 7).await.status, 200);
}

#[tokio::test]
async fn what_was_answered_before_a_process_died_is_taken() {
    let left = Left::new().await;
    left.answered().await;
    let (found, state) = left.later(100_000).await;
    assert_eq!(
        (found, state),
        (parts("0", "0", "0.01"), Some(State::Final))
    );
}

#[tokio::test]
async fn what_was_about_to_be_taken_when_a_process_died_is_taken() {
    let left = Left::new().await;
    left.answered().await;
    left.intended().await;
    let (found, state) = left.later(100_000).await;
    assert_eq!(
        (found, state),
        (parts("0", "0", "0.01"), Some(State::Final))
    );
}

/// Nobody came back for an hour: the buyer's favour.
#[tokio::test]
async fn what_was_answered_and_not_taken_within_the_hour_is_free_again() {
    let left = Left::new().await;
    left.answered().await;
    let (found, state) = left.later(3_700_000).await;
    assert_eq!(
        (found, state),
        (parts("0.01", "0", "0"), Some(State::Failed))
    );
}

/// The hold was released behind the call's back: it can neither be taken nor shown.
#[tokio::test]
async fn a_released_hold_is_never_taken() {
    let left = Left::new().await;
    left.answered().await;
    let books = left.ledger.accounts();
    books
        .post(&left.hold, Posting::Release, left.stand.now() * 1000)
        .await
        .unwrap();
    let (found, _) = left.later(100_000).await;
    assert_eq!(found, parts("0.01", "0", "0"));
    let (found, state) = left.later(3_700_000).await;
    assert_eq!(
        (found, state),
        (parts("0.01", "0", "0"), Some(State::Failed))
    );
}
