//! The `#[paid]` attribute of the `x402-runtime` crate. Use it from there: the code it emits needs that crate.

mod diag;
mod expand;
mod fallback;
mod model;
mod paths;
mod pipeline;
mod syntax;
mod text;
mod validate;

#[cfg(test)]
mod golden;

use proc_macro::TokenStream;

/// Turns an async axum handler into an endpoint that is paid for by the call.
///
/// ```
/// use axum::Json;
/// use axum::extract::Path;
/// use x402_runtime::paid;
///
/// /// Current weather for a city.
/// #[paid(GET "/weather/{city}", price = "0.01 USDC")]
/// async fn weather(Path(city): Path<String>) -> Json<String> {
///     Json(format!("rain in {city}"))
/// }
///
/// # async fn a_unit_test() {
/// // In a unit test it is an ordinary function: no HTTP, no payment.
/// let Json(text) = weather(Path("Oslo".to_owned())).await;
/// assert_eq!(text, "rain in Oslo");
/// # }
/// # drop(a_unit_test());
/// ```
///
/// `paywall.mount(weather)` serves it. The routing functions of axum do not take it, so it cannot be served unpaid by
/// mistake:
///
/// ```compile_fail,E0277
/// # use x402_runtime::paid;
/// # #[paid(GET "/weather", price = "0.01 USDC")]
/// # async fn weather() {}
/// let app: axum::Router = axum::Router::new().route("/weather", axum::routing::get(weather));
/// ```
///
/// # Arguments
///
/// First the route, `GET "/weather/{city}"`, in axum's syntax; without one, `mount_at` gives it. Then, in any order:
///
/// | key | value | default |
/// |---|---|---|
/// | `price` | exact amount and unit: `"0.01 USDC"` in a token, `"0.01 USD"` in any accepted dollar token; or `tiers(…)`, `upto(…)`, `dynamic(…)` | required |
/// | `rebate` | less for those who buy much: `volume("30d", 1_000 => "x0.5")` | none |
/// | `free` | calls that cost nothing: `"100/day per payer"` | none |
/// | `plans` | credit bought in advance: `[prepaid("10 USDC", credit = "11 USDC")]` | none |
/// | `probe` | an example request as JSON, whose price a bare request is offered | the dearest request |
/// | `id` | name in the manifest | the function's name |
/// | `summary` | one line, up to 120 characters | first paragraph of the doc comment |
/// | `description` | up to 480 characters | the paragraphs after it, up to the first heading or code block |
/// | `tags` | up to five search words, `["weather"]` | none |
/// | `mime_type` | media type of the answer | from the return type, else `application/json` |
/// | `timeout` | seconds a signed payment stays valid, `90` or `"90s"`, 10 to 3600 | 300 |
/// | `pay_to` | receiving address | the paywall's |
/// | `rails` | accepted rails, `["base:USDC"]` | all rails of the paywall |
/// | `payment_ids` | whether buyers may or must give purchases ids of their own: `"required"`, `"optional"`, `"off"` | the paywall's |
/// | `scheduled` | what it will cost: `[price("0.02 USDC", from = "2027-01-15")]` | no change |
/// | `deprecated` | since when buyers should use something else: `since("2026-12-01", sunset = "2027-03-01", replacement = "weather_v2")` | not deprecated |
/// | `crate` | path of `x402_runtime`, if it is re-exported elsewhere | `::x402_runtime` |
///
/// # Prices that depend on something
///
/// ```
/// use axum::Json;
/// use x402_runtime::handler::{QuoteRequest, QuoteResult};
/// use x402_runtime::paid;
///
/// #[derive(serde::Deserialize)]
/// struct Ask {
///     quality: String,
///     text: String,
/// }
///
/// /// By what the request asks for, and less after a thousand calls.
/// #[paid(
///     POST "/summaries",
///     price = tiers(
///         multiply,
///         by = body.quality, "fast" => "0.01 USDC", "best" => "0.50 USDC",
///         by = chars(body.text), ..=1_000 => "x1", .. => "x2",
///     ),
///     rebate = volume("30d", 1_000 => "x0.5"),
/// )]
/// async fn summarise(Json(ask): Json<Ask>) -> String {
///     ask.quality + &ask.text
/// }
///
/// /// By what the answer says was used, at `/usage/tokens`; the buyer signs for the ceiling.
/// #[paid(POST "/completions", price = upto("0.02 USDC", units(tokens = unit("0.002 USDC", per = 1_000))))]
/// async fn complete(prompt: String) -> String {
///     prompt
/// }
///
/// async fn quote(request: QuoteRequest) -> QuoteResult {
///     let cents = request.uri().path().len().min(50);
///     Ok(format!("0.{cents:02} USDC").parse()?)
/// }
///
/// /// By a function, within bounds.
/// #[paid(GET "/maps/{*place}", price = dynamic(quote, max = "0.50 USDC", min = "0.01 USDC"))]
/// async fn map() -> String {
///     String::new()
/// }
/// # fn main() {}
/// ```
///
/// # What will change
///
/// ```
/// # use x402_runtime::paid;
/// #[paid(
///     GET "/weather",
///     price = "0.01 USDC",
///     scheduled = [price("0.02 USDC", from = "2027-01-15", announced = "2026-12-20", reason = "Data costs more")],
/// )]
/// async fn weather() {}
/// ```
///
/// `scheduled` is announced in the manifest, and at that instant becomes the price that is asked; what was told before is kept to for
/// `timeout` seconds. Each price is written as `price` is, in the same unit and of the same kind, and `rebate` holds for all of them.
/// A price that rises is announced 7 days before, or the start warns.
///
/// `deprecated` tells buyers a day (midnight UTC) or a time (`"2026-12-01T09:00:00Z"`) from which they should use something else, and
/// after which `sunset` the endpoint may be gone: in the headers `Deprecation` and `Sunset` of every answer, in the manifest and in
/// OpenAPI. It goes on to be served. `replacement` is the id of another endpoint, or a URL, to which answers link.
///
/// It is not Rust's `#[deprecated]`, which stands on the function and is for callers in Rust; a function may have both.
///
/// # The function
///
/// It is async, has up to 16 arguments, all of them extractors and the one that takes the body last, no generic
/// parameters and no `self`. State, `Result`, `impl IntoResponse`, patterns, visibility, doc comments, `#[cfg]` and other
/// attributes work as without `#[paid]`.
#[proc_macro_attribute]
pub fn paid(arguments: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::paid(arguments.into(), &item.into()).into()
}
