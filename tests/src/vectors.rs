//! Recorded exchanges of the reference server, read by the shape of a case and never by its name.

use serde_json::{Value, json};

use crate::buyer::encode;
use crate::tools::workspace;

/// One recorded exchange.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// For messages only.
    pub name: String,
    /// The request's method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// All request headers as they were sent.
    pub headers: Vec<(String, String)>,
    /// The payment in `PAYMENT-SIGNATURE`, where it can be decoded.
    pub payment: Option<Value>,
    /// The request's body.
    pub body: Vec<u8>,
    /// What the reference answered.
    pub expected: Value,
}

impl Exchange {
    fn read(case: &Value) -> Self {
        let (input, text) = (&case["input"], |value: &Value| {
            value.as_str().unwrap_or_default().to_owned()
        });
        let headers = input["headers"].as_object().cloned().unwrap_or_default();
        let sent = |value: &Value| value.get("decoded").map_or_else(|| text(value), encode);
        Self {
            name: text(&case["name"]),
            method: text(&input["method"]),
            path: text(&input["path"]),
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), sent(value)))
                .collect(),
            payment: headers
                .get("payment-signature")
                .and_then(|value| value.get("decoded").cloned()),
            body: match input.get("body") {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::String(text)) => text.clone().into_bytes(),
                Some(json) => json.to_string().into_bytes(),
            },
            expected: case["expected"].clone(),
        }
    }

    /// The path without its query.
    #[must_use]
    pub fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The status of the reference.
    #[must_use]
    pub fn status(&self) -> u64 {
        self.expected["status"].as_u64().unwrap_or_default()
    }

    /// Whether a header was sent.
    #[must_use]
    pub fn sends(&self, header: &str) -> bool {
        self.headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(header))
    }

    /// `x402Version` of what `X-PAYMENT` holds, where that can be decoded.
    #[must_use]
    pub fn version_in_x_payment(&self) -> Option<u64> {
        let mut headers = self.headers.iter();
        let (_, text) = headers.find(|(name, _)| name.eq_ignore_ascii_case("x-payment"))?;
        let payment: Value =
            x402_model::wire::headers::decode_v1(text.as_bytes(), usize::MAX).ok()?;
        payment["x402Version"].as_u64()
    }

    /// The terms that the reference answered with.
    #[must_use]
    pub fn required(&self) -> Option<&Value> {
        self.expected
            .get("payment-required")
            .and_then(|header| header.get("decoded"))
    }

    /// What the reference said about the settlement.
    #[must_use]
    pub fn receipt(&self) -> Option<&Value> {
        self.expected
            .get("payment-response")
            .and_then(|header| header.get("decoded"))
    }

    /// The `error` of the terms.
    #[must_use]
    pub fn error(&self) -> &str {
        self.required()
            .and_then(|terms| terms["error"].as_str())
            .unwrap_or_default()
    }

    /// Whether the path is a route without a price.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.status() == 200 && !self.ran() && self.required().is_none() && self.receipt().is_none()
    }

    /// `validBefore` of the payment, Unix seconds.
    #[must_use]
    pub fn valid_before(&self) -> Option<u64> {
        let authorization = &self.payment.as_ref()?["payload"]["authorization"];
        authorization["validBefore"].as_str()?.parse().ok()
    }

    /// Whether the paid handler ran.
    #[must_use]
    pub fn ran(&self) -> bool {
        self.expected["handlerRan"] == json!(true)
    }

    /// Whether the reference asked its facilitator this.
    #[must_use]
    pub fn asked(&self, call: &str) -> bool {
        self.expected["facilitatorCalls"]
            .as_array()
            .is_some_and(|calls| calls.iter().any(|c| c == call))
    }

    /// Every entry of terms in the case: offered by the reference or accepted by the buyer.
    #[must_use]
    pub fn entries(&self) -> Vec<&Value> {
        let offered = self
            .required()
            .and_then(|terms| terms["accepts"].as_array())
            .into_iter()
            .flatten();
        offered
            .chain(
                self.payment
                    .as_ref()
                    .and_then(|payment| payment.get("accepted")),
            )
            .collect()
    }
}

/// The cases of a file in `tests/data`.
#[must_use]
pub fn exchanges(file: &str) -> Vec<Exchange> {
    let path = workspace().join("tests/data").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file: Value = serde_json::from_str(&text).expect("the vectors are JSON");
    file["cases"]
        .as_array()
        .expect("the vectors have cases")
        .iter()
        .map(Exchange::read)
        .collect()
}
