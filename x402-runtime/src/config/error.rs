//! What can be wrong with settings.

use std::fmt;
use std::path::PathBuf;

/// Every mistake in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    mistakes: Vec<SettingMistake>,
}

impl SettingsError {
    pub(super) fn one(mistake: SettingMistake) -> Self {
        Self {
            mistakes: vec![mistake],
        }
    }

    /// The settings, unless there are mistakes.
    pub(super) fn unless<T>(mistakes: Vec<SettingMistake>, settings: T) -> Result<T, Self> {
        if mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(Self { mistakes })
        }
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.mistakes.extend(other.mistakes);
        self
    }

    /// The mistakes, in the order in which they stand.
    #[must_use]
    pub fn mistakes(&self) -> &[SettingMistake] {
        &self.mistakes
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.as_slice() {
            [one] => write!(f, "wrong setting: {one}"),
            many => {
                write!(f, "{} wrong settings:", many.len())?;
                many.iter()
                    .try_for_each(|mistake| write!(f, "\n  - {mistake}"))
            }
        }
    }
}

impl std::error::Error for SettingsError {}

/// One mistake in the settings. Values are not repeated where they could be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingMistake {
    /// The file cannot be read.
    #[error("{} cannot be read: {reason}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The text is not TOML.
    #[error("not TOML, line {line}: {reason}")]
    Toml {
        /// Line, counted from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// A key nobody reads.
    #[error("`{key}` is no setting{}", suggestion.as_ref().map(|right| format!("; did you mean `{right}`?")).unwrap_or_default())]
    UnknownKey {
        /// The key.
        key: String,
        /// The key it looks like.
        suggestion: Option<String>,
    },
    /// A secret in the settings.
    #[error(
        "`{key}` looks like a secret: put it into a file of mode 0600 and set `settler_key_file` or `manifest_key_file` to its path"
    )]
    Secret {
        /// The key.
        key: String,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {expected}")]
    Type {
        /// The key.
        key: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A value that cannot be.
    #[error("`{key}`: {reason}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong and what to write.
        reason: String,
    },
}
