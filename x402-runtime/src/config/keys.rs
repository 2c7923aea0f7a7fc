//! The names of all settings, and what unknown names may have meant.

use x402_model::money::Decimal;
use x402_model::network::Network;

use super::error::SettingMistake;
use crate::paywall::{Rail, native_price};

/// Keys at the top of a settings file.
pub(super) const TOP: [&str; 10] = [
    "origin",
    "pay_to",
    "rails",
    "network",
    "rpc_url",
    "settler_key_file",
    "manifest_key_file",
    "ledger",
    "native_prices",
    "limits",
];

/// Keys of `[limits]`.
pub(super) const LIMITS: [&str; 9] = [
    "header_cap",
    "body_cap",
    "answer_cap",
    "body_timeout_seconds",
    "handler_timeout_seconds",
    "settle_timeout_seconds",
    "max_in_flight",
    "confirmations",
    "retention_days",
];

/// The variable that names the file with the key of the manifest.
pub(crate) const MANIFEST_KEY_FILE: &str = "X402_MANIFEST_KEY_FILE";

/// Environment variables, in the order of [`TOP`].
pub(super) const VARS: [&str; 9] = [
    "X402_ORIGIN",
    "X402_PAY_TO",
    "X402_RAILS",
    "X402_NETWORK",
    "X402_RPC_URL",
    "X402_SETTLER_KEY_FILE",
    MANIFEST_KEY_FILE,
    "X402_LEDGER",
    "X402_NATIVE_PRICES",
];

/// What to say about a name that is not in `known`.
pub(super) fn unknown(key: &str, known: &[&str]) -> SettingMistake {
    let lower = key.to_ascii_lowercase();
    let secret = [
        "private_key",
        "secret",
        "mnemonic",
        "seed_phrase",
        "settler_key",
        "manifest_key",
        "password",
    ];
    if secret.iter().any(|word| lower.contains(word)) && !lower.ends_with("_file") {
        return SettingMistake::Secret {
            key: key.to_owned(),
        };
    }
    SettingMistake::UnknownKey {
        key: key.to_owned(),
        suggestion: near(key, known).map(str::to_owned),
    }
}

/// The known name that is at most two slips away.
pub(super) fn near<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&name.to_ascii_lowercase(), &key.to_ascii_lowercase()),
                *name,
            )
        })
        .filter(|(distance, name)| *distance <= 2 && *distance < name.len() / 2)
        .min()
        .map(|(_, name)| name)
}

/// Reads one rail.
pub(super) fn rail(key: &str, text: &str) -> Result<Rail, SettingMistake> {
    Rail::parse(text.trim()).map_err(|error| SettingMistake::Value {
        key: key.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads what a network's coin is worth.
pub(super) fn native(
    key: &str,
    network: &str,
    price: &str,
) -> Result<(Network, Decimal), SettingMistake> {
    let wrong = |reason| SettingMistake::Value {
        key: key.to_owned(),
        reason,
    };
    let network = Network::parse_any(network.trim()).map_err(|error| wrong(error.to_string()))?;
    let price = native_price(price.trim()).map_err(wrong)?;
    Ok((network, price.amount))
}

/// The rail of a network's first token.
pub(super) fn network(key: &str, text: &str) -> Result<Rail, SettingMistake> {
    let wrong = |reason| SettingMistake::Value {
        key: key.to_owned(),
        reason,
    };
    let network = Network::parse_any(text.trim()).map_err(|error| wrong(error.to_string()))?;
    Rail::default_of(&network).ok_or_else(|| {
        wrong(format!(
            "no token is known on {network}; accept one by `Rail::custom` in code"
        ))
    })
}
