//! Stored payments: complete, checked when used, and never shown.

use http::header;
use serde_json::Value;

use super::*;
use crate::receipt::tests::receipt;

pub(crate) fn pending() -> PendingPayment {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::from_static("Bearer CANARY-caller"),
    );
    let request = PlainRequest {
        method: Method::POST,
        url: Url::parse("https://api.example.com/weather?q=1").unwrap(),
        headers,
        body: Bytes::from_static(b"CANARY-body"),
    };
    let bearer = Bearer(Zeroizing::new("CANARY-payment".to_owned()));
    let receipt = Receipt {
        method: "POST".into(),
        url: request.url.to_string(),
        ..receipt()
    };
    PendingPayment::new(&request, PAYMENT_SIGNATURE, bearer, receipt)
}

#[test]
fn a_stored_payment_yields_the_same_request() {
    let stored = serde_json::to_string(&pending()).unwrap();
    let loaded: PendingPayment = serde_json::from_str(&stored).unwrap();
    for payment in [pending(), loaded] {
        let request = payment.request(false).unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(
            request.uri().to_string(),
            "https://api.example.com/weather?q=1"
        );
        assert_eq!(request.headers()["payment-signature"], "CANARY-payment");
        assert_eq!(request.headers()["authorization"], "Bearer CANARY-caller");
        assert_eq!(request.body().as_ref(), b"CANARY-body");
    }
}

#[test]
fn k04_neither_the_payment_nor_its_request_is_shown() {
    let shown = format!("{:?} {:#?} {:?}", pending(), pending(), pending().payment);
    assert!(!shown.contains("CANARY"), "{shown}");
    let request = pending().request(false).unwrap();
    let header = format!("{:?}", request.headers()["payment-signature"]);
    assert!(!header.contains("CANARY"), "{header}");
}

#[test]
fn a_tampered_store_cannot_send_the_payment_in_the_clear_or_break_headers() {
    let change = |field: &str, value: Value| -> Result<Request<Bytes>, RequestFault> {
        let mut stored = serde_json::to_value(pending()).unwrap();
        *stored.pointer_mut(field).unwrap() = value;
        serde_json::from_value::<PendingPayment>(stored)
            .unwrap()
            .request(false)
    };
    assert!(matches!(
        change("/receipt/url", "http://evil.test/".into()),
        Err(RequestFault::Insecure { .. })
    ));
    assert!(matches!(
        change("/receipt/url", "file:///etc".into()),
        Err(RequestFault::Url)
    ));
    assert!(matches!(
        change("/payment_header", "cookie".into()),
        Err(RequestFault::Header)
    ));
    assert!(matches!(
        change("/payment", "a\r\nx: y".into()),
        Err(RequestFault::Header)
    ));
    assert!(matches!(
        change("/receipt/method", "G ET".into()),
        Err(RequestFault::Header)
    ));
    assert!(matches!(
        change("/headers", serde_json::json!([["a b", "0x00"]])),
        Err(RequestFault::Header)
    ));
}
