//! The only door generated code uses: everything `#[paid]` names is re-exported here and nowhere else.
//!
//! Not part of the public interface; it changes with the macro, whose version is pinned to this crate's.

pub use core::future::Future;
pub use core::marker::Send;
pub use core::option::Option;
pub use std::borrow::Cow;
pub use std::boxed::Box;

pub use x402_model::endpoint::{
    DeprecationSpec, EndpointSpec, Lifecycle, Method, PaymentIds, RouteSpec, ScheduledPrice,
};
pub use x402_model::money::Decimal;
pub use x402_model::price::{
    Allowance, AllowanceKind, Band, Bounds, Case, CaseValue, Charge, Combine, Dimension,
    DimensionTable, Identify, Measure, Plan, PlanKind, Price, PriceModel, PriceUnit, Quote, Rebate,
    RebateBand, RebateBy, Rounding, Scope, Selector, Source, UsageUnit,
};

pub use crate::facilitator::BoxFuture;
pub use crate::handler::{
    Endpoint, MountWithPaywall, QuoteRequest, QuoteResult, Quotes, WithState, WithoutState,
    compared, described,
};
