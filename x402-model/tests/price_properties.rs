//! Random prices and random requests, held against a second evaluation: over the manifest's JSON form of the rule, over the
//! request before it was written down, and with fractions of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/price_oracle.rs"]
mod oracle;
#[path = "support/price_rules.rs"]
mod rules;

use std::collections::BTreeSet;

use oracle::Ratio;
use proptest::prelude::*;
use rules::{Request, Rule, Usage, request, rule, usage};
use x402_model::money::AtomicAmount;
use x402_model::price::{Due, Inexact, Price, PriceModel, evaluate};

/// The exact value of a price.
fn ratio(price: &Price) -> Ratio {
    Ratio::decimal(&price.amount.to_string())
}

fn checked(rule: &Rule) -> Option<PriceModel> {
    let model = rule.model()?;
    (model.check() == Ok(())).then_some(model)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn two_evaluations_agree(rule in rule(), requests in prop::collection::vec(request(), 8)) {
        let Some(model) = checked(&rule) else { return Err(TestCaseError::reject("contradicts itself")) };
        let json = rule.manifest();
        let bounds = model.bounds();
        let reachable: BTreeSet<Ratio> = oracle::outcomes(&json).into_iter().collect();
        for asked in &requests {
            let text = asked.body_text();
            let price = match evaluate(&model, &asked.facts(&text), &asked.volumes()) {
                Ok(Due::Exact(price)) => Some(price),
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    prop_assert!(!error.to_string().is_empty() && error.is_of_the_request(), "{error}");
                    None
                }
            };
            prop_assert_eq!(price.as_ref().map(ratio), oracle::price(&json, asked), "{} {:?}", json, asked);
            let Some(price) = price else { continue };
            prop_assert!(bounds.min.amount <= price.amount && price.amount <= bounds.max.amount);
            prop_assert_eq!(&price.unit, &bounds.max.unit);
            prop_assert!(reachable.contains(&ratio(&price)));
        }
    }

    #[test]
    fn the_bounds_are_reached_and_every_amount_is_exact(rule in rule()) {
        let Some(model) = checked(&rule) else { return Err(TestCaseError::reject("contradicts itself")) };
        let outcomes = oracle::outcomes(&rule.manifest());
        let bounds = model.bounds();
        prop_assert_eq!(outcomes.iter().min().copied(), Some(ratio(&bounds.min)));
        prop_assert_eq!(outcomes.iter().max().copied(), Some(ratio(&bounds.max)));
        for decimals in [0_u8, 2, 4, 6, 8, 12, 18] {
            let exact = outcomes.iter().all(|amount| amount.is_whole_count(decimals));
            match model.exact_on(decimals) {
                Ok(()) => prop_assert!(exact),
                Err(Inexact::Amount { amount, .. }) => {
                    prop_assert!(!ratio(&amount).is_whole_count(decimals));
                    prop_assert!(outcomes.contains(&ratio(&amount)));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn metered_sums_are_the_fractions_rounded_once(usage in usage(), asked in request(), decimals in 0_u8..=18) {
        let Usage { model, quantities, .. } = &usage;
        prop_assume!(model.check() == Ok(()));
        let ceiling = model.bounds().max;
        let Ok(most) = ceiling.amount.to_atomic(decimals) else { return Ok(()) };
        let given: Vec<_> = quantities.iter().map(|(id, quantity)| (id.as_str(), quantity.parse().unwrap())).collect();
        let signed = AtomicAmount::from_u128(usage.signed);
        let json = usage.manifest();
        let settled = model.metered(&given, decimals, signed).unwrap();
        let exact = oracle::metered(&json, quantities, decimals);
        prop_assert_eq!(settled, AtomicAmount::from_u128(exact).min(most).min(signed), "{}", json);
        let text = asked.body_text();
        let due = evaluate(model, &asked.facts(&text), &[]);
        match (due, oracle::ceiling(&json, &asked, decimals)) {
            (Ok(Due::UpTo(ceiling)), Some(estimate)) => {
                let most_here = estimate.map_or(most, |units| AtomicAmount::from_u128(units).min(most));
                prop_assert_eq!(ceiling.on(decimals).unwrap(), most_here, "{}", json);
            }
            (Err(error), None) => prop_assert!(error.is_of_the_request()),
            (due, estimate) => prop_assert!(false, "{due:?} {estimate:?} {json} {asked:?}"),
        }
    }
}

#[test]
fn a_model_with_too_many_amounts_is_refused_in_bounded_time() {
    let rule = Rule::of_primes(6, 8);
    let error = rule.try_model().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tiers combine to more than 10000 amounts: use fewer tiers or dimensions"
    );
    let few = Rule::of_primes(4, 8);
    assert!(few.try_model().is_ok());
    let _ = Request::default();
}
