//! The rule for hosts and origins: what sellers configure is what readers of their manifests take.

use std::net::Ipv6Addr;

/// Most bytes of a host name.
const MAX_HOST_BYTES: usize = 253;

/// Most bytes between two dots of a host name.
const MAX_LABEL_BYTES: usize = 63;

/// Whether a text is a host: a name of letters, digits, `-` and `_` between dots, an IPv4 address, or an IPv6 address in brackets.
///
/// Underscores are no part of host names in the strict sense, but of names that networks of containers and tenants have.
///
/// ```
/// use x402_model::endpoint::is_host;
/// assert!(is_host("api_2.example.com") && is_host("127.0.0.1") && is_host("[::1]"));
/// assert!(!is_host("") && !is_host("a..b") && !is_host("a:80") && !is_host("[::1") && !is_host("münchen.example"));
/// ```
#[must_use]
pub fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| {
        !label.is_empty() && label.len() <= MAX_LABEL_BYTES && label.bytes().all(plain)
    };
    host.len() <= MAX_HOST_BYTES && host.split('.').all(label)
}

/// Names by which a machine calls itself.
const LOCAL_NAMES: [&str; 4] = [
    "localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "ip6-loopback",
];

/// Whether a text is a host that has a name, which may mean the same to everybody: no address in any spelling, and not this
/// machine.
///
/// ```
/// use x402_model::endpoint::is_named_host;
/// assert!(is_named_host("api.example.com") && is_named_host("1.example"));
/// assert!(!is_named_host("10.0.0.1") && !is_named_host("[::1]") && !is_named_host("0x7f.1") && !is_named_host("localhost"));
/// ```
#[must_use]
pub fn is_named_host(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    // URLs that end in a number are addresses, whatever stands before it.
    let decimal = last.bytes().all(|byte| byte.is_ascii_digit());
    let hex = last.strip_prefix("0x");
    let hex = hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let local = LOCAL_NAMES.contains(&&*name) || name.ends_with(".localhost");
    is_host(host) && !host.starts_with('[') && !decimal && !hex && !local
}

/// Whether a text is an origin: `http://` or `https://`, a host, and perhaps a port.
///
/// ```
/// use x402_model::endpoint::is_origin;
/// assert!(is_origin("https://api.example.com") && is_origin("http://[::1]:8080"));
/// assert!(!is_origin("https://a.example/") && !is_origin("https://a.example:0") && !is_origin("https://"));
/// ```
#[must_use]
pub fn is_origin(origin: &str) -> bool {
    let secure = origin.strip_prefix("https://");
    let Some(authority) = secure.or_else(|| origin.strip_prefix("http://")) else {
        return false;
    };
    // The colons of an IPv6 address stand before its bracket.
    let bracket = authority.rfind(']').unwrap_or_default();
    let colon = authority.rfind(':').filter(|colon| *colon >= bracket);
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    is_host(host) && (port.is_empty() || is_port(port.trim_start_matches(':')))
}

/// One spelling of a number from 1 to 65535.
fn is_port(port: &str) -> bool {
    port.starts_with(|c: char| matches!(c, '1'..='9')) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_labels_of_letters_and_digits() {
        let label = "a".repeat(MAX_LABEL_BYTES);
        let longest = [label.as_str(); 4].join(".").split_off(2);
        assert_eq!(longest.len(), MAX_HOST_BYTES);
        for host in [
            "a",
            "A-b_c.1",
            "localhost",
            "10.0.0.1",
            "[2001:db8::1]",
            &longest,
        ] {
            assert!(is_host(host), "{host}");
        }
        let (wide, long) = (format!("{label}a"), format!("{longest}a"));
        for host in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a/b",
            "a@b",
            "a:1",
            "::1",
            "[]",
            "[a]",
            "[::1]a",
            "[[::1]]",
            "a\"",
            "a%20",
            "ä.example",
            &wide,
            &long,
        ] {
            assert!(!is_host(host), "{host}");
        }
    }

    #[test]
    fn origins_have_a_scheme_a_host_and_perhaps_a_port() {
        for origin in [
            "https://a_b.example",
            "http://[::1]",
            "http://[::1]:1",
            "https://a:65535",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for origin in [
            "a.example",
            "ftp://a.example",
            "//a.example",
            "https:/a",
            "https://:80",
            "https://a:",
            "https://a::1",
            "https://a:0",
            "https://a:080",
            "https://a:+8",
            "https://a:65536",
            "https://a:8a",
            "https://a/",
            "https://a?b",
            "https://a#b",
            "https://b@a",
            "https://::1",
            "https://[::1]]:1",
            "HTTPS://a",
        ] {
            assert!(!is_origin(origin), "{origin}");
        }
    }
}
