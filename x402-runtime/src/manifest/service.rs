//! What an operator says about the service as a whole.

use std::collections::BTreeMap;

use serde_json::Value;
use x402_model::extension::timestamp;
use x402_model::manifest::{self, Contact};

use crate::bind::Shown;

/// Longest name of a service: it becomes the `serviceName` of every 402, where directories drop longer ones.
const MAX_NAME: usize = 32;

/// The service that a paywall belongs to, for its manifest, and as far as directories show it also for every 402: its name, its
/// picture, and its search words where an endpoint has none of its own.
///
/// ```
/// use x402_runtime::manifest::Service;
/// let service = Service::new("com.example.weather", "Weather", "1.2.0")
///     .issued(7, "2026-11-20T09:00:00Z")
///     .description("Weather for software agents, by the call.")
///     .contact("ops@example.com");
/// assert_eq!(service.name(), "Weather");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    id: String,
    name: String,
    version: String,
    issue: Option<(u64, String)>,
    valid_until: Option<String>,
    description: String,
    guidance: Option<String>,
    tags: Vec<String>,
    categories: Vec<String>,
    icon_url: Option<String>,
    contact: Option<Contact>,
    signers: Vec<String>,
    proof: Option<String>,
    legal: BTreeMap<String, Value>,
    links: BTreeMap<String, String>,
}

impl Service {
    /// A service: its id in reverse DNS (`com.example.weather`), its name (at most 32 ASCII characters), and the version of its
    /// contract (`1.2.0`, by the rules of semantic versions: a rise of a price is a new major one).
    pub fn new(id: impl Into<String>, name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            version: version.into(),
            issue: None,
            valid_until: None,
            description: String::new(),
            guidance: None,
            tags: Vec::new(),
            categories: Vec::new(),
            icon_url: None,
            contact: None,
            signers: Vec::new(),
            proof: None,
            legal: BTreeMap::new(),
            links: BTreeMap::new(),
        }
    }

    /// The service of whoever says nothing about it, named after the host of its origin.
    pub(crate) fn of_origin(origin: &str) -> Self {
        let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        let host = host.split(':').next().unwrap_or_default();
        let label = |part: &&str| {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            !part.is_empty() && part.bytes().all(plain)
        };
        let mut labels: Vec<&str> = host.split('.').filter(label).collect();
        labels.reverse();
        let id = match labels.as_slice() {
            [] => "local.service".to_owned(),
            [one] => format!("local.{one}"),
            // The first label of an id has no dash.
            [first, ..] if first.contains('-') => format!("local.{}", labels.join(".")),
            several => several.join("."),
        };
        let name: String = host.chars().take(MAX_NAME).collect();
        Self::new(id, name, "0.0.0")
    }

    /// Which issue of the manifest this is, counted from 1, and when it was issued (RFC 3339, in UTC). Whoever reads manifests
    /// tells by it whether theirs is old; give both from your release process, so that the same code has the same manifest.
    ///
    /// Without it the issue is 1, of the time at which the process started.
    #[must_use]
    pub fn issued(mut self, revision: u64, at: impl Into<String>) -> Self {
        self.issue = Some((revision, at.into()));
        self
    }

    /// Until when the manifest holds (RFC 3339, in UTC).
    #[must_use]
    pub fn valid_until(mut self, at: impl Into<String>) -> Self {
        self.valid_until = Some(at.into());
        self
    }

    /// What it is, in a sentence or two.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// How an agent should use it, at most 4000 characters.
    #[must_use]
    pub fn guidance(mut self, text: impl Into<String>) -> Self {
        self.guidance = Some(text.into());
        self
    }

    /// Search words, at most 5 of at most 32 ASCII characters. Endpoints with words of their own go by those.
    #[must_use]
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Where directories should list it, at most 5.
    #[must_use]
    pub fn categories<T: Into<String>>(mut self, categories: impl IntoIterator<Item = T>) -> Self {
        self.categories = categories.into_iter().map(Into::into).collect();
        self
    }

    /// A picture: an `https` or `http` URL of at most 2048 characters, whose host has a name. Directories drop pictures at an address
    /// and at `localhost`. Where a 402 would get too long with it, it is left out there, and the start warns.
    #[must_use]
    pub fn icon(mut self, url: impl Into<String>) -> Self {
        self.icon_url = Some(url.into());
        self
    }

    /// Whom to write to: an e-mail address, or a URL.
    #[must_use]
    pub fn contact(mut self, at: impl Into<String>) -> Self {
        let (at, mut contact) = (at.into(), self.contact.unwrap_or_default());
        if at.contains("://") {
            contact.url = Some(at);
        } else {
            contact.email = Some(at);
        }
        self.contact = Some(contact);
        self
    }

    /// The terms of service and the privacy notice, as URLs.
    #[must_use]
    pub fn terms(mut self, terms_url: impl Into<String>, privacy_url: impl Into<String>) -> Self {
        for (name, url) in [
            ("termsUrl", terms_url.into()),
            ("privacyUrl", privacy_url.into()),
        ] {
            self.legal.insert(name.to_owned(), url.into());
        }
        self
    }

    /// Declares an account that may sign the manifest besides those that are paid, for sellers whose pay-to key is not where the
    /// manifest is made. Readers who know an earlier manifest of the service tell by the declaration in it that a new signer is meant;
    /// to others it proves no more than who serves the document.
    #[must_use]
    pub fn signer(mut self, address: impl Into<String>) -> Self {
        self.signers.push(address.into());
        self
    }

    /// A proof that the pay-to key stands for the origin, made elsewhere: its EIP-191 signature (`personal_sign`) over exactly the
    /// origin, such as `https://api.example.com`, as `0x` and 130 hex digits. A [manifest that is
    /// signed](crate::PaywallBuilder::sign_manifest) by the pay-to key has such a proof by itself.
    #[must_use]
    pub fn ownership_proof(mut self, signature: impl Into<String>) -> Self {
        self.proof = Some(signature.into());
        self
    }

    /// A link to something else, such as `status`, `changelog` or `agentCard`.
    #[must_use]
    pub fn link(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.links.insert(name.into(), url.into());
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What every 402 says of it.
    pub(crate) fn shown(&self) -> Shown {
        Shown {
            name: Some(self.name.clone()),
            icon: self.icon_url.clone(),
            tags: self.tags.clone(),
        }
    }

    /// When the manifest was issued, Unix seconds, if that was said in words that can be read.
    pub(crate) fn issued_seconds(&self) -> Option<u64> {
        let (_, at) = self.issue.as_ref()?;
        Some(timestamp::read(at)? / 1000)
    }

    /// The proof of its origin that was made elsewhere.
    pub(crate) fn proof(&self) -> Option<&str> {
        self.proof.as_deref()
    }

    /// The accounts that it declares.
    pub(crate) fn signers(&self) -> &[String] {
        &self.signers
    }

    /// The links to what is not served by the paywall.
    pub(super) const fn links(&self) -> &BTreeMap<String, String> {
        &self.links
    }

    /// The service as the manifest has it.
    ///
    /// Where a price changed as it was scheduled, the manifest is of that time, `changed`. Its revision stays: the change was announced
    /// in it, and whoever takes two changes out of his code at once would otherwise go back.
    pub(super) fn entry(&self, origin: &str, started_ms: u64, changed: u64) -> manifest::Service {
        let whole_seconds = started_ms / 1000 * 1000;
        let issue = self.issue.clone();
        let (revision, issued_at) = issue.unwrap_or_else(|| (1, timestamp::print(whole_seconds)));
        let issued_at = match timestamp::read(&issued_at) {
            Some(issued_ms) if issued_ms / 1000 < changed => timestamp::print_seconds(changed),
            _ => issued_at,
        };
        let description = if self.description.is_empty() {
            format!("{}: paid by the call with x402.", self.name)
        } else {
            self.description.clone()
        };
        manifest::Service {
            id: self.id.clone(),
            name: self.name.clone(),
            version: self.version.clone(),
            revision,
            origin: origin.to_owned(),
            description,
            guidance: self.guidance.clone(),
            tags: self.tags.clone(),
            categories: self.categories.clone(),
            icon_url: self.icon_url.clone(),
            contact: self.contact.clone(),
            legal: self.legal.clone(),
            signers: self.signers.clone(),
            issued_at,
            valid_until: self.valid_until.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_words_is_named_after_its_host() {
        let id = |origin: &str| Service::of_origin(origin).id;
        assert_eq!(id("https://api.example.com"), "com.example.api");
        assert_eq!(id("http://127.0.0.1:3000"), "1.0.0.127");
        assert_eq!(id("http://localhost:3000"), "local.localhost");
        assert_eq!(id("http://[::1]:3000"), "local.service");
        assert_eq!(id("https://a_1.b.xn--p1ai"), "local.xn--p1ai.b");
        for origin in [
            "https://api.example.com",
            "http://[::1]:3000",
            "http://localhost",
            "https://a_1.b.xn--p1ai",
            "https://a-name-that-is-longer-than-directories-show.example",
        ] {
            assert_eq!(
                Service::of_origin(origin).entry(origin, 0, 0).check(),
                Ok(()),
                "{origin}"
            );
        }
    }

    #[test]
    fn a_contact_is_an_address_or_a_page() {
        let service = Service::new("a.b", "B", "1.0.0")
            .contact("b@a.test")
            .contact("https://a.test/b");
        let contact = service.entry("https://a.test", 0, 0).contact.unwrap();
        assert_eq!(contact.email.as_deref(), Some("b@a.test"));
        assert_eq!(contact.url.as_deref(), Some("https://a.test/b"));
    }
}
