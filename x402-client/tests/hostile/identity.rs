//! What the client says about itself: an id per purchase, and sign-in messages where the caller allows it.

use alloy_signer_local::PrivateKeySigner;
use serde_json::{Value, json};
use x402_client::{Budget, Client, Error};
use x402_model::asset::checksum;
use x402_model::extension::SignIn;
use x402_model::extension::payment_identifier::{self, PaymentIdentifier, declare};
use x402_model::extension::siwx::{self, Chain, Origin, Proof};
use x402_model::wire::headers::{DEFAULT_CAP, decode_value, encode};

use crate::seller::{Act, KEY, Seen, Seller, builder, client, offer, option, problem, served};

const NOW_MS: u64 = 1_790_000_000_000;

/// A 402 with extensions.
fn offer_with(url: &str, extensions: &Value) -> Act {
    offer_at(url, extensions, &option())
}

fn offer_at(url: &str, extensions: &Value, option: &Value) -> Act {
    let terms = json!({
        "x402Version": 2, "error": "Payment required", "resource": {"url": url}, "accepts": [option], "extensions": extensions,
    });
    Act::Answer(
        402,
        vec![("PAYMENT-REQUIRED".into(), encode(&terms).unwrap())],
        "{}".into(),
    )
}

/// A seller that asks for ids, and does `paid` with paid requests.
async fn asking_for_ids(paid: impl Fn(usize) -> Act + Send + Sync + 'static) -> Seller {
    let seller = Seller::start(|_| Act::Drop).await;
    let extensions = json!({ payment_identifier::KEY: declare(true), "other": {"info": {"a": 1}} });
    let offer = offer_with(&seller.url(), &extensions);
    seller.now(move |seen| seen.paid.map_or_else(|| offer.clone(), &paid));
    seller
}

fn extensions(seen: &Seen) -> Value {
    decode_value(seen.payment().unwrap().as_bytes(), DEFAULT_CAP).unwrap()["extensions"].clone()
}

/// The ids of all paid requests, in their order.
fn ids(seller: &Seller) -> Vec<String> {
    let seen = seller.seen();
    let paid = seen.iter().filter(|seen| seen.paid.is_some());
    paid.map(|seen| {
        extensions(seen)[payment_identifier::KEY]["info"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    })
    .collect()
}

#[tokio::test]
async fn a_seller_that_asks_for_ids_gets_one_per_call_and_the_rest_unchanged() {
    let seller = asking_for_ids(|_| served()).await;
    let client = client();
    let mut reported = Vec::new();
    for _ in 0..3 {
        let answer = client.get(&seller.url()).send().await.unwrap();
        reported.push(answer.receipt().unwrap().payment_id.clone().unwrap());
    }
    let ids = ids(&seller);
    assert_eq!(ids, reported);
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    for id in &ids {
        let digits = id.strip_prefix("pay_").unwrap();
        assert!(
            digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
    }
    let mut echo = extensions(
        seller
            .seen()
            .iter()
            .rfind(|seen| seen.paid.is_some())
            .unwrap(),
    );
    echo[payment_identifier::KEY]["info"]
        .as_object_mut()
        .unwrap()
        .remove("id");
    assert_eq!(
        echo,
        json!({ payment_identifier::KEY: declare(true), "other": {"info": {"a": 1}} })
    );
}

#[tokio::test]
async fn whoever_does_not_ask_for_an_id_gets_none() {
    let seller = Seller::selling(|_| served()).await;
    let answer = client()
        .get(&seller.url())
        .payment_id("purchase-0123456789")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.receipt().unwrap().payment_id, None);
    let seen = seller.seen();
    assert_eq!(extensions(seen.last().unwrap()), Value::Null);
}

/// However often a call is presented, by this process or by one that takes over, it is one purchase.
#[tokio::test]
async fn a6_an_open_call_keeps_its_id() {
    let seller = asking_for_ids(|_| Act::Drop).await;
    let client = client();
    let Err(Error::OutcomeUnknown(unknown)) = client.get(&seller.url()).send().await else {
        panic!("somebody answered");
    };
    let (paid, signatures) = seller.payments();
    assert!(paid > 1 && signatures == 1);
    let stored = serde_json::to_string(&unknown.pending).unwrap();
    let seller_url = seller.url();
    let extensions = json!({ payment_identifier::KEY: declare(true) });
    seller.now(move |seen| {
        if seen.paid.is_some() {
            served()
        } else {
            offer_with(&seller_url, &extensions)
        }
    });
    client
        .resume(serde_json::from_str(&stored).unwrap())
        .await
        .unwrap();
    // The payment is lost, but not its id: another one for the same purchase.
    let id = unknown.pending.receipt().payment_id.clone().unwrap();
    client
        .get(&seller.url())
        .payment_id(&id)
        .send()
        .await
        .unwrap();
    assert!(ids(&seller).iter().all(|sent| *sent == id));
    assert_eq!(seller.payments().1, 2);
}

/// An idempotency key names the purchase also when the price has changed, and in another process.
#[tokio::test]
async fn a6_an_idempotency_key_yields_the_same_id_for_the_same_call_only() {
    let seller = asking_for_ids(|_| served()).await;
    for (key, body) in [("a", ""), ("a", ""), ("b", ""), ("a", "x")] {
        let call = client().post(&seller.url()).idempotency_key(key).body(body);
        call.send().await.unwrap();
    }
    let mut dearer = option();
    dearer["amount"] = json!("20000");
    let terms = json!({
        "x402Version": 2, "resource": {"url": seller.url()}, "accepts": [dearer], "extensions": { payment_identifier::KEY: declare(true) },
    });
    let offer = Act::Answer(
        402,
        vec![("PAYMENT-REQUIRED".into(), encode(&terms).unwrap())],
        "{}".into(),
    );
    seller.now(move |seen| {
        if seen.paid.is_some() {
            served()
        } else {
            offer.clone()
        }
    });
    client()
        .post(&seller.url())
        .idempotency_key("a")
        .send()
        .await
        .unwrap();
    let ids = ids(&seller);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[4], "at another price");
    assert!(ids[0] != ids[2] && ids[0] != ids[3] && ids[2] != ids[3]);
}

#[tokio::test]
async fn an_id_that_is_none_is_reported_before_anything_is_sent() {
    let seller = Seller::start(|_| served()).await;
    for id in ["", "short", "has space 1234567", &"x".repeat(129)] {
        let error = client()
            .get(&seller.url())
            .payment_id(id)
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.code(), "invalid_payment_id");
    }
    assert!(seller.seen().is_empty());
    assert!(PaymentIdentifier::parse(&"x".repeat(128)).is_some());
}

/// A reused id is not charged, and is the caller's to mend.
#[tokio::test]
async fn a_reused_id_is_a_refusal() {
    let body = r#"{"code":"payment_id_reused","status":409,"charged":false,"action":"new-id"}"#;
    let seller = asking_for_ids(move |_| problem(409, body)).await;
    let call = client()
        .get(&seller.url())
        .payment_id("purchase-0123456789");
    let error = call.send().await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert_eq!(seller.payments(), (1, 1));
}

/// What a seller at `origin` declares.
fn sign_in(origin: &str, path: &str) -> Value {
    let origin = Origin::new(origin).unwrap();
    let chains = ["solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "eip155:84532"]
        .map(|name| Chain::new(name).unwrap());
    let declared = siwx::challenge(
        &origin,
        path,
        &chains,
        Some("Sign in"),
        [7; 16],
        NOW_MS,
        300_000,
    );
    json!({ siwx::KEY: declared })
}

fn header(seen: &Seen) -> Option<&String> {
    seen.headers.get("sign-in-with-x")
}

/// A seller that lets signed requests in as `signed` says, and sells to all others.
async fn letting_in(signed: impl Fn(&Act) -> Act + Send + Sync + 'static) -> Seller {
    let seller = Seller::start(|_| Act::Drop).await;
    let offer = offer_with(&seller.url(), &sign_in(&seller.origin, "/weather"));
    seller.now(move |seen| match (seen.paid, header(seen)) {
        (Some(_), _) => served(),
        (None, Some(_)) => signed(&offer),
        (None, None) => offer.clone(),
    });
    seller
}

fn free() -> Act {
    Act::Answer(200, Vec::new(), "for free".into())
}

#[tokio::test]
async fn a_known_wallet_is_let_in_without_paying() {
    let seller = letting_in(|_| free()).await;
    let client = client();
    let answer = client.get(&seller.url()).sign_in().send().await.unwrap();
    assert_eq!((answer.text(), answer.receipt()), (Ok("for free"), None));
    assert_eq!(client.budget().spent(), "0");
    let seen = seller.seen();
    assert_eq!(seen.len(), 2);
    let sign_in = SignIn::from_header(header(&seen[1]).unwrap().as_bytes(), DEFAULT_CAP).unwrap();
    let key: PrivateKeySigner = KEY.parse().unwrap();
    assert_eq!(sign_in.message.address, checksum(key.address()));
    assert_eq!(sign_in.message.uri, seller.url());
    let origin = Origin::new(&seller.origin).unwrap();
    assert_eq!(sign_in.check(&origin, NOW_MS, 300_000), Ok(()));
    let Ok(Proof::Evm {
        hash,
        signature,
        address,
        ..
    }) = sign_in.proof()
    else {
        panic!("no proof");
    };
    let signature = alloy_primitives::Signature::try_from(signature.as_bytes()).unwrap();
    assert_eq!(
        signature.recover_address_from_prehash(&hash).unwrap(),
        address
    );
}

#[tokio::test]
async fn signing_in_is_opt_in_for_a_call_or_a_client() {
    let seller = letting_in(|_| free()).await;
    let paying = client();
    paying.get(&seller.url()).send().await.unwrap();
    assert_eq!(paying.budget().spent(), "0.01");
    assert!(seller.seen().iter().all(|seen| header(seen).is_none()));
    let signing: Client = builder(Budget::new("1 USD", "1 USD").unwrap())
        .sign_in(true)
        .build()
        .unwrap();
    signing.get(&seller.url()).send().await.unwrap();
    assert_eq!(signing.budget().spent(), "0");
}

#[tokio::test]
async fn a_wallet_that_is_not_let_in_pays_within_its_budget_without_the_message() {
    let seller = letting_in(Act::clone).await;
    let answer = client().get(&seller.url()).sign_in().send().await.unwrap();
    assert!(answer.receipt().unwrap().is_settled());
    let seen = seller.seen();
    assert_eq!(seen.len(), 3, "asked, signed in, paid");
    assert!(header(&seen[2]).is_none());
    let poor = builder(Budget::new("1 USD", "0.001 USD").unwrap())
        .build()
        .unwrap();
    let error = poor.get(&seller.url()).sign_in().send().await.unwrap_err();
    assert!(matches!(error, Error::NothingAcceptable(_)), "{error:?}");
    // Terms that cannot be read say nothing new.
    let seller = letting_in(|_| Act::Answer(402, vec![], "?".into())).await;
    client().get(&seller.url()).sign_in().send().await.unwrap();
}

/// A wallet that is known pays less, where the seller says so, and never more than one that is not.
#[tokio::test]
async fn a_known_wallet_pays_the_lower_price_and_no_higher_one() {
    for (told, spent) in [("5000", "0.005"), ("10000", "0.01"), ("20000", "0.01")] {
        let seller = Seller::start(|_| Act::Drop).await;
        let asking = sign_in(&seller.origin, "/weather");
        let everybody = offer_with(&seller.url(), &asking);
        let mut own = option();
        own["amount"] = json!(told);
        own["extra"]["x402Quote"] = json!("1790000300.00-00");
        let known = offer_at(&seller.url(), &asking, &own);
        seller.now(move |seen| match (seen.paid, header(seen)) {
            (Some(_), _) => served(),
            (None, Some(_)) => known.clone(),
            (None, None) => everybody.clone(),
        });
        let client = client();
        client.get(&seller.url()).sign_in().send().await.unwrap();
        assert_eq!(client.budget().spent(), spent, "{told}");
        let paid = &seller.seen()[2];
        let payment = decode_value(paid.payment().unwrap().as_bytes(), DEFAULT_CAP).unwrap();
        let repeats = payment["accepted"]["extra"].get("x402Quote").is_some();
        assert_eq!(repeats, told != "20000", "the terms that it pays");
    }
}

/// A seller that does not answer a signed request may have served it: it is not paid for on top.
#[tokio::test]
async fn a_signed_request_without_an_answer_is_not_paid_for() {
    let seller = letting_in(|_| Act::Drop).await;
    let client = client();
    let error = client
        .get(&seller.url())
        .sign_in()
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert_eq!(
        (seller.payments(), client.budget().spent().as_str()),
        ((0, 0), "0")
    );
}

/// A12: what is signed lets its holder in; it is about the origin that was called, or it is not signed.
#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
async fn a12_a_message_about_another_origin_is_not_signed() {
    let seller = Seller::start(|_| Act::Drop).await;
    let (url, own) = (seller.url(), sign_in(&seller.origin, "/weather"));
    let other = "https://bank.example";
    let with = |pointer: &str, value: Value| {
        let mut changed = own.clone();
        *changed
            .pointer_mut(&format!("/sign-in-with-x{pointer}"))
            .unwrap() = value;
        changed
    };
    let port = seller.origin.rsplit(':').next().unwrap().to_owned();
    for extensions in [
        sign_in(other, "/weather"),
        with("/info/domain", json!("bank.example")),
        with("/info/domain", json!("127.0.0.1")),
        with("/info/uri", json!("https://bank.example/")),
        with(
            "/info/uri",
            json!(format!("{}.bank.example/", seller.origin)),
        ),
        with(
            "/info/uri",
            json!(format!("https://127.0.0.1:{port}/weather")),
        ),
        with(
            "/info/resources",
            json!([url, "https://bank.example/account"]),
        ),
        with("/info/statement", json!("x\n\nURI: https://bank.example/")),
        with("/info/nonce", json!("a b")),
        with("/info/version", json!("2")),
        with("/supportedChains", json!([])),
        with(
            "/supportedChains",
            json!([{"chainId": "solana:x", "type": "ed25519"}]),
        ),
        with(
            "/supportedChains",
            json!([{"chainId": "eip155:x:y", "type": "eip191"}, 7]),
        ),
        with("/supportedChains", json!("eip155:1")),
        with("/info", json!(7)),
        json!({ siwx::KEY: null }),
    ] {
        let offer = offer_with(&url, &extensions);
        seller.now(move |seen| {
            if seen.paid.is_some() {
                served()
            } else {
                offer.clone()
            }
        });
        let before = seller.seen().len();
        client().get(&url).sign_in().send().await.unwrap();
        let seen = seller.seen();
        let signed = seen[before..].iter().filter_map(header).count();
        let harmless = extensions.pointer("/sign-in-with-x/supportedChains/0/chainId")
            == Some(&json!("eip155:x:y"));
        assert!(signed == 0 || harmless, "{extensions}");
    }
    // And not at a seller without the extension.
    let plain = offer(&url, &[option()]);
    seller.now(move |seen| {
        if seen.paid.is_some() {
            served()
        } else {
            plain.clone()
        }
    });
    client().get(&url).sign_in().send().await.unwrap();
    assert!(
        seller
            .seen()
            .iter()
            .rev()
            .take(2)
            .all(|seen| header(seen).is_none())
    );
}
