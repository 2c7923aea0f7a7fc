//! Return types.

use axum::Json;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use x402_runtime::paid;

use crate::{get, serve, spec};

/// Answers with nothing.
#[paid(GET "/unit", price = "1 USDC")]
async fn unit() {}

/// Answers with a result, and leaves early with `?`.
#[paid(GET "/result", price = "1 USDC")]
async fn result(RawQuery(query): RawQuery) -> Result<Json<usize>, (StatusCode, String)> {
    let query = query.ok_or_else(|| (StatusCode::BAD_REQUEST, "no query".to_owned()))?;
    Ok(Json(query.len()))
}

/// Answers with an unnamed type.
#[paid(GET "/opaque", price = "1 USDC")]
async fn opaque(RawQuery(query): RawQuery) -> impl IntoResponse {
    (StatusCode::CREATED, query.unwrap_or_default())
}

/// Answers with an unnamed type inside a result.
#[paid(GET "/inside", price = "1 USDC")]
async fn inside(RawQuery(query): RawQuery) -> Result<impl IntoResponse, StatusCode> {
    if query.is_some() {
        return Err(StatusCode::IM_A_TEAPOT);
    }
    Ok([("x-test", "1")])
}

/// Answers with a borrowed text.
#[paid(GET "/text", price = "1 USDC")]
async fn text() -> &'static str {
    "text"
}

/// Never answers with anything but an error.
#[paid(GET "/error", price = "1 USDC")]
async fn error() -> Result<String, StatusCode> {
    std::future::ready(()).await;
    Err(StatusCode::GONE)
}

#[tokio::test]
async fn every_kind_of_answer_is_served() {
    assert_eq!(serve(unit, (), get("/unit")).await, (200, String::new()));
    let ok = serve(result, (), get("/result?abc")).await;
    assert_eq!(ok, (200, "3".to_owned()));
    let refused = serve(result, (), get("/result")).await;
    assert_eq!(refused, (400, "no query".to_owned()));
    let created = serve(opaque, (), get("/opaque?a")).await;
    assert_eq!(created, (201, "a".to_owned()));
    assert_eq!(serve(inside, (), get("/inside?a")).await.0, 418);
    assert_eq!(serve(inside, (), get("/inside")).await.0, 200);
    assert_eq!(serve(text, (), get("/text")).await.1, "text");
    assert_eq!(serve(error, (), get("/error")).await.0, 410);
}

#[tokio::test]
async fn direct_calls_return_what_is_written() {
    let () = unit().await;
    assert_eq!(text().await, "text");
    assert_eq!(
        result(RawQuery(None)).await.err(),
        Some((StatusCode::BAD_REQUEST, "no query".to_owned()))
    );
    assert_eq!(error().await, Err(StatusCode::GONE));
    let response = opaque(RawQuery(None)).await.into_response();
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[test]
fn the_media_type_follows_the_return_type_where_that_is_certain() {
    assert_eq!(spec(result).mime_type, "application/json");
    assert_eq!(spec(text).mime_type, "text/plain; charset=utf-8");
    assert_eq!(spec(error).mime_type, "text/plain; charset=utf-8");
    assert_eq!(spec(opaque).mime_type, "application/json");
}
