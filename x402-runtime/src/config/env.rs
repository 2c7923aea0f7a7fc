//! Settings from environment variables.

use super::PaywallSettings;
use super::error::{SettingMistake, SettingsError};
use super::keys::{self, VARS};

pub(super) fn read(
    vars: impl IntoIterator<Item = (String, String)>,
) -> Result<PaywallSettings, SettingsError> {
    let mut settings = PaywallSettings::default();
    let mut mistakes = Vec::new();
    let mut network = None;
    let mut vars: Vec<(String, String)> = vars
        .into_iter()
        .filter(|(name, _)| name.starts_with("X402_"))
        .collect();
    // The order of an environment is arbitrary; that of mistakes should not be.
    vars.sort();
    for (name, value) in vars {
        if value.is_empty() {
            continue;
        }
        match name.as_str() {
            "X402_ORIGIN" => settings.origin = Some(value),
            "X402_PAY_TO" => settings.pay_to = Some(value),
            "X402_RPC_URL" => settings.rpc_url = Some(value),
            "X402_SETTLER_KEY_FILE" => settings.settler_key_file = Some(value.into()),
            "X402_MANIFEST_KEY_FILE" => settings.manifest_key_file = Some(value.into()),
            "X402_LEDGER" => settings.ledger = Some(value.into()),
            "X402_NETWORK" => keep(&mut mistakes, keys::network(&name, &value), |rail| {
                network = Some(rail)
            }),
            "X402_RAILS" => {
                for text in value.split(',') {
                    keep(&mut mistakes, keys::rail(&name, text), |rail| {
                        settings.rails.push(rail)
                    });
                }
            }
            "X402_NATIVE_PRICES" => {
                for text in value.split(',') {
                    // Without `=` there is no network, which is refused as one that is unknown.
                    let (network, price) = text.split_once('=').unwrap_or(("", text));
                    keep(
                        &mut mistakes,
                        keys::native(&name, network, price),
                        |native| settings.native_prices.push(native),
                    );
                }
            }
            // The prefix is shared with other programs: only what looks like a slip is a mistake.
            other => mistakes.extend(keys::near(other, &VARS).map(|_| keys::unknown(other, &VARS))),
        }
    }
    if settings.rails.is_empty() {
        settings.rails.extend(network);
    }
    SettingsError::unless(mistakes, settings)
}

fn keep<T>(
    mistakes: &mut Vec<SettingMistake>,
    result: Result<T, SettingMistake>,
    with: impl FnOnce(T),
) {
    match result {
        Ok(value) => with(value),
        Err(mistake) => mistakes.push(mistake),
    }
}
