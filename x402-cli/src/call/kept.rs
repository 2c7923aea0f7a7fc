//! Signed payments on disk: written before they are sent, removed when their answer is safe.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use alloy_primitives::{B256, hex};
use x402_client::PendingPayment;

use crate::{Exit, Failure, places, secret};

/// Longest file that is read, in bytes: a body of 64 MiB in hex, and the rest.
const MAX_FILE: u64 = 160 * 1024 * 1024;
/// Most files that are looked at for an earlier payment of the same call.
const MAX_LOOKED_AT: usize = 200;
/// Longest file that is looked at for that, in bytes.
const MAX_GLANCE: u64 = 256 * 1024;

/// The folder of payments whose outcome is open.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    folder: PathBuf,
    written: Arc<OnceLock<PathBuf>>,
}

impl Kept {
    /// Opens the folder, and makes it if need be. Found out before anything is signed.
    pub(super) fn open() -> Result<Self, Failure> {
        let folder = places::payments()?;
        places::make_private_folder(&folder).map_err(|error| {
            let message = format!("cannot make the folder {}: {error}", folder.display());
            Failure::usage("no_folder", message)
                .help("payments are written there before they are sent; name another place with XDG_STATE_HOME")
        })?;
        Ok(Self {
            folder,
            written: Arc::default(),
        })
    }

    /// Where a payment is kept. Half of the nonce is as unlikely to be met twice, and does not look like a key.
    pub(super) fn path(&self, nonce: B256) -> PathBuf {
        let (half, _) = nonce.split_at(16);
        self.folder.join(format!("{}.json", hex::encode(half)))
    }

    /// Writes a payment, readable by its owner only, and waits until it is on the disk.
    pub(super) fn write(&self, payment: &PendingPayment) -> io::Result<()> {
        let path = self.path(payment.nonce());
        write(&path, payment)?;
        // One call makes one payment.
        let _ = self.written.set(path);
        Ok(())
    }

    /// The file of the payment that was written.
    pub(super) fn written(&self) -> Option<PathBuf> {
        self.written.get().cloned()
    }

    /// An earlier payment for the same call whose outcome is open.
    pub(super) fn earlier(&self, method: &str, url: &str) -> Option<PathBuf> {
        let files = fs::read_dir(&self.folder)
            .ok()?
            .flatten()
            .take(MAX_LOOKED_AT);
        files.map(|file| file.path()).find(|path| {
            load(path, MAX_GLANCE).is_ok_and(|payment| {
                let receipt = payment.receipt();
                receipt.method == method && receipt.url == url
            })
        })
    }
}

/// Writes a payment over what was known of it before.
pub(super) fn write(path: &Path, payment: &PendingPayment) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, payment)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Forgets a payment.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The payment in a file that was named.
pub(super) fn read(path: &Path) -> Result<PendingPayment, Failure> {
    secret::refuse_key_path("--resume", Some(path))?;
    load(path, MAX_FILE).map_err(|error| {
        let message = match error.kind() {
            io::ErrorKind::NotFound => format!("there is no file {}", path.display()),
            io::ErrorKind::InvalidData => {
                format!("{} does not hold a payment of this program", path.display())
            }
            _ => format!("{} cannot be read: {error}", path.display()),
        };
        Failure::new(Exit::Usage, message).code("payment_unreadable")
    })
}

fn load(path: &Path, limit: u64) -> io::Result<PendingPayment> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    // The error's own text could repeat parts of the payment.
    serde_json::from_slice(&bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}
