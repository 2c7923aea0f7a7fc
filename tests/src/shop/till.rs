//! Terms of the manifest's rails, and payments by them: checked and settled by the product's own facilitator.

use alloy_primitives::{B256, U256};
use alloy_sol_types::SolEvent as _;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use x402_model::asset::parse_address;
use x402_model::extension::payment_identifier;
use x402_model::manifest::{AssetEntry, EndpointEntry, RailEntry};
use x402_model::money::AtomicAmount;
use x402_model::price::Facts;
use x402_model::wire::headers::{DEFAULT_CAP, PAYMENT_REQUIRED, PAYMENT_SIGNATURE, encode};
use x402_model::wire::{
    Offered, PaymentPayload, PaymentRequired, PaymentRequirements, ResourceInfo,
};
use x402_runtime::facilitator::{Facilitator as _, FacilitatorRequest, SettleOutcome};
use x402_runtime::sandbox::Sandbox;

use super::goods::Goods;
use super::order::Order;
use super::price::{Cost, Priced};
use super::{BUYER, Desk, Settled};
use crate::accounts;
use crate::token::TestUsd;

impl Desk {
    /// Answers a request: with the terms, or with the goods once they are paid for.
    pub(super) async fn answer(&self, request: Request) -> Result<Response, String> {
        let order = Order::read(request).await?;
        if let Some(lost) = self
            .book()
            .lost
            .take_if(|lost| lost.header == *payment(&order))
        {
            return lost.again(&order);
        }
        let (endpoint, captures) = order.endpoint(&self.manifest)?;
        let told = |complaint: String| format!("{}: {complaint}", endpoint.id);
        let visit = self
            .next()
            .ok_or_else(|| told("was called once more".to_owned()))?;
        if visit.endpoint != endpoint.id {
            return Err(told(format!("was called instead of {}", visit.endpoint)));
        }
        order.check(endpoint, &captures, visit).map_err(told)?;
        let facts = order.facts(&captures);
        let priced = Priced::of(&self.manifest, endpoint, &facts).map_err(told)?;
        let goods = Goods::new(endpoint, visit).map_err(told)?;
        let header = order.headers.get(PAYMENT_SIGNATURE);
        let (payment, receipt) = match (&priced.cost, header) {
            (Cost::Nothing, None) => (None, None),
            (Cost::Nothing, Some(_)) => return Err(told("was paid for, and is free".to_owned())),
            (cost, None) => return self.terms(endpoint, &order, cost).map_err(told),
            (_, Some(header)) => {
                let settled = self.settle(endpoint, &priced, facts, &goods, header).await;
                let (payment, receipt) = settled.map_err(told)?;
                (Some(payment), Some(receipt))
            }
        };
        let first = payment.is_some() && self.book().sales.iter().all(|s| s.payment.is_none());
        self.sold(endpoint, priced.quote, payment);
        match receipt.as_ref().filter(|_| first) {
            Some(receipt) => Ok(self.lose(order, goods, receipt)),
            None => Ok(goods.response(receipt)),
        }
    }

    /// Keeps the answer to a payment, and gives none that arrives.
    fn lose(&self, order: Order, goods: Goods, receipt: &str) -> Response {
        let parts = goods.broken(self.visits.len() % 3);
        self.book().lost = Some(Lost {
            header: payment(&order).to_owned(),
            order,
            goods,
            receipt: receipt.to_owned(),
        });
        parts
    }

    /// Answers a request of which it wants more than its manifest allows.
    pub(super) async fn demand(&self, request: Request) -> Result<Response, String> {
        let order = Order::read(request).await?;
        let (endpoint, _) = order.endpoint(&self.manifest)?;
        if order.headers.contains_key(PAYMENT_SIGNATURE) {
            return Err(format!("{} was paid for, at any price", endpoint.id));
        }
        self.terms(endpoint, &order, &Cost::Above(endpoint.price.bounds.max.0))
    }

    fn terms(
        &self,
        endpoint: &EndpointEntry,
        order: &Order,
        cost: &Cost,
    ) -> Result<Response, String> {
        let resource = ResourceInfo {
            url: format!("http://{}{}", text(order.headers.get("host")), order.path),
            description: Some(endpoint.summary.clone()),
            mime_type: Some(endpoint.output.content_type.clone()),
            ..ResourceInfo::default()
        };
        let offers = self
            .offers(endpoint, cost)?
            .into_iter()
            .map(|(offer, _)| offer);
        let mut required = PaymentRequired::new("Payment required", resource, offers.collect());
        let identifier = payment_identifier::declare(false);
        required.extensions = Some(Map::from_iter([(
            payment_identifier::KEY.to_owned(),
            identifier,
        )]));
        let header = encode(&required).map_err(|error| error.to_string())?;
        let body = axum::Json(json!({"code": "payment_required", "charged": false}));
        Ok((
            StatusCode::PAYMENT_REQUIRED,
            [(PAYMENT_REQUIRED, header)],
            body,
        )
            .into_response())
    }

    /// What is offered for a request, in each way that its endpoint can be paid.
    fn offers<'d>(
        &'d self,
        endpoint: &'d EndpointEntry,
        cost: &Cost,
    ) -> Result<Vec<(Offered, &'d AssetEntry)>, String> {
        let rails = self.manifest.rails_of(endpoint);
        rails
            .map(|(_, rail)| {
                let asset = self
                    .manifest
                    .assets
                    .get(&rail.asset)
                    .ok_or("a rail has no asset")?;
                let amount = cost.on(asset)?.ok_or("a free call has no terms")?;
                Ok((Offered::new(self.requirements(rail, asset, amount)), asset))
            })
            .collect()
    }

    fn requirements(
        &self,
        rail: &RailEntry,
        asset: &AssetEntry,
        amount: AtomicAmount,
    ) -> PaymentRequirements {
        let mut extra = Map::new();
        if let Some(domain) = &asset.eip712 {
            extra.insert("name".to_owned(), domain.name.clone().into());
            extra.insert("version".to_owned(), domain.version.clone().into());
        }
        if asset.transfer == "permit2" {
            extra.insert("assetTransferMethod".to_owned(), "permit2".into());
        }
        if rail.scheme == "upto" {
            let settler = self.sandbox.settler().to_checksum(None);
            extra.insert("facilitatorAddress".to_owned(), settler.into());
        }
        PaymentRequirements {
            scheme: rail.scheme.clone(),
            network: asset.network.clone(),
            amount: amount.to_string(),
            asset: asset.address.clone(),
            pay_to: rail.pay_to.clone(),
            max_timeout_seconds: rail.max_timeout_seconds,
            extra,
        }
    }

    async fn settle(
        &self,
        endpoint: &EndpointEntry,
        priced: &Priced,
        facts: Facts<'_>,
        goods: &Goods,
        header: &HeaderValue,
    ) -> Result<(Settled, String), String> {
        let payment = PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP);
        let payment = payment.map_err(|error| format!("the payment: {error}"))?;
        let accepted = payment.accepted_value();
        let offers = self.offers(endpoint, &priced.cost)?;
        let chosen = offers
            .into_iter()
            .find(|(offer, _)| *offer.value() == accepted);
        let (offer, asset) = chosen.ok_or_else(|| format!("nobody offered {accepted}"))?;
        let terms = offer.view().ok_or("terms that can be read")?;
        identified(payment.extensions.as_ref())?;
        let payload = payment.to_value().map_err(|error| error.to_string())?;
        let request = FacilitatorRequest {
            x402_version: 2,
            payload: payload.into(),
            requirements: offer.raw().into(),
        };
        let facilitator = self.sandbox.facilitator();
        let verified = facilitator
            .verify(&request)
            .await
            .map_err(|error| error.to_string())?;
        if !verified.is_valid {
            return Err(format!(
                "the payment is no good: {:?}",
                verified.invalid_reason
            ));
        }
        let offered: AtomicAmount = terms.amount.parse().map_err(|_| "an amount")?;
        let charged = match (terms.scheme.as_str(), &priced.model) {
            ("upto", Some(model)) => {
                let lines = goods
                    .headers
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_bytes()));
                let facts = facts.answer(lines, &goods.body);
                let quantities = model
                    .quantities(&facts)
                    .map_err(|error| error.to_string())?;
                let metered = model.metered(&quantities, asset.decimals, offered);
                metered.map_err(|error| error.to_string())?
            }
            _ => offered,
        };
        let outcome = facilitator.settle(&request.for_amount(charged)).await;
        let SettleOutcome::Settled(report) = outcome else {
            return Err(format!("the payment was not settled: {outcome:?}"));
        };
        let address = |text: &str| parse_address(text).map_err(|_| format!("{text} is no address"));
        let settled = Settled {
            network: terms.network.clone(),
            asset: address(&terms.asset)?,
            pay_to: address(&terms.pay_to)?,
            decimals: asset.decimals,
            offered,
            charged,
            transaction: report.transaction.clone(),
        };
        Ok((settled, encode(&report).map_err(|error| error.to_string())?))
    }
}

/// An answer that was paid for and did not arrive.
pub(super) struct Lost {
    header: String,
    order: Order,
    goods: Goods,
    receipt: String,
}

impl Lost {
    /// The answer, for the same payment with the same request.
    fn again(self, order: &Order) -> Result<Response, String> {
        let parts = |order: &Order| {
            let place = [&order.method, &order.target].map(String::clone);
            let kind = order.headers.get("content-type").cloned();
            (place, kind, order.body.clone())
        };
        if parts(order) != parts(&self.order) {
            return Err("a payment was presented with another request".to_owned());
        }
        Ok(self.goods.response(Some(self.receipt)))
    }
}

/// A client that is asked for the id of its purchase gives one.
fn identified(extensions: Option<&Map<String, Value>>) -> Result<(), String> {
    let told = extensions.and_then(|all| all.get(payment_identifier::KEY)?.pointer("/info/id"));
    let id = told.and_then(Value::as_str).unwrap_or_default();
    let known = x402_model::extension::PaymentIdentifier::parse(id);
    known
        .map(drop)
        .ok_or_else(|| format!("{id:?} is no id of a purchase"))
}

/// The payment of a request, as it came; empty if there is none.
fn payment(order: &Order) -> &str {
    text(order.headers.get(PAYMENT_SIGNATURE))
}

fn text(header: Option<&HeaderValue>) -> &str {
    header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Whether the chain has the transaction of a payment, and it moved exactly that from the buyer to the payee.
pub(super) async fn proven(sandbox: &Sandbox, payment: &Settled) -> Result<(), String> {
    let hash: B256 = payment
        .transaction
        .parse()
        .map_err(|_| "a transaction's hash")?;
    let receipt = sandbox
        .chain()
        .receipt(hash)
        .await
        .map_err(|error| error.to_string())?;
    let receipt = receipt.ok_or_else(|| format!("{hash} is not on the chain"))?;
    let moved: Vec<(Vec<B256>, U256)> = receipt
        .logs
        .iter()
        .filter(|log| log.topics.first() == Some(&TestUsd::Transfer::SIGNATURE_HASH))
        .filter(|log| log.address == payment.asset)
        .map(|log| (log.topics[1..].to_vec(), U256::from_be_slice(&log.data)))
        .collect();
    let between = vec![
        accounts::address(BUYER).into_word(),
        payment.pay_to.into_word(),
    ];
    if receipt.status && moved == [(between, payment.charged.get())] {
        return Ok(());
    }
    Err(format!("{hash} moved {moved:?} instead of {payment:?}"))
}
