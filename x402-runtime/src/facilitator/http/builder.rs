//! Builds an `HttpFacilitator`: where the provider is, how long and how much it may answer, and who is calling.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::auth::FacilitatorAuth;
use super::kinds::Kinds;
use super::wire::Wire;
use super::{HttpFacilitator, Inner};

/// Why a provider cannot be used. The address is not repeated, because it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFacilitatorError {
    /// The text is not a URL.
    #[error("the facilitator's address is not a URL like https://x402.org/facilitator")]
    NotAUrl,
    /// Not `https`, and not `http` on the loopback interface.
    #[error(
        "the facilitator's address must begin with https:// (http:// is for the loopback interface only)"
    )]
    NotHttps,
    /// The address has a user name, a password, a query or a fragment.
    #[error(
        "the facilitator's address must have no user, password, query or fragment; pass secrets with `auth`"
    )]
    MoreThanAnAddress,
    /// A bound that makes no sense.
    #[error("{0} must be more than zero")]
    Zero(&'static str),
    /// The TLS library does not start.
    #[error("no HTTP client could be made")]
    Client,
}

/// Sets up an [`HttpFacilitator`].
#[must_use]
pub struct HttpFacilitatorBuilder {
    url: String,
    auth: Option<Arc<dyn FacilitatorAuth>>,
    verify_deadline: Duration,
    settle_deadline: Duration,
    answer_cap: usize,
    kinds_fresh_for: Duration,
    check_before_serving: bool,
}

impl HttpFacilitatorBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            auth: None,
            verify_deadline: Duration::from_secs(10),
            // The paywall itself gives up after 30 s unless told otherwise. Ending before it keeps what was learnt, such as
            // the transaction of a pending settlement.
            settle_deadline: Duration::from_secs(28),
            answer_cap: 64 * 1024,
            kinds_fresh_for: Duration::from_secs(10 * 60),
            check_before_serving: false,
        }
    }

    /// Who makes the headers that authorize calls, for example a [`BearerToken`](super::BearerToken) or
    /// [`CdpAuth`](super::CdpAuth). Default: nobody.
    pub fn auth(mut self, auth: impl FacilitatorAuth) -> Self {
        self.auth = Some(Arc::new(auth));
        self
    }

    /// Longest time for one `verify` or `supported` call, from its authorization to the end of the answer. Default: 10 s.
    pub const fn verify_deadline(mut self, deadline: Duration) -> Self {
        self.verify_deadline = deadline;
        self
    }

    /// Longest time for a `settle` call, the one repetition of a pending settlement included. Default: 28 s, just below the
    /// paywall's own `settle_timeout`; with a longer one there, the 90 s of the reference implementation are usual.
    pub const fn settle_deadline(mut self, deadline: Duration) -> Self {
        self.settle_deadline = deadline;
        self
    }

    /// Longest answer in bytes. Default: 64 KiB.
    pub const fn answer_cap(mut self, bytes: usize) -> Self {
        self.answer_cap = bytes;
        self
    }

    /// How long the answer to `supported` is used without asking again. Default: 10 minutes.
    pub const fn kinds_fresh_for(mut self, duration: Duration) -> Self {
        self.kinds_fresh_for = duration;
        self
    }

    /// Whether the provider verifies a payment before the handler runs. Default: `false`.
    ///
    /// The gate has checked signature, amount, payee and validity locally by then. Asking costs a round trip per paid call, and
    /// protects the work of expensive handlers against payers without money; the answer is held back from them either way.
    pub const fn check_before_serving(mut self, check: bool) -> Self {
        self.check_before_serving = check;
        self
    }

    /// Checks everything. Nothing is sent yet.
    ///
    /// # Errors
    /// An [`HttpFacilitatorError`].
    pub fn build(self) -> Result<HttpFacilitator, HttpFacilitatorError> {
        let base = parse(&self.url)?;
        for (zero, what) in [
            (self.verify_deadline.is_zero(), "verify_deadline"),
            (self.settle_deadline.is_zero(), "settle_deadline"),
            (self.answer_cap == 0, "answer_cap"),
        ] {
            if zero {
                return Err(HttpFacilitatorError::Zero(what));
            }
        }
        let wire =
            Wire::new(base, self.auth, self.answer_cap).ok_or(HttpFacilitatorError::Client)?;
        Ok(HttpFacilitator {
            inner: Arc::new(Inner {
                wire,
                kinds: Kinds::new(self.kinds_fresh_for),
                verify_deadline: self.verify_deadline,
                settle_deadline: self.settle_deadline,
                check_before_serving: self.check_before_serving,
            }),
        })
    }
}

impl fmt::Debug for HttpFacilitatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFacilitatorBuilder")
            .field("verify_deadline", &self.verify_deadline)
            .field("settle_deadline", &self.settle_deadline)
            .field("answer_cap", &self.answer_cap)
            .field("check_before_serving", &self.check_before_serving)
            .finish_non_exhaustive()
    }
}

/// The base address, its path without slashes at the end.
fn parse(text: &str) -> Result<Url, HttpFacilitatorError> {
    let mut url = Url::parse(text.trim()).map_err(|_| HttpFacilitatorError::NotAUrl)?;
    let allowed = match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => is_loopback(&host),
        _ => false,
    };
    if !allowed {
        return Err(HttpFacilitatorError::NotHttps);
    }
    let more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if more {
        return Err(HttpFacilitatorError::MoreThanAnAddress);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain_and_secure() {
        use HttpFacilitatorError::{MoreThanAnAddress, NotAUrl, NotHttps};
        let table = [
            ("https://x402.org/facilitator", Ok("/facilitator")),
            (" https://x402.org/facilitator/// ", Ok("/facilitator")),
            ("https://x402.org", Ok("/")),
            ("HTTPS://X402.org/", Ok("/")),
            ("http://localhost:4020/x/", Ok("/x")),
            ("http://127.9.9.9", Ok("/")),
            ("http://[::1]:80", Ok("/")),
            ("http://x402.org", Err(NotHttps)),
            ("http://localhost.example.com", Err(NotHttps)),
            ("http://127.0.0.1.example.com", Err(NotHttps)),
            ("http://10.0.0.1", Err(NotHttps)),
            ("ftp://localhost", Err(NotHttps)),
            ("file:///etc/passwd", Err(NotHttps)),
            ("x402.org/facilitator", Err(NotAUrl)),
            ("", Err(NotAUrl)),
            ("https://user@x402.org", Err(MoreThanAnAddress)),
            ("https://:secret@x402.org", Err(MoreThanAnAddress)),
            ("https://x402.org?key=secret", Err(MoreThanAnAddress)),
            ("https://x402.org/#x", Err(MoreThanAnAddress)),
        ];
        for (text, expected) in table {
            let path = parse(text).map(|url| url.path().to_owned());
            assert_eq!(path, expected.map(str::to_owned), "{text}");
        }
    }
}
