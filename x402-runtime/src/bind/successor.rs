//! Where to go from an endpoint that is replaced: the address of its successor (`successor-version`, RFC 5829), for every path.

use x402_model::endpoint::operation_id;

use super::BoundEndpoint;
use crate::project;

/// Longest path that is carried over; that of a longer one has no successor.
const MAX_PATH: usize = 2048;

/// Segments of a URL that say where it is rather than what: `https:`, nothing, and the host.
const PLACE: usize = 3;

/// What replaces an endpoint: captures of the same name have the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Successor {
    /// The path of the endpoint that is replaced.
    from: String,
    /// The path of its successor, or a URL.
    to: String,
    /// The origin of the path.
    origin: Option<String>,
}

impl Successor {
    /// What replaces an endpoint, of all that are sold beside it. `None` if nothing does, or something that has a capture of which
    /// the endpoint does not know the value.
    pub(crate) fn of(endpoint: &BoundEndpoint, all: &[&BoundEndpoint]) -> Option<Self> {
        let wanted = endpoint.spec().lifecycle.deprecation?.replacement?;
        if wanted.contains("://") {
            return Self::new(endpoint.path(), wanted, None);
        }
        let mut others = all.iter().filter(|other| other.id() != endpoint.id());
        let other = others.find(|other| goes_by(other.id(), wanted))?;
        Self::new(endpoint.path(), other.path(), Some(other.origin()))
    }

    fn new(from: &str, to: &str, origin: Option<&str>) -> Option<Self> {
        let known = |segment: &str| match capture(segment) {
            None => !segment.contains(['{', '}']),
            Some((many, name)) => from
                .split('/')
                .filter_map(capture)
                .any(|(any, known)| known == name && (many || !any)),
        };
        // No request says which host it is.
        let place = if origin.is_none() { PLACE } else { 0 };
        let mut place = to.split('/').take(place);
        let named = place.all(|segment| capture(segment).is_none());
        (named && to.split('/').all(known)).then(|| Self {
            from: from.to_owned(),
            to: to.to_owned(),
            origin: origin.map(str::to_owned),
        })
    }

    /// The URL for a request: its path as it was sent, and as the endpoint's own router saw it, without what it is nested in.
    pub(crate) fn url(&self, sent: &str, seen: &str) -> Option<String> {
        if sent.len() > MAX_PATH {
            return None;
        }
        let escaped = |path: &str| project::url("", path);
        let segments = self.to.split('/').map(|segment| match capture(segment) {
            Some((_, name)) => self.value(seen, name).map(escaped),
            None if self.origin.is_some() => Some(escaped(segment)),
            None => Some(segment.to_owned()),
        });
        let to = segments.collect::<Option<Vec<_>>>()?.join("/");
        Some(match &self.origin {
            Some(origin) => {
                let nested = sent.strip_suffix(seen).unwrap_or_default();
                format!("{origin}{}{to}", escaped(nested))
            }
            None => to,
        })
    }

    /// What a path that the endpoint answers has in the place of a capture.
    fn value<'p>(&self, path: &'p str, wanted: &str) -> Option<&'p str> {
        let mut rest = path;
        for segment in self.from.split('/') {
            let (value, later) = rest.split_once('/').unwrap_or((rest, ""));
            match capture(segment) {
                Some((true, name)) if name == wanted => return Some(rest),
                Some((false, name)) if name == wanted => return Some(value),
                _ => rest = later,
            }
        }
        None
    }
}

/// Whether an endpoint is meant: by its id, or by the name that it has in documents for programs.
pub(super) fn goes_by(id: &str, wanted: &str) -> bool {
    id == wanted || operation_id(id) == wanted
}

/// The name of a capture, and whether it takes all that is left of a path.
fn capture(segment: &str) -> Option<(bool, &str)> {
    let inner = segment.strip_prefix('{')?.strip_suffix('}')?;
    let many = inner.strip_prefix('*');
    Some((many.is_some(), many.unwrap_or(inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Option<&str> = Some("https://api.example.com");

    #[test]
    fn captures_of_the_same_name_have_the_same_value() {
        for (from, to, path, url) in [
            ("/a", "/b", "/a", "https://api.example.com/b"),
            (
                "/a/{x}/{y}",
                "/b/{y}/c/{x}",
                "/a/1/2",
                "https://api.example.com/b/2/c/1",
            ),
            ("/a/{x}", "/b", "/a/1", "https://api.example.com/b"),
            (
                "/a/{*rest}",
                "/b/{*rest}",
                "/a/1/2",
                "https://api.example.com/b/1/2",
            ),
            (
                "/a/{rest}",
                "/b/{*rest}",
                "/a/1",
                "https://api.example.com/b/1",
            ),
            (
                "/{x}/{x1}",
                "/{x1}/{x}",
                "/%C3%A9/\u{e9}",
                "https://api.example.com/%C3%A9/%C3%A9",
            ),
            (
                "/{x}",
                "/b>/{x}",
                "/<\"",
                "https://api.example.com/b%3E/%3C%22",
            ),
            // It stays on this host, whatever the path begins with.
            (
                "/a/{*rest}",
                "/{*rest}",
                "/a//b.example/",
                "https://api.example.com//b.example/",
            ),
        ] {
            let successor = Successor::new(from, to, ORIGIN).expect(to);
            assert_eq!(
                successor.url(path, path).as_deref(),
                Some(url),
                "{from} {to}"
            );
        }
        for (from, to) in [
            ("/a", "/b/{x}"),
            ("/a/{y}", "/b/{x}"),
            // Several segments are not one.
            ("/a/{*x}", "/b/{x}"),
        ] {
            assert_eq!(Successor::new(from, to, ORIGIN), None, "{from} {to}");
        }
    }

    #[test]
    fn a_url_is_as_it_was_written_but_for_its_captures() {
        let url = "https://b.example/v2/{x}/%7Ea?b=c&d#e";
        let successor = Successor::new("/a/{x}", url, None).expect(url);
        let written = successor.url("/nested/a/1>", "/a/1>");
        assert_eq!(
            written.as_deref(),
            Some("https://b.example/v2/1%3E/%7Ea?b=c&d#e")
        );
        // Only whole segments are captures, and none of them is the host.
        for odd in ["https://b.example/v2?x={x}", "https://{x}/v2"] {
            assert_eq!(Successor::new("/a/{x}", odd, None), None, "{odd}");
        }
    }

    #[test]
    fn what_it_is_nested_in_stays_and_long_paths_have_no_successor() {
        let successor = Successor::new("/a/{x}", "/b/{x}", ORIGIN).expect("known");
        let url = |sent: &str, seen: &str| successor.url(sent, seen);
        let nested = url("/v1/shop/a/1", "/a/1");
        assert_eq!(
            nested.as_deref(),
            Some("https://api.example.com/v1/shop/b/1")
        );
        // A layer that writes paths anew leaves no trace of what was there.
        let anew = url("/else", "/a/1");
        assert_eq!(anew.as_deref(), Some("https://api.example.com/b/1"));
        let long = format!("/a/{}", "x".repeat(MAX_PATH));
        assert_eq!(url(&long, &long), None);
    }
}
