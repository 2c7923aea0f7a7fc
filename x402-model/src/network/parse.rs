//! Reads network names and matches patterns over them.

use super::{Network, known};
use crate::money::quote;

/// Longest CAIP-2 name: namespace, colon, reference.
const MAX_BYTES: usize = 8 + 1 + 32;

/// Least likeness at which a known name is offered as correction.
const LIKENESS: f64 = 0.75;

/// A network name that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The text has no colon or is too long for CAIP-2.
    #[error(
        "{} is not a CAIP-2 network name: write `namespace:reference`, as in `eip155:8453`",
        quote(name)
    )]
    NotCaip2 {
        /// What was written.
        name: String,
    },
    /// The part before the colon breaks `[-a-z0-9]{3,8}`.
    #[error(
        "{} has no valid CAIP-2 namespace: write 3 to 8 of a-z, 0-9 and `-` before the colon",
        quote(name)
    )]
    Namespace {
        /// What was written.
        name: String,
    },
    /// The part after the colon breaks `[-_a-zA-Z0-9]{1,32}`.
    #[error(
        "{} has no valid CAIP-2 reference: write 1 to 32 of A-Z, a-z, 0-9, `-` and `_` after the colon",
        quote(name)
    )]
    Reference {
        /// What was written.
        name: String,
    },
    /// The reference of an `eip155` name is no chain id.
    #[error(
        "{} has no valid chain id: write `eip155:` and a decimal number below 2^64 without leading zeros",
        quote(name)
    )]
    ChainId {
        /// What was written.
        name: String,
    },
    /// A short name that this crate does not know.
    #[error("{} is no known network{}", quote(name), did_you_mean(*suggestion))]
    Unknown {
        /// What was written.
        name: String,
        /// The known name most like it, if any is near.
        suggestion: Option<&'static str>,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(name) => format!(": did you mean `{name}`?"),
        None => ": write its CAIP-2 name, as in `eip155:8453`".to_owned(),
    }
}

pub(super) fn parse_caip2(text: &str) -> Result<Network, NetworkError> {
    let name = || text.chars().take(80).collect::<String>();
    let Some((namespace, reference)) = text
        .split_once(':')
        .filter(|_| text.len() <= MAX_BYTES + 32)
    else {
        return Err(NetworkError::NotCaip2 { name: name() });
    };
    let in_namespace =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(3..=8).contains(&namespace.len()) || !namespace.bytes().all(in_namespace) {
        return Err(NetworkError::Namespace { name: name() });
    }
    if namespace == "eip155" {
        let canonical = reference.bytes().all(|byte| byte.is_ascii_digit())
            && (reference == "0" || !reference.starts_with('0'));
        return match reference.parse() {
            Ok(chain_id) if canonical => Ok(Network::Eip155(chain_id)),
            _ => Err(NetworkError::ChainId { name: name() }),
        };
    }
    let in_reference = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=32).contains(&reference.len()) || !reference.bytes().all(in_reference) {
        return Err(NetworkError::Reference { name: name() });
    }
    Ok(Network::Other(text.into()))
}

pub(super) fn parse_any(text: &str) -> Result<Network, NetworkError> {
    if let Some(known) = known::ALL.iter().find(|known| known.name == text) {
        return Ok(known.network());
    }
    if text.contains(':') {
        return parse_caip2(text);
    }
    let name: String = text.chars().take(80).collect();
    let suggestion = nearest(&name.to_ascii_lowercase());
    Err(NetworkError::Unknown { name, suggestion })
}

/// The known short name most like `name`.
fn nearest(name: &str) -> Option<&'static str> {
    known::ALL
        .iter()
        .map(|known| {
            (
                strsim::normalized_damerau_levenshtein(name, known.name),
                known.name,
            )
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters and nothing else is special.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut tail) = text.strip_prefix(first) else {
        return false;
    };
    let mut rest = rest;
    while let Some((piece, more)) = rest.split_once('*') {
        // The earliest place leaves the most text for the pieces after it, so no backtracking is needed.
        let Some((_, after)) = tail.split_once(piece) else {
            return false;
        };
        tail = after;
        rest = more;
    }
    tail.ends_with(rest)
}
