//! Names of ours and of the prelude do not meet names of the user's.
#![no_implicit_prelude]

use ::axum::extract::RawQuery;
use ::x402_runtime::paid as sold;

/// Types with the names that generated code uses too.
mod types {
    /// Not the prelude's.
    #[derive(Debug)]
    pub(super) struct Option;
    /// Not the prelude's.
    #[derive(Debug)]
    pub(super) struct Result;
    /// Not std's.
    #[derive(Debug)]
    pub(super) struct Cow;
    /// Not the runtime's.
    #[derive(Debug)]
    pub(super) struct EndpointSpec;
    /// Not the runtime's.
    #[derive(Debug)]
    pub(super) struct MountWithPaywall;
    /// Not std's.
    pub(super) trait Future {}
    /// Not std's.
    pub(super) trait Send {}
    /// Not the runtime's.
    pub(super) trait Endpoint {}
}
use types::{Cow, Endpoint, EndpointSpec, Future, MountWithPaywall, Option, Result, Send};

/// Not the primitive type.
#[expect(non_camel_case_types, reason = "to see that it works")]
#[derive(Debug)]
struct str;

impl Endpoint for (Option, Result, Cow, EndpointSpec, MountWithPaywall, str) {}
impl Future for str {}
impl Send for str {}

/// Uses the traits.
const fn bounds<F: Future + Send, E: Endpoint>() {}

/// Nothing of the prelude is in scope here.
#[sold(GET "/hygiene", price = "1 USDC", pay_to = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")]
async fn hygiene(RawQuery(query): RawQuery) -> &'static ::core::primitive::str {
    if query.is_some() { "some" } else { "none" }
}

/// A module with the runtime's name.
mod x402_runtime {}

/// The runtime elsewhere.
mod elsewhere {
    pub(super) use ::x402_runtime as selling;
}

/// The path of the runtime is the user's to give.
#[sold(GET "/elsewhere", price = "1 USDC", crate = elsewhere::selling)]
async fn over_there() -> &'static ::core::primitive::str {
    "over there"
}

/// What the test calls; `tokio::test` itself needs the prelude.
pub(crate) async fn names_do_not_meet() {
    ::std::assert_eq!(
        hygiene(RawQuery(::core::option::Option::None)).await,
        "none"
    );
    ::std::assert_eq!(over_there().await, "over there");
    bounds::<str, (Option, Result, Cow, EndpointSpec, MountWithPaywall, str)>();
    let all = (Option, Result, Cow, EndpointSpec, MountWithPaywall, str);
    ::std::assert!(!::std::format!("{all:?}").is_empty());
}
