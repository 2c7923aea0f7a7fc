//! What stands beside a price: free calls, plans and the example request, each checked before anything starts.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use std::borrow::Cow;

use x402_model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec, SpecError, rules};
use x402_model::money::Decimal;
use x402_model::price::{
    Allowance, AllowanceKind, Identify, OfferError, Plan, PlanKind, Price, PriceModel,
    PriceModelError, PriceUnit, Quote, Rounding, Scope, Selector, Source, UsageUnit,
};

const fn usd(whole: u128) -> Price {
    Price {
        amount: Decimal::new(whole, 0),
        unit: PriceUnit::Usd,
    }
}

const fn prepaid(amount: Price, credit: Price, expires_seconds: Option<u64>) -> Plan {
    Plan {
        id: Cow::Borrowed("credits"),
        kind: PlanKind::Prepaid {
            amount,
            credit,
            expires_seconds,
        },
        purchase: RouteSpec {
            method: Method::Post,
            path: "/credits",
        },
        present_header: Cow::Borrowed("SIGN-IN-WITH-X"),
    }
}

fn refused(plan: &Plan) -> String {
    match plan.check(&PriceUnit::Usd) {
        Err(OfferError::Plan { reason, .. }) => reason,
        other => format!("{other:?}"),
    }
}

#[test]
fn plans_give_what_they_cost_in_the_unit_of_the_price() {
    let right = prepaid(usd(10), usd(11), Some(60));
    assert_eq!(right.check(&PriceUnit::Usd), Ok(()));
    let usdc: Price = "11 USDC".parse().unwrap();
    for (plan, reason) in [
        (
            prepaid(usd(10), usd(9), None),
            "it gives 9 USD for 10 USD: give at least as much",
        ),
        (prepaid(usd(0), usd(9), None), "it costs nothing"),
        (
            prepaid(usd(10), usd(11), Some(0)),
            "its credit is lost at once",
        ),
        (
            prepaid(usd(10), usdc, None),
            "it is in USDC, and the price is in USD",
        ),
        (
            Plan {
                present_header: Cow::Borrowed("a b"),
                ..prepaid(usd(1), usd(1), None)
            },
            "the header has no name of letters, digits and `-`",
        ),
    ] {
        assert_eq!(refused(&plan), reason);
    }
    let path = RouteSpec {
        method: Method::Post,
        path: "credits",
    };
    let nowhere = Plan {
        purchase: path,
        ..prepaid(usd(1), usd(1), None)
    };
    assert!(refused(&nowhere).contains("`credits` is not a path"));
    let nameless = Plan {
        id: Cow::Borrowed(""),
        ..prepaid(usd(1), usd(1), None)
    };
    assert!(refused(&nameless).contains("id is empty"));
    let month = |amount, period_seconds, includes_calls| Plan {
        kind: PlanKind::Subscription {
            amount,
            period_seconds,
            includes_calls,
        },
        ..prepaid(usd(1), usd(1), None)
    };
    assert_eq!(month(usd(5), 60, None).check(&PriceUnit::Usd), Ok(()));
    assert_eq!(refused(&month(usd(5), 0, None)), "it includes nothing");
    assert_eq!(refused(&month(usd(5), 60, Some(0))), "it includes nothing");
}

#[test]
fn free_calls_are_some_and_counted_by_somebody_who_is_known() {
    let daily = Allowance {
        kind: AllowanceKind::FreeQuota {
            window_seconds: 86_400,
        },
        scope: Scope::Payer,
        calls: 100,
        identify: Identify::SignInWithX,
    };
    assert_eq!(daily.check(), Ok(()));
    for none in [
        Allowance { calls: 0, ..daily },
        Allowance {
            kind: AllowanceKind::FreeQuota { window_seconds: 0 },
            ..daily
        },
    ] {
        assert!(matches!(none.check(), Err(OfferError::NothingFree { .. })));
    }
    let anybody = Allowance {
        identify: Identify::Nothing,
        ..daily
    };
    assert_eq!(anybody.check(), Err(OfferError::Unidentified));
}

#[test]
fn an_endpoint_is_refused_for_an_example_without_a_price_or_a_wrong_offer() {
    const NOTHING: Allowance = Allowance {
        kind: AllowanceKind::Trial,
        scope: Scope::Payer,
        calls: 0,
        identify: Identify::SignInWithX,
    };
    let spec = EndpointSpec {
        id: "weather",
        route: None,
        price: PriceModel::Flat { amount: usd(1) },
        probe: Some("no request"),
        allowances: &[NOTHING],
        plans: &[],
        summary: "",
        description: "",
        tags: &[],
        mime_type: rules::DEFAULT_MIME_TYPE,
        timeout_seconds: rules::DEFAULT_TIMEOUT_SECONDS,
        pay_to: None,
        payment_ids: None,
        lifecycle: Lifecycle::NONE,
        rails: &[],
    };
    let errors = spec.check();
    assert!(
        matches!(
            errors.as_slice(),
            [SpecError::Probe(_), SpecError::Offer(_)]
        ),
        "{errors:?}"
    );
}

#[test]
fn quotes_last_and_units_have_a_common_divisor() {
    let dynamic = PriceModel::Dynamic {
        min: None,
        max: usd(1),
        quote: Quote::Required402 { ttl_seconds: 0 },
        factors: Cow::Borrowed(&[]),
    };
    assert_eq!(dynamic.check(), Err(PriceModelError::QuoteOver));
    let unit = |id, per| UsageUnit {
        id: Cow::Borrowed(id),
        per,
        amount: usd(1),
        meter: Selector::at(Source::ResponseBody, "/n"),
        estimate: None,
    };
    let model = |units: Vec<UsageUnit>| PriceModel::Usage {
        base: None,
        units: units.into(),
        rounding: Rounding::UpToAtomic,
        headroom: Decimal::ONE,
        ceiling: usd(1),
    };
    // Primes just below 2^62: the product of two has 38 digits, that of three has not.
    let (a, b, c) = (
        4_611_686_018_427_387_847,
        4_611_686_018_427_387_817,
        4_611_686_018_427_387_787,
    );
    assert_eq!(model(vec![unit("a", a), unit("b", b)]).check(), Ok(()));
    let three = model(vec![unit("a", a), unit("b", b), unit("c", c)]);
    assert_eq!(three.check(), Err(PriceModelError::Divisors));
}
