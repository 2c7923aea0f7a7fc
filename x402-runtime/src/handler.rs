//! What a `#[paid]` function expands to: an endpoint's constant data and a call that only a paywall can run.

mod arguments;
#[doc(hidden)]
pub mod compared;
#[doc(hidden)]
pub mod described;
mod quote;

use std::fmt;
use std::marker::PhantomData;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use x402_model::endpoint::EndpointSpec;

use crate::facilitator::BoxFuture;

pub(crate) use quote::no_quote;
pub use quote::{
    NotQuoted, QuoteError, QuoteRequest, QuoteResult, QuoteState, Quotes, WithState, WithoutState,
};

/// The constant facts about one paid endpoint, as its author wrote them.
///
/// Implemented by `#[paid]` on a type that cannot be named, one per function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a paid endpoint",
    label = "not made by `#[paid]`",
    note = "put `#[paid(GET \"/path\", price = \"0.01 USDC\")]` on the handler function"
)]
pub trait Endpoint: Send + Sync + 'static {
    /// Route, price and descriptive texts.
    const SPEC: EndpointSpec;

    /// Describes what the function takes and answers, as far as its types say so (`schemars::JsonSchema`).
    #[doc(hidden)]
    fn describe(to: &mut described::Description<'_>) {
        let _ = to;
    }
}

/// A call of a `#[paid]` function: the future of its answer, together with the endpoint it belongs to.
///
/// It is deliberately not a [`Future`], so axum's routing functions do not take a paid handler:
/// `get(weather)` does not compile, whatever router it is meant for. There are two things to do with it:
///
/// - hand the function to a paywall: `paywall.mount(weather)`;
/// - call the function in a unit test and await the call, `weather(Path("Oslo".into())).await`. No payment and
///   no HTTP take part in it.
#[must_use = "a call of a `#[paid]` function does nothing until it is awaited; \
              to serve the function, pass it to `paywall.mount(…)`"]
pub struct MountWithPaywall<E, Fut, Q = NotQuoted> {
    future: Fut,
    endpoint: PhantomData<fn(Q) -> E>,
}

impl<E: Quotes<Q>, Fut: Future<Output: IntoResponse>, Q> MountWithPaywall<E, Fut, Q> {
    /// Joins a handler's future to its endpoint. Called by the code `#[paid]` emits.
    ///
    /// The answer's type is checked here, where the handler is written, and not only where it is mounted.
    #[doc(hidden)]
    pub const fn new(future: Fut) -> Self {
        Self {
            future,
            endpoint: PhantomData,
        }
    }
}

impl<E, Fut: Future, Q> IntoFuture for MountWithPaywall<E, Fut, Q> {
    type Output = Fut::Output;
    type IntoFuture = Fut;

    fn into_future(self) -> Fut {
        self.future
    }
}

impl<E, Fut, Q> fmt::Debug for MountWithPaywall<E, Fut, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountWithPaywall").finish_non_exhaustive()
    }
}

/// A `#[paid]` function whose arguments can be taken from a request to a router with state `S`.
///
/// Implemented for functions of 0 to 16 arguments under the same conditions as [`axum::handler::Handler`]: every
/// argument but the last implements [`FromRequestParts<S>`](axum::extract::FromRequestParts), the last one
/// [`FromRequest<S, M>`](axum::extract::FromRequest), and the answer implements
/// [`IntoResponse`].
///
/// `T` tells functions of different argument lists apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be mounted on a `Paywall<{S}>`",
    label = "not a `#[paid]` function whose arguments are all extractors",
    note = "the function needs `#[paid(GET \"/path\", price = \"0.01 USDC\")]`, without which it is not a paid endpoint",
    note = "every argument but the last must implement `FromRequestParts<{S}>`, and the last one `FromRequest<{S}>`: \
            body extractors such as `Json`, `Bytes` and `String` come last",
    note = "an argument `State<T>` needs a paywall whose state is `T`, or from which `T` can be had by `FromRef`"
)]
pub trait PaidHandler<T, S>: Clone + Send + Sync + 'static {
    /// The endpoint this function serves.
    type Endpoint: Endpoint;

    /// Runs the extractors in order and then the function. A rejection of an extractor is the answer.
    ///
    /// Nothing here asks for a payment: the gate calls it once a payment is verified and reserved.
    fn call(self, request: Request, state: S) -> BoxFuture<'static, Response>;

    /// Asks the quote function of a `dynamic` price, with what it takes of the state. The gate holds the answer against
    /// the bounds of the price. Prices of all other kinds are never asked for here.
    ///
    /// ```
    /// use axum::extract::State;
    /// use axum::http::Request;
    /// use x402_runtime::handler::{PaidHandler, QuoteError, QuoteRequest, QuoteResult};
    /// use x402_runtime::model::money::Decimal;
    /// use x402_runtime::model::price::{Price, PriceUnit};
    ///
    /// #[derive(Clone)]
    /// struct Fleet {
    ///     cents_per_stop: u32,
    /// }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Tour {
    ///     stops: u32,
    /// }
    ///
    /// /// An ordinary function: tests call it as it is.
    /// async fn by_stops(fleet: Fleet, request: QuoteRequest) -> QuoteResult {
    ///     let tour: Tour = request.query()?;
    ///     let cents = tour.stops.checked_mul(fleet.cents_per_stop).ok_or_else(|| QuoteError::request("too many stops"))?;
    ///     Ok(Price { amount: Decimal::new(cents.into(), 2), unit: PriceUnit::Usd })
    /// }
    ///
    /// async fn quoted<T, H: PaidHandler<T, Fleet>>(_: H, fleet: Fleet, request: QuoteRequest) -> QuoteResult {
    ///     H::quote(&fleet, request).await
    /// }
    /// # let (parts, ()) = Request::get("/tours?stops=3").body(()).unwrap().into_parts();
    /// # let request = QuoteRequest::new(&parts, "");
    /// # drop(by_stops(Fleet { cents_per_stop: 2 }, request));
    /// ```
    fn quote(state: &S, request: QuoteRequest) -> BoxFuture<'static, QuoteResult> {
        let _ = (state, request);
        Box::pin(std::future::ready(quote::no_quote()))
    }
}

/// The constant facts about a paid function, for tests and tools that have the function but no paywall.
///
/// ```
/// use x402_runtime::handler::spec_of;
/// use x402_runtime::paid;
///
/// /// Current weather.
/// #[paid(GET "/weather", price = "0.01 USDC")]
/// async fn weather() -> &'static str {
///     "rain"
/// }
///
/// # fn main() {
/// // The state of the router it could be mounted on: none.
/// assert_eq!(spec_of::<_, _, ()>(&weather).id, "weather");
/// # }
/// ```
pub const fn spec_of<H: PaidHandler<T, S>, T, S>(_handler: &H) -> EndpointSpec {
    <H::Endpoint as Endpoint>::SPEC
}
