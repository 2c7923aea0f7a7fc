//! Selectors: places that exist, counts where something can be counted, defaults that have a price.

use super::super::fault::PriceModelError;
use super::super::model::{Band, Case, CaseValue};
use super::super::selector::{Measure, Selector, Source};
use crate::money::Decimal;

/// A price that is asked before the call looks at the request only.
pub(super) fn before_call(selector: &Selector) -> Result<(), PriceModelError> {
    if selector.source.is_response() {
        Err(PriceModelError::LooksAtAnswer)
    } else {
        readable(selector)
    }
}

/// The selected value is one of the cases, or may be.
pub(super) fn compared_with_cases(by: &Selector, cases: &[Case]) -> Result<(), PriceModelError> {
    let kind = |value: &CaseValue| core::mem::discriminant(value);
    let Some(first) = cases.first().map(|case| &case.equals) else {
        return Ok(());
    };
    if cases.iter().any(|case| kind(&case.equals) != kind(first)) {
        return Err(PriceModelError::MixedCases);
    }
    let counted = by.measure != Measure::Value || by.divide_by != 1;
    if counted && !matches!(first, CaseValue::Integer(_)) {
        return Err(PriceModelError::CountedText);
    }
    if by.measure != Measure::Value {
        number_or_none(by)?;
        for case in cases {
            if let CaseValue::Integer(value @ ..0) = case.equals {
                return Err(PriceModelError::NegativeCount { value });
            }
        }
    }
    let divisor = i64::try_from(by.divide_by).ok();
    let is = |case: &Case, default: &CaseValue| match (&case.equals, default) {
        // The quotient is compared, and the default is not divided yet.
        (CaseValue::Integer(case), CaseValue::Integer(default)) => {
            divisor.and_then(|divisor| case.checked_mul(divisor)) == Some(*default)
        }
        (case, default) => case == default,
    };
    match &by.default {
        Some(default) if !cases.iter().any(|case| is(case, default)) => Err(without_price(by)),
        _ => Ok(()),
    }
}

/// The selected value is a number, and its default is in a band.
pub(super) fn compared_with_bands(by: &Selector, bands: &[Band]) -> Result<(), PriceModelError> {
    number_or_none(by)?;
    let divisor = Decimal::checked_new(by.divide_by.into(), 0);
    for end in bands.iter().filter_map(|band| band.up_to) {
        divisor
            .and_then(|divisor| end.checked_mul(divisor))
            .ok_or(PriceModelError::TooManyDigits)?;
    }
    let (Some(CaseValue::Integer(default)), Some(Some(most))) =
        (&by.default, bands.last().map(|band| band.up_to))
    else {
        return Ok(());
    };
    let default = Decimal::checked_new(default.unsigned_abs().into(), 0);
    let most = divisor.and_then(|divisor| most.checked_mul(divisor));
    if default <= most {
        Ok(())
    } else {
        Err(without_price(by))
    }
}

/// The selected value is a number of something.
pub(super) fn quantity(selector: &Selector) -> Result<(), PriceModelError> {
    readable(selector)?;
    number_or_none(selector)
}

/// A default that is no number of at least zero stands in for nothing that is counted or compared with bands.
fn number_or_none(by: &Selector) -> Result<(), PriceModelError> {
    match by.default {
        None => Ok(()),
        Some(CaseValue::Integer(number)) if number >= 0 => Ok(()),
        Some(_) => Err(without_price(by)),
    }
}

fn without_price(by: &Selector) -> PriceModelError {
    PriceModelError::DefaultWithoutPrice {
        selector: Box::new(by.clone()),
    }
}

fn readable(selector: &Selector) -> Result<(), PriceModelError> {
    if selector.divide_by == 0 {
        return Err(PriceModelError::BelowOne {
            what: "`divide_by`",
        });
    }
    let of_a_body = matches!(selector.source, Source::Body | Source::ResponseBody);
    let pointer = &selector.pointer;
    let reason = if of_a_body && !pointer.is_empty() && !pointer.starts_with('/') {
        "a JSON pointer is empty or begins with `/`"
    } else if of_a_body && !escapes_are_whole(pointer) {
        "a `~` in a JSON pointer is followed by 0 or 1"
    } else if !of_a_body && pointer.is_empty() {
        "it has no name"
    } else if selector.source == Source::Header && is_payment(pointer) {
        "it carries the payment, and a request has the same price before and after it is paid"
    } else if !of_a_body && selector.measure == Measure::Items {
        "only arrays in a body have items"
    } else if selector.measure != Measure::Value
        && matches!(
            selector.default,
            Some(CaseValue::Text(_) | CaseValue::Bool(_))
        )
    {
        "the default of a count is a number"
    } else {
        return Ok(());
    };
    Err(PriceModelError::Selector {
        selector: Box::new(selector.clone()),
        reason,
    })
}

fn escapes_are_whole(pointer: &str) -> bool {
    pointer
        .split('~')
        .skip(1)
        .all(|after| after.starts_with(['0', '1']))
}

/// The headers in which payments come, in both versions of the protocol.
fn is_payment(header: &str) -> bool {
    ["payment-signature", "x-payment"]
        .iter()
        .any(|payment| header.eq_ignore_ascii_case(payment))
}
