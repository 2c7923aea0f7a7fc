//! Which wallet a command uses: the one named by options, by the environment, or the default.

use std::path::PathBuf;

use alloy_primitives::Address;
use x402_client::{Wallet, WalletError};

use super::keystore::claimed_address;
use crate::{Failure, places, secret};

/// Which wallet to use.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Wallet")]
pub(crate) struct WalletArgs {
    /// Encrypted wallet file [env: X402_KEYSTORE] [default: the one that `x402 wallet new` made]
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    keystore: Option<PathBuf>,
    /// File (mode 0600) whose first line is the password [env: X402_PASSWORD_FILE] [default: ask on the terminal]
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    password_file: Option<PathBuf>,
    /// File (mode 0600) with a bare private key, 64 hex digits, instead of a keystore [env: X402_KEY_FILE]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// A wallet that was named or found.
#[derive(Debug)]
pub(crate) enum Located {
    /// An encrypted file and where its password is, if not typed.
    Keystore(PathBuf, Option<PathBuf>),
    /// A bare key.
    KeyFile(PathBuf),
}

impl WalletArgs {
    /// Refuses keys in place of files.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        secret::refuse_key_path("--keystore", self.keystore.as_deref())?;
        secret::refuse_key_path("--key-file", self.key_file.as_deref())?;
        secret::refuse_key_path("--password-file", self.password_file.as_deref())
    }

    /// The wallet to use.
    pub(crate) fn locate(&self) -> Result<Located, Failure> {
        self.check()?;
        let keystore = |path| Located::Keystore(path, self.password_file.clone());
        match (&self.keystore, &self.key_file) {
            (Some(path), _) => return Ok(keystore(path.clone())),
            (None, Some(path)) => return Ok(Located::KeyFile(path.clone())),
            (None, None) => {}
        }
        let variable = |name| places::variable(name).map(PathBuf::from);
        let located = match (variable("X402_KEYSTORE"), variable("X402_KEY_FILE")) {
            (Some(_), Some(_)) => {
                let message = "X402_KEYSTORE and X402_KEY_FILE are both set";
                return Err(Failure::usage("two_wallets", message)
                    .help("unset one of them, or name the wallet with --keystore or --key-file"));
            }
            (Some(path), None) => keystore(path),
            (None, Some(path)) => Located::KeyFile(path),
            (None, None) => keystore(places::default_wallet()?),
        };
        located.exists()
    }

    /// Whether any wallet can be found, whatever its state.
    pub(crate) fn find(&self) -> Option<Located> {
        self.locate().ok()
    }
}

impl Located {
    /// There is nothing to be said about a file that was named; a missing default means that there is no wallet yet.
    fn exists(self) -> Result<Self, Failure> {
        let (Self::Keystore(path, _) | Self::KeyFile(path)) = &self;
        secret::refuse_key_path("X402_KEYSTORE or X402_KEY_FILE", Some(path))?;
        let is_default = places::default_wallet().is_ok_and(|default| default == *path);
        if is_default && !path.exists() {
            let message = format!("there is no wallet yet: {} does not exist", path.display());
            return Err(Failure::usage("wallet_missing", message).help(
                "make one with `x402 wallet new`, or name yours with --keystore FILE or --key-file FILE",
            ));
        }
        Ok(self)
    }

    /// The wallet with its key.
    pub(crate) fn open(&self) -> Result<Wallet, Failure> {
        match self {
            Self::KeyFile(path) => {
                Wallet::from_key_file(path).map_err(|error| secret::unreadable(path, &error))
            }
            Self::Keystore(path, password_file) => {
                let unreadable = |error| secret::unreadable(path, &error);
                let claimed =
                    claimed_address(path).map_err(|error| unreadable(WalletError::Io(error)))?;
                let password = secret::password(password_file.as_deref())?;
                let wallet =
                    Wallet::from_keystore_with_password(path, &password).map_err(unreadable)?;
                if claimed.is_some_and(|claimed| claimed != wallet.address()) {
                    let message = format!(
                        "{} says that it is for another address than the key in it has",
                        path.display()
                    );
                    return Err(Failure::usage("address_mismatch", message)
                        .help("somebody changed the file; look for a copy"));
                }
                Ok(wallet)
            }
        }
    }

    /// The address: from the file itself if it says so, else from the key.
    pub(crate) fn address(&self) -> Result<Address, Failure> {
        if let Some(address) = self.address_without_key() {
            return Ok(address);
        }
        self.open().map(|wallet| wallet.address())
    }

    /// The address, as far as it can be known without a password.
    pub(crate) fn address_without_key(&self) -> Option<Address> {
        match self {
            Self::Keystore(path, _) => claimed_address(path).ok().flatten(),
            Self::KeyFile(path) => Wallet::from_key_file(path)
                .ok()
                .map(|wallet| wallet.address()),
        }
    }
}
