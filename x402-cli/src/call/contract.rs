//! What a manifest promises about one call: how much it can cost, and whom it pays in which token.

use std::collections::BTreeSet;
use std::pin::Pin as Pinned;
use std::sync::Arc;

use alloy_primitives::Address;
use serde_json::{Value, json};
use x402_client::hook::{Declined, PaymentHook, Proposal};
use x402_client::select::Choice;
use x402_client::{Action, EvmKind, OfferedOption, Policy};
use x402_runtime::model::asset::{Asset, AssetTable, parse_address};
use x402_runtime::model::manifest::{Document, EndpointEntry};
use x402_runtime::model::money::{AtomicAmount, Decimal};
use x402_runtime::model::network::Network;

use super::outcome::{Asking, Trouble};
use super::{Args, network_text, request};
use crate::vouched::Vouched;
use crate::{Exit, Failure, shown};

/// What a call costs, as far as the manifest tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    /// Exactly this much.
    Exact(Decimal),
    /// At most this much; what was used is charged.
    UpTo(Decimal),
    /// Something within the bounds; the seller tells how much.
    Within,
}

/// Why an option is not what the manifest promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    /// It costs more than the bounds allow.
    OverBound,
    /// The manifest names no such way to pay.
    NotNamed,
    /// Its token does not count in the currency of the bounds.
    OtherUnit,
}

impl Breach {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::OverBound => "contract_breach",
            Self::NotNamed => "not_in_manifest",
            Self::OtherUnit => "asset_not_in_currency",
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::OverBound => "it costs more than the manifest promises",
            Self::NotNamed => "the manifest does not name this payee, token and network together",
            Self::OtherUnit => "its token does not count in the currency of the manifest",
        }
    }

    /// The reason with its code.
    pub(super) fn text(self) -> String {
        format!("{} ({})", self.reason(), self.code())
    }
}

/// One way to pay that the manifest names.
#[derive(Debug)]
struct Pin {
    scheme: String,
    transfer: String,
    network: Network,
    asset: Address,
    pay_to: Address,
}

/// The promise of a manifest about one endpoint.
#[derive(Debug)]
pub(super) struct Contract {
    endpoint: String,
    content_hash: String,
    revision: u64,
    currency: String,
    min: Decimal,
    max: Decimal,
    quote: Quote,
    pins: Vec<Pin>,
    /// Codes of what is worth a look about the manifest.
    warnings: Vec<&'static str>,
}

impl Contract {
    pub(super) fn new(
        document: &Document,
        vouched: &Vouched,
        endpoint: &EndpointEntry,
        quote: Quote,
    ) -> Self {
        let manifest = document.manifest();
        let pins = manifest.rails_of(endpoint).filter_map(|(_, rail)| {
            let asset = manifest.assets.get(&rail.asset)?;
            // What is not read here is on no chain that this program pays on.
            Some(Pin {
                scheme: rail.scheme.clone(),
                transfer: asset.transfer.clone(),
                network: Network::parse_any(&asset.network).ok()?,
                asset: parse_address(&asset.address).ok()?,
                pay_to: parse_address(&rail.pay_to).ok()?,
            })
        });
        Self {
            endpoint: endpoint.id.clone(),
            content_hash: document.content_hash_text(),
            revision: manifest.service.revision,
            currency: manifest.currency.clone(),
            min: endpoint.price.bounds.min.0.normalized(),
            max: endpoint.price.bounds.max.0.normalized(),
            quote,
            pins: pins.collect(),
            warnings: vouched.warnings.iter().map(|(code, _)| *code).collect(),
        }
    }

    /// The most that the manifest allows for one call; `None` where it allows nothing, which no ceiling can say.
    pub(super) fn cap(&self) -> Option<String> {
        (!self.max.is_zero()).then(|| format!("{} {}", self.max, self.currency))
    }

    /// What may be signed: the tokens of the manifest on their networks, as far as this program knows them, in the ways that
    /// it names.
    pub(super) fn policy(&self, args: &Args) -> Result<Policy, Failure> {
        let (wanted, class) = request::networks(args)?;
        let known = AssetTable::builtin();
        let mut assets = AssetTable::empty();
        let mut networks: Vec<Network> = Vec::new();
        let mut kinds = Vec::new();
        for pin in &self.pins {
            if !wanted.is_empty() && !wanted.contains(&pin.network) {
                continue;
            }
            if let Some(asset) = known.get(&pin.network, pin.asset) {
                // A token that several rails name is refused the second time, which changes nothing.
                assets = assets.clone().with_asset(asset.clone()).unwrap_or(assets);
            }
            networks.push(pin.network.clone());
            kinds.extend(kinds_of(pin));
        }
        if networks.is_empty() && !self.pins.is_empty() {
            let named = self.pins.iter().map(|pin| network_text(&pin.network));
            let named: Vec<String> = named.collect::<BTreeSet<_>>().into_iter().collect();
            let message =
                "--network allows none of the networks on which the manifest wants to be paid";
            return Err(Failure::new(Exit::NotPaid, message)
                .code("network_not_allowed")
                .help(format!("it names {}", named.join(" and "))));
        }
        let policy = Policy::new(assets).network_class(class).kinds(kinds);
        Ok(policy.networks(networks))
    }

    /// The only payee of the manifest, or the one of the command line if the manifest names it.
    pub(super) fn payee(&self, args: &Args) -> Result<Option<Address>, Failure> {
        if let Some(text) = &args.pay_to {
            let wanted = parse_address(text).ok();
            if wanted.is_some() && !self.pins.iter().any(|pin| Some(pin.pay_to) == wanted) {
                let message = "the manifest does not name the address of --pay-to as a payee";
                return Err(Failure::new(Exit::NotPaid, message)
                    .code("payee_unexpected")
                    .help("ask the seller which address is right; do not pay another one"));
            }
            return Ok(None);
        }
        let first = self.pins.first().map(|pin| pin.pay_to);
        Ok(first.filter(|first| self.pins.iter().all(|pin| pin.pay_to == *first)))
    }

    /// Why an option is not what the manifest promises; `None` if it is, or if it cannot be paid anyway.
    pub(super) fn breach(&self, option: &OfferedOption) -> Option<Breach> {
        let (network, asset, pay_to) = (
            option.network.as_ref()?,
            option.asset.as_ref(),
            option.pay_to?,
        );
        let token = asset.map_or_else(
            || parse_address(&option.asset_text).ok(),
            |asset| Some(asset.address),
        )?;
        if !self.names(&option.scheme, network, token, pay_to) {
            return Some(Breach::NotNamed);
        }
        self.over(asset?, option.amount?)
    }

    /// Whether an option that would be signed is what the manifest promises.
    pub(super) fn admits(&self, choice: &Choice) -> bool {
        let asset = choice.asset();
        let scheme = match choice.kind() {
            EvmKind::Permit2Upto => "upto",
            _ => "exact",
        };
        self.names(scheme, &asset.network, asset.address, choice.pay_to())
            && self.over(asset, choice.amount()).is_none()
    }

    fn names(&self, scheme: &str, network: &Network, asset: Address, pay_to: Address) -> bool {
        self.pins.iter().any(|pin| {
            pin.scheme == scheme
                && pin.network == *network
                && pin.asset == asset
                && pin.pay_to == pay_to
        })
    }

    fn over(&self, asset: &Asset, amount: AtomicAmount) -> Option<Breach> {
        if !self.counts(asset) {
            return Some(Breach::OtherUnit);
        }
        let asked = amount.to_decimal(asset.decimals).parse::<Decimal>();
        match asked {
            Ok(asked) if asked <= self.max => None,
            _ => Some(Breach::OverBound),
        }
    }

    /// Whether a token counts in the currency of the manifest.
    fn counts(&self, asset: &Asset) -> bool {
        asset.symbol == self.currency || (self.currency == "USD" && asset.usd_pegged)
    }

    /// Why the call is not paid, as far as the manifest decides.
    pub(super) fn trouble(&self, asking: &Asking) -> Option<Trouble> {
        if asking.choice.is_some() {
            return None;
        }
        let breaches: Vec<(&OfferedOption, Breach)> = asking
            .options
            .iter()
            .filter_map(|option| Some((option, self.breach(option)?)))
            .collect();
        if let Some((option, _)) = breaches
            .iter()
            .find(|(_, breach)| *breach == Breach::OverBound)
        {
            let message = format!(
                "contract breach: the seller asks for {}, and its manifest promises at most {} {} for {}",
                super::advice::price(option),
                self.max,
                self.currency,
                self.endpoint
            );
            let help = "do not pay it; tell the seller, or look whether there is a newer manifest";
            return Some(Trouble::new(Breach::OverBound.code(), message, Action::Stop).help(help));
        }
        let (_, first) = breaches
            .first()
            .filter(|_| breaches.len() == asking.options.len())?;
        let message = format!("the call is not paid: {}", first.text());
        let help = "do not pay it before you know why; look whether there is a newer manifest";
        Some(Trouble::new(first.code(), message, Action::AskHuman).help(help))
    }

    /// The quote for people.
    pub(super) fn line(&self) -> String {
        let (endpoint, currency) = (shown::line(&self.endpoint, 80), &self.currency);
        let most = |amount: Decimal| {
            if amount < self.max {
                format!(", and never more than {} {currency}", self.max)
            } else {
                String::new()
            }
        };
        match self.quote {
            Quote::Exact(amount) if amount.is_zero() => {
                format!("{endpoint} is free by its manifest")
            }
            Quote::Exact(amount) => {
                let most = most(amount);
                format!("{endpoint} costs {amount} {currency} by its manifest{most}")
            }
            Quote::UpTo(amount) => {
                let most = most(amount);
                format!("{endpoint} costs at most {amount} {currency} by its manifest{most}")
            }
            Quote::Within => format!(
                "{endpoint} costs {} to {} {currency} by its manifest; the seller tells how much",
                self.min, self.max
            ),
        }
    }

    /// That an option costs more than the rule of the manifest says, though it is within its bounds.
    pub(super) fn note(&self, choice: &Choice) -> Option<String> {
        let (Quote::Exact(quoted) | Quote::UpTo(quoted)) = self.quote else {
            return None;
        };
        let asset = choice.asset();
        let asked: Decimal = choice.amount().to_decimal(asset.decimals).parse().ok()?;
        (asked > quoted).then(|| {
            format!(
                "note: the seller asks for {asked} {}, more than the {quoted} {} that its own rule gives, and within its bounds",
                asset.symbol, self.currency
            )
        })
    }

    pub(super) fn to_json(&self) -> Value {
        let (kind, amount) = match self.quote {
            Quote::Exact(amount) => ("exact", Some(amount)),
            Quote::UpTo(amount) => ("up-to", Some(amount)),
            Quote::Within => ("within", None),
        };
        json!({
            "endpoint": self.endpoint,
            "kind": kind,
            "amount": amount.map(|amount| amount.to_string()),
            "currency": self.currency,
            "min": self.min.to_string(),
            "max": self.max.to_string(),
            "content_hash": self.content_hash,
            "revision": self.revision,
            "warnings": self.warnings,
        })
    }
}

fn kinds_of(pin: &Pin) -> Vec<EvmKind> {
    match (pin.scheme.as_str(), pin.transfer.as_str()) {
        ("upto", _) => vec![EvmKind::Permit2Upto],
        (_, "eip3009") => vec![EvmKind::Eip3009Exact],
        (_, "permit2") => vec![EvmKind::Permit2Exact],
        _ => vec![EvmKind::Eip3009Exact, EvmKind::Permit2Exact],
    }
}

/// The last look before a signature: what is signed is what the manifest promises.
pub(super) struct Guard(pub(super) Arc<Contract>);

impl PaymentHook for Guard {
    fn before_sign<'a>(
        &'a self,
        _: Proposal<'a>,
        choice: &'a Choice,
    ) -> Pinned<Box<dyn Future<Output = Result<(), Declined>> + Send + 'a>> {
        let admitted = self.0.admits(choice);
        Box::pin(async move {
            if admitted {
                Ok(())
            } else {
                Err(Declined::new(Breach::OverBound.code()))
            }
        })
    }
}
