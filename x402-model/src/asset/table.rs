//! The set of tokens a seller or buyer knows: the built-in ones and its own.

use alloy_primitives::Address;

use super::builtin::ROWS;
use super::{Asset, TransferMethod};
use crate::network::Network;
use crate::price::{PriceUnit, is_symbol};

/// Most decimals of a token: ten to that power must fit 256 bits.
const MAX_DECIMALS: u8 = 77;

/// A token that cannot be added to an [`AssetTable`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// The symbol breaks the grammar of price strings.
    #[error(
        "{symbol:?} is no asset symbol: write a letter and up to 15 letters, digits, `.` or `-`"
    )]
    Symbol {
        /// The symbol given.
        symbol: String,
    },
    /// The symbol is `USD`, which stands for any accepted dollar token.
    #[error(
        "an asset cannot be called USD: prices in USD may be paid with any accepted dollar token"
    )]
    ReservedSymbol,
    /// The network is not an EVM chain.
    #[error("{network} is not an EVM chain: assets need an `eip155` network")]
    NotEvm {
        /// The network given.
        network: String,
    },
    /// More decimals than a 256-bit amount can carry.
    #[error("{decimals} decimals are too many: a token has at most 77")]
    Decimals {
        /// The decimals given.
        decimals: u8,
    },
    /// The address is zero.
    #[error("the zero address is no token")]
    ZeroAddress,
    /// Payments in the token are signed against its EIP-712 domain, which is missing or has an empty part.
    #[error(
        "{symbol} is paid by signature: give the EIP-712 name and version that its contract uses"
    )]
    MissingDomain {
        /// The symbol given.
        symbol: String,
    },
    /// The table already holds this address or symbol on this network.
    #[error(
        "{network} already has {symbol} ({address}): each symbol and each address stands once per network"
    )]
    Duplicate {
        /// Network of both tokens.
        network: String,
        /// Symbol of the token already there.
        symbol: String,
        /// Address of the token already there.
        address: String,
    },
}

/// The tokens known on each network, in order of preference.
///
/// ```
/// use x402_model::asset::AssetTable;
/// use x402_model::network::Network;
///
/// let table = AssetTable::builtin();
/// let default = table.default_for(&Network::CELO).map(|asset| asset.symbol.as_ref());
/// assert_eq!(default, Some("USDC"));
/// assert!(table.default_for(&Network::AVALANCHE_FUJI).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetTable {
    assets: Vec<Asset>,
}

impl AssetTable {
    /// The well-known dollar tokens of the x402 ecosystem, and DAI and WETH where their addresses are certain.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            assets: ROWS.iter().map(super::builtin::Row::asset).collect(),
        }
    }

    /// No tokens at all, for sellers who list their own.
    #[must_use]
    pub const fn empty() -> Self {
        Self { assets: Vec::new() }
    }

    /// Adds a token after those already there.
    ///
    /// # Errors
    /// [`AssetError`] if the token is incomplete or already there.
    pub fn with_asset(mut self, asset: Asset) -> Result<Self, AssetError> {
        check(&asset)?;
        let same = |other: &&Asset| {
            other.network == asset.network
                && (other.address == asset.address
                    || other.symbol.eq_ignore_ascii_case(&asset.symbol))
        };
        if let Some(other) = self.assets.iter().find(same) {
            return Err(AssetError::Duplicate {
                network: other.network.to_string(),
                symbol: other.symbol.to_string(),
                address: super::checksum(other.address),
            });
        }
        self.assets.push(asset);
        Ok(self)
    }

    /// The token at an address.
    #[must_use]
    pub fn get(&self, network: &Network, address: Address) -> Option<&Asset> {
        self.on(network).find(|asset| asset.address == address)
    }

    /// The token with a symbol, without regard to case.
    #[must_use]
    pub fn by_symbol(&self, network: &Network, symbol: &str) -> Option<&Asset> {
        self.on(network)
            .find(|asset| asset.symbol.eq_ignore_ascii_case(symbol))
    }

    /// The token that a chain prefers: its first in the table.
    #[must_use]
    pub fn default_for(&self, network: &Network) -> Option<&Asset> {
        self.on(network).next()
    }

    /// The token that pays a price in `unit`: for `USD` the chain's first dollar token, else the one with the symbol.
    #[must_use]
    pub fn for_unit(&self, network: &Network, unit: &PriceUnit) -> Option<&Asset> {
        match unit {
            PriceUnit::Usd => self.on(network).find(|asset| asset.usd_pegged),
            PriceUnit::Symbol(symbol) => self.by_symbol(network, symbol),
        }
    }

    /// All tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Asset> {
        self.assets.iter()
    }

    /// The tokens of one network, in order.
    pub fn on<'a>(&'a self, network: &Network) -> impl Iterator<Item = &'a Asset> + use<'a> {
        let network = network.clone();
        self.assets
            .iter()
            .filter(move |asset| asset.network == network)
    }

    /// Each symbol once, in table order.
    #[must_use]
    pub fn known_symbols(&self) -> Vec<&str> {
        let mut symbols: Vec<&str> = Vec::new();
        for asset in &self.assets {
            if !symbols
                .iter()
                .any(|symbol| symbol.eq_ignore_ascii_case(&asset.symbol))
            {
                symbols.push(&asset.symbol);
            }
        }
        symbols
    }
}

fn check(asset: &Asset) -> Result<(), AssetError> {
    let symbol = || asset.symbol.to_string();
    if !is_symbol(&asset.symbol) {
        return Err(AssetError::Symbol { symbol: symbol() });
    }
    if asset.symbol.eq_ignore_ascii_case("USD") {
        return Err(AssetError::ReservedSymbol);
    }
    if asset.network.chain_id().is_none() {
        return Err(AssetError::NotEvm {
            network: asset.network.to_string(),
        });
    }
    if asset.decimals > MAX_DECIMALS {
        return Err(AssetError::Decimals {
            decimals: asset.decimals,
        });
    }
    if asset.address.is_zero() {
        return Err(AssetError::ZeroAddress);
    }
    let signed = asset.takes(TransferMethod::Eip3009) || asset.eip2612;
    let complete =
        |domain: &super::Eip712Name| !domain.name.is_empty() && !domain.version.is_empty();
    if signed && !asset.eip712.as_ref().is_some_and(complete) {
        return Err(AssetError::MissingDomain { symbol: symbol() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
