//! The key that pays: any signer, never shown, asked once per call.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use alloy_primitives::{Address, B256, keccak256};
use alloy_signer::Signer;
use alloy_signer_local::PrivateKeySigner;
use x402_model::evm::{EvmPayload, Signature};
use zeroize::Zeroizing;

use crate::select::Choice;

mod file;
mod identity;
mod nonce;
mod unsigned;
mod view;

pub use file::{WalletError, read_secret_file};
pub(crate) use nonce::{CallFingerprint, derived_nonce};
pub use nonce::{NonceSource, OsNonces};
pub(crate) use unsigned::Unsigned;

/// A payer: its address, a signer, and optionally a secret salt for derived nonces. Cloning shares the signer.
///
/// `Debug` shows the address only. Key bytes that this crate reads are wiped after use.
#[derive(Clone)]
pub struct Wallet {
    signer: Arc<dyn Signer + Send + Sync>,
    address: Address,
    salt: Option<Arc<Zeroizing<[u8; 32]>>>,
}

/// The signer did not produce a usable signature. Nothing was sent, so no seller can charge.
///
/// The signer's own error text is not kept: key services put credentials and paths into theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The signer refused or failed.
    #[error("the signer refused or failed")]
    Signer,
    /// The signer did not answer within the deadline of a send. The budget stays charged: it may still sign.
    #[error("the signer did not answer in time")]
    Timeout,
    /// The signature is not by the wallet's address; tokens would refuse it.
    #[error("the signer's signature is not by the wallet's address")]
    WrongKey,
    /// The operating system gave no randomness for the nonce.
    #[error("no randomness for a nonce")]
    NoRandomness,
    /// An idempotency key was given, but the wallet has no salt to derive the nonce from.
    #[error("an idempotency key needs a wallet with a salt: see Wallet::with_salt")]
    NoSalt,
    /// The authorization cannot be written as a payment header.
    #[error("the payment cannot be encoded")]
    Encoding,
}

impl Wallet {
    /// A wallet on any signer: a local key, a ledger, a key service.
    ///
    /// It has no salt; give it one with [`Wallet::with_salt`] to use idempotency keys.
    pub fn from_signer(signer: impl Signer + Send + Sync + 'static) -> Self {
        let address = signer.address();
        Self {
            signer: Arc::new(signer),
            address,
            salt: None,
        }
    }

    /// A wallet on a local key. The salt for derived nonces comes from the key.
    pub fn from_local_key(key: PrivateKeySigner) -> Self {
        let bytes = Zeroizing::new(key.to_bytes().0);
        let mut seed = Zeroizing::new(b"x402-client/nonce-salt/1".to_vec());
        seed.extend_from_slice(bytes.as_slice());
        let salt = keccak256(seed.as_slice()).0;
        Self::from_signer(key).with_salt(salt)
    }

    /// A wallet on the key in a file: 64 hex digits, `0x` allowed, surrounding blanks ignored.
    ///
    /// # Errors
    /// [`WalletError`] if the file is not a plain file, can be read by others than its owner (on Unix: any mode
    /// beyond `0600`), or does not hold a key.
    pub fn from_key_file(path: impl AsRef<Path>) -> Result<Self, WalletError> {
        file::read_key(path.as_ref()).map(Self::from_local_key)
    }

    /// A wallet on an encrypted keystore (Web3 secret storage, version 3) whose password is in another file. The
    /// password ends at the first line break.
    ///
    /// Deriving the key takes a second or so by design.
    ///
    /// # Errors
    /// [`WalletError`] if the password file can be read by others than its owner, the password is empty, or the
    /// keystore cannot be opened with it.
    pub fn from_keystore(
        keystore: impl AsRef<Path>,
        password_file: impl AsRef<Path>,
    ) -> Result<Self, WalletError> {
        file::open_keystore(keystore.as_ref(), password_file.as_ref()).map(Self::from_local_key)
    }

    /// A wallet on an encrypted keystore and its password, for a password that a person typed.
    ///
    /// # Errors
    /// [`WalletError`] if the password is empty or the keystore cannot be opened with it.
    pub fn from_keystore_with_password(
        keystore: impl AsRef<Path>,
        password: impl AsRef<[u8]>,
    ) -> Result<Self, WalletError> {
        file::decrypt(keystore.as_ref(), password.as_ref()).map(Self::from_local_key)
    }

    /// The address of a payer without its key: it can [`crate::RequestBuilder::ask`] what a call costs and
    /// [`crate::Client::resume`] payments that were signed elsewhere. It never signs: a call that has to be paid ends
    /// with [`SigningError::Signer`].
    pub fn view_only(address: Address) -> Self {
        Self::from_signer(view::NoSigner(address))
    }

    /// Sets the secret from which nonces of calls with an idempotency key are derived. Keep it across restarts: the
    /// same call then yields the same nonce, so that even a crash cannot make it pay twice. Whoever knows it
    /// can link payments, no more.
    #[must_use]
    pub fn with_salt(self, salt: [u8; 32]) -> Self {
        Self {
            salt: Some(Arc::new(Zeroizing::new(salt))),
            ..self
        }
    }

    /// The paying address.
    pub const fn address(&self) -> Address {
        self.address
    }

    pub(crate) const fn has_salt(&self) -> bool {
        self.salt.is_some()
    }

    /// The nonce of a call with an idempotency key.
    pub(crate) fn derive_nonce(
        &self,
        key: &str,
        call: &CallFingerprint,
        choice: &Choice,
    ) -> Result<B256, SigningError> {
        let salt = self.salt.as_ref().ok_or(SigningError::NoSalt)?;
        Ok(derived_nonce(salt, self.address, key, call, choice))
    }

    /// The authorization that pays `choice`, ready to be signed.
    pub(crate) fn unsigned(&self, choice: &Choice, nonce: B256, now_seconds: u64) -> Unsigned {
        Unsigned::new(self.address, choice, nonce, now_seconds)
    }

    /// Signs a payment, once.
    pub(crate) async fn sign(&self, unsigned: Unsigned) -> Result<EvmPayload, SigningError> {
        let signature = self.sign_digest(unsigned.digest()).await?;
        Ok(unsigned.with(signature))
    }

    /// Signs a digest. The signature is checked against the address and normalised to low-s with `v` 27 or 28, which
    /// is what contracts accept.
    pub(crate) async fn sign_digest(&self, digest: B256) -> Result<Signature, SigningError> {
        let signature = self
            .signer
            .sign_hash(&digest)
            .await
            .map_err(|_| SigningError::Signer)?;
        let signature = signature.normalized_s();
        let signed_by = signature
            .recover_address_from_prehash(&digest)
            .map_err(|_| SigningError::WrongKey)?;
        if signed_by != self.address {
            return Err(SigningError::WrongKey);
        }
        Signature::new(signature.as_bytes().to_vec()).map_err(|_| SigningError::Encoding)
    }
}

/// End of an authorization signed at `now_seconds`.
pub(crate) const fn valid_before(choice: &Choice, now_seconds: u64) -> u64 {
    now_seconds.saturating_add(choice.validity)
}

impl From<PrivateKeySigner> for Wallet {
    fn from(key: PrivateKeySigner) -> Self {
        Self::from_local_key(key)
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
