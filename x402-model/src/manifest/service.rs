//! The rules of the format for what a seller says of itself, checked before it is published.

use super::document::Service;
use super::error::ManifestError;
use super::views::links;
use crate::endpoint::rules::check_tags;
use crate::endpoint::{is_named_host, is_origin};
use crate::extension::timestamp;

/// Most characters of a name, which becomes the `serviceName` of directories.
const MAX_NAME: usize = 32;

/// Most characters of the guidance.
const MAX_GUIDANCE: usize = 4000;

/// Most kinds of service.
const MAX_CATEGORIES: usize = 5;

/// Most bytes of the address of a picture.
const MAX_ICON: usize = 2048;

impl Service {
    /// Checks what the JSON Schema of the format says about a service. Readers of manifests do not ask for it: they cut or leave out what
    /// breaks a rule, and so do directories, without a word.
    ///
    /// # Errors
    /// [`ManifestError::Rule`] for the first rule that is broken.
    pub fn check(&self) -> Result<(), ManifestError> {
        self.check_names()?;
        self.check_texts()?;
        let issued = timestamp::read(&self.issued_at);
        let time = "a time is written like `2026-11-20T09:00:00Z`";
        rule(issued.is_some(), "issuedAt", time)?;
        let until = self.valid_until.as_deref().map(timestamp::read);
        rule(
            until.is_none_or(|until| until.is_some() && until > issued),
            "validUntil",
            "a manifest is valid until a time after its issue, written like `2026-11-20T09:00:00Z`",
        )
    }

    fn check_names(&self) -> Result<(), ManifestError> {
        rule(
            is_reverse_name(&self.id),
            "id",
            "an id is a name in reverse DNS of small letters, digits and `-`, as in `com.example.weather`",
        )?;
        let printable = self.name.chars().all(|c| matches!(c, ' '..='~'));
        rule(
            printable && (1..=MAX_NAME).contains(&self.name.len()),
            "name",
            "a name has 1 to 32 printable ASCII characters: directories drop others",
        )?;
        let version = "a version has three numbers, as in `1.2.0`";
        rule(is_version(&self.version), "version", version)?;
        let counted = "revisions are counted from 1";
        rule(self.revision > 0, "revision", counted)?;
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let tags = check_tags(&tags).map_err(|error| error.to_string());
        tags.or_else(|reason| rule(false, "tags", &reason))?;
        let few = self.categories.len() <= MAX_CATEGORIES;
        rule(few, "categories", "there are at most 5 categories")
    }

    fn check_texts(&self) -> Result<(), ManifestError> {
        let guidance = self.guidance.as_deref().unwrap_or_default();
        rule(
            guidance.chars().count() <= MAX_GUIDANCE,
            "guidance",
            "the guidance has at most 4000 characters",
        )?;
        let icon = self.icon_url.as_deref();
        rule(
            icon.is_none_or(is_shown),
            "iconUrl",
            "a picture is at a web address of at most 2048 characters whose host has a name: directories drop others, and what is \
             on `localhost` or at the number of a machine",
        )?;
        let page = self.contact.as_ref().and_then(|it| it.url.as_deref());
        rule(
            page.is_none_or(|url| links::web(url).is_some()),
            "contact/url",
            "the page where people are helped is a web address",
        )
    }
}

/// Whether directories show the picture at an address: one that anybody may look at, without a name and a password.
fn is_shown(url: &str) -> bool {
    let after = links::web(url).and_then(|url| url.split_once("://"));
    let Some((_, rest)) = after.filter(|_| url.len() <= MAX_ICON) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    is_origin(&format!("https://{authority}")) && is_named_host(host)
}

fn rule(holds: bool, member: &str, reason: &str) -> Result<(), ManifestError> {
    if holds {
        return Ok(());
    }
    Err(ManifestError::Rule {
        place: format!("/service/{member}"),
        reason: reason.to_owned(),
    })
}

/// Labels of small letters, digits and, from the second on, dashes.
fn is_reverse_name(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let Some((first, rest)) = id.split_once('.') else {
        return false;
    };
    let label = |label: &str| !label.is_empty() && label.bytes().all(|it| plain(it) || it == b'-');
    !first.is_empty() && first.bytes().all(plain) && rest.split('.').all(label)
}

/// Three numbers, and what a version before them is called.
fn is_version(version: &str) -> bool {
    let (numbers, before) = match version.split_once('-') {
        Some((numbers, before)) => (numbers, Some(before)),
        None => (version, None),
    };
    let number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let three = numbers.split('.').count() == 3 && numbers.split('.').all(number);
    three && before.is_none_or(|before| !before.is_empty() && before.bytes().all(named))
}
