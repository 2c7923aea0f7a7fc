//! Recovers who signed a digest, with libsecp256k1.

use alloy_primitives::{Address, B256};
use secp256k1::Message;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use x402_model::evm::{EcdsaParts, Signature};

/// The account whose key made a 65-byte signature; `None` for any other form.
///
/// Like the reference, it accepts the malleable high-`s` twin and a recovery byte of 0 or 1: tokens refuse those, so
/// the simulation does too.
pub(crate) fn recover(digest: B256, signature: &Signature) -> Option<Address> {
    recover_parts(digest, &signature.split()?)
}

/// The account whose key made a signature that is in parts already.
pub(crate) fn recover_parts(digest: B256, parts: &EcdsaParts) -> Option<Address> {
    let mut compact = [0_u8; 64];
    let (r, s) = compact.split_first_chunk_mut::<32>()?;
    r.copy_from_slice(parts.r.as_slice());
    s.copy_from_slice(parts.s.as_slice());
    let id = RecoveryId::from_u8_masked(u8::from(parts.y_parity));
    let signature = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = signature
        .recover_ecdsa(Message::from_digest(digest.0))
        .ok()?;
    let point = key.serialize_uncompressed();
    let (_, coordinates) = point.split_first()?;
    Some(Address::from_raw_public_key(coordinates))
}
