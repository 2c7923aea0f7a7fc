//! Chooses the option to pay: every rule is checked on the very values that are signed afterwards.

use std::fmt;

use alloy_primitives::Address;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::Url;
use x402_model::asset::{Asset, Eip712Name, TransferMethod, parse_address};
use x402_model::evm::{Eip712Domain, is_development_account};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::price::PriceUnit;

use crate::budget::{Budget, BudgetError, BudgetRefusal, Units, counts_in, read};
use crate::target;
use crate::terms::{Offer, OfferView, Terms, Version};

mod policy;

pub use policy::{DEFAULT_VALIDITY_CAP, NetworkClass, Policy, Preference};

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

/// Why an option is not paid. Every reason has a stable [`Refusal::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// A member is missing or has the wrong type.
    Unreadable,
    /// Not scheme `exact`.
    Scheme,
    /// Not an EVM network, or not one by name.
    Network,
    /// A network that the policy does not allow.
    NetworkNotAllowed,
    /// A payment flow other than `authorization`: money could move before the work, or be held.
    PaymentFlow,
    /// The asset is not moved by EIP-3009.
    TransferMethod,
    /// The asset is not an address.
    AssetUnreadable,
    /// The asset is not in the policy's table.
    AssetUnknown,
    /// The terms' signing domain is not that of the asset.
    Domain,
    /// The amount is not a canonical decimal integer.
    AmountUnreadable,
    /// The amount is zero.
    AmountZero,
    /// The payee is not an address.
    PayeeUnreadable,
    /// The payee is the zero address.
    PayeeZero,
    /// The payee is the token itself: the money would be lost.
    PayeeIsAsset,
    /// Not the payee that the caller expects.
    PayeeUnexpected,
    /// The authorization would be valid for no time at all.
    ValidityZero,
    /// The authorization would be valid longer than the policy's cap.
    ValidityTooLong,
    /// The resource in the terms is not the place that was called.
    OtherResource,
    /// Above the policy's cap for this asset.
    OverAssetCap,
    /// Above the most that the caller set for this call.
    OverMax,
    /// The asset does not count in the unit of the most that the caller set.
    CapUnit,
    /// The payer's key is a public development key and the money is real.
    PublicKey,
    /// The budget refuses.
    Budget(BudgetRefusal),
}

impl Refusal {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "option_unreadable",
            Self::Scheme => "scheme_not_supported",
            Self::Network => "network_not_supported",
            Self::NetworkNotAllowed => "network_not_allowed",
            Self::PaymentFlow => "payment_flow_not_supported",
            Self::TransferMethod => "transfer_method_not_supported",
            Self::AssetUnreadable => "asset_unreadable",
            Self::AssetUnknown => "asset_not_allowed",
            Self::Domain => "signing_domain_mismatch",
            Self::AmountUnreadable => "amount_unreadable",
            Self::AmountZero => "amount_zero",
            Self::PayeeUnreadable => "payee_unreadable",
            Self::PayeeZero => "payee_zero",
            Self::PayeeIsAsset => "payee_is_asset",
            Self::PayeeUnexpected => "payee_unexpected",
            Self::ValidityZero => "validity_zero",
            Self::ValidityTooLong => "validity_too_long",
            Self::OtherResource => "other_resource",
            Self::OverAssetCap => "over_asset_cap",
            Self::OverMax => "over_max",
            Self::CapUnit => "asset_not_in_max",
            Self::PublicKey => "public_key_on_main_network",
            Self::Budget(refusal) => refusal.code(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<BudgetRefusal> for Refusal {
    fn from(refusal: BudgetRefusal) -> Self {
        Self::Budget(refusal)
    }
}

/// Why each option of the terms was refused, in the seller's order. Empty if nothing was offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing offered");
        }
        for (index, refusal) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}option {index}: {refusal}")?;
        }
        Ok(())
    }
}

/// The chosen option, in checked and typed form. What is signed is built from this and nothing else.
#[derive(Clone)]
pub struct Choice {
    pub(crate) version: Version,
    pub(crate) index: usize,
    pub(crate) accepted: Box<RawValue>,
    pub(crate) network_text: String,
    pub(crate) asset: Asset,
    pub(crate) amount: AtomicAmount,
    pub(crate) pay_to: Address,
    pub(crate) validity: u64,
    pub(crate) domain: Eip712Domain,
}

impl Choice {
    /// Position of the option in the terms.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The option's own text, as it is sent back.
    pub fn accepted(&self) -> &RawValue {
        &self.accepted
    }

    /// The asset, from the policy's table.
    pub const fn asset(&self) -> &Asset {
        &self.asset
    }

    /// The amount in atomic units.
    pub const fn amount(&self) -> AtomicAmount {
        self.amount
    }

    /// Who is paid.
    pub const fn pay_to(&self) -> Address {
        self.pay_to
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice")
            .field("index", &self.index)
            .field("asset", &self.asset.symbol)
            .field("network", &self.asset.network)
            .field("amount", &self.amount)
            .field("pay_to", &self.pay_to)
            .finish_non_exhaustive()
    }
}

/// Chooses the first option, in the buyer's order of preference, that breaks no rule.
///
/// Pure: nothing is reserved, signed or sent.
///
/// # Errors
/// [`Refusals`] with one reason per option.
pub fn select(terms: &Terms, buyer: &Buyer<'_>) -> Result<Choice, Refusals> {
    if !is_called(terms.place.as_deref(), buyer) {
        return Err(Refusals(vec![
            Refusal::OtherResource;
            terms.options.len().max(1)
        ]));
    }
    let mut refusals = Vec::with_capacity(terms.options.len());
    let mut best: Option<(usize, Choice)> = None;
    for verdict in judge(terms, buyer) {
        match verdict {
            Err(refusal) => refusals.push(refusal),
            Ok(choice) => {
                let rank = buyer.policy.rank(&choice.asset);
                if best.as_ref().is_none_or(|(best_rank, _)| rank < *best_rank) {
                    best = Some((rank, choice));
                }
            }
        }
    }
    best.map(|(_, choice)| choice).ok_or(Refusals(refusals))
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
    if view.scheme != "exact" {
        return Err(Refusal::Scheme);
    }
    if !is_called(view.resource.as_deref(), buyer) {
        return Err(Refusal::OtherResource);
    }
    let (asset, domain) = known_asset(view, buyer)?;
    let amount: AtomicAmount = view.amount.parse().map_err(|_| Refusal::AmountUnreadable)?;
    let pay_to = payee(view, asset, buyer)?;
    check_validity(view, buyer)?;
    check_amount(asset, amount, buyer)?;
    Ok(Choice {
        version,
        index,
        accepted: offer.raw.clone(),
        network_text: view.network_text.clone(),
        asset: asset.clone(),
        amount,
        pay_to,
        validity: view.max_timeout_seconds,
        domain,
    })
}

fn known_asset<'a>(
    view: &OfferView,
    buyer: &Buyer<'a>,
) -> Result<(&'a Asset, Eip712Domain), Refusal> {
    let network = view.network.as_ref().ok_or(Refusal::Network)?;
    let chain_id = network.chain_id().ok_or(Refusal::Network)?;
    if !buyer.policy.allows_network(network) {
        return Err(Refusal::NetworkNotAllowed);
    }
    check_word(&view.extra, "paymentFlow", "authorization").map_err(|()| Refusal::PaymentFlow)?;
    check_word(&view.extra, "assetTransferMethod", "eip3009")
        .map_err(|()| Refusal::TransferMethod)?;
    let address = parse_address(&view.asset).map_err(|_| Refusal::AssetUnreadable)?;
    let asset = buyer
        .policy
        .assets
        .get(network, address)
        .ok_or(Refusal::AssetUnknown)?;
    if asset.transfer != TransferMethod::Eip3009 {
        return Err(Refusal::TransferMethod);
    }
    if !asset.usd_pegged && buyer.policy.networks.is_empty() {
        return Err(Refusal::NetworkNotAllowed);
    }
    if is_main(network) && is_development_account(buyer.payer) {
        return Err(Refusal::PublicKey);
    }
    let own = asset.eip712.as_ref().ok_or(Refusal::Domain)?;
    if !same_domain(&view.extra, own) {
        return Err(Refusal::Domain);
    }
    let domain = Eip712Domain {
        name: own.name.to_string(),
        version: own.version.to_string(),
        chain_id,
        verifying_contract: address,
    };
    Ok((asset, domain))
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
