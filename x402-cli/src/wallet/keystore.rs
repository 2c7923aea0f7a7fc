//! Encrypted wallet files: Web3 secret storage, version 3, with scrypt, made whole or not at all.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, hex};
use alloy_signer::k256::elliptic_curve::rand_core::OsRng;
use alloy_signer_local::PrivateKeySigner;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{Exit, Failure, places};

/// Longest keystore that is read, in bytes.
const MAX_KEYSTORE: u64 = 64 * 1024;

/// Refuses a path where something is already.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(exists(path)),
        Err(_) => Ok(()),
    }
}

fn exists(path: &Path) -> Failure {
    let message = format!("{} exists already and is not overwritten", path.display());
    Failure::usage("wallet_exists", message)
        .help("`x402 wallet address` shows whose it is; make another with --out FILE")
}

/// Encrypts a key into a new file with mode 0600.
pub(super) fn create(path: &Path, key: &PrivateKeySigner, password: &[u8]) -> Result<(), Failure> {
    let folder = folder_of(path);
    places::make_private_folder(&folder)
        .and_then(|()| encrypted(&folder, key, password))
        .and_then(|keystore| {
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(&keystore)?;
            file.as_file().sync_all()?;
            file.persist_noclobber(path)
                .map(drop)
                .map_err(|failed| failed.error)
        })
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(path),
            _ => Failure::new(
                Exit::Failed,
                format!("cannot make {}: {error}", path.display()),
            ),
        })
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The library writes to a file of its own, readable by others; it gets a folder that nobody else may enter.
fn encrypted(folder: &Path, key: &PrivateKeySigner, password: &[u8]) -> io::Result<Vec<u8>> {
    let inside = tempfile::Builder::new()
        .prefix(".x402-")
        .tempdir_in(folder)?;
    let bytes = Zeroizing::new(key.to_bytes().0);
    PrivateKeySigner::encrypt_keystore(
        inside.path(),
        &mut OsRng,
        bytes.as_slice(),
        password,
        Some("keystore"),
    )
    .map_err(io::Error::other)?;
    let text = std::fs::read(inside.path().join("keystore"))?;
    let mut keystore: Map<String, Value> = serde_json::from_slice(&text)?;
    // As other wallets write it: so that the address can be read without the password.
    keystore.insert("address".to_owned(), hex::encode(key.address()).into());
    let mut text = serde_json::to_vec(&keystore)?;
    text.push(b'\n');
    Ok(text)
}

/// The address that a keystore claims to be for; `None` if it does not say.
pub(super) fn claimed_address(path: &Path) -> io::Result<Option<Address>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_KEYSTORE)
        .read_to_end(&mut text)?;
    let keystore: Option<Map<String, Value>> = serde_json::from_slice(&text).ok();
    let claimed = keystore
        .as_ref()
        .and_then(|keystore| keystore.get("address"));
    Ok(claimed
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok()))
}
