//! Rails: on which network, and in which token, a seller accepts money.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::Address;
use x402_model::asset::{Asset, AssetTable, TransferMethod, checksum, parse_address};
use x402_model::network::Network;

use crate::facilitator::TokenFacts;

/// One network and token in which payments are accepted, and how the token moves: written `base:USDC` or `eip155:8453:USDC`, with
/// an address in place of the symbol, and with `/permit2` or `/eip3009` behind it for another way than the token's own.
///
/// ```
/// use x402_runtime::model::network::Network;
/// use x402_runtime::paywall::Rail;
/// let rail = Rail::new(Network::BASE, "USDC");
/// assert_eq!(rail.to_string(), "base:USDC");
/// assert_eq!(rail, Rail::parse("eip155:8453:usdc")?);
/// // The same token once more, through Permit2: a rail of its own.
/// assert_eq!(rail.permit2(), Rail::parse("base:USDC/permit2")?);
/// # Ok::<(), x402_runtime::paywall::RailError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rail {
    network: Network,
    token: Token,
    /// How the token moves, if that was said.
    method: Option<TransferMethod>,
    /// What to call the token, instead of what its contract says.
    symbol: Option<String>,
    usd_pegged: bool,
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
    /// The way after `/` is none.
    #[error(
        "`{rail}` is not a rail: `{method}` is no way to move a token; write `/eip3009` or `/permit2`"
    )]
    Method {
        /// The text.
        rail: String,
        /// What stands after `/`.
        method: String,
    },
}

impl Rail {
    const fn of(network: Network, token: Token) -> Self {
        Self {
            network,
            token,
            method: None,
            symbol: None,
            usd_pegged: false,
        }
    }

    /// The token with this symbol in the built-in table. Whether there is one is checked by
    /// [`build`](super::PaywallBuilder::build).
    #[must_use]
    pub fn new(network: Network, symbol: &str) -> Self {
        Self::of(network, Token::Symbol(symbol.to_owned()))
    }

    /// The token at this address. What the built-in table does not say of it (decimals, symbol, EIP-712 name and version, how it
    /// moves) is read from the chain at the start, which takes a facilitator that can read it; with any other, describe
    /// the token by [`Rail::custom`].
    ///
    /// ```
    /// use x402_runtime::model::asset::parse_address;
    /// use x402_runtime::model::network::Network;
    /// use x402_runtime::paywall::Rail;
    /// let eurc = parse_address("0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42")?;
    /// let rail = Rail::at(Network::BASE, eurc);
    /// assert_eq!(rail.to_string(), "base:0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42");
    /// # Ok::<(), x402_runtime::model::asset::AddressError>(())
    /// ```
    #[must_use]
    pub const fn at(network: Network, address: Address) -> Self {
        Self::of(network, Token::Address(address))
    }

    /// A token that is not in the built-in table. Its `eip712` may be `None` where the facilitator can read the chain.
    #[must_use]
    pub fn custom(asset: Asset) -> Self {
        Self::of(asset.network.clone(), Token::Custom(Box::new(asset)))
    }

    /// The token moved this way, instead of its own. One token may be accepted both ways: buyers see the rails in the order in
    /// which they were accepted.
    #[must_use]
    pub const fn by(mut self, method: TransferMethod) -> Self {
        self.method = Some(method);
        self
    }

    /// The token moved by the Permit2 contract, which takes every token.
    #[must_use]
    pub const fn permit2(self) -> Self {
        self.by(TransferMethod::Permit2)
    }

    /// The token moved by its own signed transfers.
    #[must_use]
    pub const fn eip3009(self) -> Self {
        self.by(TransferMethod::Eip3009)
    }

    /// The name of the token in price strings, for a token [by address](Self::at) whose own symbol cannot be written there.
    #[must_use]
    pub fn called(mut self, symbol: impl Into<String>) -> Self {
        self.symbol = Some(symbol.into());
        self
    }

    /// Vouches that one token stands for one US dollar, for a token [by address](Self::at): no contract says that. Prices in `USD`
    /// may then be paid with it.
    #[must_use]
    pub const fn usd_pegged(mut self) -> Self {
        self.usd_pegged = true;
        self
    }

    /// The token that the built-in table lists first for a network; `None` if it lists none.
    #[must_use]
    pub fn default_of(network: &Network) -> Option<Self> {
        let table = AssetTable::builtin();
        table
            .default_for(network)
            .map(|asset| Self::new(network.clone(), &asset.symbol))
    }

    /// Reads `network:token` or `network:token/method`: the network by CAIP-2 or short name, the token by symbol or address, the
    /// method `eip3009` or `permit2`.
    ///
    /// # Errors
    /// [`RailError`] when the text is not of this form or its network is unknown.
    pub fn parse(text: &str) -> Result<Self, RailError> {
        let (token, method) = match text.split_once('/') {
            None => (text, None),
            Some((token, name)) => {
                let method = TransferMethod::from_name(name).ok_or_else(|| RailError::Method {
                    rail: text.to_owned(),
                    method: name.to_owned(),
                })?;
                (token, Some(method))
            }
        };
        let (network, token) = token
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
        Ok(Self {
            method,
            ..Self::of(network, token)
        })
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The token's address; `None` for a symbol that the table does not list.
    pub(crate) fn address(&self, table: &AssetTable) -> Option<Address> {
        match &self.token {
            Token::Symbol(symbol) => Some(table.by_symbol(&self.network, symbol)?.address),
            Token::Address(address) => Some(*address),
            Token::Custom(asset) => Some(asset.address),
        }
    }

    /// The token's facts; `None` if neither the seller nor the table says them.
    pub(crate) fn resolve(&self, table: &AssetTable) -> Option<Asset> {
        let asset = match &self.token {
            Token::Symbol(symbol) => table.by_symbol(&self.network, symbol).cloned(),
            Token::Address(address) => table.get(&self.network, *address).cloned(),
            Token::Custom(asset) => Some((**asset).clone()),
        };
        asset.map(|asset| self.adjust(asset))
    }

    /// The token as its contract describes it; `Err` says what is missing.
    pub(crate) fn described(
        &self,
        address: Address,
        facts: &TokenFacts,
    ) -> Result<Asset, &'static str> {
        let symbol = self.symbol.as_ref().or(facts.symbol.as_ref());
        let symbol = symbol.ok_or("its contract tells no symbol: add `.called(\"…\")`")?;
        let decimals = facts.decimals.ok_or(
            "its contract tells no decimals, so it may be no token; if it is one, describe it with `Rail::custom(Asset { … })`",
        )?;
        let signs = facts.eip3009 && facts.eip712.is_some();
        Ok(self.adjust(Asset {
            network: self.network.clone(),
            address,
            symbol: symbol.clone().into(),
            decimals,
            eip712: facts.eip712.clone(),
            transfer: if signs {
                TransferMethod::Eip3009
            } else {
                TransferMethod::Permit2
            },
            eip2612: facts.eip2612 && facts.eip712.is_some(),
            usd_pegged: false,
        }))
    }

    /// What the seller says goes over everything else.
    fn adjust(&self, asset: Asset) -> Asset {
        Asset {
            transfer: self.method.unwrap_or(asset.transfer),
            usd_pegged: asset.usd_pegged || self.usd_pegged,
            symbol: match &self.symbol {
                Some(symbol) => symbol.clone().into(),
                None => asset.symbol,
            },
            ..asset
        }
    }

    /// Whether this rail's text means `asset`. A text that names no method means the token however it moves.
    pub(crate) fn names(&self, asset: &Asset) -> bool {
        self.network == asset.network
            && self.method.is_none_or(|method| method == asset.transfer)
            && match &self.token {
                Token::Symbol(symbol) => asset.symbol.eq_ignore_ascii_case(symbol),
                Token::Address(address) => asset.address == *address,
                Token::Custom(custom) => asset.address == custom.address,
            }
    }
}

/// The text by which an asset is accepted. It names the method where that is not the one of the built-in table.
pub(crate) fn rail_id(asset: &Asset) -> String {
    let rail = Rail::new(asset.network.clone(), &asset.symbol);
    let table = AssetTable::builtin();
    match table.get(&asset.network, asset.address) {
        Some(own) if own.transfer != asset.transfer => rail.by(asset.transfer).to_string(),
        _ => rail.to_string(),
    }
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
        }?;
        match self.method {
            Some(method) => write!(f, "/{}", method.as_str()),
            None => Ok(()),
        }
    }
}

impl FromStr for Rail {
    type Err = RailError;

    fn from_str(text: &str) -> Result<Self, RailError> {
        Self::parse(text)
    }
}
