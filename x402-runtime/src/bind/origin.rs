//! The public address of a server: scheme, host and port, never a path.

use std::net::Ipv4Addr;

use http::Uri;
use x402_model::endpoint::{is_host, is_origin};

use crate::paywall::Mistake;

/// A checked origin such as `https://api.example.com`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    /// Reads an origin. Only loopback hosts may go without TLS.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let wrong = |reason| Mistake::OriginInvalid {
            origin: text.to_owned(),
            reason,
        };
        if text.contains('?') || text.contains('#') {
            return Err(wrong("leave out the query and the fragment"));
        }
        let bare = text.strip_suffix('/').unwrap_or(text);
        let uri: Uri = bare
            .parse()
            .map_err(|_| wrong("write it like `https://api.example.com`"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong(
                "write it with its scheme, like `https://api.example.com`",
            ));
        };
        if authority.as_str().contains('@') {
            return Err(wrong("leave out user name and password"));
        }
        if !matches!(uri.path(), "" | "/") {
            return Err(wrong("leave out the path: routes add theirs"));
        }
        let host = authority.host();
        if !is_host(host) {
            return Err(wrong("its host is not a host name"));
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => {
                return Err(wrong(
                    "use https: without it anybody on the way can read and replay payments",
                ));
            }
            _ => return Err(wrong("its scheme must be https")),
        }
        let origin = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
        if !is_origin(&origin) {
            return Err(wrong("its port is not a port"));
        }
        Ok(Self(origin))
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, Mistake> {
        Origin::parse(text).map(Origin::into_string)
    }

    #[test]
    fn accepts_https_and_loopback_http() {
        assert_eq!(
            parse("https://API.example.com/").unwrap(),
            "https://api.example.com"
        );
        assert_eq!(
            parse("https://api.example.com:8443").unwrap(),
            "https://api.example.com:8443"
        );
        assert_eq!(parse("https://a_b.example").unwrap(), "https://a_b.example");
        for text in [
            "http://127.0.0.1:4021",
            "http://localhost:1",
            "http://[::1]:80",
            "http://a.localhost",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else_with_a_reason() {
        for text in [
            "",
            "api.example.com",
            "http://api.example.com",
            "http://127.0.0.1.evil.com",
            "ftp://a.example",
            "https://user@a.example",
            "https://a.example/v1",
            "https://a.example?x=1",
            "https://a.example#x",
            "https://a.example:0",
            "https://a.example:",
            "https://a.example:65536",
            "https://a.example:0443",
            "https://a..example",
            "https://\"evil",
            "https://",
            "//a.example",
        ] {
            assert!(
                matches!(parse(text), Err(Mistake::OriginInvalid { .. })),
                "{text}"
            );
        }
    }
}
