//! ERC-6492: signatures of contract wallets that are not deployed yet.

use alloy_primitives::{Address, B256, Bytes, U256, b256};

use super::signature::{Signature, SignatureError};

/// The 32 bytes that end every ERC-6492 wrapped signature.
pub const MAGIC: B256 = b256!("0x6492649264926492649264926492649264926492649264926492649264926492");

const WORD: usize = 32;

/// An unwrapped ERC-6492 signature: how to deploy the wallet, and the signature for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erc6492 {
    /// The contract that deploys the wallet. Zero means "nothing to deploy".
    pub factory: Address,
    /// The call to the factory.
    pub calldata: Bytes,
    /// The signature the deployed wallet checks (ERC-1271).
    pub signature: Signature,
}

/// Why a signature that ends in the ERC-6492 magic cannot be unwrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Erc6492Error {
    /// The part before the magic is not the ABI encoding of `(address, bytes, bytes)`.
    #[error("ERC-6492 wrapper is not well-formed ABI data")]
    Abi,
    /// The inner signature is empty or too long.
    #[error("ERC-6492 inner {0}")]
    Inner(SignatureError),
}

impl Signature {
    /// Whether the signature ends in the ERC-6492 magic.
    #[must_use]
    pub fn is_erc6492(&self) -> bool {
        self.as_bytes().ends_with(MAGIC.as_slice())
    }

    /// Unwraps an ERC-6492 signature; `Ok(None)` when it is not one. One layer only.
    ///
    /// # Errors
    /// [`Erc6492Error`] when the magic is there but the wrapper is not well-formed.
    pub fn unwrap_erc6492(&self) -> Result<Option<Erc6492>, Erc6492Error> {
        match self.as_bytes().strip_suffix(MAGIC.as_slice()) {
            None => Ok(None),
            Some(body) => decode(body).map(Some),
        }
    }
}

impl Erc6492 {
    /// Wraps the parts again, as a wallet that is not deployed yet would.
    ///
    /// # Errors
    /// [`SignatureError::TooLong`] when the result exceeds [`super::MAX_SIGNATURE_BYTES`].
    pub fn wrap(&self) -> Result<Signature, SignatureError> {
        let calldata_offset = 3 * WORD;
        let signature_offset = calldata_offset + WORD + padded(self.calldata.len());
        let mut out = Vec::new();
        out.extend_from_slice(self.factory.into_word().as_slice());
        out.extend_from_slice(&U256::from(calldata_offset).to_be_bytes::<32>());
        out.extend_from_slice(&U256::from(signature_offset).to_be_bytes::<32>());
        push_bytes(&mut out, &self.calldata);
        push_bytes(&mut out, self.signature.as_bytes());
        out.extend_from_slice(MAGIC.as_slice());
        Signature::new(out)
    }
}

const fn padded(len: usize) -> usize {
    len.div_ceil(WORD) * WORD
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&U256::from(bytes.len()).to_be_bytes::<32>());
    out.extend_from_slice(bytes);
    out.resize(out.len() + padded(bytes.len()) - bytes.len(), 0);
}

fn decode(body: &[u8]) -> Result<Erc6492, Erc6492Error> {
    let factory = word(body, 0).ok_or(Erc6492Error::Abi)?;
    let (padding, address) = factory.split_first_chunk::<12>().ok_or(Erc6492Error::Abi)?;
    let address: &[u8; 20] = address.try_into().map_err(|_| Erc6492Error::Abi)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Erc6492Error::Abi);
    }
    let calldata = dynamic_bytes(body, WORD).ok_or(Erc6492Error::Abi)?;
    let signature = dynamic_bytes(body, 2 * WORD).ok_or(Erc6492Error::Abi)?;
    Ok(Erc6492 {
        factory: Address::from(*address),
        calldata: Bytes::copy_from_slice(calldata),
        signature: Signature::new(Bytes::copy_from_slice(signature))
            .map_err(Erc6492Error::Inner)?,
    })
}

fn word(body: &[u8], at: usize) -> Option<&[u8; WORD]> {
    body.get(at..)?.first_chunk::<WORD>()
}

/// A length or offset word as `usize`, if it fits.
fn small(body: &[u8], at: usize) -> Option<usize> {
    usize::try_from(U256::from_be_bytes(*word(body, at)?)).ok()
}

/// The `bytes` member whose offset word stands at `head`. Every step is checked against the real length.
fn dynamic_bytes(body: &[u8], head: usize) -> Option<&[u8]> {
    let at = small(body, head)?;
    // Data that overlaps the head is not something an ABI encoder produces.
    if at < 3 * WORD {
        return None;
    }
    let len = small(body, at)?;
    let start = at.checked_add(WORD)?;
    body.get(start..start.checked_add(len)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped() -> Erc6492 {
        Erc6492 {
            factory: Address::repeat_byte(0xfa),
            calldata: Bytes::from_static(&[1, 2, 3]),
            signature: Signature::new(vec![9; 65]).unwrap(),
        }
    }

    #[test]
    fn wraps_and_unwraps() {
        let outer = wrapped().wrap().unwrap();
        assert!(outer.is_erc6492());
        assert_eq!(outer.unwrap_erc6492(), Ok(Some(wrapped())));
        assert_eq!(wrapped().signature.unwrap_erc6492(), Ok(None));
    }

    #[test]
    fn every_truncation_and_every_bad_offset_is_refused_without_panicking() {
        let outer = wrapped().wrap().unwrap();
        let body = outer.as_bytes().strip_suffix(MAGIC.as_slice()).unwrap();
        for cut in 0..body.len() {
            let mut short = body[..cut].to_vec();
            short.extend_from_slice(MAGIC.as_slice());
            let result = Signature::new(short).unwrap().unwrap_erc6492();
            // Only padding of the last member may be missing.
            assert!(result.is_err() || cut >= body.len() - 31, "{cut}");
        }
        for at in [31, 32, 63, 64, 95, 96, 127] {
            for value in [0xff, 0x01] {
                let mut bad = outer.as_bytes().to_vec();
                bad[at] = value;
                let _ = Signature::new(bad).unwrap().unwrap_erc6492();
            }
        }
        let mut dirty = outer.as_bytes().to_vec();
        dirty[0] = 1;
        assert_eq!(
            Signature::new(dirty).unwrap().unwrap_erc6492(),
            Err(Erc6492Error::Abi)
        );
    }

    #[test]
    fn the_magic_alone_is_refused() {
        let bare = Signature::new(MAGIC.to_vec()).unwrap();
        assert_eq!(bare.unwrap_erc6492(), Err(Erc6492Error::Abi));
    }
}
