//! Signatures of sign-in messages, checked in this process.

use alloy_primitives::{Address, B256};
use x402_model::evm::Signature;
use x402_model::extension::siwx::SignatureType;

use crate::verify::recover;

/// Whether signatures of this kind can be checked in this build.
pub(super) const fn can_verify(kind: SignatureType) -> bool {
    match kind {
        SignatureType::Eip191 => true,
        // The library that rustls brings along does it, and it comes with the feature `http`.
        SignatureType::Ed25519 => cfg!(feature = "http"),
    }
}

/// Whether the account's own key signed. Any form of its signature does: no token has to accept it.
pub(super) fn signed_by(hash: B256, signature: &Signature, address: Address) -> bool {
    let parts = signature.split();
    parts.and_then(|parts| recover(hash, &parts)) == Some(address)
}

/// Points of small order. Their "signatures" can be made without a key, so they are nobody's account.
#[cfg(feature = "http")]
const SMALL_ORDER: [&str; 7] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[cfg(feature = "http")]
pub(super) fn signed_by_ed25519(key: &[u8; 32], text: &[u8], signature: &[u8; 64]) -> bool {
    use alloy_primitives::hex;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    // The last bit is a sign, and a point of small order with either is one.
    let mut unsigned = *key;
    if let Some(last) = unsigned.last_mut() {
        *last &= 0x7f;
    }
    let unsigned = hex::encode(unsigned);
    !SMALL_ORDER.contains(&unsigned.as_str())
        && UnparsedPublicKey::new(&ED25519, key)
            .verify(text, signature)
            .is_ok()
}

#[cfg(not(feature = "http"))]
pub(super) fn signed_by_ed25519(_: &[u8; 32], _: &[u8], _: &[u8; 64]) -> bool {
    false
}
