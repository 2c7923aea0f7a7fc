//! Expansions kept as text in `tests/golden`, so that a change of the emitted code is seen in review.
//!
//! `BLESS=1 cargo test -p x402-macros golden` rewrites them.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;

use crate::pipeline;

/// Name of the file, arguments of the attribute, and the item it stands on.
const CASES: [(&str, &str, &str); 21] = [
    (
        "smallest",
        r#"price = "1 USD""#,
        "async fn weather() {}",
    ),
    (
        "usual",
        r#"GET "/weather/{city}", price = "0.01 USDC""#,
        "/// Current weather for a city.
         async fn weather(Path(city): Path<String>) -> Json<Weather> { Json(look_up(city).await) }",
    ),
    (
        "every_key",
        r#"POST "/weather", price = "0.0100 usdc", id = "weather.v2", summary = "One line", description = "Two\nlines",
           tags = ["weather", "real time"], mime_type = "application/geo+json", timeout = "90s",
           pay_to = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", rails = ["base:USDC"], payment_ids = "required", crate = my::x402"#,
        "/// Not the summary.
         pub async fn weather(Json(question): Json<Question>) -> Result<Json<Weather>, Error> { answer(question)? }",
    ),
    (
        "doc_comment",
        r#"DELETE "/weather", price = "1 USDC""#,
        "/// Forget the
         /// weather.
         ///
         /// All of it.
         ///
         /// # Errors
         /// None.
         async fn forget() {}",
    ),
    (
        "state_and_body",
        r#"PUT "/weather/{city}", price = "1 USDC""#,
        "async fn put(State(App { db, .. }): State<App>, Path(city): Path<String>, mut body: Bytes) -> StatusCode {
             db.put(city, body).await
         }",
    ),
    (
        "patterns",
        r#"GET "/{a}/{b}", price = "1 USDC""#,
        "async fn patterns(_: Method, Path((a, b)): Path<(u8, u8)>, Query(patterns): Query<Q>, Q { a: c }: Q, _x: X, r#type: T) {}",
    ),
    (
        "impl_into_response",
        r#"GET "/", price = "1 USDC""#,
        "async fn weather() -> Result<impl IntoResponse, StatusCode> { Ok(Html(page().await)) }",
    ),
    (
        "text",
        r#"GET "/", price = "1 USDC""#,
        "async fn weather() -> &'static str { \"rain\" }",
    ),
    (
        "attributes",
        r#"GET "/", price = "1 USDC""#,
        r#"#[cfg(feature = "weather")]
           #[tracing::instrument(skip_all)]
           #[deprecated]
           #[must_use]
           #[inline]
           #[cfg_attr(test, allow(unused), cold)]
           #[expect(clippy::unused_async, reason = "later")]
           pub(crate) async fn weather() {}"#,
    ),
    (
        "raw_name",
        r#"PATCH "/type", price = "1 USDC""#,
        "pub(in crate::api) async fn r#type() {}",
    ),
    (
        "body_of_any_tokens",
        r#"GET "/", price = "1 USDC""#,
        "async fn weather() { let = + ; match }",
    ),
    (
        "tiers",
        r###"POST "/{city}", price = tiers(multiply, by = body.quality or "fast", "fast" => "0.01 USDC", "best" => "0.5 USDC",
           by = chars(body("/text")) / 3, ..=1_000 => "x1", .. => "x2.5", by = path.city, "Oslo" => "x1"),
           rebate = volume("30d", 1_000 => "x0.5"), probe = r##"{"path": {"city": "Oslo"}, "body": {"text": ""}}"##"###,
        "async fn weather(Json(question): Json<Question>) {}",
    ),
    (
        "upto",
        r#"POST "/", price = upto("0.02 USDC", base = "0.0002 USDC", headroom = "1.2", rounding = down, units(
           pages = "0.001 USDC",
           tokens = unit("0.002 USDC", per = 1_000, meter = answer_header("x-tokens"), estimate = query.tokens or 512)))"#,
        "async fn weather(Query(question): Query<Question>) {}",
    ),
    (
        "dynamic",
        r#"GET "/", price = dynamic(self::quote, max = "0.10 USDC", min = "0.01 USDC", ttl = "5m", factors = ["size"])"#,
        "async fn weather(State(app): State<App>) {}",
    ),
    (
        "offers",
        r#"GET "/", price = "0.01 USD", free = "100/day per payer",
           plans = [prepaid("10 USD", credit = "11 USD", expires = "180d"), prepaid("1 USD", id = "small", path = "/small")]"#,
        "async fn weather() {}",
    ),
    (
        "lifecycle",
        r#"GET "/", price = "0.01 USD", deprecated = since("2026-12-01", sunset = "2027-03-01T12:00:00Z", replacement = "weather_v2"),
           scheduled = [price("0.02 USD", from = "2027-01-15", announced = "2026-12-20", reason = "Data costs more"),
                        price(tiers(by = query.days, ..=3 => "0.02 USD", ..=14 => "0.05 USD"), from = "2027-02-15")]"#,
        "async fn weather() {}",
    ),
    (
        "wrong_price",
        r#"GET "/{city}", price = "1,50 USDC""#,
        "async fn weather(Path(city): Path<String>) -> String { city }",
    ),
    (
        "not_async",
        r#"GET "/", price = "1 USDC""#,
        "const unsafe extern fn weather() -> String { String::new() }",
    ),
    (
        "no_handler",
        r#"GET "/", price = "1 USDC""#,
        "async fn weather<T>(self, _: impl Send, ...) where T: Send {}",
    ),
    (
        "no_function",
        r#"GET "/", price = "1 USDC""#,
        "struct Weather;",
    ),
    (
        "attribute_twice",
        r#"GET "/", price = "1 USDC""#,
        "#[x402_runtime::paid(GET \"/b\", price = \"1 USDC\")] async fn weather() {}",
    ),
];

#[test]
fn golden_expansions() {
    let bless = std::env::var_os("BLESS").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut changed = Vec::new();
    for (name, arguments, item) in CASES {
        let text = expansion(arguments, item);
        let file = folder.join(name).with_extension("rs");
        if bless {
            fs::create_dir_all(&folder).expect("the folder of expansions");
            fs::write(&file, &text).expect("an expansion to write");
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        if kept != text {
            changed.push(format!("{name}:\n{text}"));
        }
    }
    assert!(
        changed.is_empty(),
        "these expansions changed; if that is meant, set BLESS=1\n\n{}",
        changed.join("\n")
    );
    let files = fs::read_dir(&folder).expect("the folder of expansions");
    assert_eq!(
        files.count(),
        CASES.len(),
        "an expansion without a case is left over"
    );
}

/// What the macro makes of an item, formatted; as bare tokens where that is no Rust to format.
fn expansion(arguments: &str, item: &str) -> String {
    let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
    let expanded = pipeline::paid(tokens(arguments), &tokens(item));
    match syn::parse2(expanded.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => format!("{expanded}\n"),
    }
}
