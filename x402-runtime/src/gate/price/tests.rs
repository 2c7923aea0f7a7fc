//! Random price tables, rebates and histories: what the gate tells is the published rule, worked out a second time in whole
//! numbers.

use std::borrow::Cow;

use alloy_primitives::{Address, B256, U256, hex};
use axum::body::Body;
use axum::http::HeaderMap;
use proptest::prelude::*;
use x402_model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec};
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::network::Network;
use x402_model::price::{
    Band, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Due, Facts, PriceModel,
    PriceUnit, Rebate, RebateBand, RebateBy, Selector, Source, Volume, evaluate, tiered_bounds,
};
use x402_model::wire::{PaymentRequired, SettleResponse, SupportedResponse, VerifyResponse};

use super::*;
use crate::bind::{BoundEndpoint, Given, Mounted, bind};
use crate::clock::ManualClock;
use crate::facilitator::{
    BoxFuture, Evidence, Facilitator, FacilitatorError, FacilitatorRequest, PaymentRef,
    SettleOutcome,
};
use crate::gate::Core;
use crate::handler::{QuoteError, QuoteResult};
use crate::ledger::{
    Event, Fingerprint, Ledger, MemoryLedger, NewPayment, PaymentKey, StoredAnswer,
};
use crate::paywall::{Limits, Rail};
use crate::project::{Challenge, PAYMENT_REQUIRED};
use crate::siwx::SignedIn;
use crate::telemetry::{EndpointMetrics, PaywallMetrics};

const NOW_MS: u64 = 1_790_000_000_000;
const PAYER: Address = Address::repeat_byte(0xbb);
const ORIGIN: &str = "https://api.example.com";

/// A rule in whole numbers: amounts in cents, factors in hundredths.
#[derive(Clone, Debug)]
struct Rule {
    /// The price of `?q=0`, of `?q=1` and so on; of every call if there is one.
    cents: Vec<u32>,
    rebates: Vec<Less>,
}

#[derive(Clone, Debug)]
struct Less {
    by_spend: bool,
    window_s: u64,
    /// Calls, or cents, that have to be bought before, and the factor from then on.
    steps: Vec<(u32, u32)>,
}

/// How a payment of before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Settled,
    Final,
    Served,
    Unknown,
    Vanished,
}

#[derive(Clone, Debug)]
struct Past {
    age_ms: u64,
    cents: u32,
    /// Two that are accepted, and one that is not any more.
    token: usize,
    end: End,
    payer: bool,
    endpoint: bool,
}

impl Past {
    fn counts(&self, window_ms: u64) -> bool {
        let paid = matches!(self.end, End::Settled | End::Final);
        paid && self.payer && self.endpoint && self.age_ms < window_ms
    }
}

impl Past {
    /// What happened to it.
    fn events(&self, presented_ms: u64) -> Vec<Event> {
        let answer = StoredAnswer {
            status: 200,
            headers: vec![],
            body: Default::default(),
        };
        let response = SettleResponse {
            success: true,
            transaction: "0xabc".to_owned(),
            ..SettleResponse::default()
        };
        let answered = Event::Answered {
            owner: 1,
            answer: answer.into(),
            charge: None,
        };
        let intend = Event::Intend {
            owner: 1,
            lease_until_ms: presented_ms,
        };
        let settled = Event::Settled { response };
        let mut events = vec![answered, intend];
        match self.end {
            End::Settled => events.push(settled),
            End::Final => events.extend([settled, Event::Finalised]),
            End::Served => events.truncate(1),
            End::Unknown => events.push(Event::Unanswered { transaction: None }),
            End::Vanished => events.extend([settled, Event::ReceiptGone]),
        }
        events
    }
}

impl Less {
    /// What was bought in the window: calls, and cents.
    fn bought(&self, past: &[Past]) -> (u64, u64) {
        let counted = past.iter().filter(|one| one.counts(self.window_s * 1_000));
        let spent = counted.clone().filter(|one| one.token < 2);
        let cents = spent.map(|one| u64::from(one.cents)).sum();
        (u64::try_from(counted.count()).unwrap(), cents)
    }

    /// The factor in hundredths: that of the last step which was reached.
    fn factor(&self, past: &[Past]) -> u64 {
        let (calls, cents) = self.bought(past);
        let bought = if self.by_spend { cents } else { calls };
        let mut reached = self.steps.iter().filter(|step| u64::from(step.0) <= bought);
        reached.next_back().map_or(100, |step| u64::from(step.1))
    }

    fn model(&self) -> Rebate {
        let end = |end: u32| Decimal::new(end.into(), if self.by_spend { 2 } else { 0 });
        let ends = self.steps.iter().map(|step| Some(end(step.0)));
        let factors = self.steps.iter().map(|step| step.1);
        let bands = ends
            .chain([None])
            .zip(std::iter::once(100).chain(factors))
            .map(|(up_to, factor)| RebateBand {
                up_to,
                factor: Decimal::new(factor.into(), 2),
            });
        Rebate {
            by: match self.by_spend {
                true => RebateBy::Spend,
                false => RebateBy::Calls,
            },
            window_seconds: self.window_s,
            bands: bands.collect(),
        }
    }
}

impl Rule {
    /// The price of a request in millionths: cents by two factors in hundredths.
    fn millionths(&self, asked: usize, past: &[Past]) -> u64 {
        let mut price = u64::from(self.cents[asked]) * 10_000;
        for rebate in &self.rebates {
            price *= rebate.factor(past);
            assert!(price.is_multiple_of(100), "exact");
            price /= 100;
        }
        price
    }

    fn model(&self) -> PriceModel {
        let usd = |cents: u32| {
            Charge::Amount(Price {
                amount: Decimal::new(cents.into(), 2),
                unit: PriceUnit::Usd,
            })
        };
        let table = match self.cents.as_slice() {
            [one] => DimensionTable::Bands(Cow::Owned(vec![Band {
                up_to: None,
                charge: usd(*one),
            }])),
            all => DimensionTable::Cases(
                all.iter()
                    .enumerate()
                    .map(|(n, cents)| Case {
                        equals: CaseValue::Text(n.to_string().into()),
                        charge: usd(*cents),
                    })
                    .collect(),
            ),
        };
        let dimensions = vec![Dimension {
            by: Selector::at(Source::Query, "q"),
            table,
        }];
        let rebates: Vec<Rebate> = self.rebates.iter().map(Less::model).collect();
        let bounds = tiered_bounds(&dimensions, Combine::Multiply, &rebates).unwrap();
        PriceModel::Tiered {
            dimensions: dimensions.into(),
            combine: Combine::Multiply,
            rebates: rebates.into(),
            bounds,
        }
    }
}

fn less() -> impl Strategy<Value = Less> {
    let factor = prop::sample::select(vec![5, 10, 20, 25, 50, 75, 80, 99, 100]);
    let steps = prop::collection::btree_map(1..12_u32, factor, 1..4);
    (any::<bool>(), 10..100_u64, steps, 1..150_u32).prop_map(|(by_spend, window_s, steps, each)| {
        let each = if by_spend { each } else { 1 };
        Less {
            by_spend,
            window_s,
            steps: steps.into_iter().map(|(at, f)| (at * each, f)).collect(),
        }
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let cents = prop::collection::vec(1..500_u32, 1..4);
    let rebates = prop::collection::vec(less(), 0..3);
    (cents, rebates).prop_map(|(cents, rebates)| Rule { cents, rebates })
}

/// A history with payments at the very ends of the windows.
fn past(rule: &Rule) -> impl Strategy<Value = Vec<Past>> + use<> {
    let mut ages = vec![0, 1, 5_000];
    for rebate in &rule.rebates {
        let end = rebate.window_s * 1_000;
        ages.extend([end - 1, end, end + 1]);
    }
    let end = prop::sample::select(vec![
        End::Settled,
        End::Settled,
        End::Final,
        End::Final,
        End::Served,
        End::Unknown,
        End::Vanished,
    ]);
    let age_ms = prop_oneof![prop::sample::select(ages), 0..120_000_u64];
    let mine = || prop::bool::weighted(0.9);
    let one = (age_ms, 1..500_u32, 0..3_usize, end, mine(), mine());
    let one = one.prop_map(|(age_ms, cents, token, end, payer, endpoint)| Past {
        age_ms,
        cents,
        token,
        end,
        payer,
        endpoint,
    });
    prop::collection::vec(one, 0..16)
}

struct Nobody;

impl Facilitator for Nobody {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        Box::pin(async { Err(FacilitatorError::Timeout) })
    }

    fn verify<'a>(
        &'a self,
        _: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        Box::pin(async { Err(FacilitatorError::Timeout) })
    }

    fn settle<'a>(&'a self, _: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        Box::pin(std::future::pending())
    }

    fn evidence<'a>(&'a self, _: &'a PaymentRef) -> BoxFuture<'a, Evidence> {
        Box::pin(std::future::pending())
    }
}

impl ErasedHandler<()> for Nobody {
    fn answer(&self, _: Request, (): ()) -> BoxFuture<'static, Response> {
        Box::pin(async { Response::new(Body::empty()) })
    }

    fn quote(&self, (): &(), _: crate::handler::QuoteRequest) -> BoxFuture<'static, QuoteResult> {
        Box::pin(async { Err(QuoteError::unavailable("none")) })
    }
}

/// An endpoint at this price, for two tokens that count differently.
fn bound(model: PriceModel) -> BoundEndpoint {
    let spec = EndpointSpec {
        id: "rates",
        route: Some(RouteSpec {
            method: Method::Get,
            path: "/rates",
        }),
        price: model,
        probe: None,
        allowances: &[],
        plans: &[],
        summary: "",
        description: "",
        tags: &[],
        mime_type: "application/json",
        timeout_seconds: 300,
        pay_to: None,
        payment_ids: None,
        lifecycle: Lifecycle::NONE,
        rails: &[],
    };
    let given = Given {
        origin: Some(ORIGIN.to_owned()),
        pay_to: Some("0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned()),
        rails: vec![
            Rail::new(Network::BASE_SEPOLIA, "USDC"),
            Rail::new(Network::evm(31_611), "mUSD"),
        ],
        min_remaining_seconds: 10,
        ..Given::default()
    };
    let mut mistakes = Vec::new();
    let bound = bind(&[Mounted { spec, at: None }], &[], &given, &mut mistakes);
    assert_eq!(mistakes, []);
    bound.endpoints.into_iter().next().unwrap()
}

/// A gate with its ledger.
struct Stall {
    gate: Arc<Gate>,
    pricing: Arc<Pricing>,
    ledger: Arc<MemoryLedger>,
}

impl Stall {
    async fn new(model: PriceModel) -> Self {
        let endpoint = bound(model);
        let ledger = Arc::new(MemoryLedger::new());
        if let Some(window_ms) = volume::longest_window_ms(&endpoint.spec().price) {
            let kept = ledger.accounts().keep_volume("rates", window_ms).await;
            kept.unwrap();
        }
        let clock = Arc::new(ManualClock::new(NOW_MS));
        let store: Arc<dyn Ledger> = ledger.clone();
        let chains = ["eip155:84532"];
        let siwx = Siwx::new(
            ORIGIN,
            &chains,
            clock.clone(),
            store.clone(),
            Arc::new(Nobody),
        );
        let callers = Allowances::new(store.clone(), clock.clone()).with_sign_in(siwx.unwrap());
        let metrics = PaywallMetrics::new(&[]);
        let limits = Limits::default();
        let core = Core::new(
            Arc::new(Nobody),
            store,
            clock,
            limits,
            vec![],
            vec![],
            metrics,
        );
        let needs = endpoint.spec().price.needs();
        let quotes = Arc::new(Quotes::new([7; 32], vec![]));
        Self {
            gate: Arc::new(Gate {
                challenge: Arc::new(Challenge::new(&endpoint, None)),
                pricing: None,
                credit: None,
                free: None,
                earlier: vec![],
                core: Arc::new(core),
                metrics: Arc::new(EndpointMetrics::new(&endpoint)),
                endpoint,
            }),
            pricing: Arc::new(Pricing::new(needs, quotes, Some(Arc::new(callers)))),
            ledger,
        }
    }

    async fn note(&self, n: usize, past: &Past) {
        let assets = self.gate.endpoint.assets();
        let (network, asset, decimals) = match assets.get(past.token) {
            Some(asset) => (asset.network.clone(), asset.address, asset.decimals),
            None => (Network::BASE, Address::ZERO, 6),
        };
        let key = PaymentKey {
            network,
            asset,
            payer: if past.payer { PAYER } else { Address::ZERO },
            nonce: B256::from(U256::from(n)),
        };
        let units = 10_u128.pow(u32::from(decimals) - 2) * u128::from(past.cents);
        let presented_ms = NOW_MS - past.age_ms;
        let new = NewPayment {
            key: key.clone(),
            fingerprint: Fingerprint([0; 32]),
            endpoint: if past.endpoint { "rates" } else { "news" }.into(),
            amount: AtomicAmount::from_u128(units),
            pay_to: Address::ZERO,
            valid_before: 0,
            request: FacilitatorRequest {
                x402_version: 2,
                payload: Default::default(),
                requirements: Default::default(),
            },
            owner: 1,
            lease_until_ms: presented_ms,
            now_ms: presented_ms,
        };
        self.ledger.begin(new).await.unwrap();
        for event in past.events(presented_ms) {
            let moved = self.ledger.advance(&key, event, presented_ms).await;
            assert!(matches!(moved, Ok(crate::ledger::Advanced::Done(_))));
        }
    }

    /// The amounts that a request is told, and the token of the first.
    async fn told(&self, asked: usize, payer: Option<Address>) -> Option<(Vec<String>, String)> {
        let uri = format!("/rates?q={asked}");
        let mut request = Request::get(uri).body(Body::empty()).unwrap();
        if let Some(payer) = payer {
            caller::note(request.extensions_mut(), SignedIn::Evm(payer));
        }
        let (gate, pricing) = (Arc::clone(&self.gate), Arc::clone(&self.pricing));
        let response = answer(gate, pricing, Arc::new(Nobody), request, ()).await;
        let terms = terms(response.headers())?;
        let view = |n: usize| terms.accepts[n].view().unwrap();
        let token = view(0).extra["x402Quote"].as_str().unwrap().to_owned();
        let amounts = (0..terms.accepts.len()).map(|n| view(n).amount.clone());
        Some((amounts.collect(), token))
    }
}

fn terms(headers: &HeaderMap) -> Option<PaymentRequired> {
    let header = headers.get(PAYMENT_REQUIRED)?;
    Some(x402_model::wire::headers::decode(header.as_bytes(), usize::MAX).unwrap())
}

async fn holds(rule: &Rule, past: &[Past], asked: usize, purge: bool) {
    let model = rule.model();
    let stall = Stall::new(model.clone()).await;
    for (n, one) in past.iter().enumerate() {
        stall.note(n, one).await;
    }
    if purge {
        stall.ledger.purge(u64::MAX, 99).await.unwrap();
        let books = stall.ledger.accounts();
        books.sweep(NOW_MS, 0, 99).await.unwrap();
    }
    for payer in [None, Some(PAYER)] {
        let past = if payer.is_some() { past } else { &[] };
        let wanted = rule.millionths(asked, past);
        let (amounts, token) = stall.told(asked, payer).await.expect("terms");
        let micro = u128::from(wanted);
        assert_eq!(
            amounts,
            [micro, micro * 10_u128.pow(12)].map(|n| n.to_string())
        );
        // Told to this payer only if it is less than what everybody is told.
        let only = token.split_once('-').map(|(_, payer)| payer.to_owned());
        let less = wanted < rule.millionths(asked, &[]);
        assert_eq!(only, less.then(|| hex::encode(PAYER)));
        // The model says the same of what was bought by the same count, and keeps to its bounds.
        let volumes = rule.rebates.iter().map(|rebate| {
            let (calls, cents) = rebate.bought(past);
            Volume {
                calls,
                spend: Decimal::new(cents.into(), 2),
            }
        });
        let volumes: Vec<Volume> = volumes.collect();
        let facts = Facts::new().query(format!("q={asked}"));
        let Ok(Due::Exact(price)) = evaluate(&model, &facts, &volumes) else {
            panic!("no price");
        };
        assert_eq!(price.amount, Decimal::new(micro, 6));
        let bounds = model.bounds();
        assert!(bounds.min.amount <= price.amount && price.amount <= bounds.max.amount);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_price_that_is_told_is_the_published_rule(
        (rule, past) in rule().prop_flat_map(|rule| { let past = past(&rule); (Just(rule), past) }),
        asked: prop::sample::Index,
        purge: bool,
    ) {
        let asked = asked.index(rule.cents.len());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(holds(&rule, &past, asked, purge));
    }
}
