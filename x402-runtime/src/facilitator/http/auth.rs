//! Headers that say who is calling a provider: made per call, never shown.

use std::fmt;
use std::path::Path;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::facilitator::BoxFuture;
use crate::secret::{self, SecretFileError};

/// What a provider is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /verify`.
    Verify,
    /// `POST /settle`.
    Settle,
    /// `GET /supported`.
    Supported,
}

impl Operation {
    /// The last part of the path: `verify`, `settle` or `supported`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Settle => "settle",
            Self::Supported => "supported",
        }
    }

    /// The HTTP method.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Verify | Self::Settle => "POST",
            Self::Supported => "GET",
        }
    }
}

/// The call that headers are made for, as tokens that are bound to one call need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The host as in the `Host` header, with the port unless it is the default one.
    pub host: &'a str,
    /// The absolute path.
    pub path: &'a str,
}

/// Makes the headers that authorize a call.
///
/// It is asked once per call, so that tokens may be short-lived and bound to method, host and path. The time it takes counts
/// towards the call's deadline. When it fails nothing is sent.
///
/// Header values are marked as sensitive before they are sent; they appear in no log and no `Debug` output.
pub trait FacilitatorAuth: Send + Sync + 'static {
    /// The headers of one call.
    ///
    /// # Errors
    /// When no headers can be made now. The text is logged, so it must not contain the secret.
    fn headers<'a>(
        &'a self,
        call: Call<'a>,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, AuthError>>;
}

/// Why authorization headers cannot be made. Names files and variables, never their content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The file cannot be read, or others can read it too.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The environment variable is not set, or is not text.
    #[error("environment variable {0} is not set to text")]
    Environment(String),
    /// The text cannot be a bearer token.
    #[error("{0} does not hold a token: one word of printable ASCII")]
    NotAToken(String),
    /// A reason of an implementation's own.
    #[error("{0}")]
    Other(String),
}

/// A bearer token that stays the same: `Authorization: Bearer …`. `Debug` does not show it.
#[derive(Clone)]
pub struct BearerToken(HeaderValue);

impl BearerToken {
    /// Reads the token from a file that only its owner may read. White space around it is not part of it.
    ///
    /// # Errors
    /// An [`AuthError`]; on Unix, a file with any permission for group or others is refused.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, AuthError> {
        let path = path.as_ref();
        let text = secret::read(path)?;
        Self::of(&text, || path.display().to_string())
    }

    /// Reads the token from an environment variable.
    ///
    /// # Errors
    /// An [`AuthError`].
    pub fn from_env(variable: &str) -> Result<Self, AuthError> {
        let text =
            std::env::var(variable).map_err(|_| AuthError::Environment(variable.to_owned()))?;
        Self::of(&text, || variable.to_owned())
    }

    /// Takes a token that is in memory already.
    ///
    /// # Errors
    /// [`AuthError::NotAToken`] when it is not one word of printable ASCII.
    pub fn from_token(token: &str) -> Result<Self, AuthError> {
        Self::of(token, || "the text".to_owned())
    }

    fn of(text: &str, place: impl FnOnce() -> String) -> Result<Self, AuthError> {
        let token = text.trim();
        let word = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        match HeaderValue::from_str(&format!("Bearer {token}")) {
            Ok(mut value) if word => {
                value.set_sensitive(true);
                Ok(Self(value))
            }
            _ => Err(AuthError::NotAToken(place())),
        }
    }
}

impl FacilitatorAuth for BearerToken {
    fn headers<'a>(
        &'a self,
        _: Call<'a>,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, AuthError>> {
        let headers = vec![(AUTHORIZATION, self.0.clone())];
        Box::pin(std::future::ready(Ok(headers)))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(<redacted>)")
    }
}
