//! The addresses in a manifest, as whole URLs below its origin.

use serde_json::Value;

use crate::manifest::{Manifest, paths};

/// A link as it is written, or its default. Nothing for a link that is neither a path nor a web address.
pub(super) fn reference<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
    let default = || {
        paths::LINKS
            .iter()
            .find(|(key, _)| *key == name)
            .map(|it| it.1)
    };
    let written = manifest.links.get(name).map(String::as_str);
    let usable = written.filter(|link| is_path(link) || web(link).is_some());
    usable.or_else(default)
}

/// A link as a whole URL.
pub(super) fn url(manifest: &Manifest, name: &str) -> Option<String> {
    let link = reference(manifest, name)?;
    Some(if is_path(link) {
        format!("{}{link}", manifest.service.origin)
    } else {
        link.to_owned()
    })
}

/// The path below the origin under which a document is served, without its first slash.
///
/// A link to another place, or one that would make an odd file name, leaves the default, a path below the origin.
pub(super) fn file(manifest: &Manifest, name: &str, default: &str) -> String {
    let link = manifest.links.get(name);
    let path = link.and_then(|link| {
        link.strip_prefix(&*manifest.service.origin)
            .unwrap_or(link)
            .strip_prefix('/')
    });
    let plain = |path: &&str| {
        let segment = |part: &str| {
            let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            !matches!(part, "" | "." | "..") && part.bytes().all(named)
        };
        path.len() <= 200 && path.split('/').all(segment)
    };
    let path = path.filter(plain).unwrap_or(default);
    path.trim_start_matches('/').to_owned()
}

/// A web address that can stand anywhere: `http` or `https`, of characters that end no URL.
pub(in crate::manifest) fn web(text: &str) -> Option<&str> {
    let after = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    (!after.is_empty() && is_plain(text)).then_some(text)
}

/// A legal document, such as the `termsUrl`.
pub(super) fn legal<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
    manifest
        .service
        .legal
        .get(name)
        .and_then(Value::as_str)
        .and_then(web)
}

/// The page where people are helped.
pub(super) fn support(manifest: &Manifest) -> Option<&str> {
    let contact = manifest.service.contact.as_ref()?;
    contact.url.as_deref().and_then(web)
}

/// The icon.
pub(super) fn icon(manifest: &Manifest) -> Option<&str> {
    manifest.service.icon_url.as_deref().and_then(web)
}

fn is_path(link: &str) -> bool {
    link.starts_with('/') && !link.starts_with("//") && is_plain(link)
}

fn is_plain(text: &str) -> bool {
    let ends_a_url = |b: u8| {
        matches!(
            b,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
    };
    text.len() <= 2048 && text.bytes().all(|b| b.is_ascii_graphic() && !ends_a_url(b))
}
