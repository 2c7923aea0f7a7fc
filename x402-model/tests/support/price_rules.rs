//! Random rules of prices, each as a model and as the JSON of a manifest, and random requests.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use x402_model::money::Decimal;
use x402_model::price::{
    Band, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Facts, Measure, Price,
    PriceModel, PriceModelError, PriceUnit, Rebate, RebateBand, RebateBy, Rounding, Selector,
    Source, UsageUnit, Volume, tiered_bounds,
};

/// Something that stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Null,
    Text(String),
    /// Text without a type.
    Plain(String),
    Number(bool, String),
    Truth(bool),
    List(usize),
}

impl Thing {
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Plain(text) => text.clone(),
            Self::Number(negative, digits) => {
                format!("{}{digits}", if *negative { "-" } else { "" })
            }
            Self::Truth(truth) => truth.to_string(),
            Self::Null => "null".to_owned(),
            Self::List(items) => format!("list of {items}"),
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Text(text) => serde_json::to_string(text).unwrap(),
            Self::List(items) => format!("[{}]", vec!["{\"a\":[1]}"; *items].join(" , ")),
            other => other.plain(),
        }
    }
}

/// A request before it is written down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) path: BTreeMap<String, Thing>,
    pub(crate) query: BTreeMap<String, Thing>,
    pub(crate) header: BTreeMap<String, Thing>,
    pub(crate) body: BTreeMap<String, Thing>,
    pub(crate) calls: u64,
    pub(crate) spend: String,
}

impl Request {
    pub(crate) fn body_text(&self) -> String {
        let members: Vec<String> = self
            .body
            .iter()
            .map(|(name, thing)| {
                format!(
                    "{} : {}",
                    serde_json::to_string(name).unwrap(),
                    thing.json()
                )
            })
            .collect();
        format!(
            " {{ \"unrelated\": [{{\"a\": 1e999}}], {} }}",
            members.join(",\n")
        )
        .replace(",  }", "}")
    }

    pub(crate) fn facts<'a>(&'a self, body: &'a str) -> Facts<'a> {
        let mut facts = Facts::new().body(body.as_bytes());
        for (name, thing) in &self.path {
            facts = facts.capture(name.as_str(), thing.plain());
        }
        for (name, thing) in &self.header {
            facts = facts.header(name.to_uppercase(), thing.plain().into_bytes());
        }
        let pairs = self.query.iter().map(|(name, thing)| {
            let value: String = thing
                .plain()
                .bytes()
                .map(|byte| format!("%{byte:02x}"))
                .collect();
            format!("{name}={value}")
        });
        facts.query(pairs.collect::<Vec<_>>().join("&"))
    }

    pub(crate) fn volumes(&self) -> Vec<Volume> {
        let volume = Volume {
            calls: self.calls,
            spend: self.spend.parse().unwrap(),
        };
        vec![volume; 2]
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];
const TEXTS: [&str; 6] = ["fast", "best", "", "true", "7", "äöü — a longer one"];

fn decimal() -> impl Strategy<Value = String> {
    (0_u32..2_000, 0_usize..4).prop_map(|(mantissa, scale)| {
        let digits = format!("{mantissa:0>width$}", width = scale + 1);
        let (whole, part) = digits.split_at(digits.len() - scale);
        if scale == 0 {
            whole.to_owned()
        } else {
            format!("{whole}.{part}")
        }
    })
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        1 => Just(Thing::Null),
        4 => prop::sample::select(&TEXTS[..]).prop_map(|text| Thing::Text(text.to_owned())),
        4 => (0_u8..12).prop_map(|number| Thing::Number(false, number.to_string())),
        2 => (any::<bool>(), decimal()).prop_map(|(negative, digits)| Thing::Number(negative, digits)),
        2 => any::<bool>().prop_map(Thing::Truth),
        2 => (0_usize..5).prop_map(Thing::List),
    ]
}

fn things() -> impl Strategy<Value = BTreeMap<String, Thing>> {
    let member = (prop::sample::select(&NAMES[..]), thing());
    prop::collection::vec(member, 0..6).prop_map(|members| {
        members
            .into_iter()
            .map(|(name, thing)| (name.to_owned(), thing))
            .collect()
    })
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    (things(), things(), things(), things(), 0_u64..20, decimal()).prop_map(
        |(path, query, header, body, calls, spend)| Request {
            path,
            query,
            header,
            body,
            calls,
            spend,
        },
    )
}

/// A selector.
#[derive(Clone, Debug)]
struct Where {
    source: Source,
    name: &'static str,
    measure: Measure,
    divide_by: u64,
    default: Option<CaseValue>,
}

impl Where {
    fn pointer(&self) -> String {
        match self.source {
            Source::Body | Source::ResponseBody => format!("/{}", self.name),
            _ => self.name.to_owned(),
        }
    }

    fn selector(&self) -> Selector {
        Selector {
            source: self.source,
            pointer: self.pointer().into(),
            measure: self.measure,
            divide_by: self.divide_by,
            default: self.default.clone(),
        }
    }

    fn manifest(&self) -> Value {
        let mut json = json!({
            "source": self.source.as_str(), "pointer": self.pointer(),
            "measure": self.measure.as_str(), "divideBy": self.divide_by,
        });
        if let Some(default) = &self.default {
            json["default"] = value(default);
        }
        json
    }
}

fn value(value: &CaseValue) -> Value {
    match value {
        CaseValue::Text(text) => json!(text),
        CaseValue::Integer(number) => json!(number),
        CaseValue::Bool(truth) => json!(truth),
    }
}

fn place(counted: bool) -> impl Strategy<Value = Where> {
    let source = prop::sample::select(vec![
        Source::Body,
        Source::Body,
        Source::Path,
        Source::Query,
        Source::Header,
    ]);
    let measure = prop::sample::select(vec![
        Measure::Value,
        Measure::Value,
        Measure::Bytes,
        Measure::Chars,
        Measure::Items,
    ]);
    (source, prop::sample::select(&NAMES[..]), measure, 1_u64..4).prop_map(
        move |(source, name, measure, divide_by)| {
            let items = measure == Measure::Items && source != Source::Body;
            Where {
                source,
                name,
                measure: if items || !counted {
                    Measure::Value
                } else {
                    measure
                },
                divide_by: if counted { divide_by } else { 1 },
                default: None,
            }
        },
    )
}

/// One dimension: where it looks, and its entries with their charges as texts.
#[derive(Clone, Debug)]
struct Table {
    by: Where,
    keys: Keys,
    charges: Vec<String>,
}

#[derive(Clone, Debug)]
enum Keys {
    Cases(Vec<CaseValue>),
    Bands(Vec<Option<String>>),
}

fn cases() -> impl Strategy<Value = Vec<CaseValue>> {
    let text = |text: &'static str| CaseValue::Text(Cow::Borrowed(text));
    prop_oneof![
        prop::sample::subsequence(TEXTS.to_vec(), 1..4)
            .prop_map(move |texts| texts.into_iter().map(text).collect()),
        prop::sample::subsequence(vec![-3_i64, 0, 1, 2, 7, 9], 1..5)
            .prop_map(|numbers| numbers.into_iter().map(CaseValue::Integer).collect()),
        prop::sample::subsequence(vec![true, false], 1..3)
            .prop_map(|truths| truths.into_iter().map(CaseValue::Bool).collect()),
    ]
}

fn bands() -> impl Strategy<Value = Vec<Option<String>>> {
    (prop::collection::btree_set(0_u32..20, 0..4), any::<bool>()).prop_map(|(ends, open)| {
        let open = open || ends.is_empty();
        ends.into_iter()
            .map(|end| Some(end.to_string()))
            .chain(open.then_some(None))
            .collect()
    })
}

fn table() -> impl Strategy<Value = Table> {
    let keys = prop_oneof![cases().prop_map(Keys::Cases), bands().prop_map(Keys::Bands),];
    let charges = prop::collection::vec(decimal(), 5);
    (
        keys,
        place(true),
        place(false),
        charges,
        any::<bool>(),
        0_i64..4,
    )
        .prop_map(|(keys, counted, plain, charges, has_default, default)| {
            let numbers = matches!(&keys, Keys::Bands(_))
                || matches!(&keys, Keys::Cases(cases) if matches!(cases[0], CaseValue::Integer(_)));
            let mut by = if numbers { counted } else { plain };
            if has_default {
                by.default = Some(match &keys {
                    Keys::Cases(cases) => cases[cases.len() - 1].clone(),
                    Keys::Bands(_) => CaseValue::Integer(default),
                });
            }
            Table { by, keys, charges }
        })
}

/// What is counted, and the ends and factors of its bands.
type Discount = (RebateBy, Vec<(Option<String>, String)>);

/// A whole rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    tables: Vec<Table>,
    combine: Combine,
    /// Which table of a product holds amounts.
    amounts: usize,
    rebates: Vec<Discount>,
}

pub(crate) fn rule() -> impl Strategy<Value = Rule> {
    let end = prop::collection::btree_set(1_u32..20, 1..3);
    let factor = (0_u32..=100)
        .prop_map(|hundredths| format!("{}.{:02}", hundredths / 100, hundredths % 100));
    let rebate = (
        any::<bool>(),
        end,
        any::<bool>(),
        prop::collection::vec(factor, 3),
    )
        .prop_map(|(spend, ends, open, factors)| {
            let ends = ends
                .into_iter()
                .map(|end| Some(end.to_string()))
                .chain(open.then_some(None));
            let by = if spend {
                RebateBy::Spend
            } else {
                RebateBy::Calls
            };
            (by, ends.zip(factors).collect::<Vec<_>>())
        });
    let combine = prop::sample::select(vec![Combine::Multiply, Combine::Sum]);
    (
        prop::collection::vec(table(), 1..4),
        combine,
        0_usize..3,
        prop::collection::vec(rebate, 0..3),
    )
        .prop_map(|(tables, combine, amounts, rebates)| {
            let amounts = amounts % tables.len();
            Rule {
                tables,
                combine,
                amounts,
                rebates,
            }
        })
}

fn price(text: &str) -> Price {
    Price {
        amount: text.parse().unwrap(),
        unit: PriceUnit::Usd,
    }
}

impl Rule {
    /// A product of so many dimensions whose amounts all differ.
    pub(crate) fn of_primes(dimensions: usize, entries: usize) -> Self {
        let primes = (2_u32..).filter(|n| (2..*n).all(|divisor| n % divisor != 0));
        let primes: Vec<String> = primes
            .take(dimensions * entries)
            .map(|prime| prime.to_string())
            .collect();
        let tables = primes.chunks(entries).map(|charges| Table {
            by: Where {
                source: Source::Query,
                name: "a",
                measure: Measure::Value,
                divide_by: 1,
                default: None,
            },
            keys: Keys::Cases((0..).take(entries).map(CaseValue::Integer).collect()),
            charges: charges.to_vec(),
        });
        Self {
            tables: tables.collect(),
            combine: Combine::Multiply,
            amounts: 0,
            rebates: Vec::new(),
        }
    }

    fn is_amount(&self, table: usize) -> bool {
        self.combine == Combine::Sum || table == self.amounts
    }

    fn dimension(&self, place: usize, table: &Table) -> Dimension {
        let charge = |text: &String| match self.is_amount(place) {
            true => Charge::Amount(price(text)),
            false => Charge::Factor(text.parse().unwrap()),
        };
        let table_of = match &table.keys {
            Keys::Cases(cases) => DimensionTable::Cases(
                cases
                    .iter()
                    .zip(&table.charges)
                    .map(|(equals, text)| Case {
                        equals: equals.clone(),
                        charge: charge(text),
                    })
                    .collect(),
            ),
            Keys::Bands(bands) => DimensionTable::Bands(
                bands
                    .iter()
                    .zip(&table.charges)
                    .map(|(end, text)| Band {
                        up_to: end.as_ref().map(|end| end.parse().unwrap()),
                        charge: charge(text),
                    })
                    .collect(),
            ),
        };
        Dimension {
            by: table.by.selector(),
            table: table_of,
        }
    }

    pub(crate) fn try_model(&self) -> Result<PriceModel, PriceModelError> {
        let dimensions: Vec<Dimension> = self
            .tables
            .iter()
            .enumerate()
            .map(|(place, table)| self.dimension(place, table))
            .collect();
        let rebates: Vec<Rebate> = self
            .rebates
            .iter()
            .map(|(by, bands)| Rebate {
                by: *by,
                window_seconds: 60,
                bands: bands
                    .iter()
                    .map(|(end, factor)| RebateBand {
                        up_to: end.as_ref().map(|end| end.parse().unwrap()),
                        factor: factor.parse().unwrap(),
                    })
                    .collect(),
            })
            .collect();
        let bounds = tiered_bounds(&dimensions, self.combine, &rebates)?;
        Ok(PriceModel::Tiered {
            dimensions: dimensions.into(),
            combine: self.combine,
            rebates: rebates.into(),
            bounds,
        })
    }

    pub(crate) fn model(&self) -> Option<PriceModel> {
        self.try_model().ok()
    }

    pub(crate) fn manifest(&self) -> Value {
        let dimensions: Vec<Value> = self.tables.iter().enumerate().map(|(place, table)| {
            let kind = if self.is_amount(place) { "amount" } else { "factor" };
            match &table.keys {
                Keys::Cases(cases) => {
                    let cases: Vec<Value> = cases.iter().zip(&table.charges).map(|(equals, charge)| json!({"equals": value(equals), kind: charge})).collect();
                    json!({"by": table.by.manifest(), "cases": cases})
                }
                Keys::Bands(bands) => json!({"by": table.by.manifest(), "bands": banded(bands.iter().zip(&table.charges), kind)}),
            }
        }).collect();
        let rebates: Vec<Value> = self.rebates.iter().map(|(by, bands)| {
            let by = if *by == RebateBy::Spend { "spend" } else { "calls" };
            json!({"kind": "volume", "scope": "payer", "by": by, "bands": banded(bands.iter().map(|(end, factor)| (end, factor)), "factor")})
        }).collect();
        let combine = if self.combine == Combine::Sum {
            "sum"
        } else {
            "multiply"
        };
        json!({"model": "tiered", "combine": combine, "dimensions": dimensions, "rebates": rebates})
    }
}

fn banded<'a>(
    bands: impl Iterator<Item = (&'a Option<String>, &'a String)>,
    kind: &str,
) -> Vec<Value> {
    bands
        .map(|(end, charge)| match end {
            Some(end) => json!({"upTo": end, kind: charge}),
            None => json!({kind: charge}),
        })
        .collect()
}

/// A metered price and what was metered.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    pub(crate) model: PriceModel,
    pub(crate) quantities: Vec<(String, String)>,
    pub(crate) signed: u128,
    json: Value,
}

impl Usage {
    pub(crate) fn manifest(&self) -> Value {
        self.json.clone()
    }
}

/// One unit, its JSON, and how much of it was metered.
fn unit() -> impl Strategy<Value = (UsageUnit, Value, String)> {
    let per = prop::sample::select(vec![1_u64, 3, 10, 1_000]);
    let estimate = (prop::option::of(place(true)), 0_i64..5);
    (decimal(), per, 1_u64..4, estimate, decimal()).prop_map(
        |(amount, per, divide_by, (estimate, default), quantity)| {
            let meter = Where {
                source: Source::ResponseBody,
                name: "n",
                measure: Measure::Value,
                divide_by,
                default: None,
            };
            let estimate = estimate.map(|by| Where {
                default: Some(CaseValue::Integer(default)),
                ..by
            });
            let mut json = json!({"per": per, "amount": amount, "meter": meter.manifest()});
            if let Some(estimate) = &estimate {
                json["estimate"] = estimate.manifest();
            }
            let unit = UsageUnit {
                id: Cow::Borrowed(""),
                per,
                amount: price(&amount),
                meter: meter.selector(),
                estimate: estimate.map(|by| by.selector()),
            };
            (unit, json, quantity)
        },
    )
}

pub(crate) fn usage() -> impl Strategy<Value = Usage> {
    let base = prop::option::of(decimal());
    let rest = (100_u32..200, any::<bool>(), 0_u128..1_000_000);
    (prop::collection::vec(unit(), 1..4), decimal(), base, rest).prop_map(
        |(mut units, ceiling, base, (headroom, up, signed))| {
            for (place, (unit, json, _)) in units.iter_mut().enumerate() {
                unit.id = format!("unit{place}").into();
                json["id"] = json!(unit.id);
            }
            let headroom = format!("{}.{:02}", headroom / 100, headroom % 100);
            let json_units: Vec<&Value> = units.iter().map(|(_, json, _)| json).collect();
            let rounding = if up {
                Rounding::UpToAtomic
            } else {
                Rounding::DownToAtomic
            };
            let mut json = json!({
                "model": "usage", "units": json_units, "headroom": headroom, "rounding": rounding.as_str(),
            });
            if let Some(base) = &base {
                json["base"] = json!(base);
            }
            let in_another_order = units.iter().rev();
            Usage {
                quantities: in_another_order
                    .map(|(unit, _, quantity)| (unit.id.to_string(), quantity.clone()))
                    .collect(),
                model: PriceModel::Usage {
                    base: base.as_deref().map(price),
                    units: units.into_iter().map(|(unit, ..)| unit).collect(),
                    rounding,
                    headroom: headroom.parse::<Decimal>().unwrap(),
                    ceiling: price(&ceiling),
                },
                signed,
                json,
            }
        },
    )
}
