//! The endpoint's data as a constant expression: numbers and texts, nothing that is parsed again.

use proc_macro2::TokenStream;
use quote::quote;
use x402_model::endpoint::Method;
use x402_model::price::{Price, PriceUnit};

use crate::model::{Route, Spec};
use crate::paths::Runtime;

/// `EndpointSpec { … }`.
pub(super) fn endpoint_spec(spec: &Spec, runtime: &Runtime) -> TokenStream {
    let Spec {
        id,
        route,
        price,
        summary,
        description,
        tags,
        mime_type,
        timeout_seconds,
        pay_to,
        rails,
    } = spec;
    let route = optional(
        route.as_ref().map(|route| route_spec(route, runtime)),
        runtime,
    );
    let price = flat_price(price, runtime);
    let pay_to = optional(pay_to.as_ref().map(|address| quote!(#address)), runtime);
    quote! {
        #runtime::EndpointSpec {
            id: #id,
            route: #route,
            price: #price,
            probe: #runtime::Option::None,
            allowances: &[],
            plans: &[],
            summary: #summary,
            description: #description,
            tags: &[#(#tags),*],
            mime_type: #mime_type,
            timeout_seconds: #timeout_seconds,
            pay_to: #pay_to,
            rails: &[#(#rails),*],
        }
    }
}

/// Data of the right type for a function whose attribute has mistakes. It never runs: the errors stand beside it.
pub(crate) fn placeholder(runtime: &Runtime) -> TokenStream {
    quote! {
        #runtime::EndpointSpec {
            id: "invalid",
            route: #runtime::Option::None,
            price: #runtime::PriceModel::Flat {
                amount: #runtime::Price {
                    amount: #runtime::Decimal::ONE,
                    unit: #runtime::PriceUnit::Usd,
                },
            },
            probe: #runtime::Option::None,
            allowances: &[],
            plans: &[],
            summary: "",
            description: "",
            tags: &[],
            mime_type: "",
            timeout_seconds: 0,
            pay_to: #runtime::Option::None,
            rails: &[],
        }
    }
}

fn route_spec(route: &Route, runtime: &Runtime) -> TokenStream {
    let method = match route.method {
        Method::Get => quote!(Get),
        Method::Post => quote!(Post),
        Method::Put => quote!(Put),
        Method::Patch => quote!(Patch),
        Method::Delete => quote!(Delete),
    };
    let path = &route.path;
    quote! { #runtime::RouteSpec { method: #runtime::Method::#method, path: #path } }
}

fn flat_price(price: &Price, runtime: &Runtime) -> TokenStream {
    let mantissa = proc_macro2::Literal::u128_unsuffixed(price.amount.mantissa());
    let scale = proc_macro2::Literal::u8_unsuffixed(price.amount.scale());
    let unit = match &price.unit {
        PriceUnit::Usd => quote!(#runtime::PriceUnit::Usd),
        PriceUnit::Symbol(symbol) => {
            quote!(#runtime::PriceUnit::Symbol(#runtime::Cow::Borrowed(#symbol)))
        }
    };
    quote! {
        #runtime::PriceModel::Flat {
            amount: #runtime::Price {
                amount: #runtime::Decimal::new(#mantissa, #scale),
                unit: #unit,
            },
        }
    }
}

fn optional(value: Option<TokenStream>, runtime: &Runtime) -> TokenStream {
    match value {
        Some(value) => quote!(#runtime::Option::Some(#value)),
        None => quote!(#runtime::Option::None),
    }
}
