//! Every metric, counted by a real recorder behind a real gate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    dead_code,
    unreachable_pub,
    reason = "a test fails by panicking, and whole numbers of a gauge are compared"
)]

#[path = "common/all.rs"]
mod common;
#[cfg(feature = "http")]
#[path = "http_support/provider.rs"]
mod provider;
#[path = "common/witness.rs"]
mod witness;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::double::{refusal, silence};
use common::shop::{request, send};
use common::{Buyer, NOW, Script, Stand};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use witness::{Act, Witness};
use x402_runtime::facilitator::Evidence;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::telemetry::{METRICS, metric};

/// A recorder for this thread, for as long as the test runs.
struct Recorded {
    snapshotter: Snapshotter,
    _guard: metrics::LocalRecorderGuard<'static>,
}

/// One series: its name, its labels and its value.
#[derive(Debug)]
struct Series {
    name: String,
    labels: Vec<(String, String)>,
    value: DebugValue,
}

impl Recorded {
    /// The recorder is leaked: a guard borrows it, and a test has no end but the process's.
    fn start() -> Self {
        let recorder: &'static DebuggingRecorder = Box::leak(Box::new(DebuggingRecorder::new()));
        Self {
            snapshotter: recorder.snapshotter(),
            _guard: metrics::set_default_local_recorder(recorder),
        }
    }

    /// Everything that was recorded since the last look.
    fn all(&self) -> Vec<Series> {
        let snapshot = self.snapshotter.snapshot().into_vec().into_iter();
        snapshot
            .map(|(key, _, description, value)| {
                let name = key.key().name().to_owned();
                assert!(description.is_some(), "{name} is not described");
                let labels = key.key().labels();
                Series {
                    name,
                    labels: labels
                        .map(|label| (label.key().to_owned(), label.value().to_owned()))
                        .collect(),
                    value,
                }
            })
            .collect()
    }

    /// The only series that has moved, of this name and with these labels among its own.
    fn only(&self, name: &str, labels: &[(&str, &str)]) -> DebugValue {
        let mut found: Vec<Series> = self
            .all()
            .into_iter()
            .filter(|series| series.name == name && moved(&series.value))
            .collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        let series = found.remove(0);
        let expected: BTreeSet<(String, String)> = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let known = METRICS.iter().find(|known| known.name == name).unwrap();
        assert_eq!(
            series.labels.iter().cloned().collect::<BTreeSet<_>>(),
            expected
        );
        let keys: BTreeSet<&str> = series.labels.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, known.labels.iter().copied().collect(), "{name}");
        series.value
    }
}

fn moved(value: &DebugValue) -> bool {
    match value {
        DebugValue::Counter(count) => *count > 0,
        DebugValue::Gauge(level) => level.into_inner() != 0.0,
        DebugValue::Histogram(samples) => !samples.is_empty(),
    }
}

fn samples(value: &DebugValue) -> usize {
    let DebugValue::Histogram(samples) = value else {
        panic!("{value:?}");
    };
    assert!(
        samples
            .iter()
            .all(|seconds| (0.0..600.0).contains(&seconds.into_inner()))
    );
    samples.len()
}

#[tokio::test]
async fn terms_that_are_told_are_counted_per_endpoint() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    for _ in 0..3 {
        assert_eq!(stand.get("/news", None).await.status, 402);
    }
    let count = recorded.only(metric::UNPAID, &[("endpoint", "news")]);
    assert_eq!(count, DebugValue::Counter(3));
}

#[tokio::test]
async fn payments_are_counted_by_how_they_were_answered() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    let buyer = Buyer::new(7);
    let refused = "invalid_exact_evm_insufficient_balance";
    let table = [
        ("/news", Script::Settle, "paid", 200),
        ("/behave/500", Script::Settle, "uncharged", 500),
        ("/news", Script::Say(refusal(refused)), "not_settled", 402),
        ("/news", silence(), "pending", 503),
        ("/behave/panic", Script::Settle, "refused", 500),
    ];
    for (path, script, outcome, status) in table {
        stand.double.scripts.lock().unwrap().clear();
        stand.double.script([script]);
        let endpoint = path.split('/').nth(1).unwrap();
        let payment = buyer.pay(&stand.terms("GET", path).await, NOW);
        recorded.all();
        assert_eq!(
            stand.get(path, Some(&payment)).await.status,
            status,
            "{outcome}"
        );
        let labels = [("endpoint", endpoint), ("outcome", outcome)];
        let count = recorded.only(metric::PAYMENTS, &labels);
        assert_eq!(count, DebugValue::Counter(1), "{outcome}");
    }
}

#[tokio::test]
async fn refusals_are_counted_by_code() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let twice = format!("{payment},{payment}");
    for (presented, code) in [
        ("!", "payment_undecodable"),
        (&*twice, "duplicate_payment_header"),
    ] {
        recorded.all();
        assert_eq!(stand.get("/news", Some(presented)).await.code(), code);
        let count = recorded.only(metric::REFUSED, &[("endpoint", "news"), ("code", code)]);
        assert_eq!(count, DebugValue::Counter(1));
    }
    recorded.all();
    stand.double.script([Script::Say(refusal(
        "invalid_exact_evm_insufficient_balance",
    ))]);
    stand.get("/news", Some(&payment)).await;
    recorded.only(
        metric::REFUSED,
        &[("endpoint", "news"), ("code", "settlement_refused")],
    );
}

#[tokio::test]
async fn hooks_are_counted_by_how_they_ended() {
    let recorded = Recorded::start();
    let witness = Arc::new(Witness::default());
    let hooks = Arc::clone(&witness);
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        let quick = std::time::Duration::from_millis(50);
        builder.hooks(hooks).hook_timeout(quick)
    })
    .await;
    // What moved of the metric, until it is what is expected: hooks that are told end in tasks of their own.
    let expect = async |expected: &[(&str, &str)]| {
        let mut found = BTreeSet::new();
        let expected = expected.iter();
        let expected: BTreeSet<String> = expected
            .map(|(hook, how)| format!("{hook} {how} 1"))
            .collect();
        common::shop::until(|| {
            let all = recorded.all().into_iter();
            let all = all.filter(|one| one.name == metric::HOOKS && moved(&one.value));
            found.extend(all.map(|one| {
                let labels: Vec<&str> = one.labels.iter().map(|(_, value)| &**value).collect();
                let DebugValue::Counter(count) = one.value else {
                    panic!("no counter")
                };
                format!("{} {count}", labels.join(" "))
            }));
            found.len() >= expected.len()
        })
        .await;
        assert_eq!(found, expected);
    };
    let terms = stand.terms("GET", "/news").await;
    let pay = || async {
        let payment = Buyer::new(7).pay(&terms, NOW);
        stand.get("/news", Some(&payment)).await
    };
    let (before, after, told) = ("before_verify", "after_verify", "on_settled");
    assert_eq!(pay().await.status, 200);
    expect(&[(before, "ok"), (after, "ok"), (told, "ok")]).await;
    for (act, outcome) in [
        (Act::Refuse, "refused"),
        (Act::Fail, "failed"),
        (Act::Panic, "panicked"),
        (Act::Hang, "timeout"),
    ] {
        witness.says(Act::Yes, act);
        pay().await;
        expect(&[(before, "ok"), (after, outcome), ("on_failure", "ok")]).await;
        witness.says(Act::Yes, Act::Yes);
        *witness.told.lock().unwrap() = act;
        pay().await;
        // Who is told has nothing to refuse.
        let outcome = if act == Act::Refuse {
            "failed"
        } else {
            outcome
        };
        expect(&[(before, "ok"), (after, "ok"), (told, outcome)]).await;
        *witness.told.lock().unwrap() = Act::Yes;
    }
}

#[tokio::test]
async fn money_that_moved_is_counted_once_in_atomic_units() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    let labels = [
        ("endpoint", "news"),
        ("network", "eip155:84532"),
        ("asset", "USDC"),
    ];
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    for _ in 0..3 {
        assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    }
    assert_eq!(
        recorded.only(metric::SETTLED, &labels),
        DebugValue::Counter(10_000)
    );

    // Found out later by the resolver.
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([silence()]);
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 503);
    stand.clock.advance_ms(20_000);
    let transaction = "0x".to_owned() + &"cd".repeat(32);
    stand.double.show(Evidence::Paid {
        transaction,
        confirmations: 1,
    });
    recorded.all();
    assert_eq!(stand.paywall.recover().await.moved, 1);
    assert_eq!(
        recorded.only(metric::SETTLED, &labels),
        DebugValue::Counter(10_000)
    );
}

#[tokio::test]
async fn settle_calls_and_handlers_are_timed() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    for (script, outcome) in [
        (Script::Settle, "settled"),
        (
            Script::Say(refusal("invalid_exact_evm_insufficient_balance")),
            "refused",
        ),
        (silence(), "unknown"),
    ] {
        let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
        stand.double.script([script]);
        recorded.all();
        stand.get("/news", Some(&payment)).await;
        let labels = [("endpoint", "news"), ("outcome", outcome)];
        assert_eq!(samples(&recorded.only(metric::SETTLE_SECONDS, &labels)), 1);
    }
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/behave/500").await, NOW);
    recorded.all();
    stand.get("/behave/500", Some(&payment)).await;
    let handled = recorded.only(metric::HANDLER_SECONDS, &[("endpoint", "behave")]);
    assert_eq!(samples(&handled), 1);
}

#[tokio::test]
async fn payments_in_flight_are_a_level() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/behave/wait").await, NOW);
    let (app, shop) = (stand.app.clone(), stand.shop.clone());
    let call = tokio::spawn(async move {
        send(&app, request("GET", "/behave/wait", Some(&payment), "")).await
    });
    while shop.runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        recorded.only(metric::IN_FLIGHT, &[]),
        DebugValue::Gauge(1.0.into())
    );
    shop.door.add_permits(1);
    assert_eq!(call.await.unwrap().status, 200);
    let level = recorded
        .all()
        .into_iter()
        .find(|series| series.name == metric::IN_FLIGHT);
    // Each look begins at zero: one less than at the last one.
    assert_eq!(level.unwrap().value, DebugValue::Gauge((-1.0).into()));
}

#[tokio::test]
async fn failures_of_the_ledger_are_counted_by_kind() {
    let recorded = Recorded::start();
    let ledger = Arc::new(MemoryLedger::new().with_max_records(4));
    let stand = Stand::open_with(ledger, |builder| builder).await;
    let terms = stand.terms("GET", "/news").await;
    for _ in 0..4 {
        let payment = Buyer::new(7).pay(&terms, NOW);
        assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    }
    let answer = stand
        .get("/news", Some(&Buyer::new(7).pay(&terms, NOW)))
        .await;
    assert_eq!(answer.brief(), (503, "ledger_unavailable".to_owned()));
    let count = recorded.only(metric::LEDGER_ERRORS, &[("kind", "full")]);
    assert_eq!(count, DebugValue::Counter(1));
}

#[tokio::test]
async fn the_resolver_counts_what_it_does_and_what_is_due() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    stand.double.script([silence()]);
    stand.get("/news", Some(&payment)).await;
    stand.clock.advance_ms(20_000);
    recorded.all();
    stand.paywall.recover().await;
    let all = recorded.all();
    let value = |name: &str| {
        let mut found = all
            .iter()
            .filter(|series| series.name == name && moved(&series.value));
        let series = found.next().unwrap_or_else(|| panic!("{name}: {all:?}"));
        assert!(found.next().is_none());
        (series.labels.clone(), &series.value)
    };
    let settled = vec![("event".to_owned(), "settled".to_owned())];
    assert_eq!(value(metric::RESOLVER), (settled, &DebugValue::Counter(1)));
    // One was due and one moved; the settled one is watched from then on, so the second look saw nothing due yet.
    stand.clock.advance_ms(20_000);
    stand.paywall.recover().await;
    assert_eq!(
        recorded.only(metric::RESOLVER_DUE, &[]),
        DebugValue::Gauge(1.0.into())
    );
}

#[cfg(feature = "http")]
#[tokio::test]
async fn calls_to_a_provider_are_timed_and_its_kinds_have_an_age() {
    use provider::{Do, Provider, json};
    use serde_json::json as value;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};
    use x402_runtime::facilitator::http::HttpFacilitator;
    use x402_runtime::facilitator::{Facilitator as _, FacilitatorRequest};

    let recorded = Recorded::start();
    // A facilitator may be made before there is a paywall; what its metrics mean is told by the paywall.
    let _stand = Stand::open().await;
    let request = FacilitatorRequest {
        x402_version: 2,
        payload: value!({}).into(),
        requirements: value!({}).into(),
    };
    let provider = Provider::start([Do::Hang]);
    let facilitator = HttpFacilitator::builder(&provider.url)
        .verify_deadline(Duration::from_millis(800))
        .settle_deadline(Duration::from_millis(800))
        .build()
        .unwrap();
    let host = provider.url.strip_prefix("http://").unwrap();
    let host = host.strip_suffix("/x402").unwrap();
    for (answer, outcome) in [
        (json(200, &value!({ "isValid": true })), "2xx"),
        (Do::Say(307, vec![], vec![]), "3xx"),
        (Do::Say(401, vec![], vec![]), "4xx"),
        (Do::Say(503, vec![], vec![]), "5xx"),
        (Do::Say(200, vec![], vec![b'x'; 100_000]), "bad_answer"),
        (Do::Reset, "unreachable"),
        (Do::Hang, "timeout"),
    ] {
        provider.script([answer]);
        let _ = facilitator.verify(&request).await;
        let labels = [
            ("provider", host),
            ("operation", "verify"),
            ("outcome", outcome),
        ];
        assert_eq!(
            samples(&recorded.only(metric::FACILITATOR_SECONDS, &labels)),
            1
        );
    }
    provider.script([json(200, &value!({ "kinds": [] }))]);
    facilitator.supported().await.unwrap();
    let DebugValue::Gauge(at) = recorded.only(metric::KINDS_TIMESTAMP, &[("provider", host)])
    else {
        panic!("a gauge");
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    assert!((now - 100.0..=now + 1.0).contains(&at.into_inner()), "{at}");
}

#[tokio::test]
async fn g18_a_thousand_paths_and_many_payers_make_no_new_series() {
    let recorded = Recorded::start();
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/weather/oslo").await;
    let count = || {
        let all = recorded.all();
        for series in &all {
            let known = METRICS.iter().find(|known| known.name == series.name);
            let known = known.unwrap_or_else(|| panic!("{} is not in METRICS", series.name));
            let keys: BTreeSet<&str> = series.labels.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, known.labels.iter().copied().collect());
        }
        all.len()
    };
    let round = async |number: u32| {
        let path = format!("/weather/{number}?key={number}");
        assert_eq!(stand.get(&path, None).await.status, 402);
        assert_eq!(
            stand.get(&path, Some(&number.to_string())).await.status,
            402
        );
        let payer = Buyer::new(u8::try_from(number % 200 + 1).unwrap());
        let payment = payer.pay(&terms, NOW);
        assert_eq!(stand.get(&path, Some(&payment)).await.status, 200);
    };
    round(0).await;
    let before = count();
    for number in 1..1_000 {
        round(number).await;
    }
    assert_eq!(count(), before);
}

/// Counts how often a metric is looked up.
#[derive(Default)]
struct LookUps(AtomicUsize);

impl metrics::Recorder for LookUps {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        self.0.fetch_add(1, Ordering::SeqCst);
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.fetch_add(1, Ordering::SeqCst);
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.fetch_add(1, Ordering::SeqCst);
        Histogram::noop()
    }
}

#[tokio::test]
async fn what_is_counted_for_every_request_was_looked_up_at_the_start() {
    let recorder: &'static LookUps = Box::leak(Box::default());
    let _guard = metrics::set_default_local_recorder(recorder);
    let stand = Stand::open().await;
    let at_the_start = recorder.0.load(Ordering::SeqCst);
    assert!(at_the_start > 0);
    let terms = stand.terms("GET", "/news").await;
    for _ in 0..10 {
        assert_eq!(stand.get("/news", None).await.status, 402);
        let payment = Buyer::new(7).pay(&terms, NOW);
        assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
    }
    assert_eq!(recorder.0.load(Ordering::SeqCst), at_the_start);
    // A code that comes for the first time is looked up then, and once.
    for _ in 0..10 {
        assert_eq!(stand.get("/news", Some("!")).await.status, 402);
    }
    assert_eq!(recorder.0.load(Ordering::SeqCst), at_the_start + 1);
}

#[tokio::test]
async fn without_a_recorder_everything_works() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    assert_eq!(stand.get("/news", Some(&payment)).await.status, 200);
}
