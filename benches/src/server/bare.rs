//! A plain axum server without payments.

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};

use super::Weather;

pub(super) async fn weather(Path(city): Path<String>) -> Json<Weather> {
    Json(Weather::of(city))
}

pub(super) async fn today() -> Json<Weather> {
    Json(Weather::of("here".to_owned()))
}

pub(super) fn app() -> Router {
    Router::new()
        .route("/weather/{city}", get(weather))
        .route("/today", get(today))
}
