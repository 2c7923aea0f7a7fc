//! Reads addresses and other fixed-width hex as buyers send them: any letter case, always `0x`-prefixed.

use alloy_primitives::{Address, B256, hex};

/// Reads a `0x`-prefixed 20-byte address in any letter case.
///
/// Buyers spell one address in many ways (lower case, upper case, a wrong checksum). All of them name the same
/// account, and a payment has to be recognised whichever way it is spelled, so this reader does not judge the
/// EIP-55 checksum. Configuration is read by [`crate::asset::parse_address`], which does.
///
/// ```
/// use x402_model::evm::address::read_address;
/// let lower = read_address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
/// let mixed = read_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// assert!(lower.is_some() && lower == mixed);
/// assert!(read_address("f39fd6e51aad88f6f4ce6ab8827279cfffb92266").is_none());
/// ```
#[must_use]
pub fn read_address(text: &str) -> Option<Address> {
    read_fixed::<20>(text).map(Address::from)
}

/// Reads a `0x`-prefixed 32-byte word in any letter case.
#[must_use]
pub fn read_word(text: &str) -> Option<B256> {
    read_fixed::<32>(text).map(B256::from)
}

fn read_fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x")?;
    // The hex decoder would itself tolerate another prefix; the length rules that out.
    if digits.len() != N * 2 {
        return None;
    }
    hex::decode_to_array(digits).ok()
}

/// Reads `0x`-prefixed hex of any even length up to `max` bytes.
pub(crate) fn read_bytes(text: &str, max: usize) -> Result<Vec<u8>, HexError> {
    let digits = text.strip_prefix("0x").ok_or(HexError::NotHex)?;
    if digits.len() / 2 > max {
        return Err(HexError::TooLong);
    }
    // The hex decoder would itself tolerate another prefix.
    if digits.starts_with("0x") {
        return Err(HexError::NotHex);
    }
    hex::decode(digits).map_err(|_| HexError::NotHex)
}

/// Why [`read_bytes`] refused a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HexError {
    NotHex,
    TooLong,
}
