//! What a call paid, and what the seller reported about settling it.

use std::fmt;

use alloy_primitives::{Address, B256};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use x402_model::asset::checksum;
use x402_model::evm::EvmKind;
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
    /// Scheme `upto`: reported as served for nothing. There is no transaction, so the authorization can be used until it
    /// expires.
    Unused,
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
    /// The way it is paid.
    #[serde(default)]
    pub kind: EvmKind,
    /// How much was authorized, in atomic units of the asset: the most that can be charged.
    pub amount: AtomicAmount,
    /// How much was charged, as reported with a settlement; under scheme `upto` it can be less than was authorized.
    #[serde(default)]
    pub charged: Option<AtomicAmount>,
    /// Token contract.
    pub asset: Address,
    /// Symbol of the token, from this client's own table.
    pub symbol: String,
    /// Decimals of the token, from this client's own table.
    pub decimals: u8,
    /// Network of the token.
    pub network: Network,
    /// The authorization's nonce: with payer and asset, or with payer and Permit2, it identifies the payment on chain.
    pub nonce: B256,
    /// Unix seconds after which the authorization cannot be used.
    pub valid_before: u64,
    /// Hash of the settling transaction, as reported.
    pub transaction: Option<String>,
    /// What was reported about settlement.
    pub settlement: Settlement,
    /// The id of the purchase, where the seller asks for one. A seller that knows it answers another payment with the same id
    /// as it answered the first, and charges once: see [`crate::RequestBuilder::payment_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// When the payment was signed, in milliseconds since the Unix epoch.
    pub signed_at_ms: u64,
}

impl Receipt {
    /// Whether the seller reported settlement, with a transaction.
    pub fn is_settled(&self) -> bool {
        self.settlement == Settlement::Settled
    }

    /// The amount that was authorized, for people: `0.01 USDC`.
    pub fn amount_text(&self) -> String {
        self.text(self.amount)
    }

    /// The amount that was charged, for people; `None` until that is reported.
    pub fn charged_text(&self) -> Option<String> {
        self.charged.map(|charged| self.text(charged))
    }

    fn text(&self, amount: AtomicAmount) -> String {
        format!("{} {}", amount.to_decimal(self.decimals), self.symbol)
    }

    /// What an answer's headers report, and this receipt with it. A settlement that was reported once stays reported:
    /// a later answer that is silent or says otherwise cannot undo a transaction.
    pub(crate) fn reported(&self, headers: &HeaderMap, cap: usize) -> (Settlement, Self) {
        let Report {
            settlement,
            transaction,
            charged,
        } = self.read_report(headers, cap);
        if self.is_settled() {
            return (settlement, self.clone());
        }
        let receipt = Self {
            settlement: settlement.clone(),
            transaction,
            charged,
            ..self.clone()
        };
        (settlement, receipt)
    }

    fn read_report(&self, headers: &HeaderMap, cap: usize) -> Report {
        let report = match (
            headers.get(PAYMENT_RESPONSE),
            headers.get(X_PAYMENT_RESPONSE),
        ) {
            (Some(value), _) => headers::decode::<SettleResponse>(value.as_bytes(), cap),
            (None, Some(value)) => headers::decode_v1(value.as_bytes(), cap),
            (None, None) => return Settlement::Unreported.into(),
        };
        let Ok(report) = report else {
            return Settlement::Unreadable.into();
        };
        if !report.success {
            let reason = report
                .error_reason
                .as_deref()
                .map_or_else(|| "unspecified".to_owned(), clean_code);
            return Settlement::Failed { reason }.into();
        }
        let about_this_payer = report.payer.as_deref().is_none_or(|payer| {
            payer
                .parse::<Address>()
                .is_ok_and(|payer| payer == self.payer)
        });
        let on_this_network =
            Network::parse_any(&report.network).is_ok_and(|network| network == self.network);
        if !(about_this_payer && on_this_network) {
            return Settlement::Unreadable.into();
        }
        let is_hash =
            report.transaction.parse::<B256>().is_ok() && report.transaction.starts_with("0x");
        match self.charged_by(&report) {
            Some(charged) if is_hash => Report {
                settlement: Settlement::Settled,
                transaction: Some(report.transaction),
                charged: Some(charged),
            },
            Some(charged) if charged.is_zero() && report.transaction.is_empty() => Report {
                settlement: Settlement::Unused,
                transaction: None,
                charged: Some(charged),
            },
            _ => Settlement::Unreadable.into(),
        }
    }

    /// What a report of success says was charged: the whole amount unless the scheme is `upto` and it names another. `None` if
    /// it names one that is none, or more than was authorized.
    fn charged_by(&self, report: &SettleResponse) -> Option<AtomicAmount> {
        match (self.kind, report.amount.as_deref()) {
            (EvmKind::Permit2Upto, Some(text)) => text
                .parse()
                .ok()
                .filter(|charged: &AtomicAmount| *charged <= self.amount),
            _ => Some(self.amount),
        }
    }
}

/// What an answer's headers say.
struct Report {
    settlement: Settlement,
    transaction: Option<String>,
    charged: Option<AtomicAmount>,
}

/// Anything that is not about money that moved.
impl From<Settlement> for Report {
    fn from(settlement: Settlement) -> Self {
        Self {
            settlement,
            transaction: None,
            charged: None,
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
            .field("kind", &self.kind)
            .field("amount", &format_args!("{}", self.amount_text()))
            .field("charged", &self.charged_text())
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
        match self.charged_text() {
            Some(charged) if self.kind == EvmKind::Permit2Upto => {
                write!(f, "{charged} of at most {}", self.amount_text())?;
            }
            _ => f.write_str(&self.amount_text())?,
        }
        write!(f, " to {} on {}", checksum(self.pay_to), self.network)?;
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
            payment_id: None,
            url: "https://api.example.com/weather".into(),
            method: "GET".into(),
            payer: Address::repeat_byte(0x11),
            pay_to: Address::repeat_byte(0x22),
            kind: EvmKind::Eip3009Exact,
            amount: AtomicAmount::from_u128(10_000),
            charged: None,
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

    fn upto(report: &serde_json::Value) -> Receipt {
        let mut headers = HeaderMap::new();
        let text = headers::encode(report).unwrap();
        headers.insert(PAYMENT_RESPONSE, HeaderValue::from_str(&text).unwrap());
        let receipt = Receipt {
            kind: EvmKind::Permit2Upto,
            ..receipt()
        };
        receipt.reported(&headers, 16_384).1
    }

    #[test]
    fn s09_an_upto_report_says_what_was_charged_and_never_more_than_the_ceiling() {
        let hash = format!("0x{}", "ab".repeat(32));
        let good = json!({"success": true, "transaction": hash, "network": "eip155:84532", "amount": "777"});
        let receipt = upto(&good);
        assert_eq!(receipt.settlement, Settlement::Settled);
        assert_eq!(receipt.charged, Some(AtomicAmount::from_u128(777)));
        assert_eq!(receipt.charged_text().unwrap(), "0.000777 USDC");
        assert!(
            receipt
                .to_string()
                .starts_with("0.000777 USDC of at most 0.01 USDC to 0x2222")
        );
        for (amount, charged) in [
            (json!("10000"), Some(10_000)),
            (json!(null), Some(10_000)),
            (json!("10001"), None),
            (json!("1.5"), None),
            (json!("-1"), None),
            (json!(""), None),
            (json!(777), None),
        ] {
            let mut report = good.clone();
            report["amount"] = amount.clone();
            let receipt = upto(&report);
            assert_eq!(
                receipt.charged,
                charged.map(AtomicAmount::from_u128),
                "{amount}"
            );
            assert_eq!(receipt.is_settled(), charged.is_some(), "{amount}");
        }
    }

    #[test]
    fn served_for_nothing_is_no_settlement() {
        let mut report =
            json!({"success": true, "transaction": "", "network": "eip155:84532", "amount": "0"});
        let receipt = upto(&report);
        assert_eq!(receipt.settlement, Settlement::Unused);
        assert_eq!(receipt.charged, Some(AtomicAmount::from_u128(0)));
        assert!(!receipt.is_settled() && receipt.transaction.is_none());
        report["amount"] = json!("1");
        assert_eq!(upto(&report).settlement, Settlement::Unreadable);
        // Under `exact` nothing is served for nothing.
        report["amount"] = json!("0");
        assert_eq!(super::tests::report(&report), Settlement::Unreadable);
    }

    #[test]
    fn a_receipt_of_an_earlier_version_is_one_of_the_kind_there_was() {
        let mut stored = serde_json::to_value(receipt()).unwrap();
        let members = stored.as_object_mut().unwrap();
        assert!(members.remove("kind").is_some() && members.remove("charged").is_some());
        assert_eq!(
            serde_json::from_value::<Receipt>(stored).unwrap(),
            receipt()
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
