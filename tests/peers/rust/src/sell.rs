//! Sells with x402-axum: version 2, or version 1 if told so.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use x402_axum::X402Middleware;
use x402_chain_eip155::chain::ChecksummedAddress;
use x402_chain_eip155::{KnownNetworkEip155, V1Eip155Exact, V2Eip155Exact};
use x402_types::networks::USDC;

use crate::setting;

async fn weather() -> Json<Value> {
    Json(json!({"celsius": 21}))
}

async fn echo(Json(body): Json<Value>) -> Json<Value> {
    Json(json!({"echo": body}))
}

/// Waits until standard input closes.
fn end_with_owner() {
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    std::process::exit(0);
}

pub(crate) async fn run() {
    let x402 = X402Middleware::new(&setting("PEER_FACILITATOR_URL"));
    let pay_to: ChecksummedAddress = setting("PEER_PAY_TO").parse().expect("an address");
    let price = |text: &str| USDC::base_sepolia().parse(text).expect("a price");
    let routes = if setting("PEER_VERSION") == "1" {
        // Without a type the offer says null, which the legacy buyer refuses.
        let costs = |text| {
            x402.with_price_tag(V1Eip155Exact::price_tag(pay_to, price(text)))
                .with_mime_type("application/json".to_owned())
        };
        Router::new()
            .route("/weather", get(weather).layer(costs("0.01")))
            .route("/echo", post(echo).layer(costs("0.02")))
    } else {
        let costs = |text| x402.with_price_tag(V2Eip155Exact::price_tag(pay_to, price(text)));
        Router::new()
            .route("/weather", get(weather).layer(costs("0.01")))
            .route("/echo", post(echo).layer(costs("0.02")))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    println!(
        "ready http://{}",
        listener.local_addr().expect("its address")
    );
    std::thread::spawn(end_with_owner);
    axum::serve(listener, routes).await.expect("it serves");
}
