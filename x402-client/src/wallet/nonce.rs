//! Nonces: random for one-off calls, derived for calls that must not pay twice even after a crash.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Keccak256, keccak256};
use rand::TryRng;
use rand::rngs::SysRng;
use x402_model::asset::TransferMethod;

use super::SigningError;
use crate::select::Choice;

/// Where random nonces come from. The default is the operating system.
pub trait NonceSource: Send + Sync + 'static {
    /// 32 bytes that nobody can guess and that never repeat.
    ///
    /// # Errors
    /// [`SigningError::NoRandomness`] if there are none; the call then fails unpaid.
    fn nonce(&self) -> Result<B256, SigningError>;
}

impl<N: NonceSource + ?Sized> NonceSource for Arc<N> {
    fn nonce(&self) -> Result<B256, SigningError> {
        (**self).nonce()
    }
}

/// Nonces from the operating system's random generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsNonces;

impl NonceSource for OsNonces {
    fn nonce(&self) -> Result<B256, SigningError> {
        let mut nonce = B256::ZERO;
        SysRng
            .try_fill_bytes(nonce.as_mut_slice())
            .map_err(|_| SigningError::NoRandomness)?;
        Ok(nonce)
    }
}

/// What a call asks for, whatever it costs.
pub(crate) struct CallFingerprint(B256);

impl CallFingerprint {
    pub(crate) fn new(method: &str, url: &str, body: &[u8]) -> Self {
        let mut hash = Keccak256::new();
        part(&mut hash, method.as_bytes());
        part(&mut hash, url.as_bytes());
        hash.update(keccak256(body));
        Self(hash.finalize())
    }
}

/// `H(salt, payer, idempotency key, call, terms)`. Every part of variable length carries its length, so no two
/// inputs run together.
pub(crate) fn derived_nonce(
    salt: &[u8; 32],
    payer: Address,
    key: &str,
    call: &CallFingerprint,
    choice: &Choice,
) -> B256 {
    let mut hash = Keccak256::new();
    hash.update(b"x402-client/derived-nonce/1");
    hash.update(salt);
    hash.update(payer);
    part(&mut hash, key.as_bytes());
    hash.update(call.0);
    hash.update(choice.chain_id.to_be_bytes());
    hash.update(choice.asset.address);
    hash.update(choice.pay_to);
    hash.update(choice.amount.get().to_be_bytes::<32>());
    // A token and Permit2 count nonces apart: the same number in both would be two payments that look like one. Both
    // schemes of Permit2 share its nonces, so that at most one of them can be used.
    if choice.kind().method() == TransferMethod::Permit2 {
        hash.update(b"permit2");
    }
    hash.finalize()
}

/// `H(salt, payer, idempotency key, call)`: whatever the call costs by now, it is the same purchase.
pub(crate) fn derived_purchase(
    salt: &[u8; 32],
    payer: Address,
    key: &str,
    call: &CallFingerprint,
) -> B256 {
    let mut hash = Keccak256::new();
    hash.update(b"x402-client/derived-purchase/1");
    hash.update(salt);
    hash.update(payer);
    part(&mut hash, key.as_bytes());
    hash.update(call.0);
    hash.finalize()
}

fn part(hash: &mut Keccak256, bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    hash.update(length.to_be_bytes());
    hash.update(bytes);
}
