//! An ordinary seller on a real HTTP server, to see that the transport speaks HTTP as others do.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http::HeaderMap, http::StatusCode};
use futures_util::stream;

use crate::seller::{Act, client, offer, option, settled};

/// Asks for money, then streams the answer in pieces without a length.
async fn weather(origin: String, request: Request) -> Response {
    if !request.headers().contains_key("payment-signature") {
        let Act::Answer(_, headers, _) = offer(&origin, &[option()]) else {
            unreachable!()
        };
        return (
            StatusCode::PAYMENT_REQUIRED,
            [("payment-required", headers[0].1.clone())],
            "{}",
        )
            .into_response();
    }
    let mut headers = HeaderMap::new();
    headers.insert("payment-response", settled().1.parse().unwrap());
    let pieces = ["21 ", "degrees ", "in Zürich"].map(Ok::<_, std::io::Error>);
    (headers, Body::from_stream(stream::iter(pieces))).into_response()
}

#[tokio::test]
async fn a_streamed_answer_is_read_whole_and_connections_are_reused() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let claimed = origin.clone();
    let app = Router::new().route(
        "/weather",
        get(move |request| weather(claimed.clone(), request)),
    );
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = client();
    for _ in 0..3 {
        let answer = client
            .get(&format!("{origin}/weather"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.text(), Ok("21 degrees in Zürich"));
        assert!(answer.receipt().unwrap().is_settled());
    }
    assert_eq!(client.budget().spent(), "0.03");
}
