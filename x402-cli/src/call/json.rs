//! The one JSON object of `x402 call --json`. Its members are documented in `docs/cli.md`; a test compares them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use x402_client::{Action, Charged, OfferedOption, Receipt, Settlement};
use x402_runtime::model::asset::checksum;
use x402_runtime::model::money::AtomicAmount;

use super::Args;
use super::outcome::{Answer, Asking, Outcome};

#[derive(Serialize)]
pub(super) struct Report {
    status: Option<u16>,
    paid: Charged,
    amount: Option<AtomicAmount>,
    amount_text: Option<String>,
    charged_amount: Option<AtomicAmount>,
    charged_text: Option<String>,
    asset: Option<String>,
    symbol: Option<String>,
    decimals: Option<u8>,
    network: Option<String>,
    pay_to: Option<String>,
    payer: Option<String>,
    transaction: Option<String>,
    nonce: Option<String>,
    settle: Option<&'static str>,
    headers: Option<BTreeMap<String, String>>,
    body: Value,
    body_encoding: Option<&'static str>,
    options: Option<Vec<Choosable>>,
    resume: Option<String>,
    error: Option<Trouble>,
    /// Of calls by id only.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<Value>,
}

#[derive(Serialize)]
struct Choosable {
    index: usize,
    chosen: bool,
    scheme: String,
    network: String,
    asset: String,
    symbol: Option<String>,
    amount: String,
    amount_text: String,
    pay_to: Option<String>,
    valid_seconds: u64,
    refusal: Option<&'static str>,
}

#[derive(Serialize)]
struct Trouble {
    code: String,
    message: String,
    help: Option<String>,
    charged: Charged,
    action: Action,
}

impl Report {
    /// `kept` says whether the payment's file stays.
    pub(super) fn new(outcome: &Outcome, args: &Args, kept: bool) -> Self {
        let answer = outcome.answer.as_ref();
        let (body, body_encoding) = match answer {
            Some(_) if args.output.is_some() => (Value::Null, Some("file")),
            Some(answer) => body(&answer.body),
            None => (Value::Null, None),
        };
        let report = Self {
            status: answer.map(|answer| answer.status.as_u16()),
            paid: outcome.paid,
            amount: None,
            amount_text: None,
            charged_amount: None,
            charged_text: None,
            asset: None,
            symbol: None,
            decimals: None,
            network: None,
            pay_to: None,
            payer: None,
            transaction: None,
            nonce: None,
            settle: None,
            headers: answer.filter(|_| args.include).map(headers),
            body,
            body_encoding,
            options: None,
            resume: outcome
                .file
                .as_ref()
                .filter(|_| kept)
                .map(|file| file.to_string_lossy().into_owned()),
            error: outcome.trouble.as_ref().map(|trouble| Trouble {
                code: trouble.code.clone(),
                message: trouble.message.clone(),
                help: trouble.help.clone(),
                charged: outcome.paid,
                action: trouble.action,
            }),
            quote: outcome.contract.as_ref().map(|contract| contract.to_json()),
        };
        match (&outcome.receipt, &outcome.terms) {
            (Some(receipt), _) => report.with_receipt(receipt),
            (None, Some(_)) => report.with_terms(outcome),
            (None, None) => report,
        }
    }

    fn with_receipt(self, receipt: &Receipt) -> Self {
        Self {
            amount: Some(receipt.amount),
            amount_text: Some(receipt.amount_text()),
            charged_amount: receipt.charged,
            charged_text: receipt.charged_text(),
            asset: Some(checksum(receipt.asset)),
            symbol: Some(receipt.symbol.clone()),
            decimals: Some(receipt.decimals),
            network: Some(receipt.network.to_string()),
            pay_to: Some(checksum(receipt.pay_to)),
            payer: Some(checksum(receipt.payer)),
            transaction: receipt.transaction.clone(),
            nonce: Some(receipt.nonce.to_string()),
            settle: Some(match &receipt.settlement {
                Settlement::Settled => "settled",
                Settlement::Unused => "unused",
                Settlement::Failed { .. } => "failed",
                Settlement::Unreported => "unreported",
                _ => "unreadable",
            }),
            ..self
        }
    }

    fn with_terms(self, outcome: &Outcome) -> Self {
        let Some(asking) = &outcome.terms else {
            return self;
        };
        let chosen = asking.choice.as_ref().map(|choice| choice.index());
        let choosable = |option: &OfferedOption| Choosable::new(asking, option, chosen);
        let report = Self {
            status: Some(402),
            payer: asking.payer.clone(),
            options: Some(asking.options.iter().map(choosable).collect()),
            ..self
        };
        let Some(choice) = &asking.choice else {
            return report;
        };
        let (asset, amount) = (choice.asset(), choice.amount());
        Self {
            amount: Some(amount),
            amount_text: Some(format!(
                "{} {}",
                amount.to_decimal(asset.decimals),
                asset.symbol
            )),
            asset: Some(checksum(asset.address)),
            symbol: Some(asset.symbol.to_string()),
            decimals: Some(asset.decimals),
            network: Some(asset.network.to_string()),
            pay_to: Some(checksum(choice.pay_to())),
            ..report
        }
    }
}

impl Choosable {
    fn new(asking: &Asking, option: &OfferedOption, chosen: Option<usize>) -> Self {
        Self {
            index: option.index,
            chosen: chosen == Some(option.index),
            scheme: option.scheme.clone(),
            network: option.network_text.clone(),
            asset: option.asset_text.clone(),
            symbol: option.asset.as_ref().map(|asset| asset.symbol.to_string()),
            amount: option.amount_atomic.clone(),
            amount_text: option.amount_text(),
            pay_to: option.pay_to.map(checksum),
            valid_seconds: option.valid_seconds,
            refusal: asking.refusal(option).map(|(code, _)| code),
        }
    }
}

fn headers(answer: &Answer) -> BTreeMap<String, String> {
    let map: &HeaderMap = &answer.headers;
    map.keys()
        .map(|name| {
            let values = map.get_all(name).iter();
            let values: Vec<_> = values
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            (name.as_str().to_owned(), values.join(", "))
        })
        .collect()
}

/// The body as JSON if it is JSON, else as text, else as base64.
fn body(bytes: &[u8]) -> (Value, Option<&'static str>) {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return (value, Some("json"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.into(), Some("text")),
        Err(_) => (STANDARD.encode(bytes).into(), Some("base64")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_are_json_else_text_else_base64() {
        assert_eq!(body(b"{\"a\":1}"), (json!({"a": 1}), Some("json")));
        assert_eq!(body("21 °C".as_bytes()), (json!("21 °C"), Some("text")));
        assert_eq!(body(b"\xff\x00"), (json!("/wA="), Some("base64")));
        assert_eq!(body(b""), (json!(""), Some("text")));
    }
}
