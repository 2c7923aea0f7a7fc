//! What the buyer is willing to sign at all: assets, networks, validity, and the order of preference.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use x402_model::asset::{Asset, AssetError, AssetTable};
use x402_model::evm::EvmKind;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use super::Choice;
use crate::target::ResourceRule;

/// Longest validity that is signed unless configured otherwise, in seconds. Sellers of the reference packages ask
/// for 300.
pub const DEFAULT_VALIDITY_CAP: u64 = 300;

/// Which options may be signed, and which one first.
///
/// The default takes every asset of the built-in table on any network, by EIP-3009 or through Permit2, in the seller's
/// order, valid for at most [`DEFAULT_VALIDITY_CAP`] seconds, for the origin that was called.
///
/// Decimals, signing domain and dollar peg always come from this policy's table, never from the seller.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) assets: AssetTable,
    pub(crate) asset_caps: BTreeMap<(Network, Address), AtomicAmount>,
    pub(crate) networks: Vec<Network>,
    pub(crate) class: NetworkClass,
    pub(crate) kinds: Vec<EvmKind>,
    pub(crate) approvals: Approvals,
    pub(crate) preferred: Vec<Preference>,
    pub(crate) validity_cap: u64,
    pub(crate) resource: ResourceRule,
}

/// Which kind of money may be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkClass {
    /// Main and test networks.
    #[default]
    Any,
    /// Networks known to be test networks.
    TestOnly,
    /// Networks known to be main networks.
    MainOnly,
}

/// Which approvals of the Permit2 contract are signed along with a payment, where the seller sponsors their gas and a
/// [`ChainReader`](crate::chain::ChainReader) says that one is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approvals {
    /// None: approve Permit2 yourself.
    Never,
    /// EIP-2612 permits, which are for the amount of the payment and end with it.
    #[default]
    Permits,
    /// Permits, and for tokens without them a signed `approve` transaction, which the protocol wants to be without limit.
    /// Permit2 moves nothing without a signature of the payer, but an approval without limit stays (A14).
    Any,
}

/// One step in the buyer's order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preference {
    /// Any asset of a network.
    Network(Network),
    /// Any asset with this symbol, without regard to case.
    Symbol(String),
    /// One symbol on one network.
    Asset(Network, String),
    /// One way to pay, whatever the asset.
    Kind(EvmKind),
}

impl Preference {
    fn matches(&self, asset: &Asset, kind: EvmKind) -> bool {
        match self {
            Self::Kind(wanted) => *wanted == kind,
            Self::Network(network) => *network == asset.network,
            Self::Symbol(symbol) => symbol.eq_ignore_ascii_case(&asset.symbol),
            Self::Asset(network, symbol) => {
                *network == asset.network && symbol.eq_ignore_ascii_case(&asset.symbol)
            }
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(AssetTable::builtin())
    }
}

impl Policy {
    /// A policy that pays with the assets of `assets` and no others.
    pub fn new(assets: AssetTable) -> Self {
        Self {
            assets,
            asset_caps: BTreeMap::new(),
            networks: Vec::new(),
            class: NetworkClass::Any,
            kinds: Vec::new(),
            approvals: Approvals::default(),
            preferred: Vec::new(),
            validity_cap: DEFAULT_VALIDITY_CAP,
            resource: ResourceRule::SameOrigin,
        }
    }

    /// Allows one more asset. Its decimals, domain and peg are what **you** say they are; read them from the chain.
    ///
    /// # Errors
    /// [`AssetError`] if the asset is incomplete or already in the table.
    pub fn allow_asset(mut self, asset: Asset) -> Result<Self, AssetError> {
        self.assets = self.assets.with_asset(asset)?;
        Ok(self)
    }

    /// No single payment in this asset above `cap` atomic units, beside all ceilings of the budget.
    #[must_use]
    pub fn cap_asset(mut self, network: Network, asset: Address, cap: AtomicAmount) -> Self {
        self.asset_caps.insert((network, asset), cap);
        self
    }

    /// Only these networks. An empty list allows all that the other rules allow.
    ///
    /// Assets that are not pegged to the dollar are paid on listed networks only: the same symbol can stand for
    /// different money on different networks.
    #[must_use]
    pub fn networks(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.networks = networks.into_iter().collect();
        self
    }

    /// Only networks of one kind, besides [`Policy::networks`].
    #[must_use]
    pub const fn network_class(mut self, class: NetworkClass) -> Self {
        self.class = class;
        self
    }

    /// Only these ways to pay, for example no [`EvmKind::Permit2Upto`], under which the seller says afterwards how much of
    /// the amount it takes. An empty list allows all.
    ///
    /// ```
    /// use x402_client::{EvmKind, Policy};
    /// let fixed_prices = Policy::default().kinds([EvmKind::Eip3009Exact, EvmKind::Permit2Exact]);
    /// # drop(fixed_prices);
    /// ```
    #[must_use]
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = EvmKind>) -> Self {
        self.kinds = kinds.into_iter().collect();
        self
    }

    /// Which approvals of Permit2 are signed along with a payment.
    #[must_use]
    pub const fn approvals(mut self, approvals: Approvals) -> Self {
        self.approvals = approvals;
        self
    }

    /// The buyer's order: options that match an earlier preference are tried first; what matches none keeps the
    /// seller's order, last.
    #[must_use]
    pub fn prefer(mut self, preferences: impl IntoIterator<Item = Preference>) -> Self {
        self.preferred = preferences.into_iter().collect();
        self
    }

    /// Longest validity that is signed, in seconds. A signed authorization is a bearer instrument for that long;
    /// options that ask for more are refused.
    #[must_use]
    pub const fn validity_cap(mut self, seconds: u64) -> Self {
        self.validity_cap = seconds;
        self
    }

    /// How strictly the resource named in the terms must be the place that was called.
    #[must_use]
    pub const fn resource_rule(mut self, rule: ResourceRule) -> Self {
        self.resource = rule;
        self
    }

    pub(crate) fn allows_network(&self, network: &Network) -> bool {
        let class = match self.class {
            NetworkClass::Any => true,
            NetworkClass::TestOnly => network.is_testnet() == Some(true),
            NetworkClass::MainOnly => network.is_testnet() == Some(false),
        };
        class && (self.networks.is_empty() || self.networks.contains(network))
    }

    pub(crate) fn allows_kind(&self, kind: EvmKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Position in the order of preference; what matches nothing comes last.
    pub(crate) fn rank(&self, choice: &Choice) -> usize {
        self.preferred
            .iter()
            .position(|preference| preference.matches(&choice.asset, choice.kind()))
            .unwrap_or(self.preferred.len())
    }
}
