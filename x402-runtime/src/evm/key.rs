//! The key of the account that sends settlements and pays their gas.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, address};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use zeroize::Zeroizing;

/// The largest key, keystore or password file that is read.
const MAX_FILE: u64 = 16 * 1024;

/// The accounts of the development mnemonic that every Ethereum tool shares; everybody knows their keys.
const PUBLIC_ACCOUNTS: [Address; 10] = [
    address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    address!("0x90F79bf6EB2c4f870365E785982E1f101E93b906"),
    address!("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
    address!("0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
    address!("0x976EA74026E726554dB657fA54763abd0C3a0aa9"),
    address!("0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    address!("0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    address!("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"),
];

/// Why a key could not be had. Names the file or variable, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than its owner may read the file.
    #[error("{path} can be read by others (mode {mode:o}); run `chmod 600` on it", path = path.display())]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is too large to hold a key.
    #[error("{path} is larger than 16 KiB", path = path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
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
        let text = read_secret(path)?;
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
        drop(read_secret(path)?);
        let password = read_secret(password_file.as_ref())?;
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
        let digits = text.trim();
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        if digits.len() != 64 {
            return None;
        }
        let key = Zeroizing::new(alloy_primitives::hex::decode_to_array::<_, 32>(digits).ok()?);
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
        PUBLIC_ACCOUNTS.contains(&self.address())
    }

    /// Signs a transaction; returns its hash and its bytes for broadcasting.
    pub(crate) fn sign(&self, tx: TxEip1559) -> Option<(B256, Bytes)> {
        let signature = self.signer.sign_hash_sync(&tx.signature_hash()).ok()?;
        let signed = TxEnvelope::Eip1559(tx.into_signed(signature));
        Some((*signed.tx_hash(), signed.encoded_2718().into()))
    }
}

impl fmt::Debug for SettlerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettlerKey")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// Reads a small text file after checking who else may read it.
fn read_secret(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |source| KeyError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    check_permissions(path, &file.metadata().map_err(failed)?)?;
    let mut text = Zeroizing::new(String::new());
    let read = file
        .take(MAX_FILE + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_FILE {
        return Err(KeyError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(text)
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyError::Permissions {
        path: path.to_owned(),
        mode,
    })
}

#[cfg(not(unix))]
fn check_permissions(_path: &Path, _metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
