//! Signing in before paying: where a seller lets known wallets in for free or for less, and the caller allows it.

use std::pin::pin;

use alloy_primitives::U256;
use futures_util::future::{Either, select as race};
use http::{HeaderName, HeaderValue, StatusCode};
use x402_model::extension::siwx::{Challenge, Origin};

use super::Drive;
use crate::error::Error;
use crate::flow::CallEvent;
use crate::terms::{Offer, Terms};

const SIGN_IN_WITH_X: HeaderName = HeaderName::from_static("sign-in-with-x");

impl Drive<'_> {
    /// Sends the request once more with a signed message, if the terms ask for one. `None` when that is not possible, so that
    /// the terms are paid; else what came of it. A seller that does not let the wallet in answers with terms again.
    pub(super) async fn try_sign_in(&mut self, terms: &Terms) -> Option<CallEvent> {
        let header = self.sign_in_header(terms).await?;
        let mut request = self.call.as_ref()?.request.to_http().ok()?;
        request.headers_mut().insert(SIGN_IN_WITH_X, header);
        let reply = match self.exchange(request).await {
            Ok(reply) => reply,
            Err(failure) => {
                // The seller may have served it for free: not for the client to pay unasked.
                self.error = Some(Error::Unreachable(failure));
                return Some(CallEvent::AskFailed);
            }
        };
        if reply.status != StatusCode::PAYMENT_REQUIRED {
            self.reply = Some(reply);
            return Some(CallEvent::AnsweredFree);
        }
        let cap = self.shared.settings.terms_cap;
        // Newer terms count. If they cannot be read, or ask more of a wallet that is known, those from before.
        let newer = Terms::read(&reply.headers, reply.body.bytes(), cap).ok()?;
        if newer.options.iter().any(|one| is_dearer(one, terms)) {
            return None;
        }
        self.terms = Some(newer);
        Some(CallEvent::TermsOffered)
    }

    async fn sign_in_header(&self, terms: &Terms) -> Option<HeaderValue> {
        let call = self.call.as_ref()?;
        if !(call.sign_in || self.shared.settings.sign_in) {
            return None;
        }
        let challenge = Challenge::read(terms.extensions.as_ref())?;
        // What was called, never what the terms say was called.
        let called = Origin::new(&call.request.url.origin().ascii_serialization())?;
        let deadline = self
            .shared
            .io
            .timer
            .sleep(self.shared.settings.limits.timeout);
        let signing = pin!(self.shared.wallet.sign_in(&challenge, &called));
        let text = match race(signing, deadline).await {
            Either::Left((text, _)) => text?,
            Either::Right(_) => return None,
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Whether an option asks for more than the same one did before.
fn is_dearer(newer: &Offer, before: &Terms) -> bool {
    let Some(newer) = &newer.view else {
        return false;
    };
    let amount = |text: &str| text.parse::<U256>().ok();
    before.options.iter().any(|one| {
        one.view.as_ref().is_some_and(|one| {
            one.scheme == newer.scheme
                && one.network_text == newer.network_text
                && one.asset.eq_ignore_ascii_case(&newer.asset)
                && amount(&newer.amount)
                    .zip(amount(&one.amount))
                    .is_some_and(|(newer, before)| newer > before)
        })
    })
}
