//! The key of the account that sends settlements and pays their gas.

use std::fmt;
use std::path::{Path, PathBuf};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use x402_model::evm::{Signature, is_development_account};
use zeroize::Zeroizing;

use crate::manifest::{ManifestSigner, SigningFailed};
use crate::secret::{self, SecretFileError};

/// Why a key could not be had. Names the file or variable, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read, or others can read it too.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The environment variable is not set, or is not text.
    #[error("environment variable {0} is not set to text")]
    Environment(String),
    /// The text is not a private key.
    #[error("{0} does not hold a private key of 64 hex digits")]
    NotAKey(String),
    /// The keystore is damaged or the password is wrong.
    #[error("{path} cannot be decrypted: wrong password, or not a keystore", path = path.display())]
    Keystore {
        /// Which keystore.
        path: PathBuf,
    },
}

/// The settling account's private key. `Debug` shows the address only, and the key is wiped from memory on drop.
#[derive(Clone)]
pub struct SettlerKey {
    signer: PrivateKeySigner,
}

impl SettlerKey {
    /// Reads a private key (64 hex digits, `0x` optional) from a file that only its owner may read.
    ///
    /// # Errors
    /// A [`KeyError`]; on Unix, a file with any permission for group or others is refused.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text = secret::read(path)?;
        Self::from_hex(&text).ok_or_else(|| KeyError::NotAKey(path.display().to_string()))
    }

    /// Reads a private key (64 hex digits, `0x` optional) from an environment variable.
    ///
    /// # Errors
    /// A [`KeyError`].
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        let text =
            std::env::var(variable).map_err(|_| KeyError::Environment(variable.to_owned()))?;
        Self::from_hex(&Zeroizing::new(text)).ok_or_else(|| KeyError::NotAKey(variable.to_owned()))
    }

    /// Decrypts a Web3 Secret Storage (version 3) keystore with the password in another file. A line break at the
    /// password's end is not part of it.
    ///
    /// Deriving the key takes a second or so on purpose; do it at start-up.
    ///
    /// # Errors
    /// A [`KeyError`]; on Unix, both files must be readable by their owner only.
    pub fn from_keystore(
        path: impl AsRef<Path>,
        password_file: impl AsRef<Path>,
    ) -> Result<Self, KeyError> {
        let path = path.as_ref();
        // Read once for its checks of size and permissions; the library opens the file by itself.
        drop(secret::read(path)?);
        let password = secret::read(password_file.as_ref())?;
        let password = password.trim_end_matches(['\r', '\n']);
        PrivateKeySigner::decrypt_keystore(path, password)
            .map(Self::from_signer)
            .map_err(|_| KeyError::Keystore {
                path: path.to_owned(),
            })
    }

    /// Takes a key that is in memory already.
    #[must_use]
    pub const fn from_signer(signer: PrivateKeySigner) -> Self {
        Self { signer }
    }

    fn from_hex(text: &str) -> Option<Self> {
        let key = secret::key_bytes(text)?;
        PrivateKeySigner::from_slice(key.as_slice())
            .ok()
            .map(Self::from_signer)
    }

    /// The account.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.signer.address()
    }

    /// Whether this is one of the development keys that everybody knows. Such a key must never settle real money.
    #[must_use]
    pub fn is_well_known_dev_key(&self) -> bool {
        is_development_account(self.address())
    }

    /// Signs a transaction; returns its hash and its bytes for broadcasting.
    pub(crate) fn sign(&self, tx: TxEip1559) -> Option<(B256, Bytes)> {
        let signature = self.signer.sign_hash_sync(&tx.signature_hash()).ok()?;
        let signed = TxEnvelope::Eip1559(tx.into_signed(signature));
        Some((*signed.tx_hash(), signed.encoded_2718().into()))
    }
}

/// So that a key from a keystore can sign a manifest, too.
impl ManifestSigner for SettlerKey {
    fn address(&self) -> Address {
        self.signer.address()
    }

    fn sign(&self, digest: B256) -> Result<Signature, SigningFailed> {
        let signature = self.signer.sign_hash_sync(&digest);
        let bytes = signature.map_err(|_| SigningFailed)?.as_bytes().to_vec();
        Signature::new(bytes).map_err(|_| SigningFailed)
    }
}

impl fmt::Debug for SettlerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettlerKey")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
