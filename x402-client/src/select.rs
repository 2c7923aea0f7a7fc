//! Chooses the option to pay: every rule is checked on the very values that are signed afterwards.

use alloy_primitives::Address;
use serde_json::{Map, Value};
use url::Url;
use x402_model::asset::{Asset, Eip712Name, parse_address};
use x402_model::evm::{EvmKind, KindError, facilitator_address, is_development_account};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::price::PriceUnit;

use crate::budget::{Budget, BudgetError, Units, counts_in, read};
use crate::target;
use crate::terms::{Offer, OfferView, Terms, Version};

mod choice;
mod pin;
mod policy;
mod refusal;

pub use choice::Choice;
pub(crate) use choice::{Rail, token_domain};
pub use pin::Pin;
pub use policy::{Approvals, DEFAULT_VALIDITY_CAP, NetworkClass, Policy, Preference};
pub use refusal::{Refusal, Refusals};

/// What a choice depends on besides the terms.
#[derive(Clone, Copy, Debug)]
pub struct Buyer<'a> {
    /// What may be signed.
    pub policy: &'a Policy,
    /// What may be spent.
    pub budget: &'a Budget,
    /// The most for this one call.
    pub cap: Option<&'a CallCap>,
    /// Who pays.
    pub payer: Address,
    /// The only payee to accept, if the caller knows it.
    pub pay_to: Option<Address>,
    /// The only ways to pay to accept, if the caller knows them.
    pub pins: Option<&'a [Pin]>,
    /// The URL called.
    pub called: &'a Url,
}

/// The most that one call may cost, such as `0.05 USD`.
#[derive(Clone, Debug)]
pub struct CallCap {
    amount: Units,
    unit: PriceUnit,
}

impl CallCap {
    /// Reads an amount with a unit.
    ///
    /// # Errors
    /// [`BudgetError`] if the text is not an exact amount.
    pub fn new(text: &str) -> Result<Self, BudgetError> {
        let (amount, unit) = read(text)?;
        Ok(Self { amount, unit })
    }

    fn admits(&self, asset: &Asset, amount: AtomicAmount) -> Result<(), Refusal> {
        if !counts_in(&self.unit, asset) {
            return Err(Refusal::CapUnit);
        }
        match Units::from_atomic(amount, asset.decimals) {
            Some(units) if units <= self.amount => Ok(()),
            _ => Err(Refusal::OverMax),
        }
    }
}

/// Chooses the first option, in the buyer's order of preference, that breaks no rule.
///
/// Pure: nothing is reserved, signed or sent.
///
/// # Errors
/// [`Refusals`] with one reason per option.
pub fn select(terms: &Terms, buyer: &Buyer<'_>) -> Result<Choice, Refusals> {
    let acceptable = acceptable(terms, buyer)?;
    // There is at least one, so the other branch is never taken.
    acceptable.into_iter().next().ok_or(Refusals(Vec::new()))
}

/// Every option that breaks no rule, in the buyer's order of preference; at least one.
///
/// # Errors
/// [`Refusals`] with one reason per option when every one breaks a rule.
pub fn acceptable(terms: &Terms, buyer: &Buyer<'_>) -> Result<Vec<Choice>, Refusals> {
    if !is_called(terms.place.as_deref(), buyer) {
        return Err(Refusals(vec![
            Refusal::OtherResource;
            terms.options.len().max(1)
        ]));
    }
    let mut refusals = Vec::with_capacity(terms.options.len());
    let mut choices = Vec::new();
    for verdict in judge(terms, buyer) {
        match verdict {
            Err(refusal) => refusals.push(refusal),
            Ok(choice) => choices.push(choice),
        }
    }
    if choices.is_empty() {
        return Err(Refusals(refusals));
    }
    // Stable: what ranks alike keeps the seller's order.
    choices.sort_by_key(|choice| buyer.policy.rank(choice));
    Ok(choices)
}

/// What the rules say about each option, in the seller's order.
pub(crate) fn judge(terms: &Terms, buyer: &Buyer<'_>) -> Vec<Result<Choice, Refusal>> {
    let is_here = is_called(terms.place.as_deref(), buyer);
    let consider = |(index, offer): (usize, &Offer)| {
        if is_here {
            consider(terms.version, index, offer, buyer)
        } else {
            Err(Refusal::OtherResource)
        }
    };
    terms.options.iter().enumerate().map(consider).collect()
}

fn is_called(claimed: Option<&str>, buyer: &Buyer<'_>) -> bool {
    claimed
        .is_none_or(|claimed| target::is_same_place(buyer.called, claimed, buyer.policy.resource))
}

fn consider(
    version: Version,
    index: usize,
    offer: &Offer,
    buyer: &Buyer<'_>,
) -> Result<Choice, Refusal> {
    let view = offer.view.as_ref().ok_or(Refusal::Unreadable)?;
    let kind = EvmKind::of_terms(&view.scheme, &view.extra);
    if kind == Err(KindError::Scheme) {
        return Err(Refusal::Scheme);
    }
    if !is_called(view.resource.as_deref(), buyer) {
        return Err(Refusal::OtherResource);
    }
    let (network, chain_id) = network(view, buyer)?;
    let kind = check_kind(version, kind?, buyer)?;
    let asset = known_asset(view, network, kind, buyer)?;
    let rail = rail(kind, view, asset, chain_id)?;
    let amount: AtomicAmount = view.amount.parse().map_err(|_| Refusal::AmountUnreadable)?;
    let pay_to = payee(view, asset, buyer)?;
    check_validity(view, buyer)?;
    let choice = Choice {
        version,
        index,
        accepted: offer.raw.clone(),
        network_text: view.network_text.clone(),
        asset: asset.clone(),
        amount,
        pay_to,
        validity: view.max_timeout_seconds,
        chain_id,
        rail,
    };
    if let Some(pins) = buyer.pins {
        pin::check(pins, &view.scheme, &choice)?;
    }
    // Last, so that an amount is the reason only where nothing else is.
    check_amount(asset, amount, buyer)?;
    Ok(choice)
}

fn network<'v>(view: &'v OfferView, buyer: &Buyer<'_>) -> Result<(&'v Network, u64), Refusal> {
    let network = view.network.as_ref().ok_or(Refusal::Network)?;
    let chain_id = network.chain_id().ok_or(Refusal::Network)?;
    if buyer.policy.allows_network(network) {
        Ok((network, chain_id))
    } else {
        Err(Refusal::NetworkNotAllowed)
    }
}

/// Version 1 knows EIP-3009 only.
fn check_kind(version: Version, kind: EvmKind, buyer: &Buyer<'_>) -> Result<EvmKind, Refusal> {
    match (version, kind) {
        (Version::V1, EvmKind::Permit2Upto) => Err(Refusal::Scheme),
        (Version::V1, EvmKind::Permit2Exact) => Err(Refusal::TransferMethod),
        _ if !buyer.policy.allows_kind(kind) => Err(Refusal::KindNotAllowed),
        _ => Ok(kind),
    }
}

fn known_asset<'a>(
    view: &OfferView,
    network: &Network,
    kind: EvmKind,
    buyer: &Buyer<'a>,
) -> Result<&'a Asset, Refusal> {
    check_word(&view.extra, "paymentFlow", "authorization").map_err(|()| Refusal::PaymentFlow)?;
    let address = parse_address(&view.asset).map_err(|_| Refusal::AssetUnreadable)?;
    let asset = buyer
        .policy
        .assets
        .get(network, address)
        .ok_or(Refusal::AssetUnknown)?;
    if !asset.takes(kind.method()) {
        return Err(Refusal::TransferMethod);
    }
    if !asset.usd_pegged && buyer.policy.networks.is_empty() {
        return Err(Refusal::NetworkNotAllowed);
    }
    if is_main(network) && is_development_account(buyer.payer) {
        return Err(Refusal::PublicKey);
    }
    Ok(asset)
}

/// What the way to pay needs. EIP-3009 is signed in the token's domain, so the terms must name the one that the table has.
/// Through Permit2 it is not, and terms may leave it out; one that differs is still a sign that another token is meant.
fn rail(kind: EvmKind, view: &OfferView, asset: &Asset, chain_id: u64) -> Result<Rail, Refusal> {
    let own = asset.eip712.as_ref();
    let is_own = own.is_some_and(|own| same_domain(&view.extra, own));
    if kind == EvmKind::Eip3009Exact {
        let domain = token_domain(asset, chain_id).filter(|_| is_own);
        return domain.map(Rail::Eip3009).ok_or(Refusal::Domain);
    }
    let named = |name: &str| view.extra.get(name).is_some_and(|value| !value.is_null());
    if own.is_some() && !is_own && (named("name") || named("version")) {
        return Err(Refusal::Domain);
    }
    match kind {
        EvmKind::Permit2Upto => {
            let facilitator = facilitator_address(&view.extra)?;
            Ok(Rail::Upto { facilitator })
        }
        EvmKind::Eip3009Exact | EvmKind::Permit2Exact => Ok(Rail::Permit2),
    }
}

/// A word of `extra` that must be absent, null or the one that is supported.
fn check_word(extra: &Map<String, Value>, name: &str, supported: &str) -> Result<(), ()> {
    match extra.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(word)) if word == supported => Ok(()),
        Some(_) => Err(()),
    }
}

fn same_domain(extra: &Map<String, Value>, own: &Eip712Name) -> bool {
    let is = |name: &str, own: &str| extra.get(name).and_then(Value::as_str) == Some(own);
    is("name", &own.name) && is("version", &own.version)
}

fn is_main(network: &Network) -> bool {
    network.is_testnet() == Some(false)
}

fn payee(view: &OfferView, asset: &Asset, buyer: &Buyer<'_>) -> Result<Address, Refusal> {
    let pay_to = parse_address(&view.pay_to).map_err(|_| Refusal::PayeeUnreadable)?;
    if pay_to == Address::ZERO {
        return Err(Refusal::PayeeZero);
    }
    if pay_to == asset.address {
        return Err(Refusal::PayeeIsAsset);
    }
    match buyer.pay_to {
        Some(expected) if expected != pay_to => Err(Refusal::PayeeUnexpected),
        _ => Ok(pay_to),
    }
}

fn check_validity(view: &OfferView, buyer: &Buyer<'_>) -> Result<(), Refusal> {
    match view.max_timeout_seconds {
        0 => Err(Refusal::ValidityZero),
        seconds if seconds > buyer.policy.validity_cap => Err(Refusal::ValidityTooLong),
        _ => Ok(()),
    }
}

fn check_amount(asset: &Asset, amount: AtomicAmount, buyer: &Buyer<'_>) -> Result<(), Refusal> {
    if amount.is_zero() {
        return Err(Refusal::AmountZero);
    }
    let cap = buyer
        .policy
        .asset_caps
        .get(&(asset.network.clone(), asset.address));
    if cap.is_some_and(|cap| amount > *cap) {
        return Err(Refusal::OverAssetCap);
    }
    if let Some(cap) = buyer.cap {
        cap.admits(asset, amount)?;
    }
    buyer
        .budget
        .check(asset, amount, &target::host(buyer.called))?;
    Ok(())
}

#[cfg(test)]
mod tests;
