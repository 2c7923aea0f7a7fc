//! The buyer's hook: it chooses within the limits, and every way of not saying yes ends the call unpaid.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use x402_client::hook::{Declined, PaymentHook, Proposal};
use x402_client::select::Choice;
use x402_client::{Action, Budget, Charged, Client, Error, EvmKind};

use crate::permit2::exact;
use crate::seller::{Act, Seller, builder, offer, option, served};

type Choose = dyn Fn(&[Choice]) -> Option<Result<usize, Declined>> + Send + Sync;
type Before = dyn Fn(&Choice) -> Option<Result<(), Declined>> + Send + Sync;

/// Does as told; `None` is silence.
struct Hook {
    choose: Box<Choose>,
    before: Box<Before>,
    asked: Mutex<Vec<String>>,
}

impl Hook {
    fn new(
        choose: impl Fn(&[Choice]) -> Option<Result<usize, Declined>> + Send + Sync + 'static,
        before: impl Fn(&Choice) -> Option<Result<(), Declined>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            choose: Box::new(choose),
            before: Box::new(before),
            asked: Mutex::default(),
        })
    }

    fn note(&self, what: &str, call: Proposal<'_>) {
        let text = format!("{what} {} {}", call.method, call.url.path());
        self.asked.lock().unwrap().push(text);
    }
}

async fn or_silence<T>(answer: Option<T>) -> T {
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

impl PaymentHook for Hook {
    fn choose<'a>(
        &'a self,
        call: Proposal<'a>,
        acceptable: &'a [Choice],
    ) -> BoxFuture<'a, Result<usize, Declined>> {
        self.note("choose", call);
        Box::pin(or_silence((self.choose)(acceptable)))
    }

    fn before_sign<'a>(
        &'a self,
        call: Proposal<'a>,
        choice: &'a Choice,
    ) -> BoxFuture<'a, Result<(), Declined>> {
        self.note("sign", call);
        Box::pin(or_silence((self.before)(choice)))
    }
}

fn hooked(hook: &Arc<Hook>) -> Client {
    builder(Budget::new("1.00 USD", "1.00 USD").unwrap())
        .hook(Arc::clone(hook))
        .hook_timeout(Duration::from_millis(50))
        .build()
        .unwrap()
}

async fn selling(options: &[Value]) -> Seller {
    let seller = Seller::start(|_| Act::Drop).await;
    let offer = offer(&seller.url(), options);
    seller.now(move |seen| match seen.paid {
        None => offer.clone(),
        Some(_) => served(),
    });
    seller
}

#[tokio::test]
async fn a_hook_chooses_among_what_policy_and_budget_allow() {
    let mut dear = option();
    dear["amount"] = json!("2000000");
    let seller = selling(&[dear, option(), exact()]).await;
    let hook = Hook::new(
        |acceptable| {
            let kinds: Vec<_> = acceptable.iter().map(Choice::kind).collect();
            assert_eq!(kinds, [EvmKind::Eip3009Exact, EvmKind::Permit2Exact]);
            Some(Ok(1))
        },
        |choice| {
            assert_eq!(choice.amount().to_string(), "10000");
            Some(Ok(()))
        },
    );
    let client = hooked(&hook);
    let answer = client.get(&seller.url()).send().await.unwrap();
    assert_eq!(answer.receipt().unwrap().kind, EvmKind::Permit2Exact);
    assert_eq!(
        *hook.asked.lock().unwrap(),
        ["choose GET /weather", "sign GET /weather"]
    );
}

#[tokio::test]
async fn every_no_of_a_hook_ends_the_call_unsigned_with_the_budget_whole() {
    let no = || Some(Err(Declined::new("not today")));
    let cases = [
        (Hook::new(move |_| no(), |_| Some(Ok(()))), "not_today", 1),
        (
            Hook::new(|_| Some(Ok(1)), |_| Some(Ok(()))),
            "hook_choice",
            1,
        ),
        (
            Hook::new(|_| Some(Ok(usize::MAX)), |_| Some(Ok(()))),
            "hook_choice",
            1,
        ),
        (Hook::new(|_| None, |_| Some(Ok(()))), "hook_timeout", 1),
        (
            Hook::new(|_| Some(Ok(0)), |_| Some(Err(Declined::new("not today")))),
            "not_today",
            2,
        ),
        (Hook::new(|_| Some(Ok(0)), |_| None), "hook_timeout", 2),
    ];
    for (hook, code, asked) in cases {
        let seller = selling(&[option()]).await;
        let client = hooked(&hook);
        let error = client.get(&seller.url()).send().await.unwrap_err();
        assert_eq!(error.code(), "declined");
        assert_eq!(
            (error.charged(), error.action()),
            (Charged::No, Action::AskHuman)
        );
        assert!(!error.is_retryable() && error.pending().is_none());
        let Error::Declined(declined) = error else {
            panic!("another error");
        };
        assert_eq!(declined.code(), code);
        assert_eq!(hook.asked.lock().unwrap().len(), asked);
        assert_eq!(seller.payments(), (0, 0));
        let budget = client.budget();
        assert_eq!(
            (budget.spent(), budget.reserved()),
            ("0".into(), "0".into())
        );
        assert!(client.open_payments().is_empty());
    }
}

#[tokio::test]
async fn a_hook_that_panics_leaves_nothing_signed_and_the_budget_whole() {
    let seller = selling(&[option()]).await;
    let hook = Hook::new(|_| Some(Ok(0)), |_| panic!("a bug in the hook"));
    let client = hooked(&hook);
    let call = client.get(&seller.url()).send();
    assert!(tokio::spawn(call).await.unwrap_err().is_panic());
    assert_eq!(seller.payments(), (0, 0));
    assert_eq!(
        (client.budget().spent(), client.budget().reserved()),
        ("0".into(), "0".into())
    );
}

#[tokio::test]
async fn an_offer_that_was_looked_at_is_asked_for_before_it_is_paid() {
    let seller = selling(&[option()]).await;
    let hook = Hook::new(|_| Some(Ok(0)), |_| Some(Err(Declined::new("no"))));
    let client = hooked(&hook);
    let asked = client.get(&seller.url()).ask().await.unwrap();
    assert!(hook.asked.lock().unwrap().is_empty(), "looking asks nobody");
    let x402_client::Asked::Priced(priced) = asked else {
        panic!("free");
    };
    assert_eq!(priced.pay().await.unwrap_err().code(), "declined");
    assert_eq!(seller.payments(), (0, 0));
}

#[tokio::test]
async fn a_payment_that_is_presented_again_is_not_asked_for_again() {
    let seller = selling(&[option()]).await;
    let hook = Hook::new(|_| Some(Ok(0)), |_| Some(Ok(())));
    let client = hooked(&hook);
    let silent = Arc::new(seller);
    silent.now({
        let offer = offer(&silent.url(), &[option()]);
        move |seen| match seen.paid {
            None => offer.clone(),
            Some(_) => Act::Drop,
        }
    });
    let error = client.get(&silent.url()).send().await.unwrap_err();
    silent.now(|_| served());
    let pending = error.pending().unwrap().clone();
    assert!(client.resume(pending).await.is_ok());
    assert_eq!(hook.asked.lock().unwrap().len(), 2);
}
