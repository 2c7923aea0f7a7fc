//! EVM addresses as people write them, with the EIP-55 checksum.

use std::cell::RefCell;

use alloy_primitives::{Address, AddressChecksumBuffer};

/// Hex digits of an address.
const HEX_DIGITS: usize = 40;
/// How many spellings a thread keeps.
const KEPT: usize = 32;

thread_local! {
    /// What was spelt lately, by the last byte of the address. A checksum takes a hash, and a seller spells few addresses again
    /// and again: who is paid in every payment, and who pays several times in each.
    static SPELT: RefCell<[Option<(Address, AddressChecksumBuffer)>; KEPT]> =
        const { RefCell::new([const { None }; KEPT]) };
}

/// An EVM address that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The text does not begin with `0x`.
    #[error("an address begins with `0x`")]
    Prefix,
    /// The text does not hold 40 hex digits after `0x`.
    #[error("an address has 40 hex digits after `0x`, but {found} characters were given")]
    Length {
        /// Characters found after the prefix.
        found: usize,
    },
    /// A character after the prefix is no hex digit.
    #[error("an address holds hex digits only, but character {position} is {character:?}")]
    NotHex {
        /// Place of the character in the text, counted from 1.
        position: usize,
        /// The character.
        character: char,
    },
    /// The letter case does not carry the EIP-55 checksum: a digit was probably mistyped.
    #[error(
        "the letter case is not the EIP-55 checksum of this address: a digit may be wrong; if you are sure of them, \
         write {expected}"
    )]
    Checksum {
        /// The same digits with the right checksum.
        expected: String,
    },
}

/// Reads an EVM address: `0x` and 40 hex digits.
///
/// Mixed case must be the EIP-55 checksum; all-lower and all-upper digits carry no checksum and are accepted.
///
/// # Errors
/// [`AddressError`], one variant per rule.
///
/// ```
/// use x402_model::asset::{checksum, parse_address};
///
/// let usdc = parse_address("0x036cbd53842c5426634e7929541ec2318f3dcf7e")?;
/// assert_eq!(checksum(usdc), "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
/// assert!(parse_address("0x036CBd53842c5426634e7929541eC2318f3dCF7e").is_err(), "a wrong checksum");
/// # Ok::<(), x402_model::asset::AddressError>(())
/// ```
pub fn parse_address(text: &str) -> Result<Address, AddressError> {
    let digits = text.strip_prefix("0x").ok_or(AddressError::Prefix)?;
    let found = digits.chars().count();
    if found != HEX_DIGITS {
        return Err(AddressError::Length { found });
    }
    let odd = digits
        .chars()
        .enumerate()
        .find(|(_, c)| !c.is_ascii_hexdigit());
    if let Some((at, character)) = odd {
        return Err(AddressError::NotHex {
            position: at.saturating_add(3),
            character,
        });
    }
    let address: Address = text.parse().map_err(|_| AddressError::Length { found })?;
    let one_case = !digits.bytes().any(|byte| byte.is_ascii_lowercase())
        || !digits.bytes().any(|byte| byte.is_ascii_uppercase());
    if one_case || is_checksum(address, text) {
        Ok(address)
    } else {
        Err(AddressError::Checksum {
            expected: checksum(address),
        })
    }
}

/// The address with its EIP-55 checksum: the form used on the wire and in messages.
#[must_use]
pub fn checksum(address: Address) -> String {
    spell(address, str::to_owned)
}

/// Whether a text is the address with its checksum.
pub(crate) fn is_checksum(address: Address, text: &str) -> bool {
    spell(address, |spelt| spelt == text)
}

fn spell<T>(address: Address, see: impl FnOnce(&str) -> T) -> T {
    SPELT.with_borrow_mut(|kept| {
        let place = address.last().map_or(0, |byte| usize::from(*byte) % KEPT);
        let Some(kept) = kept.get_mut(place) else {
            return see(&address.to_checksum(None));
        };
        let (_, text) = match kept {
            Some(kept) if kept.0 == address => kept,
            other => other.insert((address, address.to_checksum_buffer(None))),
        };
        see(text.as_str())
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::{AddressError, checksum, is_checksum, parse_address};

    #[test]
    fn checksums_of_the_eip_are_accepted_in_every_case() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(parse_address(text).map(checksum).as_deref(), Ok(text));
            let digits = text.trim_start_matches("0x");
            for one_case in [digits.to_ascii_lowercase(), digits.to_ascii_uppercase()] {
                assert_eq!(
                    parse_address(&format!("0x{one_case}"))
                        .map(checksum)
                        .as_deref(),
                    Ok(text)
                );
            }
        }
    }

    #[test]
    fn addresses_that_share_a_place_among_the_spellings_kept_do_not_mix() {
        let one = Address::repeat_byte(0xab);
        let mut other = Address::repeat_byte(0xcd);
        other.0[19] = 0xab;
        for address in [one, other, one, one, other] {
            assert_eq!(checksum(address), address.to_checksum(None));
            assert!(is_checksum(address, &address.to_checksum(None)));
        }
        assert!(!is_checksum(one, &other.to_checksum(None)));
    }

    #[test]
    fn each_mistake_has_its_own_error() {
        let digits = "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let read = |text: &str| parse_address(text).unwrap_err();
        for text in [
            "",
            digits,
            "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            " 0x00",
            "vitalik.eth",
        ] {
            assert_eq!(read(text), AddressError::Prefix, "{text}");
        }
        assert_eq!(read("0x"), AddressError::Length { found: 0 });
        assert_eq!(
            read(&format!("0x{digits}0")),
            AddressError::Length { found: 41 }
        );
        assert_eq!(
            read(&format!("0xg{}", &digits[1..])),
            AddressError::NotHex {
                position: 3,
                character: 'g'
            }
        );
        assert_eq!(
            read(&format!("0x{}\u{e9}", &digits[1..])),
            AddressError::NotHex {
                position: 42,
                character: '\u{e9}'
            }
        );
        let mistyped = format!("0x{}", digits.replace("aA", "Aa"));
        assert_eq!(
            read(&mistyped),
            AddressError::Checksum {
                expected: format!("0x{digits}")
            }
        );
    }
}
