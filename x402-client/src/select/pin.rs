//! Ways to pay that the buyer knows of before it calls.

use alloy_primitives::Address;
use x402_model::asset::parse_address;
use x402_model::network::Network;

use super::{Choice, Refusal};

/// One way to pay that the buyer knows of, such as from a seller's document: what is paid in, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Payment scheme, such as `exact`.
    pub scheme: String,
    /// Network of the token.
    pub network: Network,
    /// Token contract.
    pub asset: Address,
    /// Who is paid; `None` for anybody.
    pub pay_to: Option<Address>,
}

impl Pin {
    /// What a document says in texts; `None` if it is nothing that this client could pay. An address is the same in any case, so
    /// checksums are not looked at.
    ///
    /// ```
    /// use x402_client::select::Pin;
    /// let token = "0x036cbd53842c5426634e7929541ec2318f3dcf7e";
    /// assert!(Pin::parse("exact", "eip155:84532", token, None).is_some());
    /// assert!(Pin::parse("exact", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU", None).is_none());
    /// ```
    pub fn parse(scheme: &str, network: &str, asset: &str, pay_to: Option<&str>) -> Option<Self> {
        let address = |text: &str| parse_address(&text.to_ascii_lowercase()).ok();
        let pay_to = match pay_to {
            Some(payee) => Some(address(payee)?),
            None => None,
        };
        Some(Self {
            scheme: scheme.to_owned(),
            network: Network::parse_any(network).ok()?,
            asset: address(asset)?,
            pay_to,
        })
    }
}

/// Refuses what is paid in another way than the known ones. A payee is good for the way that it is known for, and no other.
pub(super) fn check(pins: &[Pin], scheme: &str, choice: &Choice) -> Result<(), Refusal> {
    let asset = &choice.asset;
    let mut known = pins
        .iter()
        .filter(|pin| {
            pin.scheme == scheme && pin.network == asset.network && pin.asset == asset.address
        })
        .peekable();
    if known.peek().is_none() {
        return Err(Refusal::RailUnexpected);
    }
    if known.any(|pin| pin.pay_to.is_none_or(|payee| payee == choice.pay_to)) {
        return Ok(());
    }
    Err(Refusal::PayeeUnexpected)
}
