//! From an `OpenAPI` 3.0 or 3.1 description with `x-payment-info` to a client, whoever wrote it.
//!
//! What the description does not promise is not paid: a call without a price, or with a price that has no maximum, is a plain
//! typed call, and a request for payment ends it.

mod content;
mod operation;
mod parameter;
mod path;
mod payment;
mod server;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use x402_model::manifest::{canonical_hash, hash_text};
use x402_model::pointer::escaped;

use crate::error::CodegenError;
use crate::model::{ClientModel, EndpointModel, Pin, ServiceModel};
use crate::schema::Types;

/// The methods of a path that are read, in the order in which they become methods of a client.
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head"];

/// Most operations of a description.
const MAX_OPERATIONS: usize = 10_000;

/// Most warnings of a description, and most characters of one.
const MAX_WARNINGS: usize = 100;
const MAX_WARNING_CHARS: usize = 400;

/// Stands for any payee, where the description names none.
pub(crate) const ANY_PAYEE: &str = "*";

/// What all operations need.
struct Description<'d> {
    document: &'d Value,
    currency: String,
    pins: Vec<Pin>,
    warnings: Vec<String>,
}

/// The client of an `OpenAPI` description.
///
/// # Errors
/// [`CodegenError`].
pub fn lower(document: &Value) -> Result<ClientModel, CodegenError> {
    let version = document.get("openapi").and_then(Value::as_str);
    let known = version.is_some_and(|v| v.starts_with("3.0") || v.starts_with("3.1"));
    if !known {
        return Err(invalid("/openapi", "the versions 3.0 and 3.1 are read"));
    }
    let Some(paths) = document.get("paths").and_then(Value::as_object) else {
        return Err(invalid("/paths", "there are no paths"));
    };
    let mut description = Description {
        document,
        currency: payment::currency(paths),
        pins: Vec::new(),
        warnings: Vec::new(),
    };
    let mut types = Types::new(document, "/components/schemas").lenient();
    let endpoints = operations(&mut description, paths, &mut types)?;
    let (types, mut warnings) = types.finish()?;
    warnings.extend(description.warnings.iter().cloned());
    let base = server::base(document, &mut warnings);
    let warnings = bounded(warnings);
    let text = |pointer: &str, instead: &str| {
        let text = document.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or(instead).to_owned()
    };
    Ok(ClientModel {
        service: ServiceModel {
            name: text("/info/title", "Service"),
            description: text("/info/description", ""),
            version: text("/info/version", ""),
            revision: None,
            base,
            content_hash: hash_text(&canonical_hash(document)),
        },
        currency: description.currency,
        types,
        endpoints,
        errors: Vec::new(),
        shared_errors: Vec::new(),
        pins: description.pins,
        warnings,
    })
}

/// All operations that can be called, in the order of their paths.
fn operations<'d>(
    description: &mut Description<'d>,
    paths: &'d Map<String, Value>,
    types: &mut Types<'d>,
) -> Result<Vec<EndpointModel>, CodegenError> {
    let mut endpoints = Vec::new();
    let mut sorted: Vec<(&String, &Value)> = paths.iter().collect();
    sorted.sort_by_key(|(path, _)| path.as_str());
    for (path, item) in sorted {
        let place = format!("/paths/{}", escaped(path));
        let (item, _) = description.part(item, place.clone())?;
        for method in ["options", "trace"] {
            if item.get(method).is_some() {
                let warning = format!("{place}/{method}: calls with this method are left out");
                description.warnings.push(warning);
            }
        }
        for method in METHODS {
            let Some(operation) = item.get(*method).filter(|o| o.is_object()) else {
                continue;
            };
            if let Some(address) = server::elsewhere(description.document, item, operation) {
                let warning = format!(
                    "{place}/{method}: answered at another address ({address:?}), left out"
                );
                description.warnings.push(warning);
                continue;
            }
            if endpoints.len() >= MAX_OPERATIONS {
                return Err(CodegenError::TooLarge {
                    most: MAX_OPERATIONS,
                });
            }
            let route = operation::Route {
                path,
                method,
                item,
                operation,
            };
            match operation::lower(description, &route, types) {
                Ok(endpoint) => endpoints.extend(endpoint),
                // One call that cannot be made is no reason to have none.
                Err(error) if is_about_one_call(&error) => {
                    let warning = format!("{place}/{method}: left out, because of {error}");
                    description.warnings.push(warning);
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(endpoints)
}

/// Whether the rest of the description can be used without the call.
const fn is_about_one_call(error: &CodegenError) -> bool {
    matches!(
        error,
        CodegenError::RemoteRef { .. }
            | CodegenError::DanglingRef { .. }
            | CodegenError::EmptyCycle { .. }
            | CodegenError::Parameter { .. }
    )
}

/// The warnings, each once and cut, and not more of them than somebody reads.
fn bounded(all: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let cut = all.into_iter().map(
        |warning| match warning.char_indices().nth(MAX_WARNING_CHARS) {
            Some((end, _)) => format!("{}…", warning.get(..end).unwrap_or_default()),
            None => warning,
        },
    );
    let mut once: Vec<String> = cut.filter(|warning| seen.insert(warning.clone())).collect();
    let more = once.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        once.truncate(MAX_WARNINGS);
        once.push(format!("and {more} more like these"));
    }
    once
}

fn invalid(place: &str, reason: &str) -> CodegenError {
    CodegenError::OpenApi {
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}

impl<'d> Description<'d> {
    /// Follows references to shared parts that are no schemas; gives the part and its pointer.
    fn part(&self, value: &'d Value, pointer: String) -> Result<(&'d Value, String), CodegenError> {
        let (mut value, mut pointer) = (value, pointer);
        for _ in 0..8 {
            let Some(target) = value.get("$ref").and_then(Value::as_str) else {
                return Ok((value, pointer));
            };
            let Some(inner) = target.strip_prefix("#/") else {
                return Err(CodegenError::RemoteRef {
                    place: pointer,
                    target: target.chars().take(100).collect(),
                });
            };
            let next = format!("/{inner}");
            let Some(found) = self.document.pointer(&next) else {
                return Err(CodegenError::DanglingRef {
                    place: pointer,
                    target: target.chars().take(100).collect(),
                });
            };
            (value, pointer) = (found, next);
        }
        Err(CodegenError::EmptyCycle { place: pointer })
    }

    /// The keys of the ways to pay for an operation. One that is not known is a warning.
    fn ways(&mut self, operation: &Value, pointer: &str) -> Vec<String> {
        let (pins, unknown) = payment::pins(operation, &self.currency);
        let open = if pins.is_empty() {
            ", so the call is not paid"
        } else {
            ""
        };
        if unknown > 0 || pins.is_empty() {
            self.warnings.push(format!(
                "{pointer}: a way to pay with a token that is not known to stand for {}{open}",
                self.currency
            ));
        }
        self.rails(pins)
    }

    /// The keys of pins.
    fn rails(&mut self, wanted: Vec<Pin>) -> Vec<String> {
        let mut keys = Vec::with_capacity(wanted.len());
        for pin in wanted {
            let same = |other: &&Pin| {
                other.scheme == pin.scheme
                    && other.network == pin.network
                    && other.asset == pin.asset
                    && other.pay_to == pin.pay_to
            };
            let key = match self.pins.iter().find(same) {
                Some(known) => known.rail.clone(),
                None => {
                    let rail = format!("rail-{}", self.pins.len().saturating_add(1));
                    self.pins.push(Pin {
                        rail: rail.clone(),
                        ..pin
                    });
                    rail
                }
            };
            keys.push(key);
        }
        keys
    }
}

/// The members of an object, sorted; none if it is no object.
fn sorted(value: Option<&Value>) -> Vec<(&String, &Value)> {
    let mut all: Vec<(&String, &Value)> = value
        .and_then(Value::as_object)
        .map(Map::iter)
        .into_iter()
        .flatten()
        .collect();
    all.sort_by_key(|(name, _)| name.as_str());
    all
}
