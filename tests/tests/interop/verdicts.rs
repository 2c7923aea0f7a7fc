//! The reference facilitator and ours judge the same payments through Permit2, on one chain, at the same time.

use alloy_primitives::{Address, U256, address};
use serde_json::{Value, json};
use x402_model::evm::permit2::Witness;
use x402_runtime::facilitator::FacilitatorRequest;
use x402_tests::accounts::{self, OTHER, PAYEE, PAYER};
use x402_tests::permitted::{PRICE, Payment};
use x402_tests::token::USDC;

use crate::facilitators::Facilitator;
use crate::install::packages_of_npm;
use crate::stage::{SETTLERS, Stage};

/// What is wrong with a payment.
type Fault = (&'static str, fn(&mut Payment));

const NOBODY: Address = Address::repeat_byte(0xee);
/// Multicall3, at the same address on every chain that has it.
const MULTICALL3: Address = address!("0xcA11bde05977b3631167028862bE2a173976CA11");

const FAULTS: &[Fault] = &[
    ("another spender", |p| p.authorization.spender = NOBODY),
    ("another receiver", |p| p.pay_to = NOBODY),
    ("another facilitator", |p| {
        if let Witness::Upto { facilitator, .. } = &mut p.authorization.witness {
            *facilitator = NOBODY;
        }
    }),
    ("expired", |p| p.authorization.deadline -= U256::from(300)),
    ("not valid yet", |p| match &mut p.authorization.witness {
        Witness::Exact { valid_after, .. } | Witness::Upto { valid_after, .. } => {
            *valid_after = p.authorization.deadline;
        }
    }),
    ("too little", |p| {
        p.authorization.permitted.amount -= U256::ONE
    }),
    ("too much", |p| {
        p.authorization.permitted.amount += U256::ONE
    }),
    ("another token", |p| {
        p.authorization.permitted.token = NOBODY
    }),
    ("no token", |p| {
        p.asset = NOBODY;
        p.authorization.permitted.token = NOBODY;
    }),
    ("another signer", |p| p.signer = OTHER),
];

/// A member of the request, and what stands there instead.
type Change = (&'static str, Value);

fn changes() -> Vec<Change> {
    let stranger = json!(accounts::text(OTHER));
    vec![
        ("/paymentPayload/accepted/scheme", json!("batch-settlement")),
        ("/paymentPayload/accepted/network", json!("eip155:8453")),
        ("/paymentPayload/payload/signature", json!("0x")),
        (
            "/paymentPayload/payload/signature",
            json!(format!("0x{}", "11".repeat(64))),
        ),
        (
            "/paymentPayload/payload/permit2Authorization/from",
            stranger,
        ),
        (
            "/paymentPayload/payload/permit2Authorization/nonce",
            json!("1"),
        ),
    ]
}

fn permit_changes() -> Vec<Change> {
    let info = |member: &'static str| -> &'static str {
        format!("/paymentPayload/extensions/eip2612GasSponsoring/info/{member}").leak()
    };
    let stranger = json!(accounts::text(OTHER));
    vec![
        (info("from"), stranger.clone()),
        (info("asset"), stranger.clone()),
        (info("spender"), stranger),
        (info("deadline"), json!("1")),
        (info("version"), json!("one")),
        (info("amount"), json!("x")),
        (info("signature"), json!(format!("0x{}1b", "11".repeat(64)))),
    ]
}

async fn ask(facilitator: &Facilitator, operation: &str, body: &Value) -> Value {
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let answer = client
        .post(format!("{}/{operation}", facilitator.url()))
        .json(body)
        .send()
        .await
        .expect("a facilitator answers");
    let text = answer.text().await.expect("text");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

fn body(request: &FacilitatorRequest) -> Value {
    serde_json::from_str(&request.to_json()).expect("JSON")
}

/// Both facilitators on one stage, each with an account of its own.
struct Bench {
    stage: Stage,
    theirs: Facilitator,
    ours: Facilitator,
    wrong: Vec<String>,
    compared: usize,
}

impl Bench {
    async fn set() -> Self {
        let js = packages_of_npm();
        let stage = Stage::set().await;
        // The reference finds causes with it.
        stage.chain.place_code("TryAggregate", MULTICALL3).await;
        let theirs = Facilitator::npm(&js, &stage, SETTLERS[1])
            .await
            .expect("it opens");
        let ours = Facilitator::ours_with(&stage, SETTLERS[2], &["--asset", "any"])
            .await
            .expect("it opens");
        Self {
            stage,
            theirs,
            ours,
            wrong: Vec::new(),
            compared: 0,
        }
    }

    /// A good payment that this facilitator may settle.
    async fn good(&self, upto: bool, settler: usize) -> Payment {
        if upto {
            Payment::upto(&self.stage.chain, settler).await
        } else {
            Payment::exact(&self.stage.chain).await
        }
    }

    /// Has both judge a payment, made for each of them in the same way.
    async fn judge(
        &mut self,
        what: &str,
        upto: bool,
        change: impl Fn(Payment) -> Value,
    ) -> Option<String> {
        let mut verdicts = Vec::new();
        for facilitator in [&self.theirs, &self.ours] {
            let payment = self.good(upto, facilitator.settler).await;
            let answer = ask(facilitator, "verify", &change(payment)).await;
            verdicts.push(json!([answer["isValid"], answer["invalidReason"]]));
        }
        self.compared += 1;
        if verdicts[0] != verdicts[1] {
            let scheme = if upto { "upto" } else { "exact" };
            self.wrong.push(format!(
                "{scheme}, {what}: {} instead of {}",
                verdicts[1], verdicts[0]
            ));
        }
        verdicts[0][1].as_str().map(str::to_owned)
    }
}

fn spoiled(mut payment: Payment, faults: &[&Fault]) -> Value {
    for (_, spoil) in faults.iter().rev() {
        spoil(&mut payment);
    }
    body(&payment.charging(PRICE))
}

fn changed(payment: &Payment, (pointer, value): &Change) -> Value {
    let mut body = body(&payment.charging(PRICE));
    *body.pointer_mut(pointer).expect("a member") = value.clone();
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permit2_payments_get_the_verdict_of_the_reference_facilitator() {
    let mut bench = Bench::set().await;
    for upto in [false, true] {
        let missing = bench.judge("not approved", upto, |p| spoiled(p, &[])).await;
        assert_eq!(missing.as_deref(), Some("permit2_allowance_required"));
        bench
            .judge("with a permit", upto, |p| {
                body(&p.permitting().charging(PRICE))
            })
            .await;
        for change in &permit_changes() {
            let what = format!("permit {change:?}");
            bench
                .judge(&what, upto, |p| changed(&p.permitting(), change))
                .await;
        }
    }
    bench.stage.chain.approve_permit2(PAYER, true).await;
    for upto in [false, true] {
        assert_eq!(bench.judge("good", upto, |p| spoiled(p, &[])).await, None);
        let faults: Vec<&Fault> = FAULTS
            .iter()
            .filter(|(what, _)| upto || *what != "another facilitator")
            .collect();
        for (at, fault) in faults.iter().enumerate() {
            bench.judge(fault.0, upto, |p| spoiled(p, &[fault])).await;
            let what = format!("{} and all after it", fault.0);
            bench
                .judge(&what, upto, |p| spoiled(p, &faults[at..]))
                .await;
        }
        for change in &changes() {
            bench
                .judge(&format!("{change:?}"), upto, |p| changed(&p, change))
                .await;
        }
        let dear = |mut p: Payment| {
            p.authorization.permitted.amount = U256::from(10_u64).pow(U256::from(15));
            let units = 1_000_000_000_000_000;
            body(&p.charging(units))
        };
        bench.judge("more than there is", upto, dear).await;
    }
    assert!(bench.wrong.is_empty(), "{}", bench.wrong.join("\n  "));
    assert!(bench.compared >= 60, "{}", bench.compared);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permit2_payments_settle_as_with_the_reference_facilitator() {
    let bench = Bench::set().await;
    bench.stage.chain.approve_permit2(PAYER, true).await;
    let payee = accounts::address(PAYEE);
    for facilitator in [&bench.theirs, &bench.ours] {
        let exact = bench.good(false, facilitator.settler).await;
        let upto = bench.good(true, facilitator.settler).await;
        let table = [
            (&exact, PRICE, true, PRICE, Value::Null),
            (&upto, PRICE + 1, false, 0, Value::Null),
            (&upto, 0, true, 0, json!("0")),
            (&upto, 1_234, true, 1_234, json!("1234")),
            (&upto, 4_321, false, 0, Value::Null),
            (&upto, 0, false, 0, Value::Null),
        ];
        for (payment, units, success, moved, amount) in table {
            let before = bench.stage.chain.balance(payee).await;
            let answer = ask(facilitator, "settle", &body(&payment.charging(units))).await;
            let what = format!("{} charges {units}: {answer}", facilitator.name);
            assert_eq!(answer["success"], json!(success), "{what}");
            if success {
                assert_eq!(answer["amount"], amount, "{what}");
                assert_eq!(answer["transaction"] == "", moved == 0, "{what}");
            }
            let after = bench.stage.chain.balance(payee).await;
            assert_eq!(after - before, U256::from(moved), "{what}");
        }
    }
    assert_ne!(bench.stage.chain.balance(payee).await, U256::ZERO);
    assert_eq!(bench.stage.chain.balance(USDC).await, U256::ZERO);
}
