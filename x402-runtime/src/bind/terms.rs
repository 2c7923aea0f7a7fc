//! One way to pay for an endpoint: what is offered, and what a payment is checked against.

use alloy_primitives::Address;
use serde_json::{Map, Value};
use x402_model::asset::{Asset, TransferMethod, checksum, parse_address};
use x402_model::evm::{DomainSeparator, Eip712Domain, EvmKind, facilitator_address, permit2};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::{Offered, PaymentRequirements, RawJson};

/// The scheme of offers at a price: exactly this amount, signed by the payer.
pub(crate) const SCHEME: &str = "exact";

/// The scheme of offers at a metered price: up to this amount, signed by the payer for one facilitator.
pub(crate) const METERED: &str = "upto";

/// The terms of one rail: an entry of `accepts`, with its values in typed form.
#[derive(Debug, Clone)]
pub struct Terms {
    kind: EvmKind,
    asset: Asset,
    amount: AtomicAmount,
    pay_to: Address,
    max_timeout_seconds: u64,
    separator: DomainSeparator,
    offered: Offered,
    requirements: RawJson,
}

impl Terms {
    /// The member of `extra` that says by which of several metered prices they are metered: from when on it holds, Unix seconds.
    pub(super) const SINCE: &str = "x402Since";

    /// What that member says; 0 if it is not there.
    pub(crate) fn since(&self) -> u64 {
        let view = self.offered.view();
        let said = view.and_then(|view| view.extra.get(Self::SINCE)?.as_u64());
        said.unwrap_or_default()
    }

    /// Terms of scheme `exact` for a token of an EVM chain, by the way in which it is paid; `None` for any other.
    pub(super) fn new(
        asset: Asset,
        amount: AtomicAmount,
        pay_to: Address,
        max_timeout_seconds: u64,
    ) -> Option<Self> {
        let mut extra = Map::new();
        if asset.transfer == TransferMethod::Permit2 {
            extra.extend([permit2_member()]);
        }
        Self::with(SCHEME, asset, amount, pay_to, max_timeout_seconds, extra)
    }

    /// Terms of scheme `upto`, which `facilitator` may settle; `None` for a token of another chain than an EVM's.
    pub(super) fn metered(
        asset: Asset,
        ceiling: AtomicAmount,
        pay_to: Address,
        max_timeout_seconds: u64,
        facilitator: Address,
    ) -> Option<Self> {
        let named = (
            "facilitatorAddress".to_owned(),
            checksum(facilitator).into(),
        );
        let extra = Map::from_iter([permit2_member(), named]);
        Self::with(METERED, asset, ceiling, pay_to, max_timeout_seconds, extra)
    }

    fn with(
        scheme: &str,
        asset: Asset,
        amount: AtomicAmount,
        pay_to: Address,
        max_timeout_seconds: u64,
        mut extra: Map<String, Value>,
    ) -> Option<Self> {
        if let Some(domain) = asset.signing_domain() {
            extra.insert("name".to_owned(), Value::from(domain.name.as_ref()));
            extra.insert("version".to_owned(), Value::from(domain.version.as_ref()));
        }
        let kind = EvmKind::of_terms(scheme, &extra).ok()?;
        let separator = separator(&asset, kind, &extra)?;
        let offered = Offered::new(PaymentRequirements {
            scheme: scheme.to_owned(),
            network: asset.network.to_string(),
            amount: amount.to_string(),
            asset: checksum(asset.address),
            pay_to: checksum(pay_to),
            max_timeout_seconds,
            extra,
        });
        Some(Self {
            kind,
            asset,
            amount,
            pay_to,
            max_timeout_seconds,
            separator,
            requirements: offered.raw().into(),
            offered,
        })
    }

    /// The same terms with one more member of `extra`, for the text of the 402.
    pub(crate) fn with_extra(&self, name: &str, value: impl Into<Value>) -> Self {
        let Some(view) = self.offered.view() else {
            return self.clone();
        };
        let mut told = view.clone();
        told.extra.insert(name.to_owned(), value.into());
        let offered = Offered::new(told);
        Self {
            requirements: offered.raw().into(),
            offered,
            ..self.clone()
        }
    }

    /// Terms that were offered earlier, read back from the ledger; `None` if they are no offer in one of the
    /// tokens accepted now.
    pub(crate) fn of_earlier(offered: Offered, assets: &[Asset]) -> Option<Self> {
        let view = offered.view()?;
        let network: Network = view.network.parse().ok()?;
        let address = parse_address(&view.asset).ok()?;
        let kind = EvmKind::of_terms(&view.scheme, &view.extra).ok()?;
        // A token that is accepted in several ways stands there once for each.
        let mut same = assets
            .iter()
            .filter(|asset| asset.network == network && asset.address == address);
        let first = same.clone().next()?;
        let way = same.find(|asset| asset.transfer == kind.method());
        let asset = way.unwrap_or(first).clone();
        let amount: AtomicAmount = view.amount.parse().ok()?;
        let pay_to = parse_address(&view.pay_to).ok()?;
        let separator = separator(&asset, kind, &view.extra)?;
        let max_timeout_seconds = view.max_timeout_seconds;
        Some(Self {
            kind,
            asset,
            amount,
            pay_to,
            max_timeout_seconds,
            separator,
            requirements: offered.raw().into(),
            offered,
        })
    }

    /// The way in which it is paid.
    #[must_use]
    pub const fn kind(&self) -> EvmKind {
        self.kind
    }

    /// The token.
    #[must_use]
    pub const fn asset(&self) -> &Asset {
        &self.asset
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.asset.network
    }

    /// The account that may settle a payment of scheme `upto`; none for other schemes.
    #[must_use]
    pub fn facilitator(&self) -> Option<Address> {
        let view = self.offered.view()?;
        let named = (self.kind == EvmKind::Permit2Upto).then(|| facilitator_address(&view.extra));
        named?.ok()
    }

    /// The price in atomic units of the token; of a metered one the most that a buyer signs.
    #[must_use]
    pub const fn amount(&self) -> AtomicAmount {
        self.amount
    }

    /// Who is paid.
    #[must_use]
    pub const fn pay_to(&self) -> Address {
        self.pay_to
    }

    /// How long a payment may be valid, in seconds.
    #[must_use]
    pub const fn max_timeout_seconds(&self) -> u64 {
        self.max_timeout_seconds
    }

    /// The entry of `accepts`.
    #[must_use]
    pub const fn offered(&self) -> &Offered {
        &self.offered
    }

    /// The text of that entry, shared by everything that keeps it.
    pub(crate) const fn requirements(&self) -> &RawJson {
        &self.requirements
    }

    /// The separator of the EIP-712 domain in which it is signed, the token's or Permit2's, computed once.
    #[must_use]
    pub const fn separator(&self) -> &DomainSeparator {
        &self.separator
    }
}

fn permit2_member() -> (String, Value) {
    let method = TransferMethod::Permit2.as_str();
    ("assetTransferMethod".to_owned(), method.into())
}

fn separator(asset: &Asset, kind: EvmKind, extra: &Map<String, Value>) -> Option<DomainSeparator> {
    if kind != EvmKind::Eip3009Exact {
        return asset.network.chain_id().map(permit2::separator);
    }
    let text = |key: &str| extra.get(key).and_then(Value::as_str);
    let (name, version) = (text("name")?, text("version")?);
    let domain = Eip712Domain {
        name: name.to_owned(),
        version: version.to_owned(),
        chain_id: asset.network.chain_id()?,
        verifying_contract: asset.address,
    };
    Some(domain.separator())
}
