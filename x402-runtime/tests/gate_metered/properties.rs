//! What the gate settles is what the model says, and what anybody works out from the published rule: to the last unit, and never
//! more than was signed.

use std::sync::Arc;

use alloy_primitives::U256;
use axum::extract::Query;
use proptest::prelude::*;
use serde::Deserialize;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::money::Decimal;
use x402_runtime::{Meter, paid};

use crate::common::shop::builder;
use crate::common::{Double, NOW, Stand};
use crate::shop::{authorization, metering, settled, sign};

#[derive(Deserialize)]
struct Used {
    x: u64,
    y: u64,
}

/// Rounds up.
#[paid(GET "/up", price = upto("0.05 USDC", base = "0.0001 USDC", units(x = unit("0.0003 USDC", per = 7), y = "0.000005 USDC")))]
async fn up(meter: Meter, Query(used): Query<Used>) -> &'static str {
    meter.add("x", used.x);
    meter.set("y", used.y);
    "up"
}

/// Rounds down.
#[paid(GET "/down", price = upto("0.05 USDC", rounding = down, units(x = unit("0.0003 USDC", per = 7), y = unit("0.000001 USDC", per = 3))))]
async fn down(meter: Meter, Query(used): Query<Used>) -> &'static str {
    meter.add("x", used.x);
    meter.add("y", used.y);
    "down"
}

/// Foresees what it uses.
#[paid(
    GET "/foreseen",
    price = upto(
        "0.05 USDC",
        base = "0.0001 USDC",
        headroom = "1.25",
        units(x = unit("0.0003 USDC", per = 7, estimate = query.x), y = unit("0.000005 USDC", per = 1, estimate = query.y)),
    ),
)]
async fn foreseen(meter: Meter, Query(used): Query<Used>) -> &'static str {
    meter.add("x", used.x);
    meter.add("y", used.y);
    "foreseen"
}

const CEILING: u128 = 50_000;

/// One published rule: base, price and `per` of x and of y in atomic units, and how it rounds.
struct Rule {
    path: &'static str,
    base: u128,
    x: (u128, u128),
    y: (u128, u128),
    up: bool,
    headroom: Option<(u128, u128)>,
}

const RULES: [Rule; 3] = [
    Rule {
        path: "/up",
        base: 100,
        x: (300, 7),
        y: (5, 1),
        up: true,
        headroom: None,
    },
    Rule {
        path: "/down",
        base: 0,
        x: (300, 7),
        y: (1, 3),
        up: false,
        headroom: None,
    },
    Rule {
        path: "/foreseen",
        base: 100,
        x: (300, 7),
        y: (5, 1),
        up: true,
        headroom: Some((5, 4)),
    },
];

impl Rule {
    /// Numerator and divisor of the exact sum, by schoolbook fractions.
    fn sum(&self, used: (u64, u64)) -> (u128, u128) {
        let divisor = self.x.1 * self.y.1;
        let x = u128::from(used.0) * self.x.0 * self.y.1;
        let y = u128::from(used.1) * self.y.0 * self.x.1;
        (self.base * divisor + x + y, divisor)
    }

    fn signed(&self, used: (u64, u64)) -> u128 {
        let Some((times, over)) = self.headroom else {
            return CEILING;
        };
        let (sum, divisor) = self.sum(used);
        (sum * times).div_ceil(divisor * over).min(CEILING)
    }

    fn due(&self, used: (u64, u64)) -> u128 {
        let (sum, divisor) = self.sum(used);
        let due = if self.up {
            sum.div_ceil(divisor)
        } else {
            sum / divisor
        };
        due.min(self.signed(used))
    }
}

async fn open() -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    metering(&double);
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()));
    let builder = builder.mount(up).mount(down).mount(foreseen);
    Stand::of(builder, double, clock).await
}

async fn holds(stand: &Stand, rule: &Rule, used: (u64, u64), nonce: u64) {
    let path = format!("{}?x={}&y={}", rule.path, used.0, used.1);
    let terms = stand.terms("GET", &path).await;
    let signed = authorization(&terms, nonce);
    assert_eq!(
        signed.permitted.amount,
        U256::from(rule.signed(used)),
        "{path}"
    );
    let answer = stand.get(&path, Some(&sign(&terms, signed))).await;
    assert_eq!(answer.status, 200, "{path}");
    let due = rule.due(used);
    assert_eq!(
        answer.settlement().unwrap().amount,
        Some(due.to_string()),
        "{path}"
    );
    // The model by itself.
    let endpoint = stand
        .paywall
        .endpoints()
        .iter()
        .find(|one| one.path() == rule.path)
        .unwrap();
    let quantities = [("x", used.0), ("y", used.1)].map(|(id, n)| (id, Decimal::new(n.into(), 0)));
    let signed = rule.signed(used).to_string().parse().unwrap();
    let by_model = endpoint
        .spec()
        .price
        .metered(&quantities, 6, signed)
        .unwrap();
    assert_eq!(by_model.to_string(), due.to_string(), "{path}");
    if due > 0 {
        assert_eq!(settled(stand).last(), Some(&due), "{path}");
    }
}

fn quantity() -> impl Strategy<Value = u64> {
    prop_oneof![0..200_u64, 0..20_000_u64, Just(u64::from(u32::MAX))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s9_what_is_settled_is_what_the_published_rule_says(calls in prop::collection::vec((0..3_usize, quantity(), quantity()), 1..12)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let stand = open().await;
            for (nonce, (rule, x, y)) in (1..).zip(calls) {
                holds(&stand, &RULES[rule], (x, y), nonce).await;
            }
        });
    }
}
