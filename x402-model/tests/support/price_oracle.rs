//! A second evaluation of prices, which shares nothing with the first: fractions of 128-bit integers, and rules as the JSON
//! of a manifest.

use core::cmp::Ordering;

use serde_json::Value;

use crate::rules::{Request, Thing};

/// A fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    above: u128,
    below: u128,
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Ratio {
    pub(crate) fn new(above: u128, below: u128) -> Self {
        let common = gcd(above, below).max(1);
        Self {
            above: above / common,
            below: below / common,
        }
    }

    pub(crate) fn decimal(text: &str) -> Self {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{part}");
        Self::new(
            digits.parse().expect("digits"),
            10_u128.pow(u32::try_from(part.len()).expect("few digits")),
        )
    }

    pub(crate) fn times(self, other: Self) -> Self {
        // Crosswise first, so that the products stay small.
        let left = Self::new(self.above, other.below);
        let right = Self::new(other.above, self.below);
        Self::new(left.above * right.above, left.below * right.below)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let common = self.below / gcd(self.below, other.below) * other.below;
        let above = self.above * (common / self.below) + other.above * (common / other.below);
        Self::new(above, common)
    }

    pub(crate) fn is_whole_count(self, decimals: u8) -> bool {
        self.times(Self::new(10_u128.pow(decimals.into()), 1)).below == 1
    }

    fn rounded(self, decimals: u8, up: bool) -> u128 {
        let units = self.times(Self::new(10_u128.pow(decimals.into()), 1));
        units.above / units.below + u128::from(up && !units.above.is_multiple_of(units.below))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let common = gcd(self.below, other.below);
        (self.above * (other.below / common)).cmp(&(other.above * (self.below / common)))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn entries(dimension: &Value) -> &Vec<Value> {
    let entries = dimension.get("cases").or_else(|| dimension.get("bands"));
    entries.and_then(Value::as_array).expect("entries")
}

fn charge(entry: &Value) -> Ratio {
    let charge = entry.get("amount").or_else(|| entry.get("factor"));
    Ratio::decimal(text(charge.expect("a charge")))
}

/// What a selector finds: a JSON scalar or a count. `None` is a refusal.
fn found(by: &Value, request: &Request) -> Option<Thing> {
    let name = text(&by["pointer"]).trim_start_matches('/');
    let source = text(&by["source"]);
    let thing = match source {
        "body" => request.body.get(name).cloned(),
        "query" => request.query.get(name).cloned(),
        "header" => request.header.get(name).cloned(),
        _ => request.path.get(name).cloned(),
    };
    let thing = match thing {
        Some(Thing::Null) if source == "body" => None,
        other => other,
    };
    let Some(thing) = thing else {
        return match by.get("default") {
            Some(Value::String(text)) => Some(Thing::Text(text.clone())),
            Some(Value::Number(number)) => {
                let number = number.as_i64().expect("a whole number");
                Some(Thing::Number(number < 0, number.unsigned_abs().to_string()))
            }
            Some(Value::Bool(truth)) => Some(Thing::Truth(*truth)),
            _ => None,
        };
    };
    // Outside of bodies everything is text.
    let thing = match source {
        "body" => thing,
        _ => Thing::Plain(thing.plain()),
    };
    let count = |number: usize| Some(Thing::Number(false, number.to_string()));
    match (text(&by["measure"]), thing) {
        ("value", Thing::List(_)) => None,
        ("value", thing) => Some(thing),
        ("bytes", Thing::Text(text) | Thing::Plain(text)) => count(text.len()),
        ("chars", Thing::Text(text) | Thing::Plain(text)) => count(text.chars().count()),
        ("items", Thing::List(items)) => count(items),
        _ => None,
    }
}

/// A number, over the divisor of its selector.
fn number(by: &Value, thing: &Thing) -> Option<(bool, Ratio)> {
    let (negative, digits) = match thing {
        Thing::Number(negative, digits) => (*negative, digits.clone()),
        Thing::Plain(text) => match text.strip_prefix('-') {
            Some(digits) => (true, digits.to_owned()),
            None => (false, text.clone()),
        },
        _ => return None,
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let divide_by = u128::from(by["divideBy"].as_u64().expect("a divisor"));
    let value = Ratio::decimal(&digits).times(Ratio::new(1, divide_by));
    Some((negative && value.above > 0, value))
}

fn matching<'r>(dimension: &'r Value, request: &Request) -> Option<&'r Value> {
    let by = &dimension["by"];
    let thing = found(by, request)?;
    if dimension.get("bands").is_some() {
        let (negative, value) = number(by, &thing)?;
        let inside = |band: &&Value| match band.get("upTo") {
            Some(end) => value <= Ratio::decimal(text(end)),
            None => true,
        };
        return entries(dimension).iter().filter(|_| !negative).find(inside);
    }
    entries(dimension)
        .iter()
        .find(|case| match &case["equals"] {
            Value::String(text) => {
                matches!(&thing, Thing::Text(other) | Thing::Plain(other) if other == text)
            }
            Value::Bool(truth) => match &thing {
                Thing::Truth(other) => other == truth,
                Thing::Plain(other) => *other == truth.to_string(),
                _ => false,
            },
            Value::Number(wanted) => number(by, &thing).is_some_and(|(negative, value)| {
                let wanted = wanted.as_i64().expect("a whole number");
                value == Ratio::new(wanted.unsigned_abs().into(), 1) && negative == (wanted < 0)
            }),
            _ => false,
        })
}

/// The price of a request, or none.
pub(crate) fn price(rule: &Value, request: &Request) -> Option<Ratio> {
    let mut total: Option<Ratio> = None;
    for dimension in rule["dimensions"].as_array()? {
        let entry = match entries(dimension).as_slice() {
            [only] if dimension.get("bands").is_some() && only.get("upTo").is_none() => only,
            _ => matching(dimension, request)?,
        };
        let charge = charge(entry);
        total = Some(match total {
            None => charge,
            Some(before) if rule["combine"] == "sum" => before.plus(charge),
            Some(before) => before.times(charge),
        });
    }
    let mut total = total?;
    for rebate in rule["rebates"].as_array()? {
        let bought = if rebate["by"] == "spend" {
            Ratio::decimal(&request.spend)
        } else {
            Ratio::new(request.calls.into(), 1)
        };
        let band = rebate["bands"].as_array()?.iter().find(|band| {
            band.get("upTo")
                .is_none_or(|end| bought < Ratio::decimal(text(end)))
        });
        total = total.times(band.map_or(Ratio::new(1, 1), charge));
    }
    Some(total)
}

/// Everything that a price can come to.
pub(crate) fn outcomes(rule: &Value) -> Vec<Ratio> {
    let mut all: Vec<Ratio> = Vec::new();
    for (place, dimension) in rule["dimensions"]
        .as_array()
        .expect("dimensions")
        .iter()
        .enumerate()
    {
        let charges: Vec<Ratio> = entries(dimension).iter().map(charge).collect();
        all = if place == 0 {
            charges
        } else {
            let join = |left: Ratio, right: Ratio| {
                if rule["combine"] == "sum" {
                    left.plus(right)
                } else {
                    left.times(right)
                }
            };
            all.iter()
                .flat_map(|left| charges.iter().map(move |right| join(*left, *right)))
                .collect()
        };
    }
    for rebate in rule["rebates"].as_array().expect("rebates") {
        let bands = rebate["bands"].as_array().expect("bands");
        let mut factors: Vec<Ratio> = bands.iter().map(charge).collect();
        if bands.last().is_some_and(|band| band.get("upTo").is_some()) {
            factors.push(Ratio::new(1, 1));
        }
        all = all
            .iter()
            .flat_map(|left| factors.iter().map(move |right| left.times(*right)))
            .collect();
    }
    all
}

fn sum(rule: &Value, quantities: impl Iterator<Item = (Ratio, u64)>) -> Ratio {
    let base = rule.get("base").map_or("0", text);
    let units = rule["units"].as_array().expect("units");
    units.iter().zip(quantities).fold(
        Ratio::decimal(base),
        |sum, (unit, (quantity, divide_by))| {
            let per = Ratio::new(1, u128::from(unit["per"].as_u64().expect("per")));
            let share = Ratio::new(1, divide_by.into());
            let price = Ratio::decimal(text(&unit["amount"]));
            sum.plus(price.times(per).times(share).times(quantity))
        },
    )
}

/// The metered sum in atomic units, not yet held against any ceiling.
pub(crate) fn metered(rule: &Value, quantities: &[(String, String)], decimals: u8) -> u128 {
    let units = rule["units"].as_array().expect("units");
    let ordered = units.iter().map(|unit| {
        let given = quantities.iter().find(|(id, _)| unit["id"] == *id);
        let divide_by = unit["meter"]["divideBy"].as_u64().expect("a divisor");
        (Ratio::decimal(&given.expect("a quantity").1), divide_by)
    });
    sum(rule, ordered).rounded(decimals, rule["rounding"] == "up-to-atomic")
}

/// The estimate of a call in atomic units, if all units have one and it is above zero. `None` is a refusal.
pub(crate) fn ceiling(rule: &Value, request: &Request, decimals: u8) -> Option<Option<u128>> {
    let units = rule["units"].as_array().expect("units");
    let mut quantities = Vec::new();
    for unit in units {
        let Some(by) = unit.get("estimate") else {
            return Some(None);
        };
        let (negative, value) = number(by, &found(by, request)?)?;
        if negative {
            return None;
        }
        quantities.push((value, 1));
    }
    let headroom = Ratio::decimal(text(&rule["headroom"]));
    let estimate = sum(rule, quantities.into_iter()).times(headroom);
    Some(Some(estimate.rounded(decimals, true)).filter(|units| *units > 0))
}
