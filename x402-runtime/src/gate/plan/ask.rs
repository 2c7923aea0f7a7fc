//! Terms that ask for a sign-in as well, and say why credit did not pay.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Credit, Short};
use crate::credit::CREDIT_DECIMALS;
use crate::gate::body::collect;
use crate::gate::caller;

/// Longest body of terms that is written anew. Ours are far shorter.
const BODY_CAP: usize = 256 * 1024;

/// Completes the terms of an answer, if it has any.
pub(super) async fn terms(
    credit: &Credit,
    response: Response,
    path: &str,
    short: Option<&Short>,
) -> Response {
    let response = match credit.allowances.sign_in() {
        Some(siwx) => caller::ask(siwx, response, path),
        None => response,
    };
    match short {
        Some(short) if response.status() == StatusCode::PAYMENT_REQUIRED => {
            explain(response, short).await
        }
        _ => response,
    }
}

async fn explain(response: Response, short: &Short) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = collect(body, BODY_CAP).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let explained = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(mut members)) => {
            let balance = short.balance.to_decimal(CREDIT_DECIMALS);
            let price = short.price.to_decimal(CREDIT_DECIMALS);
            let unit = &short.unit;
            let text = format!(
                "The call costs {price} {unit}, and {balance} {unit} of your credit is left. Nothing was taken from it."
            );
            members.insert("explanation".to_owned(), Value::from(text));
            members.insert(
                "credit".to_owned(),
                json!({ "balance": balance, "price": price, "unit": unit }),
            );
            Value::Object(members).to_string().into()
        }
        _ => bytes,
    };
    Response::from_parts(parts, Body::from(explained))
}
