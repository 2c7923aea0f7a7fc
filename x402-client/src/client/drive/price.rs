//! A call that stops at its price, and one that goes on from there.

use std::sync::Arc;

use tracing::Instrument as _;

use super::{Drive, trace};
use crate::client::Shared;
use crate::client::priced::{Asked, PricedCall};
use crate::client::request::Call;
use crate::error::Error;
use crate::flow::{CallEffect, CallEvent, CallState, step};
use crate::terms::Terms;

impl<'a> Drive<'a> {
    /// Goes on from terms that were looked at.
    pub(crate) fn priced(shared: &'a Arc<Shared>, call: Call, terms: Terms) -> Self {
        let start = (CallState::AskingPrice, CallEvent::TermsOffered);
        Self {
            terms: Some(terms),
            ..Self::new(shared, Some(call), None, start)
        }
    }

    /// Sends the unpaid request, and stops there.
    pub(crate) async fn price(self) -> Result<Asked, Error> {
        let span = self.span.clone();
        self.first_step().instrument(span).await
    }

    async fn first_step(mut self) -> Result<Asked, Error> {
        let (state, _) = step(CallState::Ready, CallEvent::Begin);
        let event = self.ask().await;
        match step(state, event).1 {
            CallEffect::Choose => {
                trace::priced(&self.span);
                match (self.call, self.terms) {
                    (Some(call), Some(terms)) => {
                        let shared = Arc::clone(self.shared);
                        Ok(Asked::Priced(PricedCall::new(shared, call, terms)))
                    }
                    _ => Err(Error::Internal("no terms")),
                }
            }
            CallEffect::Finish(ending) => {
                trace::ended(&self.span, ending, self.sends);
                self.finish(ending).map(Asked::Answered)
            }
            _ => Err(Error::Internal("a price that leads nowhere")),
        }
    }
}
