//! What endpoints cost, as constants that the program can evaluate.

use serde_json::Value;
use x402_model::money::Decimal;
use x402_model::price::{
    Band, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Measure, Price, PriceModel,
    PriceUnit, Quote, Rebate, RebateBand, RebateBy, Rounding, Selector, Source, UsageUnit,
};

use super::{Context, Names, cost_unit, path_literal};
use crate::escape::rust_string;
use crate::model::{EndpointModel, Example};
use crate::out::{Out, line};

/// Writes the constants of an endpoint.
pub(super) fn constants(
    out: &mut Out,
    context: &Context<'_>,
    endpoint: &EndpointModel,
    names: &Names,
) {
    let constant = &names.constant;
    let unit = cost_unit(context, endpoint);
    let mut cost = "None".to_owned();
    if let Some(price) = &endpoint.price {
        line!(
            out,
            "/// The least that a call of `{}` costs.",
            names.method
        );
        let min = rust_string(&format!("{} {unit}", price.min));
        line!(out, "pub const {constant}_MIN_COST: &str = {min};");
        line!(out, "/// The most that a call of `{}` costs.", names.method);
        let max = rust_string(&format!("{} {unit}", price.max));
        line!(out, "pub const {constant}_MAX_COST: &str = {max};");
        cost = format!("Some(({constant}_MIN_COST, {constant}_MAX_COST))");
    }
    let model = endpoint
        .price
        .as_ref()
        .and_then(|price| price.model.as_ref());
    let rule = match model {
        Some(model) => {
            line!(out, "/// How a call of `{}` is priced.", names.method);
            line!(
                out,
                "pub static {constant}_PRICE: PriceModel = {};",
                price_model(model)
            );
            format!("Some(&{constant}_PRICE)")
        }
        None => "None".to_owned(),
    };
    line!(out, "/// The facts of `{}`.", names.method);
    out.block(
        format!("pub static {constant}: Endpoint = Endpoint {{"),
        "};",
        |out| {
            line!(out, "id: {},", rust_string(&endpoint.id));
            line!(out, "method: {},", rust_string(&endpoint.method));
            line!(out, "path: {},", path_literal(endpoint));
            line!(out, "cost: {cost},");
            line!(out, "price: {rule},");
            let rails: Vec<String> = endpoint
                .rails
                .iter()
                .map(|rail| rust_string(rail))
                .collect();
            line!(out, "rails: &[{}],", rails.join(", "));
            out.block("examples: &[", "],", |out| {
                for example in &endpoint.examples {
                    line!(out, "{},", example_value(example, &unit));
                }
            });
        },
    );
    out.gap();
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(
        || "None".to_owned(),
        |text| format!("Some({})", rust_string(text)),
    )
}

fn example_value(example: &Example, unit: &str) -> String {
    let json = |value: &Value| rust_string(&x402_model::manifest::canonical(value));
    let cost = example.cost.map(|cost| format!("{cost} {unit}"));
    let output = example.output.as_ref();
    format!(
        "Example {{ input: {}, cost: {}, output: {} }}",
        json(&example.input),
        optional(cost.as_deref()),
        output.map_or_else(
            || "None".to_owned(),
            |output| format!("Some({})", json(output))
        ),
    )
}

fn decimal(decimal: Decimal) -> String {
    format!(
        "x402_model::money::Decimal::new({}, {})",
        decimal.mantissa(),
        decimal.scale()
    )
}

fn text(text: &str) -> String {
    format!("Cow::Borrowed({})", rust_string(text))
}

fn price(price: &Price) -> String {
    let unit = match &price.unit {
        PriceUnit::Usd => "PriceUnit::Usd".to_owned(),
        PriceUnit::Symbol(symbol) => format!("PriceUnit::Symbol({})", text(symbol)),
    };
    format!(
        "Price {{ amount: {}, unit: {unit} }}",
        decimal(price.amount)
    )
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.iter().map(one).collect();
    format!("Cow::Borrowed(&[{}])", items.join(", "))
}

fn maybe<T>(value: Option<T>, one: impl Fn(T) -> String) -> String {
    value.map_or_else(
        || "None".to_owned(),
        |value| format!("Some({})", one(value)),
    )
}

fn price_model(model: &PriceModel) -> String {
    match model {
        PriceModel::Flat { amount } => format!("PriceModel::Flat {{ amount: {} }}", price(amount)),
        PriceModel::Tiered {
            dimensions,
            combine,
            rebates,
            bounds,
        } => {
            let combine = match combine {
                Combine::Multiply => "Multiply",
                Combine::Sum => "Sum",
            };
            format!(
                "PriceModel::Tiered {{ dimensions: {}, combine: rule::Combine::{combine}, rebates: {}, bounds: Bounds {{ min: {}, max: {} }} }}",
                list(dimensions, dimension),
                list(rebates, rebate),
                price(&bounds.min),
                price(&bounds.max)
            )
        }
        PriceModel::Usage {
            base,
            units,
            rounding,
            headroom,
            ceiling,
        } => {
            let rounding = match rounding {
                Rounding::DownToAtomic => "DownToAtomic",
                _ => "UpToAtomic",
            };
            format!(
                "PriceModel::Usage {{ base: {}, units: {}, rounding: rule::Rounding::{rounding}, headroom: {}, ceiling: {} }}",
                maybe(base.as_ref(), price),
                list(units, unit),
                decimal(*headroom),
                price(ceiling)
            )
        }
        PriceModel::Dynamic {
            min,
            max,
            quote,
            factors,
        } => format!(
            "PriceModel::Dynamic {{ min: {}, max: {}, quote: {}, factors: {} }}",
            maybe(min.as_ref(), price),
            price(max),
            quote_value(quote),
            list(factors, |factor| text(factor))
        ),
        _ => "PriceModel::Free".to_owned(),
    }
}

fn quote_value(quote: &Quote) -> String {
    match quote {
        Quote::Endpoint { id, ttl_seconds } => {
            format!(
                "rule::Quote::Endpoint {{ id: {}, ttl_seconds: {ttl_seconds} }}",
                text(id)
            )
        }
        Quote::Required402 { ttl_seconds } => {
            format!("rule::Quote::Required402 {{ ttl_seconds: {ttl_seconds} }}")
        }
        _ => "rule::Quote::Required402 { ttl_seconds: 60 }".to_owned(),
    }
}

fn dimension(dimension: &Dimension) -> String {
    let table = match &dimension.table {
        DimensionTable::Cases(cases) => format!("Cases({})", list(cases, case)),
        DimensionTable::Bands(bands) => format!("Bands({})", list(bands, band)),
    };
    let by = selector(&dimension.by);
    format!("rule::Dimension {{ by: {by}, table: rule::DimensionTable::{table} }}")
}

fn selector(selector: &Selector) -> String {
    let source = match selector.source {
        Source::Path => "Path",
        Source::Query => "Query",
        Source::Header => "Header",
        Source::ResponseBody => "ResponseBody",
        Source::ResponseHeader => "ResponseHeader",
        _ => "Body",
    };
    let measure = match selector.measure {
        Measure::Bytes => "Bytes",
        Measure::Chars => "Chars",
        Measure::Items => "Items",
        _ => "Value",
    };
    format!(
        "rule::Selector {{ source: rule::Source::{source}, pointer: {}, measure: rule::Measure::{measure}, divide_by: {}, default: {} }}",
        text(&selector.pointer),
        selector.divide_by,
        maybe(selector.default.as_ref(), value)
    )
}

fn value(value: &CaseValue) -> String {
    match value {
        CaseValue::Text(value) => format!("rule::CaseValue::Text({})", text(value)),
        CaseValue::Integer(value) => format!("rule::CaseValue::Integer({value})"),
        CaseValue::Bool(value) => format!("rule::CaseValue::Bool({value})"),
    }
}

fn charge(charge: &Charge) -> String {
    match charge {
        Charge::Amount(amount) => format!("rule::Charge::Amount({})", price(amount)),
        Charge::Factor(factor) => format!("rule::Charge::Factor({})", decimal(*factor)),
    }
}

fn case(case: &Case) -> String {
    format!(
        "rule::Case {{ equals: {}, charge: {} }}",
        value(&case.equals),
        charge(&case.charge)
    )
}

fn band(band: &Band) -> String {
    format!(
        "rule::Band {{ up_to: {}, charge: {} }}",
        maybe(band.up_to, decimal),
        charge(&band.charge)
    )
}

fn rebate(rebate: &Rebate) -> String {
    let by = match rebate.by {
        RebateBy::Spend => "Spend",
        _ => "Calls",
    };
    let bands = list(&rebate.bands, |band: &RebateBand| {
        format!(
            "rule::RebateBand {{ up_to: {}, factor: {} }}",
            maybe(band.up_to, decimal),
            decimal(band.factor)
        )
    });
    let seconds = rebate.window_seconds;
    format!(
        "rule::Rebate {{ by: rule::RebateBy::{by}, window_seconds: {seconds}, bands: {bands} }}"
    )
}

fn unit(unit: &UsageUnit) -> String {
    format!(
        "rule::UsageUnit {{ id: {}, per: {}, amount: {}, meter: {}, estimate: {} }}",
        text(&unit.id),
        unit.per,
        price(&unit.amount),
        selector(&unit.meter),
        maybe(unit.estimate.as_ref(), selector)
    )
}
