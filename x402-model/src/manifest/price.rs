//! The price part of a manifest: bounds that always hold, and the rule by which a price is found.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::amount::Amount;
use super::period::Period;
use crate::money::Decimal;
use crate::price::{
    Band, Bounds, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Measure, Price,
    PriceModel, PriceUnit, Quote, Rebate, RebateBand, RebateBy, Rounding, Selector, Source,
    UsageUnit, tiered_bounds,
};

/// What a call can cost, and how to find out what it costs.
///
/// The rule is kept as it was written: a reader that does not know the model has the bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceEntry {
    /// Name of the model.
    pub model: String,
    /// The least and the most.
    pub bounds: BoundsEntry,
    /// The members of the model.
    #[serde(flatten)]
    pub rule: Map<String, Value>,
}

/// The least and the most that one call costs. A request for payment above it is a breach of contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundsEntry {
    /// The least.
    pub min: Amount,
    /// The most.
    pub max: Amount,
    /// What calls usually cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typical: Option<Amount>,
}

/// Where in a request or answer something stands, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelectorEntry {
    /// `path`, `query`, `body`, `header`, `response-body` or `response-header`.
    pub source: String,
    /// JSON pointer into a body, or the name of a capture, parameter or header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// `value`, `bytes`, `chars` or `items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// What the measure is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divide_by: Option<u64>,
    /// What counts where the value is missing; otherwise the `default` of the schema does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// One dimension of a tiered price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DimensionEntry {
    /// What decides.
    pub by: SelectorEntry,
    /// A charge for each value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<Vec<CaseEntry>>,
    /// A charge for each range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bands: Option<Vec<BandEntry>>,
}

/// The charge for one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEntry {
    /// The value: a string, an integer or a truth value.
    pub equals: Value,
    /// An amount, or …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// … a factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Amount>,
}

/// The charge for one range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BandEntry {
    /// The highest value, itself included: an integer, or a decimal in a string. Only the last may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Value>,
    /// An amount, or …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// … a factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Amount>,
}

/// A reduction for payers of many calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebateEntry {
    /// `volume` (calls bought) or `spend` (money spent).
    pub kind: String,
    /// Whose calls are counted together: `payer`.
    pub scope: String,
    /// In which time.
    pub window: Period,
    /// Factors, in rising order.
    pub bands: Vec<BandEntry>,
}

/// One metered quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitEntry {
    /// Its name.
    pub id: String,
    /// How many of it the amount pays for.
    pub per: u64,
    /// The price of so many.
    pub amount: Amount,
    /// Where it stands after the call.
    pub meter: SelectorEntry,
    /// Where it can be estimated before the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<SelectorEntry>,
}

/// How a dynamic price is learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteEntry {
    /// `402` or `endpoint`.
    pub how: String,
    /// Id of the endpoint that quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// How long a quote holds.
    pub ttl_seconds: u64,
}

impl BoundsEntry {
    /// The bounds in a unit.
    #[must_use]
    pub fn in_unit(&self, unit: &PriceUnit) -> Bounds {
        Bounds {
            min: price(self.min, unit),
            max: price(self.max, unit),
        }
    }
}

impl PriceEntry {
    /// The rule as a model that can be evaluated; `None` for a model that this version does not know.
    ///
    /// `default_of` gives what the handler takes for a missing value of the request, which the schemas tell.
    ///
    /// # Errors
    /// What is wrong with a rule of a known model.
    pub fn to_model(
        &self,
        unit: &PriceUnit,
        default_of: &dyn Fn(&SelectorEntry) -> Option<CaseValue>,
    ) -> Result<Option<PriceModel>, String> {
        let read = Reader {
            rule: &self.rule,
            unit,
            default_of,
        };
        let model = match self.model.as_str() {
            "free" => PriceModel::Free,
            "flat" => PriceModel::Flat {
                amount: price(read.needed("amount")?, unit),
            },
            "tiered" => read.tiered()?,
            "usage" => read.usage(self.bounds.max)?,
            "dynamic" => PriceModel::Dynamic {
                min: (self.bounds.min != Amount::ZERO).then(|| price(self.bounds.min, unit)),
                max: price(self.bounds.max, unit),
                quote: quote(read.optional("quote")?)?,
                factors: read
                    .optional::<Vec<String>>("factors")?
                    .unwrap_or_default()
                    .into_iter()
                    .map(Cow::Owned)
                    .collect(),
            },
            _ => return Ok(None),
        };
        Ok(Some(model))
    }
}

fn price(amount: Amount, unit: &PriceUnit) -> Price {
    Price {
        amount: amount.0,
        unit: unit.clone(),
    }
}

/// A quote that says nothing holds for as long as an answer that asks for payment usually does.
fn quote(entry: Option<QuoteEntry>) -> Result<Quote, String> {
    let Some(entry) = entry else {
        return Ok(Quote::Required402 { ttl_seconds: 60 });
    };
    let ttl_seconds = entry.ttl_seconds;
    match (entry.how.as_str(), entry.endpoint) {
        ("402", None) => Ok(Quote::Required402 { ttl_seconds }),
        ("endpoint", Some(id)) => Ok(Quote::Endpoint {
            id: Cow::Owned(id),
            ttl_seconds,
        }),
        _ => Err("a quote comes by `402` or from an `endpoint`".to_owned()),
    }
}

/// Reads the members of one rule.
struct Reader<'r> {
    rule: &'r Map<String, Value>,
    unit: &'r PriceUnit,
    default_of: &'r dyn Fn(&SelectorEntry) -> Option<CaseValue>,
}

impl Reader<'_> {
    fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        self.rule
            .get(name)
            .map(|value| T::deserialize(value).map_err(|error| format!("`{name}`: {error}")))
            .transpose()
    }

    fn needed<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        self.optional(name)?
            .ok_or_else(|| format!("`{name}` is missing"))
    }

    fn all<E: DeserializeOwned, T: Clone>(
        &self,
        name: &str,
        one: impl Fn(&Self, E) -> Result<T, String>,
    ) -> Result<Cow<'static, [T]>, String> {
        let entries: Vec<E> = self.optional(name)?.unwrap_or_default();
        let all: Result<Vec<T>, String> = entries
            .into_iter()
            .map(|entry| one(self, entry).map_err(|reason| format!("`{name}`: {reason}")))
            .collect();
        all.map(Cow::Owned)
    }

    /// The bounds are those of the tiers; what the document promises may be wider.
    fn tiered(&self) -> Result<PriceModel, String> {
        let dimensions = self.all("dimensions", Self::dimension)?;
        let combine = match self.optional::<String>("combine")?.as_deref() {
            None | Some("multiply") => Combine::Multiply,
            Some("sum") => Combine::Sum,
            Some(_) => return Err("`combine` is `multiply` or `sum`".to_owned()),
        };
        let rebates = self.all("rebates", Self::rebate)?;
        let bounds = tiered_bounds(&dimensions, combine, &rebates);
        Ok(PriceModel::Tiered {
            bounds: bounds.map_err(|error| error.to_string())?,
            dimensions,
            combine,
            rebates,
        })
    }

    fn usage(&self, ceiling: Amount) -> Result<PriceModel, String> {
        let rounding = match self.optional::<String>("rounding")?.as_deref() {
            None | Some("up-to-atomic") => Rounding::UpToAtomic,
            Some("down-to-atomic") => Rounding::DownToAtomic,
            Some(_) => return Err("`rounding` is `up-to-atomic` or `down-to-atomic`".to_owned()),
        };
        let base = self.optional::<Amount>("base")?;
        let headroom = self.optional::<Amount>("headroom")?;
        Ok(PriceModel::Usage {
            base: base.map(|amount| price(amount, self.unit)),
            units: self.all("units", Self::metered)?,
            rounding,
            headroom: headroom.map_or(Decimal::ONE, |amount| amount.0),
            ceiling: price(ceiling, self.unit),
        })
    }

    fn selector(&self, entry: &SelectorEntry) -> Result<Selector, String> {
        let source = match entry.source.as_str() {
            "path" => Source::Path,
            "query" => Source::Query,
            "body" => Source::Body,
            "header" => Source::Header,
            "response-body" => Source::ResponseBody,
            "response-header" => Source::ResponseHeader,
            _ => return Err("a `source` is unknown".to_owned()),
        };
        let measure = match entry.measure.as_deref() {
            None | Some("value") => Measure::Value,
            Some("bytes") => Measure::Bytes,
            Some("chars") => Measure::Chars,
            Some("items") => Measure::Items,
            Some(_) => return Err("a `measure` is unknown".to_owned()),
        };
        let default = match &entry.default {
            Some(value) => Some(CaseValue::from_json(value).ok_or("a `default` is no scalar")?),
            None if source.is_response() => None,
            None => (self.default_of)(entry),
        };
        Ok(Selector {
            source,
            pointer: Cow::Owned(entry.pointer.clone()),
            measure,
            divide_by: entry.divide_by.unwrap_or(1),
            default,
        })
    }

    fn charge(&self, amount: Option<Amount>, factor: Option<Amount>) -> Result<Charge, String> {
        match (amount, factor) {
            (Some(amount), None) => Ok(Charge::Amount(price(amount, self.unit))),
            (None, Some(factor)) => Ok(Charge::Factor(factor.0)),
            _ => Err("an entry has an `amount` or a `factor`".to_owned()),
        }
    }

    fn dimension(&self, entry: DimensionEntry) -> Result<Dimension, String> {
        let table = match (entry.cases, entry.bands) {
            (Some(cases), None) => {
                let cases: Result<Vec<Case>, String> = cases
                    .into_iter()
                    .map(|case| {
                        Ok(Case {
                            equals: CaseValue::from_json(&case.equals)
                                .ok_or("`equals` is no scalar")?,
                            charge: self.charge(case.amount, case.factor)?,
                        })
                    })
                    .collect();
                DimensionTable::Cases(Cow::Owned(cases?))
            }
            (None, Some(bands)) => {
                let bands: Result<Vec<Band>, String> = bands
                    .into_iter()
                    .map(|band| {
                        Ok(Band {
                            up_to: end(band.up_to.as_ref())?,
                            charge: self.charge(band.amount, band.factor)?,
                        })
                    })
                    .collect();
                DimensionTable::Bands(Cow::Owned(bands?))
            }
            _ => return Err("a dimension has `cases` or `bands`".to_owned()),
        };
        Ok(Dimension {
            by: self.selector(&entry.by)?,
            table,
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "one shape for all entries")]
    fn rebate(&self, entry: RebateEntry) -> Result<Rebate, String> {
        let by = match entry.kind.as_str() {
            "volume" => RebateBy::Calls,
            "spend" => RebateBy::Spend,
            _ => return Err("a rebate is by `volume` or `spend`".to_owned()),
        };
        let bands: Result<Vec<RebateBand>, String> = entry
            .bands
            .iter()
            .map(|band| {
                match (
                    self.charge(band.amount, band.factor)?,
                    end(band.up_to.as_ref())?,
                ) {
                    (Charge::Factor(factor), up_to) => Ok(RebateBand { up_to, factor }),
                    (Charge::Amount(_), _) => Err("a rebate has factors".to_owned()),
                }
            })
            .collect();
        Ok(Rebate {
            by,
            window_seconds: entry.window.seconds,
            bands: Cow::Owned(bands?),
        })
    }

    fn metered(&self, entry: UnitEntry) -> Result<UsageUnit, String> {
        Ok(UsageUnit {
            per: entry.per,
            amount: price(entry.amount, self.unit),
            meter: self.selector(&entry.meter)?,
            estimate: entry
                .estimate
                .map(|estimate| self.selector(&estimate))
                .transpose()?,
            id: Cow::Owned(entry.id),
        })
    }
}

/// The end of a band: an integer, or a decimal in a string.
fn end(value: Option<&Value>) -> Result<Option<Decimal>, String> {
    let wrong = || "`upTo` is an integer, or a decimal in a string".to_owned();
    match value {
        None => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
        Some(Value::Number(number)) => number
            .as_u64()
            .and_then(|whole| Decimal::checked_new(whole.into(), 0))
            .map(Some)
            .ok_or_else(wrong),
        Some(_) => Err(wrong()),
    }
}
