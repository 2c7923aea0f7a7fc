//! What a request costs, by the table, the quote function, what was told before, and who pays.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use alloy_primitives::Address;
use axum::response::Response;
use futures_util::FutureExt as _;
use tokio::time::timeout;
use x402_model::price::{Due, Price, evaluate};
use x402_model::problem::Problem;

use super::asked::{Asked, captures, facts};
use super::problem::PriceProblem;
use super::{Pricing, volume};
use crate::gate::checks::{Presented, Refusal, Version};
use crate::gate::entry::ErasedHandler;
use crate::gate::{Gate, answers, caller};
use crate::handler::{QuoteError, QuoteRequest};
use crate::siwx::{SignedIn, SiwxRefusal};
use crate::telemetry::event;

/// What a request costs.
pub(super) struct Priced {
    pub(super) gate: Arc<Gate>,
    /// The payer whom alone it costs that.
    pub(super) only: Option<Address>,
    /// Whether that was told before, and is kept to.
    pub(super) kept: bool,
}

/// What tells the price of a request.
pub(super) struct Pricer<'a, S> {
    pub(super) base: &'a Gate,
    pub(super) pricing: &'a Pricing,
    pub(super) handler: &'a dyn ErasedHandler<S>,
    pub(super) state: &'a S,
}

impl<S> Pricer<'_, S> {
    /// The terms that a payment repeats, if they were told for this request and still hold.
    pub(super) fn promised(&self, asked: &Asked) -> Option<Priced> {
        let base = self.base;
        let now_ms = base.core.clock.now_ms();
        let (terms, only) = self
            .pricing
            .quotes
            .recognise(base, &asked.shown(), now_ms)?;
        if base.endpoint.is_metered() {
            return Some(Priced {
                gate: Arc::new(base.with_endpoint(base.endpoint.with_terms([terms]))),
                only,
                kept: true,
            });
        }
        let price = Price {
            amount: terms
                .amount()
                .to_decimal(terms.asset().decimals)
                .parse()
                .ok()?,
            unit: base.endpoint.price().unit.clone(),
        };
        let at = self.pricing.gate(base, price).ok()?;
        // The facilitator is to see the very terms that the payment repeats.
        let endpoint = at.endpoint.with_terms([terms]);
        Some(Priced {
            gate: Arc::new(at.with_endpoint(endpoint)),
            only,
            kept: true,
        })
    }

    /// Who is going to pay a request without a payment, if that makes a difference and the request says it.
    pub(super) async fn signed_in(
        &self,
        asked: &mut Asked,
        unpaid: bool,
    ) -> Result<Option<Address>, PriceProblem> {
        let Some(siwx) = self.pricing.sign_in().filter(|_| unpaid) else {
            return Ok(None);
        };
        match caller::of(siwx, &mut asked.parts).await {
            Ok(Some(SignedIn::Evm(payer))) => Ok(Some(payer)),
            // Other accounts cannot have paid here.
            Ok(_) => Ok(None),
            Err(SiwxRefusal::Ledger(error)) => Err(PriceProblem::ledger(self.base, &error)),
            Err(refusal) => {
                tracing::debug!(name: event::REFUSED, endpoint = self.base.endpoint.id(), code = refusal.code(), "a sign-in does not count");
                Ok(None)
            }
        }
    }

    /// What a request costs whoever pays it, or this payer; `None` if nothing is due.
    pub(super) async fn price(
        &self,
        asked: &mut Asked,
        payer: Option<Address>,
    ) -> Result<Option<Priced>, PriceProblem> {
        let base = self.base;
        let bought = match payer.filter(|_| self.pricing.needs.volume) {
            Some(payer) => volume::of(base, payer)
                .await
                .map_err(|error| PriceProblem::ledger(base, &error))?,
            None => Vec::new(),
        };
        let captures = captures(&mut asked.parts).await;
        let model = &base.endpoint.spec().price;
        let (due, lower) = {
            let facts = facts(&asked.parts.headers, &asked.uri, &captures, &asked.read);
            let due = |bought: &[_]| {
                evaluate(model, &facts, bought).map_err(|error| PriceProblem::of(base, &error))
            };
            let own = due(&bought)?;
            let lower = !bought.is_empty() && own != due(&[])?;
            (own, lower)
        };
        let price = match due {
            Due::Exact(price) => price,
            Due::Quoted(_) => self.quoted(asked, captures).await?,
            Due::UpTo(ceiling) => {
                let endpoint = base.endpoint.up_to(&ceiling);
                let endpoint = endpoint.map_err(|error| PriceProblem::of(base, &error))?;
                return Ok(Some(Priced {
                    gate: Arc::new(base.with_terms_of(endpoint)),
                    only: None,
                    kept: false,
                }));
            }
            _ => return Err(PriceProblem::seller()),
        };
        if price.amount.is_zero() {
            return Ok(None);
        }
        Ok(Some(Priced {
            gate: self.pricing.gate(base, price)?,
            only: payer.filter(|_| lower),
            kept: false,
        }))
    }

    /// The price that the seller's function says.
    async fn quoted(
        &self,
        asked: &mut Asked,
        captures: Vec<(String, String)>,
    ) -> Result<Price, PriceProblem> {
        let mut request = QuoteRequest::new(&asked.parts, asked.read.clone());
        for (name, value) in captures {
            request = request.with_capture(name, value);
        }
        let looked_at = request.looked_at();
        let quoted = ask_seller(self.base, self.handler, self.state, request).await?;
        asked.looked_at = looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let model = &self.base.endpoint.spec().price;
        model
            .quoted(quoted)
            .map_err(|error| PriceProblem::of(self.base, &error))
    }

    /// What a request presents at its price. A payment that does not fit may still fit the price of its own payer.
    pub(super) async fn present(
        &self,
        asked: &mut Asked,
        priced: Priced,
    ) -> (Priced, Version, Presented) {
        let (version, presented) = asked.presents(&priced);
        let fits =
            |found: &Presented| matches!(found, Presented::Proven(_) | Presented::Unproven(_));
        if self.pricing.needs.volume
            && !priced.kept
            && !fits(&presented)
            && let Some(payer) = presented.payer()
            && let Ok(Some(own)) = self.price(asked, Some(payer)).await
            && own.only.is_some()
            && let (version, presented) = asked.presents(&own)
            && fits(&presented)
        {
            return (own, version, presented);
        }
        (priced, version, presented)
    }

    /// Tells the terms to a request that is not served.
    pub(super) async fn refuse(
        &self,
        asked: &mut Asked,
        priced: Priced,
        refusal: &Refusal,
    ) -> Response {
        let path = asked.uri.path().to_owned();
        let priced = match priced.kept {
            false => priced,
            // What was told before is not promised anew to whoever presents a bad payment.
            true => match self.price(asked, None).await {
                Ok(Some(priced)) => priced,
                Ok(None) | Err(_) => return answers::refusal(self.base, &path, refusal),
            },
        };
        let quotes = &self.pricing.quotes;
        let told = quotes.told(&priced.gate, &asked.shown(), &asked.looked_at, priced.only);
        answers::refusal(&told, &path, refusal)
    }
}

/// Calls the quote function, within its time.
async fn ask_seller<S>(
    gate: &Gate,
    handler: &dyn ErasedHandler<S>,
    state: &S,
    request: QuoteRequest,
) -> Result<Price, PriceProblem> {
    let failed = |error: &str| {
        tracing::warn!(name: event::QUOTE_FAILED, endpoint = gate.endpoint.id(), error, "a quote function gave no price");
        PriceProblem::seller()
    };
    // It works for people who have not paid: no more of them at once than may pay at once.
    let _place = gate.core.admit().map_err(|code| PriceProblem {
        problem: Box::new(Problem::new(code)),
        missing: false,
    })?;
    // Made inside, because the call itself may panic too.
    let quote = async { handler.quote(state, request).await };
    let time = gate.core.limits.verify_timeout;
    match timeout(time, AssertUnwindSafe(quote).catch_unwind()).await {
        Ok(Ok(Ok(price))) => Ok(price),
        Ok(Ok(Err(QuoteError::Request(reason)))) => Err(PriceProblem::request(&reason, true)),
        Ok(Ok(Err(error))) => Err(failed(&error.to_string())),
        Ok(Err(_panic)) => Err(failed("it panicked")),
        Err(_) => Err(failed("no answer in time")),
    }
}
