//! Who is calling a provider: headers per call, made in time or not at all.
#![cfg(feature = "http")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test fails by panicking, and the provider can do more than is needed here"
)]

#[path = "http_support/provider.rs"]
mod provider;

use std::collections::BTreeSet;
use std::future::{pending, ready};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue};
use provider::{Do, Provider, json};
use serde_json::{Value, json as value};
use x402_runtime::facilitator::http::{AuthError, Call, CdpAuth, FacilitatorAuth, HttpFacilitator};
use x402_runtime::facilitator::{
    BoxFuture, Facilitator, FacilitatorError, FacilitatorRequest, SettleOutcome,
};

fn request() -> FacilitatorRequest {
    FacilitatorRequest {
        x402_version: 2,
        payload: value!({ "x402Version": 2 }).into(),
        requirements: value!({ "scheme": "exact", "network": "eip155:84532" }).into(),
    }
}

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn t09_signed_tokens_are_made_per_call_and_shown_nowhere() {
    // The provider repeats nothing, refuses everything, and sees each token once.
    let provider = Provider::start([Do::Say(401, vec![], b"no".to_vec())]);
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let key = STANDARD.encode(key.to_keypair_bytes());
    let builder = HttpFacilitator::builder(&provider.url)
        .auth(CdpAuth::from_key("a-key-of-mine", &key).unwrap());
    let shown = format!("{builder:?}");
    let facilitator = builder.build().unwrap();
    let mut texts = vec![shown, format!("{facilitator:?}")];
    for _ in 0..2 {
        texts.push(format!("{:?}", facilitator.verify(&request()).await));
        texts.push(format!("{:?}", facilitator.settle(&request()).await));
        texts.push(format!("{:?}", facilitator.supported().await));
    }
    let seen = provider.seen();
    let host = provider.url.strip_prefix("http://").unwrap();
    let host = host.strip_suffix("/x402").unwrap();
    let mut tokens = BTreeSet::new();
    for (call, what) in seen
        .iter()
        .zip(["verify", "settle", "supported"].iter().cycle())
    {
        let token = call.header("authorization").unwrap();
        let token = token.strip_prefix("Bearer ").unwrap();
        let method = if *what == "supported" { "GET" } else { "POST" };
        assert_eq!(
            claims(token)["uris"],
            value!([format!("{method} {host}/x402/{what}")])
        );
        assert!(
            call.header("correlation-context")
                .unwrap()
                .contains("source=x402")
        );
        tokens.insert(token.to_owned());
    }
    assert_eq!(tokens.len(), 6, "one token for each of six calls");
    let shown = texts.concat();
    assert!(!shown.contains(&key) && !shown.contains("a-key-of-mine"));
    for token in tokens {
        assert!(!shown.contains(&token), "{shown}");
    }
}

/// Cannot make headers, at once or ever.
enum Broken {
    Fails,
    Hangs,
}

impl FacilitatorAuth for Broken {
    fn headers<'a>(
        &'a self,
        _: Call<'a>,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, AuthError>> {
        match self {
            Self::Fails => Box::pin(ready(Err(AuthError::Other("the vault is shut".to_owned())))),
            Self::Hangs => Box::pin(pending()),
        }
    }
}

#[tokio::test]
async fn without_authorization_nothing_is_sent_and_nothing_is_lost() {
    let provider = Provider::start([json(200, &value!({ "success": true }))]);
    let short = Duration::from_millis(100);
    let with = |auth| {
        HttpFacilitator::builder(&provider.url)
            .auth(auth)
            .verify_deadline(short)
            .settle_deadline(short)
            .build()
            .unwrap()
    };
    let facilitator = with(Broken::Fails);
    let error = facilitator.verify(&request()).await.unwrap_err();
    assert!(
        matches!(&error, FacilitatorError::Unreachable(why) if why.contains("the vault is shut"))
    );
    assert!(facilitator.supported().await.is_err());
    let SettleOutcome::Unknown {
        transaction: None,
        reason,
    } = facilitator.settle(&request()).await
    else {
        panic!("open, so that the same payment is settled later");
    };
    assert!(reason.contains("the vault is shut"), "{reason}");

    let facilitator = with(Broken::Hangs);
    let error = facilitator.verify(&request()).await.unwrap_err();
    assert!(matches!(error, FacilitatorError::Timeout));
    let outcome = facilitator.settle(&request()).await;
    assert!(matches!(outcome, SettleOutcome::Unknown { .. }));
    assert!(provider.seen().is_empty());
}
