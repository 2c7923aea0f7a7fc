//! Where a request may go: encrypted or to this machine, without credentials in the URL, and never elsewhere.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::RequestFault;

/// Reads the URL of a call.
pub(crate) fn read(text: &str, allow_http: bool) -> Result<Url, RequestFault> {
    let mut url = Url::parse(text).map_err(|_| RequestFault::Url)?;
    // Servers never see fragments; dropping it keeps receipts and fingerprints about what was sent.
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RequestFault::Credentials);
    }
    let host = url.host().ok_or(RequestFault::Url)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&host) => Ok(url),
        "http" => Err(RequestFault::Insecure {
            origin: origin(&url),
        }),
        _ => Err(RequestFault::Url),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => Ipv4Addr::is_loopback(address),
        Host::Ipv6(address) => Ipv6Addr::is_loopback(address),
    }
}

/// Scheme, host and port as text.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Host with its port unless it is the scheme's own: the key of host ceilings.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What [`host`] gives for URLs with this host, if the text is a host and nothing else.
pub(crate) fn host_named(text: &str) -> Option<String> {
    let foreign = |c: char| matches!(c, '/' | '\\' | '?' | '#' | '@' | '*') || c.is_whitespace();
    if text.contains(foreign) {
        return None;
    }
    Url::parse(&format!("https://{text}/"))
        .ok()
        .map(|url| host(&url))
}

/// How strictly the resource named in the terms must be the one called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResourceRule {
    /// Same scheme, host and port.
    #[default]
    SameOrigin,
    /// Same host and port; `http` may stand for `https`, as sellers behind a proxy without an explicit origin write.
    SameHost,
    /// Any place. For gateways that forward calls under a name of their own; terms of one seller can then be shown
    /// for another's URL, so pin the payee as well.
    Unchecked,
}

/// Whether the terms are about the place called. A claim without an origin (empty or a path) is about this one.
pub(crate) fn is_same_place(called: &Url, claimed: &str, rule: ResourceRule) -> bool {
    if rule == ResourceRule::Unchecked {
        return true;
    }
    let Ok(claimed) = called.join(claimed) else {
        return false;
    };
    if called.origin() == claimed.origin() {
        return true;
    }
    rule == ResourceRule::SameHost
        && (called.scheme(), claimed.scheme()) == ("https", "http")
        && called.host() == claimed.host()
        && (called.port() == claimed.port()
            || claimed.port_or_known_default() == called.port_or_known_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a02_only_https_and_loopback_are_called() {
        for good in [
            "https://api.example.com/x",
            "http://127.0.0.1:4021/x",
            "http://[::1]:9/",
            "http://localhost:1/",
        ] {
            assert!(read(good, false).is_ok(), "{good}");
        }
        for insecure in [
            "http://api.example.com/",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
        ] {
            assert!(
                matches!(read(insecure, false), Err(RequestFault::Insecure { .. })),
                "{insecure}"
            );
            assert!(read(insecure, true).is_ok(), "{insecure}");
        }
        for wrong in [
            "",
            "/x",
            "api.example.com",
            "ftp://example.com/",
            "file:///etc/passwd",
            "data:,x",
            "https://",
        ] {
            assert!(
                matches!(read(wrong, true), Err(RequestFault::Url)),
                "{wrong}"
            );
        }
        assert!(matches!(
            read("https://user:secret@example.com/", true),
            Err(RequestFault::Credentials)
        ));
    }

    #[test]
    fn fragments_are_dropped_and_hosts_keep_their_port() {
        let url = read("http://localhost:4021/x?q=1#top", false).unwrap();
        assert_eq!(url.as_str(), "http://localhost:4021/x?q=1");
        assert_eq!(host(&url), "localhost:4021");
        assert_eq!(
            host(&read("https://API.Example.com:443/", false).unwrap()),
            "api.example.com"
        );
    }

    #[test]
    fn a12_lookalike_resources_are_another_place() {
        let called = read("https://api.example.com/weather", false).unwrap();
        let same = |claimed: &str| is_same_place(&called, claimed, ResourceRule::SameOrigin);
        for good in [
            "https://api.example.com/weather",
            "https://api.example.com:443/other",
            "https://API.example.com",
            "/weather",
            "",
        ] {
            assert!(same(good), "{good}");
        }
        for bad in [
            "http://api.example.com/weather",
            "https://api.example.com:8443/weather",
            "https://api.example.com.evil.test/weather",
            "https://evil.test/https://api.example.com/weather",
            "https://api.example.com@evil.test/weather",
            "https://аpi.example.com/weather",
            "https://example.com/weather",
            "https://api-example.com/weather",
            "https://api.example.com./weather",
            "//evil.test/weather",
            "\\\\evil.test\\weather",
            "data:text/plain,x",
            "javascript:alert(1)",
            "https://",
        ] {
            assert!(!same(bad), "{bad}");
        }
    }

    #[test]
    fn unchecked_is_what_it_says() {
        let called = read("https://gateway.internal/weather", false).unwrap();
        assert!(is_same_place(
            &called,
            "https://api.example.com/weather",
            ResourceRule::Unchecked
        ));
    }

    #[test]
    fn a12_same_host_forgives_only_the_scheme() {
        let called = read("https://api.example.com/weather", false).unwrap();
        let same = |claimed: &str| is_same_place(&called, claimed, ResourceRule::SameHost);
        assert!(same("http://api.example.com/weather"));
        for bad in [
            "http://evil.test/",
            "http://api.example.com:8080/",
            "ftp://api.example.com/",
        ] {
            assert!(!same(bad), "{bad}");
        }
        let called = read("http://127.0.0.1:4021/", false).unwrap();
        assert!(!is_same_place(
            &called,
            "https://127.0.0.1:4021/",
            ResourceRule::SameHost
        ));
    }
}
