//! Who may call: bearer tokens with names, compared in constant time.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use http::HeaderValue;
use sha2::{Digest, Sha256};
use x402_runtime::secret::{self, SecretFileError};

/// The least length of a token. Shorter ones can be guessed.
const MIN_TOKEN: usize = 20;
/// The longest name of a caller.
const MAX_NAME: usize = 32;

/// Why a token file was refused. Names the file and the line, never a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The file cannot be read, or others can read it too.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A line is not a name and a token.
    #[error(
        "{file}, line {line}: write a name (letters, digits, `-`, `_`), a space and a token of 20 printable characters or more"
    )]
    Line {
        /// Which file.
        file: String,
        /// Which line, counted from 1.
        line: usize,
    },
    /// The file has no token.
    #[error("{0} holds no token")]
    Empty(String),
}

/// The tokens of all callers. `Debug` shows the names only.
pub struct Tokens {
    /// Digests, so that a comparison says nothing about the tokens and takes the same time for all of them.
    known: Vec<([u8; 32], Arc<str>)>,
}

impl Tokens {
    /// Reads a file that only its owner may read: one `name token` per line. Empty lines and lines that begin with `#` are
    /// skipped; a name may stand several times, which is how tokens are changed without a break.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let text = secret::read(path)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Takes tokens from a text in the same form; `file` is what errors call it.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub fn parse(text: &str, file: &str) -> Result<Self, TokenError> {
        let mut known = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, token) = split(line).ok_or_else(|| TokenError::Line {
                file: file.to_owned(),
                line: at.saturating_add(1),
            })?;
            known.push((Sha256::digest(token).into(), Arc::from(name)));
        }
        if known.is_empty() {
            return Err(TokenError::Empty(file.to_owned()));
        }
        Ok(Self { known })
    }

    /// The caller whose token an `Authorization` header holds.
    pub(super) fn caller(&self, header: Option<&HeaderValue>) -> Option<Arc<str>> {
        let (scheme, token) = header?.as_bytes().split_first_chunk::<7>()?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return None;
        }
        let given: [u8; 32] = Sha256::digest(token.trim_ascii()).into();
        let mut found = None;
        // All are compared, so that the time says nothing about which one was near.
        for (digest, name) in &self.known {
            if same(digest, &given) {
                found = Some(name);
            }
        }
        found.cloned()
    }
}

fn split(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_ascii_whitespace();
    let (name, token) = (words.next()?, words.next()?);
    let good_name = name.len() <= MAX_NAME
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let good_token = token.len() >= MIN_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic());
    (good_name && good_token && words.next().is_none()).then_some((name, token))
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let differing = a.iter().zip(b).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(differing) == 0
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.known.iter().map(|(_, name)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "alice-canary-token-0001";

    fn tokens() -> Tokens {
        let text = format!(
            "# sellers\n\nalice {ALICE}\nbob  bob-canary-token-00000002\nalice alice-canary-token-0003\n"
        );
        Tokens::parse(&text, "tokens").unwrap()
    }

    fn caller(header: &str) -> Option<Arc<str>> {
        tokens().caller(Some(&HeaderValue::from_str(header).unwrap()))
    }

    #[test]
    fn a_token_names_its_caller_and_nothing_else_does() {
        assert_eq!(caller(&format!("Bearer {ALICE}")).as_deref(), Some("alice"));
        assert_eq!(
            caller(&format!("bearer  {ALICE}")).as_deref(),
            Some("alice")
        );
        assert_eq!(
            caller("Bearer alice-canary-token-0003").as_deref(),
            Some("alice")
        );
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            ALICE,
            "Bearer alice",
            "Basic x",
            "Bearer alice-canary-token-000",
        ] {
            assert_eq!(caller(wrong), None, "{wrong}");
        }
        assert_eq!(tokens().caller(None), None);
    }

    #[test]
    fn k03_neither_errors_nor_debug_show_a_token() {
        assert!(!format!("{:?}", tokens()).contains("canary"));
        for text in [
            "alice",
            "alice short",
            "al!ce canary-token-0000000001",
            "alice canary-token-0000000001 x",
        ] {
            let error = Tokens::parse(text, "tokens").unwrap_err().to_string();
            assert!(
                error.starts_with("tokens, line 1") && !error.contains("canary"),
                "{error}"
            );
        }
        assert!(matches!(
            Tokens::parse("# none\n", "tokens"),
            Err(TokenError::Empty(_))
        ));
    }
}
