//! The endpoint's data as a constant expression: numbers and texts, nothing that is parsed again.

use proc_macro2::TokenStream;
use quote::quote;
use x402_model::endpoint::{Method, PaymentIds};

use super::price::Writer;
use crate::model::{Lifecycle, Route, Spec, ValidDeprecation, ValidScheduled};
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
        payment_ids,
        lifecycle,
    } = spec;
    let route = optional(
        route.as_ref().map(|route| route_spec(route, runtime)),
        runtime,
    );
    let write = Writer(runtime);
    let model = write.model(&price.model);
    let probe = optional(price.probe.as_ref().map(|probe| quote!(#probe)), runtime);
    let allowances = price.offers.allowances.iter();
    let allowances = allowances.map(|allowance| write.allowance(allowance));
    let plans = price.offers.plans.iter().map(|plan| write.plan(plan));
    let payment_ids = payment_ids.map(|ids| payment_ids_of(ids, runtime));
    let payment_ids = optional(payment_ids, runtime);
    let lifecycle = lifecycle_of(lifecycle, &price.scheduled, runtime);
    let pay_to = optional(pay_to.as_ref().map(|address| quote!(#address)), runtime);
    quote! {
        #runtime::EndpointSpec {
            id: #id,
            route: #route,
            price: #model,
            probe: #probe,
            allowances: &[#(#allowances),*],
            plans: &[#(#plans),*],
            summary: #summary,
            description: #description,
            tags: &[#(#tags),*],
            mime_type: #mime_type,
            timeout_seconds: #timeout_seconds,
            pay_to: #pay_to,
            rails: &[#(#rails),*],
            payment_ids: #payment_ids,
            lifecycle: #lifecycle,
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
            payment_ids: #runtime::Option::None,
            lifecycle: #runtime::Lifecycle::NONE,
        }
    }
}

/// The name of a method's variant.
pub(super) fn method(method: Method) -> TokenStream {
    match method {
        Method::Get => quote!(Get),
        Method::Post => quote!(Post),
        Method::Put => quote!(Put),
        Method::Patch => quote!(Patch),
        Method::Delete => quote!(Delete),
    }
}

fn payment_ids_of(ids: PaymentIds, runtime: &Runtime) -> TokenStream {
    let setting = match ids {
        PaymentIds::Off => quote!(Off),
        PaymentIds::Optional => quote!(Optional),
        PaymentIds::Required => quote!(Required),
    };
    quote! { #runtime::PaymentIds::#setting }
}

fn lifecycle_of(
    lifecycle: &Lifecycle,
    scheduled: &[ValidScheduled],
    runtime: &Runtime,
) -> TokenStream {
    let Lifecycle { deprecation } = lifecycle;
    if deprecation.is_none() && scheduled.is_empty() {
        return quote!(#runtime::Lifecycle::NONE);
    }
    let deprecation = deprecation.as_ref().map(|one| deprecation_of(one, runtime));
    let deprecation = optional(deprecation, runtime);
    let scheduled = scheduled.iter().map(|one| scheduled_of(one, runtime));
    quote! {
        #runtime::Lifecycle {
            deprecation: #deprecation,
            scheduled: &[#(#scheduled),*],
        }
    }
}

fn scheduled_of(scheduled: &ValidScheduled, runtime: &Runtime) -> TokenStream {
    let ValidScheduled {
        from,
        announced,
        price,
        reason,
    } = scheduled;
    let announced = optional(announced.map(|seconds| quote!(#seconds)), runtime);
    let price = Writer(runtime).model(price);
    let reason = optional(reason.as_ref().map(|text| quote!(#text)), runtime);
    quote! {
        #runtime::ScheduledPrice {
            from: #from,
            announced: #announced,
            price: #price,
            reason: #reason,
        }
    }
}

fn deprecation_of(deprecation: &ValidDeprecation, runtime: &Runtime) -> TokenStream {
    let since = deprecation.since;
    let sunset = deprecation.sunset.map(|seconds| quote!(#seconds));
    let sunset = optional(sunset, runtime);
    let replacement = deprecation.replacement.as_ref().map(|text| quote!(#text));
    let replacement = optional(replacement, runtime);
    quote! {
        #runtime::DeprecationSpec {
            since: #since,
            sunset: #sunset,
            replacement: #replacement,
        }
    }
}

fn route_spec(route: &Route, runtime: &Runtime) -> TokenStream {
    let method = method(route.method);
    let path = &route.path;
    quote! { #runtime::RouteSpec { method: #runtime::Method::#method, path: #path } }
}

pub(super) fn optional(value: Option<TokenStream>, runtime: &Runtime) -> TokenStream {
    match value {
        Some(value) => quote!(#runtime::Option::Some(#value)),
        None => quote!(#runtime::Option::None),
    }
}
