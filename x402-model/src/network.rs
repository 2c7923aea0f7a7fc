//! CAIP-2 network names, the short names of x402 version 1, and patterns over them.

mod known;
mod parse;

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use parse::NetworkError;

/// A network as CAIP-2 names it: `eip155:8453`, `solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp`.
///
/// Text and serde form are the CAIP-2 name; [`Self::parse_any`] also reads the names people use in settings
/// (`base-sepolia`).
///
/// ```
/// use x402_model::network::Network;
///
/// let network: Network = "eip155:84532".parse()?;
/// assert_eq!(network, Network::BASE_SEPOLIA);
/// assert_eq!(network.short_name(), Some("base-sepolia"));
/// assert!(network.matches("eip155:*"));
/// # Ok::<(), x402_model::network::NetworkError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// An EVM chain by its EIP-155 chain id.
    Eip155(u64),
    /// Any other CAIP-2 name, in full. Values made by parsing are valid; do not put other text here.
    Other(Box<str>),
}

impl Network {
    /// Ethereum mainnet.
    pub const ETHEREUM: Self = Self::Eip155(1);
    /// Sepolia, the test network of Ethereum.
    pub const SEPOLIA: Self = Self::Eip155(11_155_111);
    /// Base mainnet.
    pub const BASE: Self = Self::Eip155(8453);
    /// Base Sepolia, the test network of Base.
    pub const BASE_SEPOLIA: Self = Self::Eip155(84_532);
    /// Polygon mainnet.
    pub const POLYGON: Self = Self::Eip155(137);
    /// Polygon Amoy, the test network of Polygon.
    pub const POLYGON_AMOY: Self = Self::Eip155(80_002);
    /// Avalanche C-Chain.
    pub const AVALANCHE: Self = Self::Eip155(43_114);
    /// Avalanche Fuji, the test network of Avalanche. It has no built-in asset.
    pub const AVALANCHE_FUJI: Self = Self::Eip155(43_113);
    /// Arbitrum One.
    pub const ARBITRUM: Self = Self::Eip155(42_161);
    /// Arbitrum Sepolia.
    pub const ARBITRUM_SEPOLIA: Self = Self::Eip155(421_614);
    /// Celo mainnet.
    pub const CELO: Self = Self::Eip155(42_220);
    /// Monad mainnet.
    pub const MONAD: Self = Self::Eip155(143);
    /// Sei mainnet.
    pub const SEI: Self = Self::Eip155(1329);

    /// An EVM chain by its EIP-155 chain id.
    #[must_use]
    pub const fn evm(chain_id: u64) -> Self {
        Self::Eip155(chain_id)
    }

    /// The EIP-155 chain id, or `None` for networks that are not EVM chains.
    #[must_use]
    pub const fn chain_id(&self) -> Option<u64> {
        match self {
            Self::Eip155(chain_id) => Some(*chain_id),
            Self::Other(_) => None,
        }
    }

    /// Whether the network's money is play money; `None` if this crate does not know the network.
    #[must_use]
    pub fn is_testnet(&self) -> Option<bool> {
        known::find(self).map(|known| known.testnet)
    }

    /// What people call the network ("Base Sepolia"), if this crate knows it.
    #[must_use]
    pub fn title(&self) -> Option<&'static str> {
        known::find(self).map(|known| known.title)
    }

    /// The name on the wire of x402 version 1, if the protocol gave it one.
    #[must_use]
    pub fn short_name(&self) -> Option<&'static str> {
        known::find(self)
            .filter(|known| known.v1)
            .map(|known| known.name)
    }

    /// The network with this version 1 name. Names are compared exactly.
    #[must_use]
    pub fn from_short_name(name: &str) -> Option<Self> {
        known::ALL
            .iter()
            .find(|known| known.v1 && known.name == name)
            .map(known::Known::network)
    }

    /// The short name used in settings and messages (`base`, `arbitrum-sepolia`): the version 1 name where there is one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        known::find(self).map(|known| known.name)
    }

    /// Reads a CAIP-2 name or a short name.
    ///
    /// # Errors
    /// [`NetworkError`], with a suggestion if a known name is near.
    ///
    /// ```
    /// # use x402_model::network::Network;
    /// assert_eq!(Network::parse_any("base"), Network::parse_any("eip155:8453"));
    /// let wrong = Network::parse_any("base-seplia").unwrap_err().to_string();
    /// assert!(wrong.contains("base-sepolia"), "{wrong}");
    /// ```
    pub fn parse_any(text: &str) -> Result<Self, NetworkError> {
        parse::parse_any(text)
    }

    /// Whether the CAIP-2 name fits `pattern`, in which only `*` is special: any run of characters.
    ///
    /// ```
    /// # use x402_model::network::Network;
    /// assert!(Network::BASE.matches("eip155:*"));
    /// assert!(Network::BASE.matches("*"));
    /// assert!(!Network::BASE.matches("eip155:845?"));
    /// ```
    #[must_use]
    pub fn matches(&self, pattern: &str) -> bool {
        parse::glob(pattern, &self.to_string())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eip155(chain_id) => write!(f, "eip155:{chain_id}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl core::str::FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        parse::parse_caip2(text)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NetworkVisitor)
    }
}

/// Reads networks from CAIP-2 strings.
struct NetworkVisitor;

impl de::Visitor<'_> for NetworkVisitor {
    type Value = Network;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CAIP-2 network name such as eip155:8453")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Network, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests;
