//! What a call used, where its price is metered: counted by the handler, priced and settled by the gate.

use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::price::{PriceError, PriceModel};
use x402_model::problem::{Problem, ProblemCode};

use crate::telemetry::event;

/// Counts what a call uses, as an argument of a handler whose price is `upto(…)`.
///
/// What was counted when the handler is done, or when its streamed answer has ended, is what the buyer pays for: at the
/// published prices, rounded once, and never more than the buyer signed. Clones count together.
///
/// ```
/// use x402_runtime::Meter;
/// # fn tokens_of(_: &str) -> u64 { 3 }
///
/// async fn complete(meter: Meter, prompt: String) -> String {
///     let text = prompt.to_uppercase();
///     meter.add("tokens", tokens_of(&text));
///     text
/// }
///
/// // In a unit test:
/// # tokio_test(async {
/// let meter = Meter::of(["tokens"]);
/// complete(meter.clone(), "hi".to_owned()).await;
/// assert_eq!(meter.count("tokens"), Some(3));
/// # });
/// # fn tokio_test(f: impl Future<Output = ()>) {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f);
/// # }
/// ```
#[derive(Clone)]
pub struct Meter(Arc<Counts>);

struct Counts {
    units: Vec<Unit>,
    /// Whether a handler has taken the meter: then what it did not count is none, and not something that it forgot.
    taken: AtomicBool,
    /// What turns counts into money, where somebody paid.
    price: Option<Tariff>,
    /// Units that were counted and are not in the price, by name: a mistake of the handler's that must not go unseen.
    unknown: Mutex<Option<String>>,
}

struct Unit {
    id: String,
    count: AtomicU64,
    counted: AtomicBool,
}

/// A metered price as one payment is charged by it.
#[derive(Clone)]
pub(crate) struct Tariff {
    pub(crate) model: PriceModel,
    /// Decimals of the token that pays.
    pub(crate) decimals: u8,
    /// What the buyer signed.
    pub(crate) signed: AtomicAmount,
}

impl Meter {
    /// A meter for unit tests, which counts these units and knows no price.
    #[must_use]
    pub fn of<'a>(units: impl IntoIterator<Item = &'a str>) -> Self {
        Self::with(units.into_iter().map(str::to_owned), None)
    }

    /// The meter of one call.
    pub(crate) fn new(tariff: Tariff) -> Self {
        let units: Vec<String> = match &tariff.model {
            PriceModel::Usage { units, .. } => {
                units.iter().map(|unit| unit.id.to_string()).collect()
            }
            _ => Vec::new(),
        };
        Self::with(units.into_iter(), Some(tariff))
    }

    /// The meter of a call that costs nothing, if its price is a metered one.
    pub(crate) fn unpriced(model: &PriceModel) -> Option<Self> {
        let PriceModel::Usage { units, .. } = model else {
            return None;
        };
        Some(Self::of(units.iter().map(|unit| &*unit.id)))
    }

    fn with(units: impl Iterator<Item = String>, price: Option<Tariff>) -> Self {
        let units = units.map(|id| Unit {
            id,
            count: AtomicU64::new(0),
            counted: AtomicBool::new(false),
        });
        Self(Arc::new(Counts {
            units: units.collect(),
            taken: AtomicBool::new(false),
            price,
            unknown: Mutex::default(),
        }))
    }

    fn unit(&self, unit: &str) -> Option<&Unit> {
        let found = self.0.units.iter().find(|known| known.id == unit);
        if found.is_none() {
            let mut unknown = self
                .0
                .unknown
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            unknown.get_or_insert_with(|| unit.to_owned());
        }
        found
    }

    /// Counts `quantity` more of a unit, by its name in the price.
    ///
    /// A name that is not in the price is a mistake in the code: the call then fails and costs the buyer nothing.
    pub fn add(&self, unit: &str, quantity: u64) {
        if let Some(unit) = self.unit(unit) {
            let add = |count: u64| Some(count.saturating_add(quantity));
            // Never fails, because the closure always says what to write.
            let _ = unit
                .count
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
            unit.counted.store(true, Ordering::Release);
        }
    }

    /// Sets the count of a unit, for handlers that learn it from elsewhere. As [`add`](Self::add) in all else.
    pub fn set(&self, unit: &str, quantity: u64) {
        if let Some(unit) = self.unit(unit) {
            unit.count.store(quantity, Ordering::Release);
            unit.counted.store(true, Ordering::Release);
        }
    }

    /// How many of a unit were counted; `None` if it is not in the price.
    #[must_use]
    pub fn count(&self, unit: &str) -> Option<u64> {
        let unit = self.0.units.iter().find(|known| known.id == unit)?;
        Some(unit.count.load(Ordering::Acquire))
    }

    /// Whether what was counted costs as much as the buyer signed: more of it is not paid for. A handler that can stop, should.
    /// Never in a unit test.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        let Some(tariff) = &self.0.price else {
            return false;
        };
        self.charge(&[]).is_ok_and(|charge| charge >= tariff.signed)
    }

    /// Whether the handler took the meter.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.taken.load(Ordering::Acquire)
    }

    /// Whether the handler counted a unit itself; else its count is found elsewhere.
    pub(crate) fn is_counted(&self, id: &str) -> bool {
        let unit = self.0.units.iter().find(|unit| unit.id == id);
        unit.is_some_and(|unit| unit.counted.load(Ordering::Acquire))
    }

    /// What is due for what was counted, and for quantities that were found elsewhere, which count where the handler did not.
    ///
    /// # Errors
    /// [`Unmetered`] when a quantity is missing or the handler counted what is not in the price.
    pub(crate) fn charge(&self, found: &[(&str, Decimal)]) -> Result<AtomicAmount, Unmetered> {
        let unknown = self
            .0
            .unknown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(unit) = unknown {
            return Err(Unmetered::Unknown(unit));
        }
        let Some(tariff) = &self.0.price else {
            return Ok(AtomicAmount::ZERO);
        };
        let taken = self.is_taken();
        let units = self.0.units.iter();
        let quantities: Vec<(&str, Decimal)> = units
            .filter_map(|unit| {
                let id = unit.id.as_str();
                let own = || Decimal::new(unit.count.load(Ordering::Acquire).into(), 0);
                if unit.counted.load(Ordering::Acquire) {
                    return Some((id, own()));
                }
                let elsewhere = found.iter().find(|(other, _)| *other == id);
                // A handler that took the meter and did not count has used nothing.
                let quantity = elsewhere.map(|(_, quantity)| *quantity);
                Some((id, quantity.or_else(|| taken.then(own))?))
            })
            .collect();
        tariff
            .model
            .metered(&quantities, tariff.decimals, tariff.signed)
            .map_err(Unmetered::Price)
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self
            .0
            .units
            .iter()
            .map(|unit| (&unit.id, unit.count.load(Ordering::Acquire)));
        f.debug_map().entries(counts).finish()
    }
}

/// Why a call cannot be charged by what it used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmetered {
    #[error("the handler counted `{0}`, which is no unit of the price")]
    Unknown(String),
    #[error(transparent)]
    Price(PriceError),
}

/// The answer when [`Meter`] is asked for by a handler whose price is not metered: 500, and nothing is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotMetered;

impl fmt::Display for NotMetered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the price of this handler is not metered: write `price = upto(…)`")
    }
}

impl std::error::Error for NotMetered {}

impl IntoResponse for NotMetered {
    fn into_response(self) -> Response {
        tracing::error!(name: event::UNMETERED, error = %self, "a handler asked for `Meter`");
        crate::gate::bare_problem(&Problem::new(ProblemCode::UsageUnmetered))
    }
}

impl<S: Sync> FromRequestParts<S> for Meter {
    type Rejection = NotMetered;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, NotMetered> {
        let meter = parts.extensions.get::<Self>().ok_or(NotMetered)?;
        meter.0.taken.store(true, Ordering::Release);
        Ok(meter.clone())
    }
}

impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for Meter {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Infallible> {
        Ok(
            <Self as FromRequestParts<S>>::from_request_parts(parts, state)
                .await
                .ok(),
        )
    }
}
