//! Where the program keeps its files, and what the environment says about it.

use std::env;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use crate::Failure;

/// Folder of this program below each base folder.
const OURS: &str = "x402";

/// A variable of the environment; an empty one counts as not set.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The text of a variable.
pub(crate) fn text_variable(name: &'static str) -> Result<Option<String>, Failure> {
    let not_text = |_| Failure::usage("not_text", format!("the variable {name} is not text"));
    variable(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(not_text)
}

/// The wallet that is used when none is named: `x402/wallet.json` in the folder for settings.
pub(crate) fn default_wallet() -> Result<PathBuf, Failure> {
    let base = base(
        "XDG_CONFIG_HOME",
        ".config",
        "APPDATA",
        "name the wallet with --keystore or --out",
    )?;
    Ok(base.join(OURS).join("wallet.json"))
}

/// Where payments whose outcome is open are kept: `x402/payments` in the folder for state.
pub(crate) fn payments() -> Result<PathBuf, Failure> {
    let base = base(
        "XDG_STATE_HOME",
        ".local/state",
        "LOCALAPPDATA",
        "payments are written there before they are sent",
    )?;
    Ok(base.join(OURS).join("payments"))
}

fn base(
    xdg: &'static str,
    below_home: &str,
    windows: &str,
    help: &str,
) -> Result<PathBuf, Failure> {
    // The XDG rules ignore relative folders.
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let elsewhere = || {
        if cfg!(windows) {
            absolute(windows)
        } else {
            absolute("HOME").map(|home| home.join(below_home))
        }
    };
    absolute(xdg).or_else(elsewhere).ok_or_else(|| {
        let message = format!("there is no folder for files: neither {xdg} nor HOME is set");
        Failure::usage("no_folder", message).help(help)
    })
}

/// Makes a folder that only its owner may enter. One that is there already is left as it is.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}
