//! Tokens: their addresses, what a payment in them needs, and the table of well-known dollar tokens.

mod address;
mod builtin;
mod table;

use std::borrow::Cow;

use alloy_primitives::Address;

use crate::money::{AtomicAmount, Decimal, MoneyError};
use crate::network::Network;

pub(crate) use address::is_checksum;
pub use address::{AddressError, checksum, parse_address};
pub use table::{AssetError, AssetTable};

pub(crate) use builtin::known_symbols;

/// How a token moves from buyer to seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferMethod {
    /// The token itself takes signed transfers (EIP-3009 `transferWithAuthorization`).
    Eip3009,
    /// The token is moved by the Permit2 contract, which any token can be once it is approved there.
    Permit2,
}

impl TransferMethod {
    /// The name in `extra.assetTransferMethod` of payment terms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eip3009 => "eip3009",
            Self::Permit2 => "permit2",
        }
    }

    /// The method with a name of payment terms; `None` for every other, such as `erc7710`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "eip3009" => Some(Self::Eip3009),
            "permit2" => Some(Self::Permit2),
            _ => None,
        }
    }
}

/// Name and version of a token's EIP-712 domain, exactly as its contract hashes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Eip712Name {
    /// `name` of the domain, such as `USD Coin`.
    pub name: Cow<'static, str>,
    /// `version` of the domain, such as `2`.
    pub version: Cow<'static, str>,
}

/// One token on one EVM chain.
///
/// ```
/// use x402_model::asset::AssetTable;
/// use x402_model::network::Network;
///
/// let table = AssetTable::builtin();
/// let usdc = table.by_symbol(&Network::BASE, "usdc").ok_or("no USDC")?;
/// assert_eq!(usdc.decimals, 6);
/// assert_eq!(usdc.to_atomic("0.01".parse()?)?.to_string(), "10000");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asset {
    /// Chain the token lives on.
    pub network: Network,
    /// Contract address.
    pub address: Address,
    /// Name in price strings, compared without regard to case.
    pub symbol: Cow<'static, str>,
    /// Decimal places of one token.
    pub decimals: u8,
    /// EIP-712 domain of the token, where it has one.
    pub eip712: Option<Eip712Name>,
    /// How payments move the token, unless terms say otherwise.
    pub transfer: TransferMethod,
    /// Whether Permit2 may be approved by a signature (EIP-2612 `permit`) instead of a transaction.
    pub eip2612: bool,
    /// Whether one token stands for one US dollar, so that a price in `USD` may be paid with it.
    pub usd_pegged: bool,
}

impl Asset {
    /// An exact amount of this token in atomic units.
    ///
    /// # Errors
    /// [`MoneyError`] if the token has fewer decimals than the amount, or the amount is too large.
    pub fn to_atomic(&self, amount: Decimal) -> Result<AtomicAmount, MoneyError> {
        amount.to_atomic(self.decimals)
    }

    /// The EIP-712 domain that payment terms carry in `extra`: none for tokens that are only ever approved by a
    /// transaction, since nothing is signed against the token then.
    #[must_use]
    pub const fn signing_domain(&self) -> Option<&Eip712Name> {
        if self.takes(TransferMethod::Eip3009) || self.eip2612 {
            self.eip712.as_ref()
        } else {
            None
        }
    }

    /// Whether the token can be moved this way. Through Permit2 every token can.
    ///
    /// ```
    /// use x402_model::asset::{AssetTable, TransferMethod};
    /// use x402_model::network::Network;
    /// let table = AssetTable::builtin();
    /// let dai = table.by_symbol(&Network::ETHEREUM, "DAI").ok_or("no DAI")?;
    /// assert!(dai.takes(TransferMethod::Permit2) && !dai.takes(TransferMethod::Eip3009));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub const fn takes(&self, method: TransferMethod) -> bool {
        match method {
            TransferMethod::Permit2 => true,
            TransferMethod::Eip3009 => matches!(self.transfer, TransferMethod::Eip3009),
        }
    }
}
