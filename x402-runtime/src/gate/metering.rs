//! What a call with a metered price used: read from its request, counted by its handler, or read from its answer.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::response;
use bytes::Bytes;
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::price::{Facts, PriceModel, Source, UsageUnit};
use x402_model::problem::ProblemCode;

use super::checks::Refusal;
use super::present::original;
use super::{Gate, price};
use crate::bind::Terms;
use crate::meter::{Meter, Tariff, Unmetered};
use crate::telemetry::event;

/// The metering of one paid call.
#[derive(Debug)]
pub(super) struct Metering {
    meter: Meter,
    /// Quantities that the request tells, by unit.
    told: Vec<(String, Decimal)>,
}

/// The units of a metered price.
fn units(gate: &Gate) -> &[UsageUnit] {
    match &gate.endpoint.spec().price {
        PriceModel::Usage { units, .. } => units,
        _ => &[],
    }
}

fn is_in_answer(unit: &UsageUnit) -> bool {
    matches!(
        unit.meter.source,
        Source::ResponseBody | Source::ResponseHeader
    )
}

impl Metering {
    /// Puts the meter of a call where its handler finds it, and reads what the request tells.
    pub(super) async fn begin(
        gate: &Gate,
        terms: &Arc<Terms>,
        parts: &mut Parts,
        body: &Bytes,
    ) -> Result<Self, Refusal> {
        let model = &gate.endpoint.spec().price;
        let meter = Meter::new(Tariff {
            model: model.clone(),
            decimals: terms.asset().decimals,
            signed: terms.amount(),
        });
        let mut told = Vec::new();
        let asked: Vec<&UsageUnit> = units(gate)
            .iter()
            .filter(|unit| !is_in_answer(unit))
            .collect();
        if !asked.is_empty() {
            let captures = price::captures(parts).await;
            let uri = original(parts).clone();
            let facts = price::facts(&parts.headers, &uri, &captures, body);
            for unit in asked {
                let quantity = model.quantity(&unit.id, &facts);
                let quantity = quantity.map_err(|error| price::refusal(gate, &error))?;
                told.push((unit.id.to_string(), quantity));
            }
        }
        parts.extensions.insert(meter.clone());
        Ok(Self { meter, told })
    }

    /// What is due for a whole answer.
    pub(super) fn charge(
        &self,
        gate: &Gate,
        parts: &response::Parts,
        body: &Bytes,
    ) -> Result<AtomicAmount, ProblemCode> {
        let headers = parts.headers.iter();
        let facts = Facts::new().answer(
            headers.map(|(name, value)| (name.as_str(), value.as_bytes())),
            body,
        );
        let model = &gate.endpoint.spec().price;
        let mut found = self.known();
        let rest = units(gate)
            .iter()
            .filter(|unit| is_in_answer(unit) && !self.meter.is_counted(&unit.id));
        for unit in rest {
            match model.quantity(&unit.id, &facts) {
                Ok(quantity) => found.push((&*unit.id, quantity)),
                // Whoever takes the meter counts by it: what it did not count was not used.
                Err(_) if self.meter.is_taken() => {}
                Err(error) => return Err(unmetered(gate, &Unmetered::Price(error))),
            }
        }
        self.meter
            .charge(&found)
            .map_err(|error| unmetered(gate, &error))
    }

    /// What is due for what was counted so far, of an answer that cannot be looked into.
    pub(super) fn so_far(&self, gate: &Gate) -> Result<AtomicAmount, ProblemCode> {
        self.meter
            .charge(&self.known())
            .map_err(|error| unmetered(gate, &error))
    }

    /// The quantities that need no answer.
    fn known(&self) -> Vec<(&str, Decimal)> {
        let told = self.told.iter();
        told.map(|(unit, quantity)| (unit.as_str(), *quantity))
            .collect()
    }
}

fn unmetered(gate: &Gate, error: &Unmetered) -> ProblemCode {
    tracing::error!(name: event::UNMETERED, endpoint = gate.endpoint.id(), %error, "a call could not be charged by what it used");
    ProblemCode::UsageUnmetered
}
