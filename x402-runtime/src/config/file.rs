//! Settings from a TOML text.

use toml::{Table, Value};
use x402_model::money::Decimal;
use x402_model::network::Network;

use super::error::{SettingMistake, SettingsError};
use super::keys::{self, LIMITS, TOP};
use super::{LimitSettings, PaywallSettings};
use crate::paywall::Rail;

pub(super) fn read(text: &str) -> Result<PaywallSettings, SettingsError> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text
            .get(..start)
            .unwrap_or_default()
            .matches('\n')
            .count()
            .saturating_add(1);
        SettingsError::one(SettingMistake::Toml {
            line,
            reason: error.message().to_owned(),
        })
    })?;
    let mut reader = Reader {
        mistakes: Vec::new(),
    };
    let settings = reader.settings(&table);
    SettingsError::unless(reader.mistakes, settings)
}

/// Reads values and notes what is wrong with them.
struct Reader {
    mistakes: Vec<SettingMistake>,
}

impl Reader {
    fn settings(&mut self, table: &Table) -> PaywallSettings {
        self.unknown(table, &TOP, "");
        let rails = self.rails(table.get("rails"));
        let network = self.text(table, "network");
        let network = network.and_then(|text| self.keep(keys::network("network", &text)));
        PaywallSettings {
            origin: self.text(table, "origin"),
            pay_to: self.text(table, "pay_to"),
            rails: if rails.is_empty() {
                network.into_iter().collect()
            } else {
                rails
            },
            rpc_url: self.text(table, "rpc_url"),
            settler_key_file: self.text(table, "settler_key_file").map(Into::into),
            manifest_key_file: self.text(table, "manifest_key_file").map(Into::into),
            ledger: self.text(table, "ledger").map(Into::into),
            native_prices: self.native_prices(table.get("native_prices")),
            limits: self.limits(table.get("limits")),
        }
    }

    fn native_prices(&mut self, value: Option<&Value>) -> Vec<(Network, Decimal)> {
        let table = match value {
            None => return Vec::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.wrong_type("native_prices", "a table");
                return Vec::new();
            }
        };
        let mut prices = Vec::new();
        for (network, price) in table {
            let key = format!("native_prices.{network}");
            match price.as_str() {
                Some(price) => prices.extend(self.keep(keys::native(&key, network, price))),
                None => self.wrong_type("native_prices", "texts such as \"3000 USD\""),
            }
        }
        prices
    }

    fn limits(&mut self, value: Option<&Value>) -> LimitSettings {
        let table = match value {
            None => return LimitSettings::default(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.wrong_type("limits", "a table");
                return LimitSettings::default();
            }
        };
        self.unknown(table, &LIMITS, "limits.");
        LimitSettings {
            header_cap: self.number(table, "header_cap"),
            body_cap: self.number(table, "body_cap"),
            answer_cap: self.number(table, "answer_cap"),
            body_timeout_seconds: self.number(table, "body_timeout_seconds"),
            handler_timeout_seconds: self.number(table, "handler_timeout_seconds"),
            settle_timeout_seconds: self.number(table, "settle_timeout_seconds"),
            max_in_flight: self.number(table, "max_in_flight"),
            confirmations: self.number(table, "confirmations"),
            retention_days: self.number(table, "retention_days"),
        }
    }

    fn unknown(&mut self, table: &Table, known: &[&str], prefix: &str) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.mistakes.push(match keys::unknown(key, known) {
                SettingMistake::UnknownKey { key, suggestion } => SettingMistake::UnknownKey {
                    key: format!("{prefix}{key}"),
                    suggestion,
                },
                other => other,
            });
        }
    }

    fn rails(&mut self, value: Option<&Value>) -> Vec<Rail> {
        match value {
            None => Vec::new(),
            Some(Value::Array(entries)) => {
                let mut rails = Vec::new();
                for entry in entries {
                    match entry.as_str() {
                        Some(text) => rails.extend(self.keep(keys::rail("rails", text))),
                        None => self.wrong_type("rails", "a list of texts such as \"base:USDC\""),
                    }
                }
                rails
            }
            Some(_) => {
                self.wrong_type("rails", "a list of texts such as \"base:USDC\"");
                Vec::new()
            }
        }
    }

    fn text(&mut self, table: &Table, key: &str) -> Option<String> {
        let value = table.get(key)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(key, "a text");
        }
        text
    }

    fn number<T: TryFrom<i64>>(&mut self, table: &Table, key: &str) -> Option<T> {
        let value = table.get(key)?;
        let number = value
            .as_integer()
            .filter(|number| *number >= 0)
            .and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            self.wrong_type(&format!("limits.{key}"), "a whole number, zero or more");
        }
        number
    }

    fn wrong_type(&mut self, key: &str, expected: &'static str) {
        self.mistakes.push(SettingMistake::Type {
            key: key.to_owned(),
            expected,
        });
    }

    fn keep<T>(&mut self, result: Result<T, SettingMistake>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.mistakes.push(mistake);
                None
            }
        }
    }
}
