//! Reads small files that hold a key, a password or a token, and that nobody but their owner may read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The largest secret file that is read, in bytes.
const MAX_FILE: u64 = 16 * 1024;

/// Why a secret file was not used. Names the file, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileError {
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
    /// The file is too large to hold one secret.
    #[error("{path} is larger than 16 KiB", path = path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads a secret file after checking who else may read it. The text is wiped from memory when it is dropped.
///
/// # Errors
/// A [`SecretFileError`]; on Unix, a file with any permission for group or others is refused.
pub fn read(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    let failed = |source| SecretFileError::Read {
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
        return Err(SecretFileError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(text)
}

/// The bytes of a private key that is written as 64 hex digits, `0x` optional.
pub(crate) fn key_bytes(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    if digits.len() != 64 {
        return None;
    }
    let bytes = alloy_primitives::hex::decode_to_array::<_, 32>(digits);
    bytes.ok().map(Zeroizing::new)
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &std::fs::Metadata) -> Result<(), SecretFileError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(SecretFileError::Permissions {
        path: path.to_owned(),
        mode,
    })
}

#[cfg(not(unix))]
fn check_permissions(_path: &Path, _metadata: &std::fs::Metadata) -> Result<(), SecretFileError> {
    Ok(())
}
