//! The routes, and everything that is checked before a body is read.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use sha2::{Digest, Sha256};

use super::answer::{Answer, Operation};
use super::client;
use super::service::{Caller, Service};

/// The longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 255;

/// The address at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/verify", post(verify))
        .route("/settle", post(settle))
        .route("/supported", get(supported))
        .route("/health", get(health))
        .fallback(|| async { Answer::error(StatusCode::NOT_FOUND, "not_found") })
        .method_not_allowed_fallback(|| async {
            Answer::error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
        })
        .with_state(service)
}

async fn verify(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    handle(&service, peer, Operation::Verify, request).await
}

async fn settle(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    handle(&service, peer, Operation::Settle, request).await
}

async fn supported(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    match open_call(&service, peer, &headers) {
        Ok(()) => service.supported().await.into_response(),
        Err(answer) => answer.into_response(),
    }
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    service.health().await.into_response()
}

/// A call that needs no token. A right one counts for its caller, anything else for the client.
fn open_call(service: &Service, peer: Peer, headers: &HeaderMap) -> Result<(), Answer> {
    let client = client::address(headers, peer.0, service.options.trusted_proxies);
    let tokens = service.options.tokens.as_ref();
    let name = tokens.and_then(|tokens| tokens.caller(headers.get(AUTHORIZATION)));
    service.take_rate(&Caller {
        name,
        client,
        key: None,
    })
}

async fn handle(service: &Service, peer: Peer, operation: Operation, request: Request) -> Response {
    let admitted = admit(service, peer, request.headers());
    let answer = match admitted.and_then(|caller| Ok((caller, service.take_place()?))) {
        Err(answer) => answer,
        Ok((caller, _place)) => match read_body(service, request).await {
            Ok(body) => service.call(operation, &caller, &body).await,
            Err(answer) => answer,
        },
    };
    answer.into_response()
}

/// Who calls, if it may.
fn admit(service: &Service, peer: Peer, headers: &HeaderMap) -> Result<Caller, Answer> {
    let client = client::address(headers, peer.0, service.options.trusted_proxies);
    let mut caller = Caller {
        name: None,
        client,
        key: None,
    };
    if let Some(tokens) = &service.options.tokens {
        caller.name = tokens.caller(headers.get(AUTHORIZATION));
        if caller.name.is_none() {
            // Counted, so that tokens cannot be tried at will.
            service.take_rate(&caller)?;
            return Err(Answer::error(StatusCode::UNAUTHORIZED, "unauthorized"));
        }
    }
    service.take_rate(&caller)?;
    let mut keys = headers.get_all("idempotency-key").iter();
    caller.key = match (keys.next(), keys.next()) {
        (None, _) => None,
        (Some(key), None) if !key.is_empty() && key.len() <= MAX_KEY => {
            Some(Sha256::digest(key).into())
        }
        _ => {
            return Err(Answer::error(
                StatusCode::BAD_REQUEST,
                "invalid_idempotency_key",
            ));
        }
    };
    Ok(caller)
}

async fn read_body(service: &Service, request: Request) -> Result<Bytes, Answer> {
    let limits = &service.options.limits;
    let too_large = || Answer::error(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.body_cap) {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), limits.body_cap).collect();
    match tokio::time::timeout(limits.body_time(), body).await {
        Err(_) => Err(Answer::error(StatusCode::REQUEST_TIMEOUT, "body_too_slow")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Answer::error(StatusCode::BAD_REQUEST, "body_broken")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}
