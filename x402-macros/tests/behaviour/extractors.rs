//! Arguments: every extractor, every pattern, 0 to 16 of them, with and without state.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{FromRef, FromRequestParts, OriginalUri, Query, RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, Version};
use x402_runtime::paid;

use crate::{get, post, serve};

/// The application's state.
#[derive(Clone, Debug)]
struct App {
    /// Something to count.
    count: u32,
    /// Something with a type of its own.
    name: Name,
}

/// A part of the state.
#[derive(Clone, Debug)]
struct Name(&'static str);

impl FromRef<App> for Name {
    fn from_ref(app: &App) -> Self {
        app.name.clone()
    }
}

/// An extractor of our own, for this state only.
struct Caller(String);

impl FromRequestParts<App> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, StatusCode> {
        let caller = parts.headers.get("x-caller").ok_or(StatusCode::FORBIDDEN)?;
        let caller = caller.to_str().map_err(|_| StatusCode::FORBIDDEN)?;
        Ok(Self(format!("{caller}{}", app.count)))
    }
}

/// State by value and by part, destructured.
#[paid(GET "/state", price = "1 USDC")]
async fn state(State(App { count, .. }): State<App>, State(Name(name)): State<Name>) -> String {
    format!("{name}{count}")
}

/// A rejection of our own extractor is the answer.
#[paid(GET "/caller", price = "1 USDC")]
async fn caller(Caller(mut caller): Caller) -> String {
    caller.push('!');
    caller
}

/// The body last, a mutable variable, an ignored argument.
#[paid(POST "/body", price = "1 USDC")]
async fn body(_: Method, mut headers: HeaderMap, Json(numbers): Json<Vec<u32>>) -> Json<u32> {
    headers.clear();
    Json(numbers.iter().sum())
}

/// The whole request.
#[paid(GET "/request", price = "1 USDC")]
async fn request(request: Request) -> String {
    request.uri().to_string()
}

/// Arguments named like the function, like keywords and like each other.
#[paid(GET "/names", price = "1 USDC")]
async fn names(
    Query(names): Query<HashMap<String, String>>,
    RawQuery(r#type): RawQuery,
    arg0: Uri,
    (Uri { .. }, uri): (Uri, Uri),
) -> String {
    format!(
        "{} {type:?} {arg0} {uri}",
        names.len(),
        r#type = r#type.is_some()
    )
}

/// As many as there can be.
#[paid(GET "/sixteen", price = "1 USDC")]
#[expect(clippy::too_many_arguments, reason = "to see that it works")]
async fn sixteen(
    a: Method,
    b: Uri,
    c: Version,
    d: HeaderMap,
    e: RawQuery,
    f: OriginalUri,
    g: Method,
    h: Uri,
    i: Version,
    j: HeaderMap,
    k: RawQuery,
    l: OriginalUri,
    m: Method,
    n: Uri,
    o: Version,
    p: String,
) -> String {
    drop((b, c, d, e, f, g, h));
    drop((i, j, k, l, m, n, o));
    format!("{a}{p}")
}

/// The application's state in these tests.
const fn app() -> App {
    let name = Name("n");
    App { count: 7, name }
}

#[tokio::test]
async fn extractors_get_the_state() {
    assert_eq!(serve(state, app(), get("/state")).await.1, "n7");
    assert_eq!(serve(caller, app(), get("/caller")).await.0, 403);
    let mut known = get("/caller");
    known
        .headers_mut()
        .insert("x-caller", "me".parse().expect("a value"));
    assert_eq!(serve(caller, app(), known).await.1, "me7!");
    assert_eq!(caller(Caller("direct".to_owned())).await, "direct!");
}

#[tokio::test]
async fn extractors_read_the_request_in_order() {
    assert_eq!(serve(body, (), post("/body", "[1,2,3]")).await.1, "6");
    assert_eq!(serve(body, (), post("/body", "[")).await.0, 400);
    assert_eq!(serve(request, (), get("/request?x")).await.1, "/request?x");
    let expected = "1 true /names?a=b /names?a=b";
    assert_eq!(serve(names, (), get("/names?a=b")).await.1, expected);
    assert_eq!(serve(sixteen, (), post("/sixteen", "!")).await.1, "POST!");
}
