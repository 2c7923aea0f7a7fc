//! Holds a value against its schema, as far as a caller can be told before the seller is asked: types, listed values,
//! required members, lengths and limits. What is not understood is left to the seller.

use serde_json::{Number, Value};
use x402_runtime::model::manifest::Manifest;

use super::{listed, nearest, value};
use crate::inputs::{listed_values, resolved};
use crate::shown;

/// Deepest nesting that is looked into.
const MAX_DEPTH: usize = 32;
/// Most characters of a value in a message.
const SHOWN: usize = 60;

/// What is wrong with a value that is called `name`, in words.
pub(super) fn check(
    manifest: &Manifest,
    schema: &Value,
    value: &Value,
    name: &str,
) -> Result<(), String> {
    Check { manifest }.value(schema, value, name, MAX_DEPTH)
}

struct Check<'m> {
    manifest: &'m Manifest,
}

impl Check<'_> {
    fn value(&self, schema: &Value, value: &Value, name: &str, depth: usize) -> Result<(), String> {
        let Some(schema) = resolved(self.manifest, schema).filter(|_| depth > 0) else {
            return Ok(());
        };
        if *schema == Value::Bool(false) {
            return Err(format!("{name} is not taken"));
        }
        let depth = depth.saturating_sub(1);
        one_of(schema, value, name)?;
        typed(schema, value, name)?;
        self.forms(schema, value, name, depth)?;
        match value {
            Value::Number(number) => within(schema, number, name),
            Value::String(text) => {
                let count = text.chars().count();
                sized(
                    schema,
                    ["minLength", "maxLength"],
                    count,
                    name,
                    "characters",
                )
            }
            Value::Array(items) => {
                sized(schema, ["minItems", "maxItems"], items.len(), name, "items")?;
                let Some(item) = schema.get("items") else {
                    return Ok(());
                };
                items.iter().enumerate().try_for_each(|(place, value)| {
                    self.value(item, value, &format!("{name}[{place}]"), depth)
                })
            }
            Value::Object(members) => {
                members.iter().try_for_each(|(member, value)| {
                    self.member(schema, member, value, name, depth)
                })?;
                missing(schema, |member| members.contains_key(member), name)
            }
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    fn member(
        &self,
        schema: &Value,
        member: &str,
        value: &Value,
        name: &str,
        depth: usize,
    ) -> Result<(), String> {
        let known = schema.get("properties").and_then(Value::as_object);
        if let Some(schema) = known.and_then(|known| known.get(member)) {
            return self.value(
                schema,
                value,
                &format!("{name}.{}", shown::line(member, SHOWN)),
                depth,
            );
        }
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Ok(());
        }
        let names = || known.into_iter().flatten().map(|(name, _)| name.as_str());
        let member_shown = shown::line(member, SHOWN);
        Err(match nearest(member, names()) {
            Some(near) => format!(
                "{name} has no member {member_shown}; did you mean {}?",
                shown::line(near, SHOWN)
            ),
            None => format!(
                "{name} has no member {member_shown}; it has {}",
                listed(names())
            ),
        })
    }

    fn forms(&self, schema: &Value, value: &Value, name: &str, depth: usize) -> Result<(), String> {
        let forms = |word: &str| schema.get(word).and_then(Value::as_array);
        for form in forms("allOf").into_iter().flatten() {
            self.value(form, value, name, depth)?;
        }
        for forms in ["anyOf", "oneOf"].into_iter().filter_map(forms) {
            let mut reasons = forms
                .iter()
                .map(|form| self.value(form, value, name, depth));
            if !forms.is_empty() && reasons.all(|reason| reason.is_err()) {
                if let Some(values) = listed_values(self.manifest, schema) {
                    return Err(not_listed(&values, value, name));
                }
                let types = value::types(self.manifest, schema);
                let fits = types.is_empty() || types.contains(&value::name_of(value));
                return Err(if fits {
                    format!(
                        "{name} has none of the forms that it can have: {}",
                        shown_value(value)
                    )
                } else {
                    other_type(value, &types, name)
                });
            }
        }
        Ok(())
    }
}

fn shown_value(value: &Value) -> String {
    shown::line(&value.to_string(), SHOWN)
}

/// Says that a value is none of the listed ones.
fn not_listed(values: &[&Value], value: &Value, name: &str) -> String {
    let texts: Vec<String> = values
        .iter()
        .map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
        .collect();
    let names = || texts.iter().map(String::as_str);
    let reason = format!(
        "{name} is {}, and has to be one of {}",
        shown_value(value),
        listed(names())
    );
    match value.as_str().and_then(|word| nearest(word, names())) {
        Some(near) => format!("{reason}; did you mean {}?", shown::line(near, SHOWN)),
        None => reason,
    }
}

fn one_of(schema: &Value, value: &Value, name: &str) -> Result<(), String> {
    if let Some(only) = schema.get("const").filter(|only| *only != value) {
        return Err(format!(
            "{name} is {}, and can only be {}",
            shown_value(value),
            shown_value(only)
        ));
    }
    match schema.get("enum").and_then(Value::as_array) {
        Some(values) if !values.contains(value) => {
            Err(not_listed(&values.iter().collect::<Vec<_>>(), value, name))
        }
        _ => Ok(()),
    }
}

fn typed(schema: &Value, value: &Value, name: &str) -> Result<(), String> {
    let wanted: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let own = value::name_of(value);
    // 2.0 is an integer, too.
    let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let fits = |wanted: &str| {
        wanted == own
            || (wanted == "number" && own == "integer")
            || (wanted == "integer" && own == "number" && whole)
    };
    if wanted.iter().copied().any(fits) {
        return Ok(());
    }
    let known = value::TYPES
        .into_iter()
        .filter(|known| wanted.contains(known));
    Err(other_type(value, &known.collect::<Vec<_>>(), name))
}

fn other_type(value: &Value, wanted: &[&'static str], name: &str) -> String {
    let wanted: Vec<&str> = wanted.iter().map(|wanted| value::said(wanted)).collect();
    format!(
        "{name} is {}, and has to be {}",
        shown_value(value),
        wanted.join(" or ")
    )
}

/// Names the members that are required and not there.
pub(super) fn missing(
    schema: &Value,
    there: impl Fn(&str) -> bool,
    name: &str,
) -> Result<(), String> {
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<&str> = names.filter(|name| !there(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("{name} needs {}", listed(missing.into_iter())))
}

/// Limits of a number. They are told to help a caller, not to decide about money.
fn within(schema: &Value, number: &Number, name: &str) -> Result<(), String> {
    let Some(given) = number.as_f64() else {
        return Ok(());
    };
    type Breaks = fn(f64, f64) -> bool;
    let limits: [(&str, Breaks, &str); 4] = [
        ("minimum", |given, limit| given < limit, "at least"),
        (
            "exclusiveMinimum",
            |given, limit| given <= limit,
            "more than",
        ),
        ("maximum", |given, limit| given > limit, "at most"),
        (
            "exclusiveMaximum",
            |given, limit| given >= limit,
            "less than",
        ),
    ];
    for (word, breaks, side) in limits {
        let limit = schema.get(word);
        if let Some(limit) =
            limit.filter(|limit| limit.as_f64().is_some_and(|limit| breaks(given, limit)))
        {
            return Err(format!("{name} is {number}, and has to be {side} {limit}"));
        }
    }
    Ok(())
}

fn sized(
    schema: &Value,
    words: [&str; 2],
    size: usize,
    name: &str,
    of: &str,
) -> Result<(), String> {
    let [least, most] = words.map(|word| schema.get(word).and_then(Value::as_u64));
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    if let Some(least) = least.filter(|least| size < *least) {
        return Err(format!(
            "{name} has {size} {of}, and needs at least {least}"
        ));
    }
    match most.filter(|most| size > *most) {
        Some(most) => Err(format!(
            "{name} has {size} {of}, and can have at most {most}"
        )),
        None => Ok(()),
    }
}
