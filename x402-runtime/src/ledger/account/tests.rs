use super::{Account, Balance, Count, Counter, Entry, EntryState, Posting, Ruling, Taken, rule};
use proptest::prelude::*;
use x402_model::money::AtomicAmount;

fn units(value: u64) -> AtomicAmount {
    AtomicAmount::from_u128(u128::from(value))
}

fn posting() -> impl Strategy<Value = Posting> {
    let account = || {
        (0..2_u8).prop_map(|n| Account {
            holder: n.to_string(),
            unit: "u".to_owned(),
        })
    };
    prop_oneof![
        (account(), 0..20_u64).prop_map(|(account, n)| Posting::Credit {
            account,
            amount: units(n)
        }),
        (account(), 0..12_u64).prop_map(|(account, n)| Posting::Hold {
            account,
            amount: units(n)
        }),
        (0..12_u64).prop_map(|n| Posting::Capture { amount: units(n) }),
        Just(Posting::Release),
    ]
}

proptest! {
    /// What was credited is available, held or spent, whatever is tried; what is held is the sum of the open holds.
    #[test]
    fn no_money_comes_from_nowhere(steps in prop::collection::vec((0..6_u8, posting()), 1..80)) {
        let mut entries: std::collections::HashMap<u8, Entry> = std::collections::HashMap::new();
        let mut balances: std::collections::HashMap<Account, Balance> = std::collections::HashMap::new();
        for (reference, posting) in steps {
            let entry = entries.get(&reference);
            let account = match (entry, &posting) {
                (Some(entry), _) => entry.account.clone(),
                (None, Posting::Credit { account, .. } | Posting::Hold { account, .. }) => account.clone(),
                (None, _) => continue,
            };
            let balance = balances.get(&account).copied().unwrap_or_default();
            if let Ruling::Write(entry, after) = rule(entry, balance, &posting, 1) {
                prop_assert!(matches!(rule(Some(&entry), after, &posting, 2), Ruling::Repeat), "{:?}", posting);
                balances.insert(entry.account.clone(), after);
                entries.insert(reference, *entry);
            }
            for (account, balance) in &balances {
                let sum = |of: fn(&Entry) -> AtomicAmount| {
                    let own = entries.values().filter(|entry| entry.account == *account);
                    own.fold(units(0), |sum, entry| sum.checked_add(of(entry)).unwrap())
                };
                let credited = sum(|entry| if entry.state == EntryState::Credited { entry.amount } else { units(0) });
                let held = sum(|entry| if entry.is_open() { entry.amount } else { units(0) });
                let captured = sum(|entry| match entry.state {
                    EntryState::Captured(amount) => amount,
                    _ => units(0),
                });
                let parts = balance.available.checked_add(balance.held).unwrap().checked_add(balance.captured);
                prop_assert_eq!(parts, Some(credited));
                prop_assert_eq!((balance.held, balance.captured), (held, captured));
            }
        }
    }

    /// In any window as many units are taken as there are, however the clock runs.
    #[test]
    fn a_window_never_gives_more_than_it_has(times in prop::collection::vec(0..500_u64, 1..200), limit in 0..9_u64, back in any::<bool>()) {
        let counter = Counter { name: "c".to_owned(), window_ms: Some(100), limit };
        let mut times = times;
        if !back {
            times.sort_unstable();
        }
        let mut count = None;
        let mut by_window: std::collections::HashMap<u64, u64> = std::collections::HashMap::new();
        for now_ms in times {
            let (after, taken) = Count::take(count, &counter, now_ms);
            if let Taken::Yes { until_ms: Some(until), left } = taken {
                let used = by_window.entry(until).or_default();
                *used += 1;
                prop_assert!(*used + left == limit);
                prop_assert!(until > now_ms);
            }
            count = after.or(count);
        }
    }
}
