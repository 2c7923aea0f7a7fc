//! Payment signatures as bytes: bounded, redacted, and split into ECDSA parts when they have that form.

use core::fmt;

use alloy_primitives::{B256, Bytes, U256, hex, uint};

use super::address::{HexError, read_bytes};

/// The longest signature accepted, in bytes. Contract wallets send a few hundred; ERC-6492 wrappers a few thousand.
pub const MAX_SIGNATURE_BYTES: usize = 8 * 1024;

/// Half the order of secp256k1: the largest `s` that tokens accept (EIP-2).
const HALF_ORDER: U256 =
    uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// A payment signature: 1 to [`MAX_SIGNATURE_BYTES`] bytes.
///
/// A signature is a bearer secret until it is settled, so `Debug` shows only its length and there is no `Display`.
/// Use [`Signature::to_hex`] where it has to go on the wire.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Signature(Bytes);

/// Why bytes or text are not a [`Signature`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// No bytes at all.
    #[error("signature is empty")]
    Empty,
    /// More than [`MAX_SIGNATURE_BYTES`].
    #[error("signature is longer than {MAX_SIGNATURE_BYTES} bytes")]
    TooLong,
    /// Not `0x` followed by an even number of hex digits.
    #[error("signature is not 0x-prefixed hex")]
    NotHex,
}

/// The parts of a 65-byte ECDSA signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EcdsaParts {
    /// The `r` value.
    pub r: B256,
    /// The `s` value.
    pub s: B256,
    /// The recovery bit: `true` for `v` 1 and 28.
    pub y_parity: bool,
}

impl fmt::Debug for EcdsaParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcdsaParts(<redacted>)")
    }
}

impl EcdsaParts {
    /// `v` as Solidity expects it: 27 or 28.
    #[must_use]
    pub const fn v(&self) -> u8 {
        if self.y_parity { 28 } else { 27 }
    }

    /// Whether `s` is in the lower half of the curve order. Tokens refuse the upper half.
    #[must_use]
    pub fn is_low_s(&self) -> bool {
        U256::from_be_bytes(self.s.0) <= HALF_ORDER
    }
}

impl Signature {
    /// Takes signature bytes.
    ///
    /// # Errors
    /// [`SignatureError::Empty`] or [`SignatureError::TooLong`].
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, SignatureError> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(SignatureError::Empty),
            len if len > MAX_SIGNATURE_BYTES => Err(SignatureError::TooLong),
            _ => Ok(Self(bytes)),
        }
    }

    /// Puts ECDSA parts together, with `v` as 27 or 28.
    #[must_use]
    pub fn from_parts(parts: &EcdsaParts) -> Self {
        let mut bytes = Vec::with_capacity(65);
        bytes.extend_from_slice(parts.r.as_slice());
        bytes.extend_from_slice(parts.s.as_slice());
        bytes.push(parts.v());
        Self(bytes.into())
    }

    /// Reads `0x`-prefixed hex in any letter case.
    ///
    /// # Errors
    /// A [`SignatureError`] that names what is wrong.
    ///
    /// ```
    /// use x402_model::evm::{Signature, SignatureError};
    /// assert_eq!(Signature::parse("0xABcd").map(|s| s.to_hex()), Ok("0xabcd".to_owned()));
    /// assert_eq!(Signature::parse("abcd"), Err(SignatureError::NotHex));
    /// assert_eq!(Signature::parse("0x"), Err(SignatureError::Empty));
    /// ```
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        match read_bytes(text, MAX_SIGNATURE_BYTES) {
            Ok(bytes) => Self::new(bytes),
            Err(HexError::TooLong) => Err(SignatureError::TooLong),
            Err(HexError::NotHex) => Err(SignatureError::NotHex),
        }
    }

    /// The bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, shared without copying.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// `0x`-prefixed lower-case hex, for the wire only.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode_prefixed(&self.0)
    }

    /// Splits a 65-byte signature into `r`, `s` and the recovery bit. `v` may be 0, 1, 27 or 28.
    ///
    /// `None` for every other form (64-byte compact ones included), which only a contract wallet can check.
    #[must_use]
    pub fn split(&self) -> Option<EcdsaParts> {
        let bytes: &[u8; 65] = self.as_bytes().try_into().ok()?;
        let (r, rest) = bytes.split_first_chunk::<32>()?;
        let (s, v) = rest.split_first_chunk::<32>()?;
        let y_parity = match v {
            [0 | 27] => false,
            [1 | 28] => true,
            _ => return None,
        };
        Some(EcdsaParts {
            r: B256::from(*r),
            s: B256::from(*s),
            y_parity,
        })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature(<{} bytes redacted>)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sixty_five(v: u8) -> Signature {
        let mut bytes = vec![0x11; 32];
        bytes.extend([0x22; 32]);
        bytes.push(v);
        Signature::new(bytes).unwrap()
    }

    #[test]
    fn splits_every_spelling_of_the_recovery_bit_and_nothing_else() {
        for (v, parity) in [(0, false), (1, true), (27, false), (28, true)] {
            let parts = sixty_five(v).split().unwrap();
            assert_eq!(
                (parts.r, parts.s, parts.y_parity),
                (B256::repeat_byte(0x11), B256::repeat_byte(0x22), parity)
            );
            assert_eq!(Signature::from_parts(&parts), sixty_five(parts.v()));
        }
        for v in [2, 26, 29, 255] {
            assert!(sixty_five(v).split().is_none());
        }
        assert!(Signature::new(vec![1; 64]).unwrap().split().is_none());
        assert!(Signature::new(vec![1; 66]).unwrap().split().is_none());
    }

    #[test]
    fn knows_high_s() {
        let low = EcdsaParts {
            r: B256::ZERO,
            s: B256::from(HALF_ORDER),
            y_parity: false,
        };
        let high = EcdsaParts {
            s: B256::from(HALF_ORDER + U256::from(1)),
            ..low
        };
        assert!(low.is_low_s() && !high.is_low_s());
    }

    #[test]
    fn debug_shows_no_signature_byte() {
        let text = format!("{:?} {:?}", sixty_five(27), sixty_five(27).split());
        assert!(!text.contains("11") && !text.contains("22"), "{text}");
    }

    #[test]
    fn length_is_bounded_both_ways() {
        assert_eq!(Signature::new(Vec::new()), Err(SignatureError::Empty));
        assert!(Signature::new(vec![0; MAX_SIGNATURE_BYTES]).is_ok());
        assert_eq!(
            Signature::new(vec![0; MAX_SIGNATURE_BYTES + 1]),
            Err(SignatureError::TooLong)
        );
        assert_eq!(Signature::parse("0xabc"), Err(SignatureError::NotHex));
        assert_eq!(Signature::parse("0x0x"), Err(SignatureError::NotHex));
        assert_eq!(Signature::parse("0xé0"), Err(SignatureError::NotHex));
    }
}
