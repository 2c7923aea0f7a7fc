//! Rails: on which network, and in which token, a seller accepts money.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::Address;
use x402_model::asset::{Asset, AssetTable, checksum, parse_address};
use x402_model::network::Network;

/// One network and token in which payments are accepted, written `base:USDC` or `eip155:8453:USDC`.
///
/// ```
/// use x402_runtime::model::network::Network;
/// use x402_runtime::paywall::Rail;
/// let rail = Rail::new(Network::BASE, "USDC");
/// assert_eq!(rail.to_string(), "base:USDC");
/// assert_eq!(rail, Rail::parse("eip155:8453:usdc")?);
/// # Ok::<(), x402_runtime::paywall::RailError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rail {
    network: Network,
    token: Token,
}

#[derive(Debug, Clone)]
enum Token {
    Symbol(String),
    Address(Address),
    Custom(Box<Asset>),
}

/// Why a rail's text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RailError {
    /// There is no `:` between network and token.
    #[error(
        "`{0}` is not a rail: write network and token, such as `base:USDC` or `eip155:8453:USDC`"
    )]
    Form(String),
    /// The network is not known.
    #[error("`{rail}` is not a rail: {reason}")]
    Network {
        /// The text.
        rail: String,
        /// What is wrong with its network.
        reason: String,
    },
    /// The token is an address that cannot be read.
    #[error("`{rail}` is not a rail: {reason}")]
    Token {
        /// The text.
        rail: String,
        /// What is wrong with its address.
        reason: String,
    },
}

impl Rail {
    /// The token with this symbol in the built-in table. Whether there is one is checked by
    /// [`build`](super::PaywallBuilder::build).
    #[must_use]
    pub fn new(network: Network, symbol: &str) -> Self {
        Self {
            network,
            token: Token::Symbol(symbol.to_owned()),
        }
    }

    /// A token that is not in the built-in table.
    #[must_use]
    pub fn custom(asset: Asset) -> Self {
        Self {
            network: asset.network.clone(),
            token: Token::Custom(Box::new(asset)),
        }
    }

    /// The token that the built-in table lists first for a network; `None` if it lists none.
    #[must_use]
    pub fn default_of(network: &Network) -> Option<Self> {
        let table = AssetTable::builtin();
        table
            .default_for(network)
            .map(|asset| Self::new(network.clone(), &asset.symbol))
    }

    /// Reads `network:token`: the network by CAIP-2 or short name, the token by symbol or address.
    ///
    /// # Errors
    /// [`RailError`] when the text is not of this form or its network is unknown.
    pub fn parse(text: &str) -> Result<Self, RailError> {
        let (network, token) = text
            .rsplit_once(':')
            .ok_or_else(|| RailError::Form(text.to_owned()))?;
        if token.is_empty() {
            return Err(RailError::Form(text.to_owned()));
        }
        let network = Network::parse_any(network).map_err(|error| RailError::Network {
            rail: text.to_owned(),
            reason: error.to_string(),
        })?;
        let token = if token.starts_with("0x") {
            let address = parse_address(token).map_err(|error| RailError::Token {
                rail: text.to_owned(),
                reason: error.to_string(),
            })?;
            Token::Address(address)
        } else {
            Token::Symbol(token.to_owned())
        };
        Ok(Self { network, token })
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The token's facts; `None` if the table does not list it.
    pub(crate) fn resolve(&self, table: &AssetTable) -> Option<Asset> {
        match &self.token {
            Token::Symbol(symbol) => table.by_symbol(&self.network, symbol).cloned(),
            Token::Address(address) => table.get(&self.network, *address).cloned(),
            Token::Custom(asset) => Some((**asset).clone()),
        }
    }

    /// Whether the token is one the table cannot know, so that the seller vouches for it.
    pub(crate) const fn is_custom(&self) -> bool {
        matches!(self.token, Token::Custom(_))
    }

    /// Whether this rail's text means `asset`.
    pub(crate) fn names(&self, asset: &Asset) -> bool {
        self.network == asset.network
            && match &self.token {
                Token::Symbol(symbol) => asset.symbol.eq_ignore_ascii_case(symbol),
                Token::Address(address) => asset.address == *address,
                Token::Custom(custom) => asset.address == custom.address,
            }
    }
}

/// The text by which an asset is accepted.
pub(crate) fn rail_id(asset: &Asset) -> String {
    Rail::new(asset.network.clone(), &asset.symbol).to_string()
}

impl PartialEq for Rail {
    fn eq(&self, other: &Self) -> bool {
        self.to_string().eq_ignore_ascii_case(&other.to_string())
    }
}

impl Eq for Rail {}

impl fmt::Display for Rail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network.name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "{}", self.network)?,
        }
        match &self.token {
            Token::Symbol(symbol) => write!(f, ":{symbol}"),
            Token::Address(address) => write!(f, ":{}", checksum(*address)),
            Token::Custom(asset) => write!(f, ":{}", asset.symbol),
        }
    }
}

impl FromStr for Rail {
    type Err = RailError;

    fn from_str(text: &str) -> Result<Self, RailError> {
        Self::parse(text)
    }
}
