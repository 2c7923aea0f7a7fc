//! The key of whoever signs a manifest, from a file that nobody but its owner may read.

use std::fmt;
use std::path::Path;

use alloy_primitives::{Address, B256};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use x402_model::evm::{EcdsaParts, Signature};
use zeroize::Zeroizing;

use super::signing::{ManifestSigner, SigningFailed};
use crate::secret::{self, SecretFileError};
use crate::verify::account;

/// Why a key could not be had. Names the file, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestKeyError {
    /// The file cannot be read, or others can read it too.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The text is not a private key.
    #[error("{0} does not hold a private key of 64 hex digits")]
    NotAKey(String),
}

/// A private key that signs manifests: that of the account which is paid, or of one that the service declares
/// ([`Service::signer`](super::Service::signer)). `Debug` shows the address only, and the key is wiped from memory on drop.
///
/// ```no_run
/// use x402_runtime::manifest::ManifestKey;
/// let key = ManifestKey::from_file("/etc/weather/manifest.key")?; // mode 0600
/// println!("signs as {}", key.address());
/// # Ok::<(), x402_runtime::manifest::ManifestKeyError>(())
/// ```
pub struct ManifestKey {
    bytes: Zeroizing<[u8; 32]>,
    address: Address,
}

impl ManifestKey {
    /// Reads a private key (64 hex digits, `0x` optional) from a file that only its owner may read.
    ///
    /// # Errors
    /// A [`ManifestKeyError`]; on Unix, a file with any permission for group or others is refused.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ManifestKeyError> {
        let path = path.as_ref();
        let text = secret::read(path)?;
        let key = secret::key_bytes(&text).and_then(Self::from_bytes);
        key.ok_or_else(|| ManifestKeyError::NotAKey(path.display().to_string()))
    }

    fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Option<Self> {
        let mut key = SecretKey::from_secret_bytes(*bytes).ok()?;
        let address = account(&key.public_key());
        key.non_secure_erase();
        Some(Self { bytes, address })
    }

    /// The account.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }
}

impl ManifestSigner for ManifestKey {
    fn address(&self) -> Address {
        self.address
    }

    fn sign(&self, digest: B256) -> Result<Signature, SigningFailed> {
        let mut key = SecretKey::from_secret_bytes(*self.bytes).map_err(|_| SigningFailed)?;
        let message = Message::from_digest(digest.0);
        let signature = RecoverableSignature::sign_ecdsa_recoverable(message, &key);
        key.non_secure_erase();
        let (id, compact) = signature.serialize_compact();
        let (r, s) = compact.split_at(32);
        Ok(Signature::from_parts(&EcdsaParts {
            r: B256::from_slice(r),
            s: B256::from_slice(s),
            y_parity: id.to_u8() == 1,
        }))
    }
}

impl fmt::Debug for ManifestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManifestKey")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, hex};

    use super::*;
    use crate::verify::recover;

    const KEY: &str = "0x4646464646464646464646464646464646464646464646464646464646464646";

    #[test]
    fn a_key_signs_as_its_account_and_is_never_shown() {
        let key = ManifestKey::from_bytes(secret::key_bytes(KEY).unwrap()).unwrap();
        let account = address!("0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
        assert_eq!(key.address(), account);
        let digest = B256::repeat_byte(7);
        let parts = key.sign(digest).unwrap().split().unwrap();
        assert!(parts.is_low_s());
        assert_eq!(recover(digest, &parts), Some(account));
        assert!(!format!("{key:?}").contains("4646"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        let folder = tempfile::tempdir().unwrap();
        let order = hex::encode(secp256k1::constants::CURVE_ORDER);
        let zero = "00".repeat(32);
        for text in ["", "0x12", "secret-words", &*order, &*zero] {
            let path = folder.path().join("key");
            std::fs::write(&path, text).unwrap();
            close(&path);
            let error = ManifestKey::from_file(&path).unwrap_err();
            assert!(matches!(error, ManifestKeyError::NotAKey(_)), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(text.is_empty() || !shown.contains(text), "{shown}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, KEY).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = ManifestKey::from_file(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        close(&path);
        ManifestKey::from_file(&path).unwrap();
    }

    fn close(path: &Path) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = path;
    }
}
