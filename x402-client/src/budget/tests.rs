//! The budget's rules one by one, the race, and a property over every interleaving.

use alloy_primitives::Address;
use proptest::prelude::*;
use x402_model::asset::{AssetTable, TransferMethod};
use x402_model::network::Network;

use super::*;

fn usdc() -> Asset {
    let table = AssetTable::builtin();
    table
        .by_symbol(&Network::BASE_SEPOLIA, "USDC")
        .unwrap()
        .clone()
}

/// A dollar token with 18 decimals.
fn eighteen() -> Asset {
    Asset {
        address: Address::repeat_byte(0x18),
        symbol: "USDX".into(),
        decimals: 18,
        ..usdc()
    }
}

fn cents(count: u128) -> AtomicAmount {
    AtomicAmount::from_u128(count * 10_000)
}

fn nonce(number: u64) -> B256 {
    B256::from(alloy_primitives::U256::from(number))
}

#[test]
fn the_first_limit_broken_is_named() {
    let budget = Budget::new("1.00 USD", "0.50 USD").unwrap();
    let budget = budget
        .per_host("0.60 USD")
        .unwrap()
        .host("dear.example", "0.90 USD")
        .unwrap();
    assert_eq!(
        budget.check(&usdc(), cents(51), "a.example"),
        Err(BudgetRefusal::OverCall)
    );
    budget
        .reserve(&usdc(), cents(50), "a.example")
        .unwrap()
        .charge(nonce(1), 10);
    assert_eq!(
        budget.check(&usdc(), cents(11), "a.example"),
        Err(BudgetRefusal::OverHost)
    );
    assert_eq!(budget.check(&usdc(), cents(10), "a.example"), Ok(()));
    assert_eq!(budget.check(&usdc(), cents(50), "dear.example"), Ok(()));
    budget
        .reserve(&usdc(), cents(50), "dear.example")
        .unwrap()
        .charge(nonce(2), 10);
    assert_eq!(
        budget.check(&usdc(), cents(1), "b.example"),
        Err(BudgetRefusal::OverTotal)
    );
    budget.assert_invariants();
}

#[test]
fn a05_decimals_of_the_asset_decide_what_an_amount_is() {
    let budget = Budget::new("1.00 USD", "1.00 USD").unwrap();
    let cent18 = AtomicAmount::from_u128(10_000_000_000_000_000);
    // One cent with 18 decimals is ten billion dollars with 6.
    assert_eq!(budget.check(&eighteen(), cent18, "h"), Ok(()));
    assert_eq!(
        budget.check(&usdc(), cent18, "h"),
        Err(BudgetRefusal::OverCall)
    );
    budget
        .reserve(&eighteen(), cent18, "h")
        .unwrap()
        .charge(nonce(1), 10);
    budget
        .reserve(&usdc(), cents(1), "h")
        .unwrap()
        .charge(nonce(2), 10);
    budget
        .reserve(&eighteen(), AtomicAmount::from_u128(1), "h")
        .unwrap()
        .charge(nonce(3), 10);
    assert_eq!(budget.spent(), "0.020000000000000001");
    assert_eq!(
        budget.check(&usdc(), AtomicAmount::MAX, "h"),
        Err(BudgetRefusal::NotCountable)
    );
}

#[test]
fn only_assets_of_the_unit_count() {
    let euro = Asset {
        symbol: "EURC".into(),
        eip2612: false,
        usd_pegged: false,
        ..usdc()
    };
    let dollars = Budget::new("1 USD", "1 USD").unwrap();
    assert_eq!(
        dollars.check(&euro, cents(1), "h"),
        Err(BudgetRefusal::OtherUnit)
    );
    let euros = Budget::new("1 eurc", "1 eurc").unwrap();
    assert_eq!(euros.check(&euro, cents(1), "h"), Ok(()));
    assert_eq!(
        euros.check(&usdc(), cents(1), "h"),
        Err(BudgetRefusal::OtherUnit)
    );
    assert!(matches!(
        euros.per_call("1 USD"),
        Err(BudgetError::OtherUnit { .. })
    ));
    assert_eq!(usdc().transfer, TransferMethod::Eip3009);
}

#[test]
fn wrong_texts_are_errors() {
    for text in [
        "", "5", "$5", "5.00USD", "-5 USD", "1e3 USD", "5,00 USD", "NaN USD", "0 USD",
    ] {
        assert!(
            matches!(Budget::new(text, text), Err(BudgetError::Parse { .. })),
            "{text}"
        );
    }
}

#[test]
fn clones_share_the_money_and_keep_their_own_limits() {
    let budget = Budget::new("1.00 USD", "1.00 USD").unwrap();
    let tight = budget.clone().per_call("0.01 USD").unwrap();
    assert_eq!(
        tight.check(&usdc(), cents(2), "h"),
        Err(BudgetRefusal::OverCall)
    );
    budget
        .reserve(&usdc(), cents(99), "h")
        .unwrap()
        .charge(nonce(1), 10);
    assert_eq!(tight.remaining(), "0.01");
    assert_eq!(budget.already_spent("5 USD").unwrap().remaining(), "0");
}

#[test]
fn unused_reservations_flow_back() {
    let budget = Budget::new("0.02 USD", "0.02 USD").unwrap();
    let held = budget.reserve(&usdc(), cents(2), "h").unwrap();
    assert_eq!(
        (budget.reserved().as_str(), budget.remaining().as_str()),
        ("0.02", "0")
    );
    assert_eq!(
        budget.reserve(&usdc(), cents(1), "h").unwrap_err(),
        BudgetRefusal::OverTotal
    );
    drop(held);
    assert_eq!(budget.remaining(), "0.02");
    budget.assert_invariants();
}

#[test]
fn unknown_stays_charged_until_it_is_proven_void() {
    let budget = Budget::new("0.02 USD", "0.02 USD").unwrap();
    budget
        .reserve(&usdc(), cents(2), "h")
        .unwrap()
        .charge(nonce(1), 1_000);
    assert_eq!(budget.expire(u64::MAX), 0, "time alone proves nothing");
    let early = budget.proven_unused(&nonce(1), 1_119);
    assert_eq!(early, Err(GiveBackError::StillUsable { until: 1_120 }));
    assert_eq!(
        budget.proven_unused(&nonce(2), 2_000),
        Err(GiveBackError::NotOpen)
    );
    assert_eq!(budget.proven_unused(&nonce(1), 1_120), Ok(()));
    assert_eq!(
        budget.proven_unused(&nonce(1), 1_120),
        Err(GiveBackError::NotOpen),
        "given back once"
    );
    assert_eq!(budget.remaining(), "0.02");
    budget.assert_invariants();
}

/// A report of `charged` atomic units of USDC for the charge with this nonce.
fn settled(number: u64, charged: u128) -> Receipt {
    Receipt {
        nonce: nonce(number),
        charged: Some(AtomicAmount::from_u128(charged)),
        ..crate::receipt::tests::receipt()
    }
}

#[test]
fn s09_a_settlement_frees_what_it_did_not_take_once() {
    let budget = Budget::new("0.10 USD", "0.10 USD")
        .unwrap()
        .per_host("0.10 USD")
        .unwrap();
    let reserve = || budget.reserve(&usdc(), cents(10), "h");
    reserve().unwrap().charge(nonce(1), 1_000);
    assert!(reserve().is_err());
    budget.settled(&settled(1, 777));
    assert_eq!(
        (budget.spent(), budget.remaining()),
        ("0.000777".into(), "0.099223".into())
    );
    // What is said later changes nothing, and neither does a charge above what was authorized.
    budget.settled(&settled(1, 0));
    budget.settled(&settled(1, 5_000_000));
    assert_eq!(budget.spent(), "0.000777");
    budget.assert_invariants();
    let rest = AtomicAmount::from_u128(99_223);
    assert!(
        budget.check(&usdc(), rest, "h").is_ok(),
        "the host's share is free too"
    );
    // The same derived nonce again is the same authorization, which is used up.
    let small = Budget::new("1 USD", "1 USD").unwrap();
    for _ in 0..2 {
        let reservation = small.reserve(&usdc(), cents(10), "h").unwrap();
        reservation.charge(nonce(2), 1_000);
        small.settled(&settled(2, 777));
    }
    assert_eq!(small.spent(), "0.000777");
    small.assert_invariants();
}

#[test]
fn s09_a_budget_that_trusts_no_report_frees_the_rest_on_proof_only() {
    let budget = Budget::new("0.10 USD", "0.10 USD")
        .unwrap()
        .rest_rule(RestRule::Proven);
    let reservation = budget.reserve(&usdc(), cents(10), "h").unwrap();
    reservation.charge(nonce(1), 1_000);
    budget.settled(&settled(1, 777));
    assert_eq!(budget.spent(), "0.1");
    let proven = |number, amount| {
        budget.proven_charge(&nonce(number), &usdc(), AtomicAmount::from_u128(amount))
    };
    assert_eq!(proven(2, 1), Err(GiveBackError::NotOpen));
    assert_eq!(proven(1, 100_001), Err(GiveBackError::NotOpen));
    assert_eq!(proven(1, 60_000), Ok(()));
    assert_eq!(budget.spent(), "0.06");
    assert_eq!(
        budget.proven_unused(&nonce(1), 9_999),
        Err(GiveBackError::Settled)
    );
    budget.assert_invariants();
}

#[test]
fn what_was_settled_is_never_given_back() {
    let budget = Budget::new("0.02 USD", "0.02 USD")
        .unwrap()
        .void_rule(VoidRule::Expired);
    budget
        .reserve(&usdc(), cents(1), "h")
        .unwrap()
        .charge(nonce(1), 1_000);
    budget.settled(&settled(1, 10_000));
    budget.never_sent(&nonce(1));
    assert_eq!(
        budget.proven_unused(&nonce(1), 9_999),
        Err(GiveBackError::Settled)
    );
    assert_eq!(budget.expire(9_999), 0);
    assert_eq!(budget.spent(), "0.01");
}

#[test]
fn the_expired_rule_gives_back_after_the_margin_only() {
    let budget = Budget::new("0.02 USD", "0.02 USD")
        .unwrap()
        .void_rule(VoidRule::Expired)
        .void_margin(60);
    budget
        .reserve(&usdc(), cents(1), "h")
        .unwrap()
        .charge(nonce(1), 1_000);
    assert_eq!((budget.expire(1_059), budget.spent().as_str()), (0, "0.01"));
    assert_eq!((budget.expire(1_060), budget.spent().as_str()), (1, "0"));
    budget.assert_invariants();
}

#[test]
fn one_derived_authorization_is_counted_once_however_often_it_is_signed() {
    let budget = Budget::new("1 USD", "1 USD").unwrap();
    for _ in 0..3 {
        budget
            .reserve(&usdc(), cents(1), "h")
            .unwrap()
            .charge(nonce(7), 1_000);
    }
    assert_eq!(budget.spent(), "0.01");
    // Two of the three holders know that they never sent it: the third may have.
    budget.never_sent(&nonce(7));
    budget.never_sent(&nonce(7));
    assert_eq!(budget.spent(), "0.01");
    budget.never_sent(&nonce(7));
    assert_eq!(budget.spent(), "0");
    budget.assert_invariants();
}

#[test]
fn a07_a_thousand_threads_never_spend_more_than_the_budget() {
    let budget = Budget::new("1.00 USD", "1.00 USD").unwrap();
    let asset = usdc();
    let won: usize = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..1_000_u64)
            .map(|task| {
                let (budget, asset) = (&budget, &asset);
                scope.spawn(move || match budget.reserve(asset, cents(1), "h") {
                    Ok(reservation) => {
                        std::thread::yield_now();
                        reservation.charge(nonce(task), 10);
                        1
                    }
                    Err(refusal) => {
                        assert_eq!(refusal, BudgetRefusal::OverTotal);
                        0
                    }
                })
            })
            .collect();
        tasks.into_iter().map(|task| task.join().unwrap()).sum()
    });
    assert_eq!(won, 100);
    assert_eq!(budget.remaining(), "0");
    budget.assert_invariants();
}

#[test]
fn debug_shows_sums_only() {
    let budget = Budget::new("1 USD", "1 USD")
        .unwrap()
        .host("secret.example", "1 USD")
        .unwrap();
    let text = format!("{budget:?}");
    assert!(
        text.contains("total: 1") && !text.contains("secret.example"),
        "{text}"
    );
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Reserve { cents: u8, host: u8, wide: bool },
    Drop(u8),
    Charge { which: u8, valid_before: u8 },
    Settled { which: u8, of_it: u8 },
    NeverSent(u8),
    Prove { charge: u8, now: u8 },
    Expire { now: u8 },
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (1_u8..30, 0_u8..3, any::<bool>()).prop_map(|(cents, host, wide)| Move::Reserve { cents, host, wide }),
        1 => any::<u8>().prop_map(Move::Drop),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(which, valid_before)| Move::Charge { which, valid_before }),
        1 => (any::<u8>(), 0_u8..6).prop_map(|(which, of_it)| Move::Settled { which, of_it }),
        1 => any::<u8>().prop_map(Move::NeverSent),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(charge, now)| Move::Prove { charge, now }),
        1 => any::<u8>().prop_map(|now| Move::Expire { now }),
    ]
}

/// What the budget should know about one charge.
#[derive(Clone, Copy, Debug)]
struct Known {
    cents: u128,
    valid_before: u64,
    settled: bool,
    back: bool,
}

const MARGIN: u64 = 5;

impl Known {
    fn void_at(&self, now: u64) -> bool {
        !self.settled && !self.back && self.valid_before + MARGIN <= now
    }
}

fn pick(which: u8, len: usize) -> Option<usize> {
    (len > 0).then(|| usize::from(which) % len)
}

proptest! {
    /// Under every order of events and either rule: reserved and spent equal a simple model, never exceed the total,
    /// and what was settled stays spent.
    #[test]
    fn never_exceeded(moves in prop::collection::vec(any_move(), 0..120), lenient in any::<bool>()) {
        let rule = if lenient { VoidRule::Expired } else { VoidRule::ProvenUnused };
        let budget = Budget::new("1.00 USD", "1.00 USD").unwrap().per_host("0.60 USD").unwrap();
        let budget = budget.void_rule(rule).void_margin(MARGIN);
        let mut held: Vec<(Reservation, u128)> = Vec::new();
        let mut charges: Vec<Known> = Vec::new();
        for step in moves {
            match step {
                Move::Reserve { cents: count, host, wide } => {
                    let units = u128::from(count);
                    let (asset, amount) = if wide {
                        (eighteen(), AtomicAmount::from_u128(units * 10_u128.pow(16)))
                    } else {
                        (usdc(), cents(units))
                    };
                    if let Ok(reservation) = budget.reserve(&asset, amount, &format!("host-{host}")) {
                        held.push((reservation, units));
                    }
                }
                Move::Drop(which) => {
                    if let Some(which) = pick(which, held.len()) { drop(held.remove(which)); }
                }
                Move::Charge { which, valid_before } => {
                    if let Some(which) = pick(which, held.len()) {
                        let (reservation, cents) = held.remove(which);
                        reservation.charge(nonce(charges.len() as u64), valid_before.into());
                        charges.push(Known { cents, valid_before: valid_before.into(), settled: false, back: false });
                    }
                }
                Move::Settled { which, of_it } => {
                    if let Some(which) = pick(which, charges.len()) {
                        let known = &mut charges[which];
                        let used = known.cents * u128::from(of_it) / 4;
                        budget.settled(&settled(which as u64, used * 10_000));
                        if !known.back && !known.settled {
                            (known.settled, known.cents) = (true, used.min(known.cents));
                        }
                    }
                }
                Move::NeverSent(which) => {
                    if let Some(which) = pick(which, charges.len()) {
                        budget.never_sent(&nonce(which as u64));
                        charges[which].back |= !charges[which].settled;
                    }
                }
                Move::Prove { charge, now } => {
                    if let Some(which) = pick(charge, charges.len()) {
                        let void = charges[which].void_at(now.into());
                        prop_assert_eq!(budget.proven_unused(&nonce(which as u64), now.into()).is_ok(), void);
                        charges[which].back |= void;
                    }
                }
                Move::Expire { now } => {
                    let void = |known: &&mut Known| lenient && known.void_at(now.into());
                    let count = charges.iter_mut().filter(void).map(|known| known.back = true).count();
                    prop_assert_eq!(budget.expire(now.into()), count);
                }
            }
            budget.assert_invariants();
            let spent: u128 = charges.iter().filter(|known| !known.back).map(|known| known.cents).sum();
            let reserved: u128 = held.iter().map(|(_, cents)| cents).sum();
            prop_assert!(spent + reserved <= 100);
            prop_assert_eq!(budget.lock().spent(), Units::from_atomic(cents(spent), 6).unwrap());
            prop_assert_eq!(budget.lock().reserved(), Units::from_atomic(cents(reserved), 6).unwrap());
        }
    }
}

#[test]
fn a_budget_continues_from_its_own_books_also_when_nothing_was_spent() {
    let fresh = Budget::new("1.00 USD", "1.00 USD").unwrap();
    let spent = format!("{} USD", fresh.spent());
    let continued = Budget::new("1.00 USD", "1.00 USD")
        .unwrap()
        .already_spent(&spent)
        .unwrap();
    assert_eq!(continued.remaining(), "1");
    assert!(matches!(
        continued.already_spent("0 EURC"),
        Err(BudgetError::OtherUnit { .. })
    ));
}

#[test]
fn a_host_ceiling_applies_however_the_host_is_spelled_or_is_refused() {
    let called = url::Url::parse("https://b\u{fc}cher.example/x").unwrap();
    let called = crate::target::host(&called);
    for spelled in [
        "b\u{fc}cher.example",
        "B\u{dc}CHER.example",
        "xn--bcher-kva.example",
        "xn--bcher-kva.example:443",
    ] {
        let budget = Budget::new("1 USD", "1 USD")
            .unwrap()
            .host(spelled, "0.01 USD")
            .unwrap();
        assert_eq!(
            budget.check(&usdc(), cents(2), &called),
            Err(BudgetRefusal::OverHost),
            "{spelled}"
        );
    }
    for spelled in ["localhost:4021", "[::1]:9", "127.0.0.1"] {
        let budget = Budget::new("1 USD", "1 USD")
            .unwrap()
            .host(spelled, "0.01 USD")
            .unwrap();
        assert_eq!(
            budget.check(&usdc(), cents(2), spelled),
            Err(BudgetRefusal::OverHost),
            "{spelled}"
        );
    }
    // A ceiling that could never apply is no ceiling.
    for wrong in [
        "",
        "https://a.example",
        "a.example/x",
        "a.example?x",
        "user@a.example",
        "a b",
        "*.example",
        "a.example:99999",
        "#",
    ] {
        let budget = Budget::new("1 USD", "1 USD").unwrap();
        assert!(
            matches!(
                budget.host(wrong, "0.01 USD"),
                Err(BudgetError::Host { .. })
            ),
            "{wrong}"
        );
    }
}
