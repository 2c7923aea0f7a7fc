//! What a seller checks about a message before it looks at the signature.

use super::error::SiwxError;
use super::message::SignIn;
use crate::extension::timestamp;

/// The origin that a seller is configured to be. It is never taken from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    domain: String,
}

impl Origin {
    /// Takes `https://host` or `https://host:port`, in lower case, without path and without the scheme's own port.
    ///
    /// ```
    /// use x402_model::extension::siwx::Origin;
    /// assert_eq!(Origin::new("https://api.example.com:8443").map(|o| o.domain().to_owned()), Some("api.example.com:8443".into()));
    /// assert!(Origin::new("https://api.example.com/").is_none());
    /// ```
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (scheme, domain) = text.split_once("://")?;
        let known = matches!(scheme, "https" | "http");
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]".contains(&byte)
        };
        (known && !domain.is_empty() && domain.bytes().all(plain)).then(|| Self {
            text: text.to_owned(),
            domain: domain.to_owned(),
        })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether a URI lies under this origin.
    #[must_use]
    pub fn covers(&self, uri: &str) -> bool {
        // Scheme and host are case-insensitive; the rest is not looked at.
        let Some((head, rest)) = uri.split_at_checked(self.text.len()) else {
            return false;
        };
        head.eq_ignore_ascii_case(&self.text)
            && (rest.is_empty() || rest.starts_with(['/', '?', '#']))
    }
}

impl SignIn {
    /// Checks everything but nonce and signature, in the order of the extension.
    ///
    /// # Errors
    /// The [`SiwxError`] of the first check that fails.
    pub fn check(&self, origin: &Origin, now_ms: u64, max_age_ms: u64) -> Result<(), SiwxError> {
        let message = &self.message;
        if message.domain != origin.domain() {
            return Err(SiwxError::DomainMismatch);
        }
        if !origin.covers(&message.uri) {
            return Err(SiwxError::UriMismatch);
        }
        let issued = timestamp::read(&message.issued_at).ok_or(SiwxError::IssuedAt)?;
        if now_ms.saturating_sub(issued) > max_age_ms {
            return Err(SiwxError::TooOld);
        }
        if issued > now_ms {
            return Err(SiwxError::InFuture);
        }
        if let Some(time) = &message.expiration_time {
            let end = timestamp::read(time).ok_or(SiwxError::ExpirationTime)?;
            if end <= now_ms {
                return Err(SiwxError::Expired);
            }
        }
        if let Some(time) = &message.not_before {
            let start = timestamp::read(time).ok_or(SiwxError::NotBefore)?;
            if start > now_ms {
                return Err(SiwxError::NotYetValid);
            }
        }
        Ok(())
    }

    /// When the seller may forget the nonce, in milliseconds since 1970: the message is too old by then.
    #[must_use]
    pub fn forgotten_ms(&self, max_age_ms: u64) -> u64 {
        timestamp::read(&self.message.issued_at)
            .unwrap_or(u64::MAX)
            .saturating_add(max_age_ms)
            .saturating_add(1)
    }
}
