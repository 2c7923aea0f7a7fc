//! What holds where nothing is said: the defaults of a manifest for its endpoints, and those of its schemas.

use serde_json::Value;

use super::document::{Manifest, RailEntry};
use super::endpoint::EndpointEntry;
use super::parts::{ChargeEntry, Idempotency};
use super::price::{PriceEntry, SelectorEntry};
use crate::pointer;
use crate::price::{CaseValue, PriceModel, PriceUnit};

/// Most references followed from one schema to the next.
const MAX_HOPS: usize = 16;

impl Manifest {
    /// The unit of all amounts.
    #[must_use]
    pub fn unit(&self) -> PriceUnit {
        if self.currency == "USD" {
            PriceUnit::Usd
        } else {
            PriceUnit::Symbol(self.currency.clone().into())
        }
    }

    /// The price of an endpoint as a model that can be evaluated; `None` for a model that this version does not know.
    ///
    /// # Errors
    /// What is wrong with a rule of a known model.
    pub fn price_model(&self, endpoint: &EndpointEntry) -> Result<Option<PriceModel>, String> {
        self.model_of(endpoint, &endpoint.price)
    }

    /// As [`Self::price_model`], for another price of the endpoint, such as one that is announced.
    ///
    /// # Errors
    /// What is wrong with a rule of a known model.
    pub fn model_of(
        &self,
        endpoint: &EndpointEntry,
        price: &PriceEntry,
    ) -> Result<Option<PriceModel>, String> {
        price.to_model(&self.unit(), &|selector| {
            self.default_of(endpoint, selector)
        })
    }

    /// The rails of an endpoint: its own, or the default ones.
    pub fn rails_of<'m>(
        &'m self,
        endpoint: &'m EndpointEntry,
    ) -> impl Iterator<Item = (&'m str, &'m RailEntry)> {
        let keys = endpoint.rails.as_ref().unwrap_or(&self.defaults.rails);
        keys.iter()
            .filter_map(|key| Some((key.as_str(), self.rails.get(key)?)))
    }

    /// When an endpoint takes money: by its own rule, or the default one.
    #[must_use]
    pub fn charge_of<'m>(&'m self, endpoint: &'m EndpointEntry) -> Option<&'m ChargeEntry> {
        endpoint.charge.as_ref().or(self.defaults.charge.as_ref())
    }

    /// How an endpoint tells the same call from another one: by its own rule, or the default one.
    #[must_use]
    pub fn idempotency_of<'m>(&'m self, endpoint: &'m EndpointEntry) -> Option<&'m Idempotency> {
        let own = endpoint.idempotency.as_ref();
        own.or(self.defaults.idempotency.as_ref())
    }

    fn default_of(&self, endpoint: &EndpointEntry, selector: &SelectorEntry) -> Option<CaseValue> {
        let input = &endpoint.input;
        let (schema, pointer) = match selector.source.as_str() {
            "path" => (input.path.as_ref(), format!("/{}", selector.pointer)),
            "query" => (input.query.as_ref(), format!("/{}", selector.pointer)),
            "header" => (input.header.as_ref(), format!("/{}", selector.pointer)),
            "body" => {
                let schema = input.body.as_ref().and_then(|body| body.schema.as_ref());
                (schema, selector.pointer.clone())
            }
            _ => return None,
        };
        let found = schema_default(schema?, &pointer, &|name| self.schemas.get(name))?;
        match (CaseValue::from_json(&found)?, selector.measure.as_deref()) {
            (value, None | Some("value")) => Some(value),
            // What is counted is the default's length.
            (CaseValue::Text(text), Some("bytes")) => count(text.len()),
            (CaseValue::Text(text), Some("chars")) => count(text.chars().count()),
            _ => None,
        }
    }
}

fn count(length: usize) -> Option<CaseValue> {
    i64::try_from(length).ok().map(CaseValue::Integer)
}

/// The `default` that a schema gives to the value at a JSON pointer.
///
/// ```
/// use serde_json::json;
/// use x402_model::manifest::schema_default;
///
/// let schema = json!({"properties": {"size": {"type": "string", "default": "small"}}});
/// assert_eq!(schema_default(&schema, "/size", &|_| None), Some(json!("small")));
/// ```
#[must_use]
pub fn schema_default<'s>(
    schema: &'s Value,
    pointer: &str,
    shared: &dyn Fn(&str) -> Option<&'s Value>,
) -> Option<Value> {
    let mut at = resolved(schema, shared)?;
    for name in pointer::tokens(pointer) {
        at = resolved(at.get("properties")?.get(&name)?, shared)?;
    }
    at.get("default").cloned()
}

/// Follows `$ref` to shared schemas; a `default` beside the reference counts, so that schema is not followed.
fn resolved<'s>(
    mut schema: &'s Value,
    shared: &dyn Fn(&str) -> Option<&'s Value>,
) -> Option<&'s Value> {
    for _ in 0..MAX_HOPS {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
            return Some(schema);
        };
        if schema.get("default").is_some() {
            return Some(schema);
        }
        let target = pointer::of_fragment(target.strip_prefix('#')?)?;
        // Of a manifest, or of the OpenAPI view of one.
        let name = target.strip_prefix("/schemas/");
        let name = name.or_else(|| target.strip_prefix("/components/schemas/"))?;
        schema = shared(&pointer::unescaped(name))?;
    }
    None
}
