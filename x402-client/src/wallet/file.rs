//! Keys from files: private to their owner, bounded, wiped from memory after reading.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use alloy_primitives::hex;
use alloy_signer_local::PrivateKeySigner;
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

/// Longest key or password file, in bytes.
const MAX_SECRET: u64 = 1024;
/// Longest keystore, in bytes.
const MAX_KEYSTORE: u64 = 64 * 1024;
/// Largest `N × r` of scrypt that is run: 1 GiB of memory.
const MAX_SCRYPT_BLOCKS: u64 = 1 << 23;
/// Most rounds of PBKDF2 that are run.
const MAX_PBKDF2_ROUNDS: u64 = 50_000_000;

/// A key that cannot be loaded. No variant holds file contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[source] io::Error),
    /// Not a plain file.
    #[error("not a plain file")]
    NotAFile,
    /// Others than the owner can read or write the file.
    #[error(
        "the file's mode is {mode:04o}: others than its owner have access; run `chmod 600` on it"
    )]
    Shared {
        /// Permission bits of the file.
        mode: u32,
    },
    /// Longer than any key, password or keystore.
    #[error("the file is longer than {limit} bytes")]
    TooLong {
        /// Most bytes allowed.
        limit: u64,
    },
    /// Not 32 bytes of hex, or not a key of the curve.
    #[error("the file does not hold a private key: write 64 hex digits, nothing else")]
    NotAKey,
    /// The password file has no password in its first line.
    #[error("the password is empty")]
    EmptyPassword,
    /// Not a version 3 keystore, or one with parameters that are not run.
    #[error("not a keystore that can be opened")]
    NotAKeystore,
    /// The keystore does not open with this password.
    #[error("the keystore does not open with this password")]
    WrongPassword,
}

/// Reads a small file that holds a key or a password: a plain file that only its owner may read, of 1024 bytes at most.
/// The bytes are wiped from memory when they are dropped.
///
/// # Errors
/// [`WalletError`], which never holds any of the content.
pub fn read_secret_file(path: impl AsRef<Path>) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    read_private(path.as_ref(), MAX_SECRET)
}

/// Reads a file that only its owner may read.
fn read_private(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let mut file = open_plain(path)?;
    check_mode(&file)?;
    read_bounded(&mut file, limit)
}

fn open_plain(path: &Path) -> Result<File, WalletError> {
    // A named pipe would block in `open`; look first. The opened file is looked at again.
    if !std::fs::metadata(path).map_err(WalletError::Io)?.is_file() {
        return Err(WalletError::NotAFile);
    }
    let file = File::open(path).map_err(WalletError::Io)?;
    if file.metadata().map_err(WalletError::Io)?.is_file() {
        Ok(file)
    } else {
        Err(WalletError::NotAFile)
    }
}

#[cfg(unix)]
fn check_mode(file: &File) -> Result<(), WalletError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file
        .metadata()
        .map_err(WalletError::Io)?
        .permissions()
        .mode()
        & 0o7777;
    if mode & 0o177 == 0 {
        Ok(())
    } else {
        Err(WalletError::Shared { mode })
    }
}

#[cfg(not(unix))]
fn check_mode(_: &File) -> Result<(), WalletError> {
    // Other systems protect files by access lists, which the standard library cannot read.
    Ok(())
}

fn read_bounded(file: &mut File, limit: u64) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let capacity = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    // Reserved in full, so that no smaller buffer with a part of the secret is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(WalletError::Io)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        Ok(bytes)
    } else {
        Err(WalletError::TooLong { limit })
    }
}

pub(super) fn read_key(path: &Path) -> Result<PrivateKeySigner, WalletError> {
    let bytes = read_private(path, MAX_SECRET)?;
    let text = bytes.trim_ascii();
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let mut key = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(text, key.as_mut_slice()).map_err(|_| WalletError::NotAKey)?;
    PrivateKeySigner::from_slice(key.as_slice()).map_err(|_| WalletError::NotAKey)
}

pub(super) fn open_keystore(
    keystore: &Path,
    password_file: &Path,
) -> Result<PrivateKeySigner, WalletError> {
    let password = read_private(password_file, MAX_SECRET)?;
    let password = password
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    decrypt(keystore, password)
}

pub(super) fn decrypt(keystore: &Path, password: &[u8]) -> Result<PrivateKeySigner, WalletError> {
    if password.is_empty() {
        return Err(WalletError::EmptyPassword);
    }
    check_keystore(&read_bounded(&mut open_plain(keystore)?, MAX_KEYSTORE)?)?;
    PrivateKeySigner::decrypt_keystore(keystore, password).map_err(|_| WalletError::WrongPassword)
}

/// The parts of a keystore on which opening it depends. The library that opens keystores trusts their lengths and
/// costs; a damaged or hostile file must end in an error, not in a panic or hours of hashing.
#[derive(Deserialize)]
struct Keystore {
    version: u64,
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    ciphertext: String,
    cipherparams: CipherParams,
    kdf: String,
    kdfparams: KdfParams,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct KdfParams {
    dklen: u64,
    n: Option<u64>,
    r: Option<u64>,
    p: Option<u64>,
    c: Option<u64>,
}

fn check_keystore(bytes: &[u8]) -> Result<(), WalletError> {
    let mut keystore: Keystore =
        serde_json::from_slice(bytes).map_err(|_| WalletError::NotAKeystore)?;
    let crypto = &keystore.crypto;
    let params = &crypto.kdfparams;
    let cost_is_sane = match (crypto.kdf.as_str(), params.n, params.r, params.p, params.c) {
        ("scrypt", Some(n), Some(r), Some(p), _) => {
            let blocks = n
                .checked_mul(r)
                .is_some_and(|blocks| blocks <= MAX_SCRYPT_BLOCKS);
            n.is_power_of_two() && n > 1 && (1..=64).contains(&r) && (1..=16).contains(&p) && blocks
        }
        ("pbkdf2", _, _, _, Some(rounds)) => (1..=MAX_PBKDF2_ROUNDS).contains(&rounds),
        _ => false,
    };
    let sound = keystore.version == 3
        && crypto.cipher == "aes-128-ctr"
        && crypto.ciphertext.len() == 64
        && crypto.cipherparams.iv.len() == 32
        && (32..=64).contains(&params.dklen)
        && cost_is_sane;
    keystore.crypto.ciphertext.zeroize();
    if sound {
        Ok(())
    } else {
        Err(WalletError::NotAKeystore)
    }
}
