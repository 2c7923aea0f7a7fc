//! Signs a short-lived token for every call to a provider of the CDP kind (protocol 1.10).

mod key;

use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use alloy_primitives::hex;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Serialize;
use zeroize::Zeroizing;

use self::key::SigningKey;
use super::auth::{AuthError, Call, FacilitatorAuth};
use crate::clock::{Clock, SystemClock};
use crate::facilitator::BoxFuture;
use crate::secret;

pub use self::key::CdpKeyError;

/// How long a token is valid, in seconds.
const LIFETIME: u64 = 120;
/// Random bytes in the header of a token.
const NONCE: usize = 16;
/// Longest id of a key, in bytes.
const MAX_KEY_ID: usize = 512;
/// The header that tells the provider which software calls.
const CORRELATION: HeaderName = HeaderName::from_static("correlation-context");

/// Authorizes calls the way the Coinbase Developer Platform wants it: a JSON Web Token per call, and never the same twice.
///
/// Each token is signed with an API key, names the one method, host and path it is for, and is valid for two minutes. The key is
/// an EC key on the curve P-256 in a PEM file (PKCS#8 or SEC 1; `ES256`), or an Ed25519 key as base64 of 64 bytes, the seed and
/// the public key (`EdDSA`). It is wiped from memory on drop, and `Debug` shows neither it nor its id.
///
/// ```no_run
/// use x402_runtime::facilitator::http::{CdpAuth, HttpFacilitator};
/// let auth = CdpAuth::from_file("8c2f6f30-6b3c-4f52-9d0e-6a2f0c1f5d11", "cdp.key")?; // mode 0600
/// let facilitator = HttpFacilitator::builder("https://api.cdp.coinbase.com/platform/v2/x402")
///     .auth(auth)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CdpAuth {
    key_id: String,
    key: Arc<SigningKey>,
    audience: Vec<String>,
    correlation: HeaderValue,
    clock: Arc<dyn Clock>,
}

impl CdpAuth {
    /// Reads the key from a file that only its owner may read.
    ///
    /// # Errors
    /// A [`CdpKeyError`]; on Unix, a file with any permission for group or others is refused.
    pub fn from_file(key_id: &str, path: impl AsRef<Path>) -> Result<Self, CdpKeyError> {
        let path = path.as_ref();
        let text = secret::read(path)?;
        Self::of(key_id, &text, &path.display().to_string())
    }

    /// Reads the key from an environment variable. Line breaks of a PEM text may be written as `\n` there.
    ///
    /// # Errors
    /// A [`CdpKeyError`].
    pub fn from_env(key_id: &str, variable: &str) -> Result<Self, CdpKeyError> {
        let text = std::env::var(variable)
            .map(Zeroizing::new)
            .map_err(|_| CdpKeyError::Environment(variable.to_owned()))?;
        let text = Zeroizing::new(text.replace("\\n", "\n"));
        Self::of(key_id, &text, variable)
    }

    /// Takes a key that is in memory already.
    ///
    /// # Errors
    /// A [`CdpKeyError`].
    pub fn from_key(key_id: &str, key: &str) -> Result<Self, CdpKeyError> {
        Self::of(key_id, key, "the text")
    }

    fn of(key_id: &str, text: &str, place: &str) -> Result<Self, CdpKeyError> {
        let key_id = key_id.trim();
        let one_word = key_id.bytes().all(|byte| byte.is_ascii_graphic());
        if key_id.is_empty() || key_id.len() > MAX_KEY_ID || !one_word {
            return Err(CdpKeyError::KeyId);
        }
        let version = env!("CARGO_PKG_VERSION");
        Ok(Self {
            key_id: key_id.to_owned(),
            key: Arc::new(SigningKey::read(text, place)?),
            audience: Vec::new(),
            correlation: correlation("x402", version),
            clock: Arc::new(SystemClock),
        })
    }

    /// Adds one audience (`aud`) to the tokens. Default: none.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience.push(audience.into());
        self
    }

    /// Names the program that calls, as the provider's `Correlation-Context` header has it. Default: `x402` and the version of
    /// this crate.
    #[must_use]
    pub fn source(mut self, name: &str, version: &str) -> Self {
        self.correlation = correlation(name, version);
        self
    }

    /// Where the times in the tokens come from; the system's clock unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The token of one call.
    fn token(&self, call: Call<'_>) -> Result<Zeroizing<String>, AuthError> {
        let failed = |what: &str| AuthError::Other(what.to_owned());
        let mut nonce = [0; NONCE];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| failed("no random numbers"))?;
        let now = self.clock.now_seconds();
        let header = Header {
            alg: self.key.algorithm(),
            kid: &self.key_id,
            typ: "JWT",
            nonce: hex::encode(nonce),
        };
        let claims = Claims {
            sub: &self.key_id,
            iss: "cdp",
            aud: &self.audience,
            uris: [format!("{} {}{}", call.method, call.host, call.path)],
            iat: now,
            nbf: now,
            exp: now.saturating_add(LIFETIME),
        };
        let part = |json: serde_json::Result<Vec<u8>>| {
            json.map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
                .map_err(|_| failed("the token cannot be written"))
        };
        let mut token = Zeroizing::new(format!(
            "{}.{}",
            part(serde_json::to_vec(&header))?,
            part(serde_json::to_vec(&claims))?
        ));
        let signature = self
            .key
            .sign(token.as_bytes())
            .ok_or_else(|| failed("the key does not sign"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn make(&self, call: Call<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, AuthError> {
        let bearer = Zeroizing::new(format!("Bearer {}", &*self.token(call)?));
        let mut bearer = HeaderValue::from_str(&bearer)
            .map_err(|_| AuthError::Other("the token is no header".to_owned()))?;
        bearer.set_sensitive(true);
        Ok(vec![
            (AUTHORIZATION, bearer),
            (CORRELATION, self.correlation.clone()),
        ])
    }
}

impl FacilitatorAuth for CdpAuth {
    fn headers<'a>(
        &'a self,
        call: Call<'a>,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, AuthError>> {
        Box::pin(std::future::ready(self.make(call)))
    }
}

impl fmt::Debug for CdpAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CdpAuth")
            .field("algorithm", &self.key.algorithm())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
    nonce: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iss: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    aud: &'a [String],
    uris: [String; 1],
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// What the provider wants to know about the software that calls, comma-joined with URL-encoded values.
fn correlation(source: &str, version: &str) -> HeaderValue {
    let text = [
        ("sdk_version", env!("CARGO_PKG_VERSION")),
        ("sdk_language", "rust"),
        ("source", source),
        ("source_version", version),
    ]
    .map(|(name, value)| format!("{name}={}", encode(value)))
    .join(",");
    // Encoded text is a header value in any case.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("source=x402"))
}

/// URL-encodes one value, as `encodeURIComponent` does.
fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
#[path = "cdp_tests.rs"]
mod tests;
