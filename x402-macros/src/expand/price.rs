//! Prices and offers as constant expressions.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use x402_model::money::Decimal;
use x402_model::price::{
    Allowance, AllowanceKind, Band, Bounds, Case, CaseValue, Charge, Combine, Dimension,
    DimensionTable, Measure, PlanKind, Price, PriceModel, PriceUnit, Quote, Rebate, RebateBy,
    Rounding, Selector, Source, UsageUnit,
};

use super::spec::{method, optional};
use crate::model::ValidPlan;
use crate::paths::Runtime;

/// Writes values as expressions that have them.
#[derive(Clone, Copy)]
pub(super) struct Writer<'r>(pub(super) &'r Runtime);

impl Writer<'_> {
    /// `PriceModel::…`.
    pub(super) fn model(self, model: &PriceModel) -> TokenStream {
        let rt = self.0;
        match model {
            PriceModel::Flat { amount } => {
                let amount = self.price(amount);
                quote!(#rt::PriceModel::Flat { amount: #amount, })
            }
            PriceModel::Tiered {
                dimensions,
                combine,
                rebates,
                bounds,
            } => {
                let dimensions = self.list(dimensions, Self::dimension);
                let rebates = self.list(rebates, Self::rebate);
                let bounds = self.bounds(bounds);
                let combine = match combine {
                    Combine::Multiply => quote!(Multiply),
                    Combine::Sum => quote!(Sum),
                };
                quote! {
                    #rt::PriceModel::Tiered {
                        dimensions: #dimensions,
                        combine: #rt::Combine::#combine,
                        rebates: #rebates,
                        bounds: #bounds,
                    }
                }
            }
            PriceModel::Usage { .. } => self.usage(model),
            PriceModel::Dynamic { .. } => self.dynamic(model),
            _ => quote!(#rt::PriceModel::Free),
        }
    }

    /// `PriceModel::Usage`; nothing for other models.
    fn usage(self, model: &PriceModel) -> TokenStream {
        let rt = self.0;
        let PriceModel::Usage {
            base,
            units,
            rounding,
            headroom,
            ceiling,
        } = model
        else {
            return quote!(#rt::PriceModel::Free);
        };
        let base = optional(base.as_ref().map(|base| self.price(base)), rt);
        let units = self.list(units, Self::unit);
        let rounding = match rounding {
            Rounding::DownToAtomic => quote!(DownToAtomic),
            _ => quote!(UpToAtomic),
        };
        let (headroom, ceiling) = (self.decimal(*headroom), self.price(ceiling));
        quote! {
            #rt::PriceModel::Usage {
                base: #base,
                units: #units,
                rounding: #rt::Rounding::#rounding,
                headroom: #headroom,
                ceiling: #ceiling,
            }
        }
    }

    /// `PriceModel::Dynamic`; nothing for other models.
    fn dynamic(self, model: &PriceModel) -> TokenStream {
        let rt = self.0;
        let PriceModel::Dynamic {
            min,
            max,
            quote,
            factors,
        } = model
        else {
            return quote!(#rt::PriceModel::Free);
        };
        let min = optional(min.as_ref().map(|min| self.price(min)), rt);
        let max = self.price(max);
        let (Quote::Required402 { ttl_seconds } | Quote::Endpoint { ttl_seconds, .. }) = quote
        else {
            return quote!(#rt::PriceModel::Free);
        };
        let factors = self.list(factors, |this, factor| this.text(factor));
        quote! {
            #rt::PriceModel::Dynamic {
                min: #min,
                max: #max,
                quote: #rt::Quote::Required402 { ttl_seconds: #ttl_seconds, },
                factors: #factors,
            }
        }
    }

    pub(super) fn allowance(self, allowance: &Allowance) -> TokenStream {
        let rt = self.0;
        let Allowance { kind, calls, .. } = allowance;
        let kind = match kind {
            AllowanceKind::FreeQuota { window_seconds } => {
                quote!(FreeQuota { window_seconds: #window_seconds, })
            }
            AllowanceKind::Trial => quote!(Trial),
        };
        quote! {
            #rt::Allowance {
                kind: #rt::AllowanceKind::#kind,
                scope: #rt::Scope::Payer,
                calls: #calls,
                identify: #rt::Identify::SignInWithX,
            }
        }
    }

    pub(super) fn plan(self, plan: &ValidPlan) -> TokenStream {
        let rt = self.0;
        let (id, header) = (self.text(&plan.id), self.text(&plan.present_header));
        let (method, path) = (method(plan.method), &plan.path);
        let PlanKind::Prepaid {
            amount,
            credit,
            expires_seconds,
        } = &plan.kind
        else {
            return TokenStream::new();
        };
        let (amount, credit) = (self.price(amount), self.price(credit));
        let expires = optional(expires_seconds.map(|seconds| quote!(#seconds)), rt);
        quote! {
            #rt::Plan {
                id: #id,
                kind: #rt::PlanKind::Prepaid {
                    amount: #amount,
                    credit: #credit,
                    expires_seconds: #expires,
                },
                purchase: #rt::RouteSpec { method: #rt::Method::#method, path: #path, },
                present_header: #header,
            }
        }
    }

    fn list<T>(self, items: &[T], write: impl Fn(Self, &T) -> TokenStream) -> TokenStream {
        let rt = self.0;
        let items = items.iter().map(|item| write(self, item));
        quote!(#rt::Cow::Borrowed(&[#(#items),*]))
    }

    fn text(self, text: impl AsRef<str>) -> TokenStream {
        let (rt, text) = (self.0, text.as_ref());
        quote!(#rt::Cow::Borrowed(#text))
    }

    fn decimal(self, decimal: Decimal) -> TokenStream {
        let rt = self.0;
        let mantissa = Literal::u128_unsuffixed(decimal.mantissa());
        let scale = Literal::u8_unsuffixed(decimal.scale());
        quote!(#rt::Decimal::new(#mantissa, #scale))
    }

    fn price(self, price: &Price) -> TokenStream {
        let rt = self.0;
        let amount = self.decimal(price.amount);
        let unit = match &price.unit {
            PriceUnit::Usd => quote!(#rt::PriceUnit::Usd),
            PriceUnit::Symbol(symbol) => {
                let symbol = self.text(symbol);
                quote!(#rt::PriceUnit::Symbol(#symbol))
            }
        };
        quote!(#rt::Price { amount: #amount, unit: #unit, })
    }

    fn bounds(self, bounds: &Bounds) -> TokenStream {
        let rt = self.0;
        let (min, max) = (self.price(&bounds.min), self.price(&bounds.max));
        quote!(#rt::Bounds { min: #min, max: #max, })
    }

    fn dimension(self, dimension: &Dimension) -> TokenStream {
        let rt = self.0;
        let by = self.selector(&dimension.by);
        let table = match &dimension.table {
            DimensionTable::Cases(cases) => {
                let cases = self.list(cases, Self::case);
                quote!(Cases(#cases))
            }
            DimensionTable::Bands(bands) => {
                let bands = self.list(bands, Self::band);
                quote!(Bands(#bands))
            }
        };
        quote!(#rt::Dimension { by: #by, table: #rt::DimensionTable::#table, })
    }

    fn selector(self, selector: &Selector) -> TokenStream {
        let rt = self.0;
        let source = match selector.source {
            Source::Path => quote!(Path),
            Source::Query => quote!(Query),
            Source::Header => quote!(Header),
            Source::ResponseBody => quote!(ResponseBody),
            Source::ResponseHeader => quote!(ResponseHeader),
            _ => quote!(Body),
        };
        let measure = match selector.measure {
            Measure::Bytes => quote!(Bytes),
            Measure::Chars => quote!(Chars),
            Measure::Items => quote!(Items),
            _ => quote!(Value),
        };
        let pointer = self.text(&selector.pointer);
        let divide_by = selector.divide_by;
        let default = selector.default.as_ref().map(|value| self.value(value));
        let default = optional(default, rt);
        quote! {
            #rt::Selector {
                source: #rt::Source::#source,
                pointer: #pointer,
                measure: #rt::Measure::#measure,
                divide_by: #divide_by,
                default: #default,
            }
        }
    }

    fn value(self, value: &CaseValue) -> TokenStream {
        let rt = self.0;
        match value {
            CaseValue::Text(text) => {
                let text = self.text(text);
                quote!(#rt::CaseValue::Text(#text))
            }
            CaseValue::Integer(number) => quote!(#rt::CaseValue::Integer(#number)),
            CaseValue::Bool(value) => quote!(#rt::CaseValue::Bool(#value)),
        }
    }

    fn charge(self, charge: &Charge) -> TokenStream {
        let rt = self.0;
        match charge {
            Charge::Amount(price) => {
                let price = self.price(price);
                quote!(#rt::Charge::Amount(#price))
            }
            Charge::Factor(factor) => {
                let factor = self.decimal(*factor);
                quote!(#rt::Charge::Factor(#factor))
            }
        }
    }

    fn case(self, case: &Case) -> TokenStream {
        let rt = self.0;
        let (equals, charge) = (self.value(&case.equals), self.charge(&case.charge));
        quote!(#rt::Case { equals: #equals, charge: #charge, })
    }

    fn band(self, band: &Band) -> TokenStream {
        let rt = self.0;
        let up_to = optional(band.up_to.map(|end| self.decimal(end)), rt);
        let charge = self.charge(&band.charge);
        quote!(#rt::Band { up_to: #up_to, charge: #charge, })
    }

    fn rebate(self, rebate: &Rebate) -> TokenStream {
        let rt = self.0;
        let by = match rebate.by {
            RebateBy::Spend => quote!(Spend),
            _ => quote!(Calls),
        };
        let window_seconds = rebate.window_seconds;
        let bands = self.list(&rebate.bands, |this, band| {
            let up_to = optional(band.up_to.map(|end| this.decimal(end)), rt);
            let factor = this.decimal(band.factor);
            quote!(#rt::RebateBand { up_to: #up_to, factor: #factor, })
        });
        quote! {
            #rt::Rebate { by: #rt::RebateBy::#by, window_seconds: #window_seconds, bands: #bands, }
        }
    }

    fn unit(self, unit: &UsageUnit) -> TokenStream {
        let rt = self.0;
        let (id, per) = (self.text(&unit.id), unit.per);
        let amount = self.price(&unit.amount);
        let meter = self.selector(&unit.meter);
        let estimate = unit
            .estimate
            .as_ref()
            .map(|estimate| self.selector(estimate));
        let estimate = optional(estimate, rt);
        quote! {
            #rt::UsageUnit {
                id: #id,
                per: #per,
                amount: #amount,
                meter: #meter,
                estimate: #estimate,
            }
        }
    }
}
