//! Signing in before paying: where a seller lets known wallets in for free or for less, and the caller allows it.

use std::pin::pin;

use alloy_primitives::U256;
use futures_util::future::{Either, select as race};
use http::{HeaderName, HeaderValue, StatusCode};
use x402_model::extension::siwx::{Challenge, Origin};
use x402_model::problem::Action;

use super::Drive;
use crate::error::Error;
use crate::flow::CallEvent;
use crate::seller::SellerProblem;
use crate::terms::{Offer, Terms};
use crate::transport::{CutReason, ReplyBody, TransportReply};

/// Whether terms say that credit is taken.
fn takes_credit(terms: &Terms) -> bool {
    let extensions = terms.extensions.as_ref();
    extensions.is_some_and(|extensions| extensions.contains_key(PREPAID_CREDIT))
}

/// Whether an answer leaves open what became of a message: it is being served, or the answer is not whole.
fn is_open(reply: &TransportReply) -> bool {
    let problem = matches!(
        reply.status,
        StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE
    );
    let ours = || SellerProblem::parse(reply.body.bytes());
    let waits =
        problem && ours().is_some_and(|problem| problem.action() == Some(Action::RetrySamePayment));
    waits || matches!(reply.body, ReplyBody::Cut { reason, .. } if reason != CutReason::TooLarge)
}

const SIGN_IN_WITH_X: HeaderName = HeaderName::from_static("sign-in-with-x");

/// The extension of terms that say that credit is taken.
const PREPAID_CREDIT: &str = "prepaid-credit";

/// Messages signed for one call: one, and another if what the first was used for left nothing behind.
const MAX_MESSAGES: u32 = 2;

/// What came of a signed message.
enum Shown {
    Answered(CallEvent),
    /// The seller asks for payment all the same.
    Terms(Terms),
}

impl Drive<'_> {
    /// Sends the request once more with a signed message, if the terms ask for one. `None` when that is not possible, so that
    /// the terms are paid; else what came of it. A seller that does not let the wallet in answers with terms again.
    pub(super) async fn try_sign_in(&mut self, terms: &Terms) -> Option<CallEvent> {
        let mut newer: Option<Terms> = None;
        for _ in 0..MAX_MESSAGES {
            let current = newer.as_ref().unwrap_or(terms);
            let Some(header) = self.sign_in_header(current).await else {
                break;
            };
            let sends = self.sends_of_a_message(current);
            let (sent, shown) = self.show(header, sends).await?;
            match shown {
                Shown::Answered(event) => return Some(event),
                // Newer terms count.
                Shown::Terms(terms) => newer = Some(terms),
            }
            if sent == 1 {
                break;
            }
        }
        if takes_credit(terms) && newer.is_some() {
            // It did not suffice. Buying more, or looking at it, brings it back.
            let url = &self.call.as_ref()?.request.url;
            self.shared.credit.note(url, false);
        }
        // If they ask more of a wallet that is known, those from before count.
        let newer = newer?;
        if newer.options.iter().any(|one| is_dearer(one, terms)) {
            return None;
        }
        self.terms = Some(newer);
        Some(CallEvent::TermsOffered)
    }

    /// How often one message may be sent: again only where it pays for a call once, however often it comes.
    fn sends_of_a_message(&self, terms: &Terms) -> u32 {
        if takes_credit(terms) {
            self.shared.settings.retry.max_sends.max(1)
        } else {
            1
        }
    }

    /// Presents a signed message until it is clear what came of it. Says how often it was sent.
    async fn show(&mut self, header: HeaderValue, max_sends: u32) -> Option<(u32, Shown)> {
        let mut sent = 0;
        loop {
            sent += 1;
            let mut request = self.call.as_ref()?.request.to_http().ok()?;
            request.headers_mut().insert(SIGN_IN_WITH_X, header.clone());
            let outcome = self.exchange(request).await;
            let again = sent < max_sends;
            match outcome {
                Ok(reply) if again && is_open(&reply) => self.reply = Some(reply),
                Ok(reply) => return self.shown(reply, max_sends).map(|shown| (sent, shown)),
                Err(_) if again => {}
                Err(failure) => {
                    // The seller may have served it: not for the client to pay unasked.
                    self.error = Some(if max_sends > 1 {
                        Error::CreditUnknown(Some(failure))
                    } else {
                        Error::Unreachable(failure)
                    });
                    return Some((sent, Shown::Answered(CallEvent::AskFailed)));
                }
            }
            let pause = self.shared.settings.retry.pause_after(sent, None);
            self.shared.io.timer.sleep(pause).await;
        }
    }

    fn shown(&mut self, reply: TransportReply, max_sends: u32) -> Option<Shown> {
        if reply.status == StatusCode::PAYMENT_REQUIRED {
            let cap = self.shared.settings.terms_cap;
            // If they cannot be read, those from before count.
            let terms = Terms::read(&reply.headers, reply.body.bytes(), cap).ok()?;
            return Some(Shown::Terms(terms));
        }
        if max_sends > 1 && is_open(&reply) {
            self.error = Some(Error::CreditUnknown(None));
            return Some(Shown::Answered(CallEvent::AskFailed));
        }
        self.reply = Some(reply);
        Some(Shown::Answered(CallEvent::AnsweredFree))
    }

    async fn sign_in_header(&self, terms: &Terms) -> Option<HeaderValue> {
        let call = self.call.as_ref()?;
        let spends = takes_credit(terms) && self.shared.credit.is_at(&call.request.url);
        if !(call.sign_in || self.shared.settings.sign_in || spends) {
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
