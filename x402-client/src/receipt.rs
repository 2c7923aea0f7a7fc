//! What a call paid, and what the seller reported about settling it.

use std::fmt;

use alloy_primitives::{Address, B256};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use x402_model::asset::checksum;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_model::wire::SettleResponse;
use x402_model::wire::headers::{self, PAYMENT_RESPONSE, X_PAYMENT_RESPONSE};

use crate::seller::clean_code;

/// What the seller reported about the settlement (`PAYMENT-RESPONSE`). A report is not proof: only the chain is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Settlement {
    /// Settled, in the transaction that the receipt names.
    Settled,
    /// Reported as failed.
    Failed {
        /// The seller's reason code, at most 80 visible ASCII characters.
        reason: String,
    },
    /// The answer carried no report.
    Unreported,
    /// The answer carried a report that cannot be read, or that is about another payer or network.
    Unreadable,
}

/// The record of one signed payment.
///
/// It holds neither key nor signature. The URL is the one called, with its query, which can be a secret of the
/// caller's: `Debug` leaves the query out, the serde form has it.
///
/// ```
/// # fn show(receipt: &x402_client::Receipt) {
/// println!("{} for {}", receipt.amount_text(), receipt.url);
/// assert_eq!(receipt.is_settled(), receipt.transaction.is_some());
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The URL called.
    pub url: String,
    /// The HTTP method.
    pub method: String,
    /// Who pays.
    pub payer: Address,
    /// Who is paid.
    pub pay_to: Address,
    /// How much was authorized, in atomic units of the asset.
    pub amount: AtomicAmount,
    /// Token contract.
    pub asset: Address,
    /// Symbol of the token, from this client's own table.
    pub symbol: String,
    /// Decimals of the token, from this client's own table.
    pub decimals: u8,
    /// Network of the token.
    pub network: Network,
    /// The authorization's nonce: with payer and asset it identifies the payment on chain.
    pub nonce: B256,
    /// Unix seconds after which the authorization cannot be used.
    pub valid_before: u64,
    /// Hash of the settling transaction, as reported.
    pub transaction: Option<String>,
    /// What was reported about settlement.
    pub settlement: Settlement,
    /// When the payment was signed, in milliseconds since the Unix epoch.
    pub signed_at_ms: u64,
}

impl Receipt {
    /// Whether the seller reported settlement, with a transaction.
    pub fn is_settled(&self) -> bool {
        self.settlement == Settlement::Settled
    }

    /// The amount for people: `0.01 USDC`.
    pub fn amount_text(&self) -> String {
        format!("{} {}", self.amount.to_decimal(self.decimals), self.symbol)
    }

    /// What an answer's headers report, and this receipt with it. A settlement that was reported once stays reported:
    /// a later answer that is silent or says otherwise cannot undo a transaction.
    pub(crate) fn reported(&self, headers: &HeaderMap, cap: usize) -> (Settlement, Self) {
        let (settlement, transaction) = self.read_report(headers, cap);
        if self.is_settled() {
            return (settlement, self.clone());
        }
        let receipt = Self {
            settlement: settlement.clone(),
            transaction,
            ..self.clone()
        };
        (settlement, receipt)
    }

    fn read_report(&self, headers: &HeaderMap, cap: usize) -> (Settlement, Option<String>) {
        let report = match (
            headers.get(PAYMENT_RESPONSE),
            headers.get(X_PAYMENT_RESPONSE),
        ) {
            (Some(value), _) => headers::decode::<SettleResponse>(value.as_bytes(), cap),
            (None, Some(value)) => headers::decode_v1(value.as_bytes(), cap),
            (None, None) => return (Settlement::Unreported, None),
        };
        let Ok(report) = report else {
            return (Settlement::Unreadable, None);
        };
        if !report.success {
            let reason = report
                .error_reason
                .as_deref()
                .map_or_else(|| "unspecified".to_owned(), clean_code);
            return (Settlement::Failed { reason }, None);
        }
        let about_this_payer = report.payer.as_deref().is_none_or(|payer| {
            payer
                .parse::<Address>()
                .is_ok_and(|payer| payer == self.payer)
        });
        let on_this_network =
            Network::parse_any(&report.network).is_ok_and(|network| network == self.network);
        let is_hash =
            report.transaction.parse::<B256>().is_ok() && report.transaction.starts_with("0x");
        if about_this_payer && on_this_network && is_hash {
            (Settlement::Settled, Some(report.transaction))
        } else {
            (Settlement::Unreadable, None)
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("Receipt")
            .field("url", &place)
            .field("method", &self.method)
            .field("payer", &self.payer)
            .field("pay_to", &self.pay_to)
            .field("amount", &format_args!("{}", self.amount_text()))
            .field("asset", &self.asset)
            .field("network", &self.network)
            .field("nonce", &self.nonce)
            .field("valid_before", &self.valid_before)
            .field("transaction", &self.transaction)
            .field("settlement", &self.settlement)
            .field("signed_at_ms", &self.signed_at_ms)
            .finish()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} to {} on {}",
            self.amount_text(),
            checksum(self.pay_to),
            self.network
        )?;
        match &self.transaction {
            Some(hash) => write!(f, " in {hash}"),
            None => f.write_str(", settlement not reported"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    pub(crate) fn receipt() -> Receipt {
        Receipt {
            url: "https://api.example.com/weather".into(),
            method: "GET".into(),
            payer: Address::repeat_byte(0x11),
            pay_to: Address::repeat_byte(0x22),
            amount: AtomicAmount::from_u128(10_000),
            asset: Address::repeat_byte(0x33),
            symbol: "USDC".into(),
            decimals: 6,
            network: Network::BASE_SEPOLIA,
            nonce: B256::repeat_byte(0x44),
            valid_before: 1_790_000_300,
            transaction: None,
            settlement: Settlement::Unreported,
            signed_at_ms: 1_790_000_000_000,
        }
    }

    fn report(value: &serde_json::Value) -> Settlement {
        let mut headers = HeaderMap::new();
        headers.insert(
            PAYMENT_RESPONSE,
            HeaderValue::from_str(&headers::encode(value).unwrap()).unwrap(),
        );
        let (settlement, receipt) = receipt().reported(&headers, 16_384);
        assert_eq!(settlement, receipt.settlement);
        assert_eq!(receipt.transaction.is_some(), receipt.is_settled());
        receipt.settlement
    }

    #[test]
    fn only_a_complete_and_matching_report_counts_as_settled() {
        let hash = format!("0x{}", "ab".repeat(32));
        let payer = checksum(Address::repeat_byte(0x11));
        let good = json!({"success": true, "transaction": hash, "network": "eip155:84532", "payer": payer});
        assert_eq!(report(&good), Settlement::Settled);
        assert_eq!(
            report(&json!({"success": true, "transaction": hash, "network": "base-sepolia"})),
            Settlement::Settled
        );
        for (field, wrong) in [
            ("success", json!("true")),
            ("success", json!(1)),
            ("transaction", json!("")),
            ("transaction", json!("0x12")),
            ("transaction", json!(null)),
            ("network", json!("eip155:8453")),
            ("network", json!("")),
            ("payer", json!("0x2222222222222222222222222222222222222222")),
            ("payer", json!("nobody")),
        ] {
            let mut value = good.clone();
            value[field] = wrong.clone();
            assert_eq!(report(&value), Settlement::Unreadable, "{field} = {wrong}");
        }
        let failed = json!({"success": false, "transaction": "", "network": "eip155:84532", "errorReason": "a b"});
        assert_eq!(
            report(&failed),
            Settlement::Failed {
                reason: "a_b".into()
            }
        );
    }

    #[test]
    fn a_reported_settlement_outlives_later_answers() {
        let transaction = Some(format!("0x{}", "ab".repeat(32)));
        let settled = Receipt {
            settlement: Settlement::Settled,
            transaction,
            ..receipt()
        };
        let (said, kept) = settled.reported(&HeaderMap::new(), 16_384);
        assert_eq!((said, kept), (Settlement::Unreported, settled));
    }

    #[test]
    fn garbage_and_absence_are_told_apart() {
        let mut headers = HeaderMap::new();
        assert_eq!(
            receipt().reported(&headers, 16_384).0,
            Settlement::Unreported
        );
        for garbage in ["", "%%%", "bnVsbA==", "W10="] {
            headers.insert(PAYMENT_RESPONSE, HeaderValue::from_static(garbage));
            assert_eq!(
                receipt().reported(&headers, 16_384).0,
                Settlement::Unreadable,
                "{garbage}"
            );
        }
    }

    #[test]
    fn an_old_sellers_report_may_be_latin_1() {
        // {"success":false,"errorReason":"gel\u00f6scht","transaction":"","network":"base-sepolia"}, one byte a character.
        let text = "eyJzdWNjZXNzIjpmYWxzZSwiZXJyb3JSZWFzb24iOiJnZWz2c2NodCIsInRyYW5zYWN0aW9uIjoiIiwibmV0d29yayI6ImJhc2Utc2Vwb2xpYSJ9";
        let mut headers = HeaderMap::new();
        headers.insert(X_PAYMENT_RESPONSE, HeaderValue::from_static(text));
        let failed = Settlement::Failed {
            reason: "gel_scht".into(),
        };
        assert_eq!(receipt().reported(&headers, 16_384).0, failed);
    }

    #[test]
    fn debug_shows_where_the_call_went_but_not_its_query() {
        let receipt = Receipt {
            url: "https://api.example.com/weather?api_key=CANARY".into(),
            ..receipt()
        };
        let shown = format!("{receipt:?} {receipt:#?}");
        assert!(
            shown.contains("https://api.example.com/weather") && !shown.contains("CANARY"),
            "{shown}"
        );
    }

    #[test]
    fn receipts_survive_storage() {
        let text = serde_json::to_string(&receipt()).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&text).unwrap(), receipt());
        assert_eq!(receipt().amount_text(), "0.01 USDC");
    }
}
