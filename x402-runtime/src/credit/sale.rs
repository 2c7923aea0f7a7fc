//! Selling credit: the answer to a purchase says what was bought, and what it says is booked once the money has moved.

use std::sync::Arc;

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use x402_model::asset::checksum;
use x402_model::extension::timestamp;
use x402_model::money::AtomicAmount;
use x402_model::price::Price;

use super::{Buyer, CREDIT_DECIMALS, Purse, Whose};
use crate::extract::{PaymentId, Proof};
use crate::facilitator::{BoxFuture, FacilitatorRequest};
use crate::gate::{Core, ErasedHandler};
use crate::handler::{QuoteRequest, QuoteResult};
use crate::ledger::{LedgerError, Posted, Record};
use crate::telemetry::event;

/// The member of `extra` that tells the terms of a purchase from all others: in the 402, and in the record for as long as there
/// is one, whatever is sold when it is read.
pub(crate) const MARK: &str = "creditPlan";

/// What the terms of a purchase promise. The sale keeps to the terms that were paid, whatever the plan has become since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Offer {
    pub(crate) id: String,
    /// With its unit.
    pub(crate) credit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_seconds: Option<u64>,
}

/// The answer to a purchase. It is stored before money moves, so it is what the buyer gets whatever is sold later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sold {
    plan: String,
    credit: String,
    /// What the buyer has with it, as far as was known when it was sold.
    balance: String,
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    payer: String,
    /// Where it was paid: an account that is a contract is known there only.
    network: String,
    path: String,
}

/// The part of the terms that an offer stands in, in both versions of the protocol.
#[derive(Deserialize)]
struct Marked {
    extra: Extra,
}

#[derive(Deserialize)]
struct Extra {
    #[serde(rename = "creditPlan")]
    offer: Offer,
}

/// What is booked: all that is money comes from the payment and the terms that it paid, not from the answer.
struct Facts {
    purse: Purse,
    buyer: Buyer,
    amount: AtomicAmount,
    until_ms: Option<u64>,
}

impl Facts {
    /// What is to be booked for a payment that bought `offer` and got `sold` as its answer, if the two agree.
    fn of(record: &Record, offer: &Offer, sold: &Sold) -> Option<Self> {
        let until_ms = match &sold.expires_at {
            None => None,
            Some(text) => Some(timestamp::read(text)?),
        };
        let credit: Price = offer.credit.parse().ok()?;
        let amount = credit.amount.to_atomic(CREDIT_DECIMALS).ok()?;
        let agreed = sold.plan == offer.id && sold.credit == amount.to_decimal(CREDIT_DECIMALS);
        agreed.then(|| Self {
            purse: Purse::new(&sold.path, &sold.unit),
            buyer: Buyer {
                payer: record.key.payer,
                network: record.key.network.clone(),
            },
            amount,
            until_ms,
        })
    }
}

/// Sells the plans of one purse: the handler behind their gates.
pub(crate) struct Sale {
    pub(crate) core: Arc<Core>,
    pub(crate) purse: Purse,
}

impl Sale {
    async fn sell(&self, proof: &Proof) -> Option<Sold> {
        let terms = proof.terms.offered().view()?.extra.get(MARK)?.clone();
        let offer: Offer = serde_json::from_value(terms).ok()?;
        let credit: Price = offer.credit.parse().ok()?;
        let payer = proof.key.payer;
        let now_ms = self.core.clock.now_ms();
        let whose = Whose::anywhere(payer);
        let before = match self.purse.balance(&*self.core.ledger, &whose, now_ms).await {
            Ok(before) => before.available,
            Err(error) => {
                self.core.ledger_failed(&error);
                return None;
            }
        };
        let credit = credit.amount.to_atomic(CREDIT_DECIMALS).ok()?;
        let until_ms = offer
            .expires_seconds
            .map(|seconds| now_ms.saturating_add(seconds.saturating_mul(1000)));
        Some(Sold {
            plan: offer.id,
            credit: credit.to_decimal(CREDIT_DECIMALS),
            balance: before.checked_add(credit)?.to_decimal(CREDIT_DECIMALS),
            unit: self.purse.unit().to_owned(),
            expires_at: until_ms.map(timestamp::print),
            payer: checksum(payer),
            network: proof.key.network.to_string(),
            path: self.purse.path().to_owned(),
        })
    }
}

/// A sale as the handler of a router with any state.
pub(crate) struct SaleHandler(pub(crate) Arc<Sale>);

impl<S: Send + Sync + 'static> ErasedHandler<S> for SaleHandler {
    fn answer(&self, request: Request, _state: S) -> BoxFuture<'static, Response> {
        let sale = Arc::clone(&self.0);
        let proof = request.extensions().get::<Proof>().cloned();
        Box::pin(async move {
            let sold = match &proof {
                Some(proof) => sale.sell(proof).await,
                // The gate lets nobody in without a proof.
                None => None,
            };
            match sold {
                Some(sold) => Json(sold).into_response(),
                // Costs nothing, and the payment can be presented again.
                None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            }
        })
    }

    fn quote(&self, _state: &S, _request: QuoteRequest) -> BoxFuture<'static, QuoteResult> {
        Box::pin(std::future::ready(crate::handler::no_quote()))
    }
}

/// What a payment bought, if it bought credit.
fn offer(request: &FacilitatorRequest) -> Option<Offer> {
    let terms = request.requirements.as_str();
    // Most payments buy none: no look at the whole text for them. What else mentions the mark has it in another place.
    terms
        .contains(MARK)
        .then(|| serde_json::from_str::<Marked>(terms).ok())?
        .map(|marked| marked.extra.offer)
}

/// Books what a settled payment bought, if it bought credit. Doing it again changes nothing: the payment names the booking.
///
/// Called wherever a payment is found settled: by the gate before the buyer hears of it, and by the resolver before it takes its
/// eyes off the payment.
///
/// # Errors
/// When the ledger fails; the resolver then comes back to it.
pub(crate) async fn book(core: &Core, record: &Record) -> Result<(), LedgerError> {
    if !record.state.is_paid() {
        return Ok(());
    }
    let Some(offer) = offer(&record.request) else {
        return Ok(());
    };
    let answer = match &record.answer {
        Some(answer) => Some(Arc::clone(answer)),
        // The resolver sees records without their answers.
        None => core
            .ledger
            .get(&record.key)
            .await?
            .and_then(|record| record.answer),
    };
    let id = PaymentId::of(&record.key);
    let sold = answer.and_then(|answer| serde_json::from_slice::<Sold>(&answer.body).ok());
    let facts = sold.and_then(|sold| Some((Facts::of(record, &offer, &sold)?, sold)));
    let Some((facts, sold)) = facts else {
        tracing::error!(name: event::CREDIT, endpoint = &*record.endpoint, payment = %id, "a purchase of credit cannot be read; it was paid and nothing was booked");
        return Ok(());
    };
    let reference = format!("sale/{id}");
    let posted = facts
        .purse
        .credit(
            core.ledger.accounts(),
            &facts.buyer,
            facts.amount,
            facts.until_ms,
            (&reference, core.clock.now_ms()),
        )
        .await?;
    match posted {
        Posted::Done(_) => {
            tracing::info!(name: event::CREDIT, endpoint = &*record.endpoint, payment = %id, amount = sold.credit, unit = sold.unit, "credit was sold");
        }
        Posted::Repeated(_) => {}
        Posted::Refused(reason) => {
            tracing::error!(name: event::CREDIT, endpoint = &*record.endpoint, payment = %id, %reason, "credit that was paid for cannot be booked");
        }
    }
    Ok(())
}
