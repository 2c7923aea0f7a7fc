//! Which client a connection belongs to, for limits per client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;

/// The address that a client is counted under: the peer, or what the given number of trusted proxies say.
///
/// Each proxy adds the address it was called from to the end of `X-Forwarded-For`, so that with `trusted` proxies the entry
/// that many places from the end is the client; whatever stands before it is the client's own invention. A shorter list did
/// not come through all proxies and counts for the peer.
pub(super) fn address(headers: &HeaderMap, peer: SocketAddr, trusted: usize) -> IpAddr {
    let told = trusted
        .checked_sub(1)
        .and_then(|from_end| forwarded(headers, from_end));
    group(told.unwrap_or_else(|| peer.ip()))
}

fn forwarded(headers: &HeaderMap, from_end: usize) -> Option<IpAddr> {
    let mut entries = headers
        .get_all("x-forwarded-for")
        .into_iter()
        .rev()
        .flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let entry = std::str::from_utf8(entries.nth(from_end)?).ok()?.trim();
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .ok()
        .or_else(|| entry.parse().ok().map(|address: SocketAddr| address.ip()))
}

/// One customer of an IPv6 network usually has a /64 to choose from.
pub(super) fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(lines: &[&str], trusted: usize) -> String {
        let peer = "192.0.2.1:9".parse().unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        address(&headers, peer, trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let table: [(&[&str], usize, &str); 10] = [
            (&["198.51.100.7"], 0, "192.0.2.1"),
            (&["198.51.100.7"], 1, "198.51.100.7"),
            (&["6.6.6.6, 198.51.100.7"], 1, "198.51.100.7"),
            (&["6.6.6.6", "198.51.100.7"], 1, "198.51.100.7"),
            (&["6.6.6.6, 198.51.100.7, 203.0.113.9"], 2, "198.51.100.7"),
            (&["198.51.100.7"], 2, "192.0.2.1"),
            (&[], 1, "192.0.2.1"),
            (&["nonsense"], 1, "192.0.2.1"),
            (&["198.51.100.7:443"], 1, "198.51.100.7"),
            (&["[2001:db8:1:2:3:4:5:6]"], 1, "2001:db8:1:2::"),
        ];
        for (lines, trusted, expected) in table {
            assert_eq!(client(lines, trusted), expected, "{lines:?} {trusted}");
        }
    }
}
