//! The manifest of a seller that does not run: for build scripts, reviews and tests.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use serde_json::Value;
use x402_model::manifest::{canonical, read_json};
use x402_model::pointer;

use super::{ManifestKey, ManifestKeyError, Published};
use crate::config::MANIFEST_KEY_FILE;
use crate::paywall::{BuildError, PaywallBuilder};
use crate::secret;

/// The flag by which a seller's program is asked for its manifest.
const FLAG: &str = "--manifest";

/// The flag by which it is asked for the signatures of all that it will publish.
const SIGNATURES: &str = "--manifest-signatures";

/// The option that names the file with the key by which it is signed.
const KEY: &str = "--manifest-key";

/// Why a program could not show its manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestFlagError {
    /// The paywall could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The key that was to sign it could not be had.
    #[error("the manifest is not signed: {0}")]
    Key(#[from] ManifestKeyError),
    /// No file was named after `--manifest-key`.
    #[error("name the file with the key after `--manifest-key`; a key itself is never an argument")]
    KeyFileMissing,
    /// The manifest could not be written.
    #[error("the manifest could not be written: {0}")]
    Write(#[from] io::Error),
}

/// A manifest in a file that is not the one of the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestDrift {
    /// The file cannot be read.
    #[error("{path}: {reason}; run the test with BLESS=1 to write it")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The file says something else than the code.
    #[error(
        "{path} is not the manifest of this code: they differ at {places}; run the test with BLESS=1 to write it, and give it a new revision"
    )]
    Differs {
        /// The file.
        path: String,
        /// JSON pointers of the first differences.
        places: String,
    },
}

impl<S: Clone + Send + Sync + 'static> PaywallBuilder<S> {
    /// Prints the manifest and says so, if the program was started with `--manifest`: one line in `main`, before the paywall is
    /// built. `--manifest FILE` writes it to a file. Needs neither network nor ledger.
    ///
    /// `--manifest-key FILE`, or `X402_MANIFEST_KEY_FILE` in the environment, signs it with the key in a file of mode 0600, whoever the
    /// builder names to [sign](Self::sign_manifest): on a machine where the pay-to key is, and not where it is served. For the server,
    /// `--manifest-signatures` (or `--manifest-signatures FILE`) instead of `--manifest` makes with such a key what
    /// [`manifest_signatures`](Self::manifest_signatures) takes.
    ///
    /// ```no_run
    /// # use x402_runtime::{Paywall, paid};
    /// # #[paid(GET "/weather", price = "0.01 USDC")]
    /// # async fn weather() -> &'static str { "rain" }
    /// # async fn main_of_a_seller() -> Result<(), Box<dyn std::error::Error>> {
    /// let paywall = Paywall::<()>::builder().origin("https://api.example.com").mount(weather);
    /// if paywall.print_manifest_if_asked(std::env::args_os())? {
    ///     return Ok(());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ManifestFlagError`], only if the flag was given.
    pub fn print_manifest_if_asked(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<bool, ManifestFlagError> {
        let Some(asked) = Asked::of(arguments)? else {
            return Ok(false);
        };
        let key = asked.key.map(ManifestKey::from_file).transpose()?;
        let text = match (asked.signatures, key) {
            (false, None) => self.manifest()?.pretty(),
            (false, Some(key)) => self.manifest_signed_by(Arc::new(key))?.pretty(),
            (true, Some(key)) => self.signatures_by(key)?,
            (true, None) => return Err(ManifestFlagError::KeyFileMissing),
        };
        match asked.file {
            Some(file) => fs::write(file, text)?,
            None => io::stdout().write_all(text.as_bytes())?,
        }
        Ok(true)
    }
}

/// What the arguments of a program say about its manifest.
struct Asked {
    /// Whether its signatures are asked for, and not itself.
    signatures: bool,
    /// Where it is written; to standard output unless named.
    file: Option<PathBuf>,
    /// The key that signs it, if it is not the builder's matter.
    key: Option<PathBuf>,
}

impl Asked {
    /// `None` if the manifest is not asked for.
    fn of(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, ManifestFlagError> {
        let arguments: Vec<OsString> = arguments.into_iter().skip(1).collect();
        let place = |wanted: &str| arguments.iter().position(|argument| argument == wanted);
        let after = |place: usize| arguments.get(place.saturating_add(1));
        let (flag, signatures) = match (place(FLAG), place(SIGNATURES)) {
            (Some(flag), _) => (flag, false),
            (None, Some(flag)) => (flag, true),
            (None, None) => return Ok(None),
        };
        let file = after(flag).filter(|file| ![FLAG, SIGNATURES, KEY].iter().any(|it| *file == it));
        let file = file.map(PathBuf::from);
        let key = match place(KEY) {
            Some(key) => {
                let file = after(key).filter(|file| !looks_like_a_key(file));
                Some(file.ok_or(ManifestFlagError::KeyFileMissing)?.into())
            }
            None => std::env::var_os(MANIFEST_KEY_FILE)
                .filter(|file| !file.is_empty())
                .map(PathBuf::from),
        };
        Ok(Some(Self {
            signatures,
            file,
            key,
        }))
    }
}

/// Whether an argument is a key rather than the name of a file: no error may repeat it.
fn looks_like_a_key(argument: &OsString) -> bool {
    argument.to_str().and_then(secret::key_bytes).is_some()
}

impl Published {
    /// The manifest as people read it: indented, with a line feed at the end.
    #[must_use]
    pub fn pretty(&self) -> String {
        // The keys are sorted, as in the canonical form.
        let value: Value = serde_json::from_slice(self.bytes()).unwrap_or(Value::Null);
        let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Compares the manifest with one in a file, for a test that fails when the two have gone apart. When it was issued, and what
    /// follows from that, does not count. With `BLESS=1` in the environment the file is written instead.
    ///
    /// ```no_run
    /// # use x402_runtime::{Paywall, paid};
    /// # #[paid(GET "/weather", price = "0.01 USDC")]
    /// # async fn weather() -> &'static str { "rain" }
    /// #[test]
    /// fn the_manifest_is_up_to_date() {
    ///     let paywall = Paywall::<()>::builder().origin("https://api.example.com").mount(weather);
    ///     paywall.manifest().unwrap().matches_file("x402-manifest.json").unwrap();
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ManifestDrift`].
    pub fn matches_file(&self, path: impl AsRef<Path>) -> Result<(), ManifestDrift> {
        let path = path.as_ref();
        let name = || path.display().to_string();
        let unreadable = |reason: String| ManifestDrift::Unreadable {
            path: name(),
            reason,
        };
        if std::env::var_os("BLESS").is_some() {
            return fs::write(path, self.pretty()).map_err(|error| unreadable(error.to_string()));
        }
        let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let theirs =
            read_json(&bytes, usize::MAX).map_err(|error| unreadable(error.to_string()))?;
        let mine: Value = serde_json::from_slice(self.bytes()).unwrap_or(Value::Null);
        let mut places = Vec::new();
        differences(&timeless(mine), &timeless(theirs), "", &mut places);
        if places.is_empty() {
            return Ok(());
        }
        Err(ManifestDrift::Differs {
            path: name(),
            places: places.join(", "),
        })
    }
}

/// A manifest without what changes with the time of its issue.
fn timeless(mut manifest: Value) -> Value {
    if let Some(members) = manifest.as_object_mut() {
        members.remove("integrity");
        let service = members.get_mut("service").and_then(Value::as_object_mut);
        if let Some(service) = service {
            service.remove("issuedAt");
        }
    }
    manifest
}

/// Most places that are named.
const PLACES: usize = 5;

fn differences(mine: &Value, theirs: &Value, at: &str, places: &mut Vec<String>) {
    if places.len() >= PLACES {
        return;
    }
    match (mine, theirs) {
        (Value::Object(mine), Value::Object(theirs)) => {
            let names = mine
                .keys()
                .chain(theirs.keys().filter(|name| !mine.contains_key(*name)));
            for name in names {
                let step = pointer::escaped(name);
                let (mine, theirs) = (mine.get(name), theirs.get(name));
                let at = format!("{at}/{step}");
                differences(
                    mine.unwrap_or(&Value::Null),
                    theirs.unwrap_or(&Value::Null),
                    &at,
                    places,
                );
            }
        }
        (Value::Array(mine), Value::Array(theirs)) if mine.len() == theirs.len() => {
            for (place, (mine, theirs)) in mine.iter().zip(theirs).enumerate() {
                differences(mine, theirs, &format!("{at}/{place}"), places);
            }
        }
        _ if canonical(mine) == canonical(theirs) => {}
        _ => places.push(if at.is_empty() {
            "/".to_owned()
        } else {
            at.to_owned()
        }),
    }
}
