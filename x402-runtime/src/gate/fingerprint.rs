//! The digest that binds a payment to one request.

use sha2::{Digest, Sha256};

use crate::bind::BoundEndpoint;
use crate::ledger::Fingerprint;

/// Digests what makes a request this request: endpoint, method, path, query and body.
///
/// `HEAD` counts as `GET`. The order of query parameters with different names does not count, because some clients sort
/// them on a retry; the order of those with one name does.
pub(super) fn fingerprint(
    endpoint: &BoundEndpoint,
    path: &str,
    query: &str,
    body: &[u8],
) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(b"x402 request 1");
    let query = canonical_query(query);
    let parts: [&[u8]; 5] = [
        endpoint.method().as_str().as_bytes(),
        endpoint.id().as_bytes(),
        path.as_bytes(),
        query.as_bytes(),
        body,
    ];
    for part in parts {
        // Lengths keep the parts apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    Fingerprint(hash.finalize().into())
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_by_key(|pair| pair.split_once('=').map_or(*pair, |(name, _)| name));
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::canonical_query;

    #[test]
    fn query_order_counts_only_among_equal_names() {
        assert_eq!(canonical_query("b=2&a=1"), canonical_query("a=1&&b=2"));
        assert_ne!(canonical_query("a=1&a=2"), canonical_query("a=2&a=1"));
        assert_ne!(canonical_query("a=1"), canonical_query("a"));
        assert_eq!(canonical_query(""), "");
    }
}
