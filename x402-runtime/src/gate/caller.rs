//! Who sends a request without a payment: whoever signed in. Asked for in the terms, and found out once, however many parts of the
//! gate want to know: a message counts once.

use axum::http::request::Parts;
use axum::http::{Extensions, HeaderName};
use axum::response::Response;
use x402_model::extension::siwx;

use crate::project::{self, PAYMENT_REQUIRED};
use crate::siwx::{SignedIn, Siwx, SiwxRefusal};

pub(super) const SIGN_IN_WITH_X: HeaderName = HeaderName::from_static("sign-in-with-x");

/// Kept with the request.
#[derive(Clone)]
struct Known(Result<Option<SignedIn>, SiwxRefusal>);

/// Kept with an answer whose terms ask for a sign-in.
#[derive(Clone)]
struct Asks;

/// The account that a request is signed in with, if any.
pub(super) async fn of(siwx: &Siwx, parts: &mut Parts) -> Result<Option<SignedIn>, SiwxRefusal> {
    if let Some(Known(known)) = parts.extensions.get() {
        return known.clone();
    }
    let known = siwx.caller(&parts.headers).await;
    parts.extensions.insert(Known(known.clone()));
    known
}

/// Makes a request one of this account, whose message somebody else has read.
pub(super) fn note(extensions: &mut Extensions, account: SignedIn) {
    extensions.insert(Known(Ok(Some(account))));
}

/// Asks for a sign-in in the terms of an answer, if it has some.
pub(super) fn ask(siwx: &Siwx, mut response: Response, path: &str) -> Response {
    if response.extensions().get::<Asks>().is_some() {
        return response;
    }
    if let Some(terms) = response.headers_mut().get_mut(PAYMENT_REQUIRED)
        && let Some(more) = project::with_extension(terms, siwx::KEY, siwx.challenge(path))
    {
        *terms = more;
        response.extensions_mut().insert(Asks);
    }
    response
}
