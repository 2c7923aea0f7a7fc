//! Ends recursion in the OpenAPI document, because the reader that most buyers use does not.
//!
//! `@agentcash/discovery` puts what a reference leads to in its place until nothing is left to replace, and a schema that refers to
//! itself overflows its stack. So every reference that closes a circle becomes a schema that takes anything and says what it
//! stands for. Nothing that was valid gets invalid, and the other views keep their recursion.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::keyword::{reference, visit};
use super::openapi::COMPONENTS;
use super::widened;

/// What names the schema that a reference led to.
const AGAIN: &str = "x-x402-recursive";

/// Cuts every circle of references between shared schemas.
pub(super) fn cut(schemas: &mut Map<String, Value>) {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, schema) in schemas.iter_mut() {
        let reached = edges.entry(name.clone()).or_default();
        visit(schema, &mut |inner| {
            reached.extend(reference(inner, COMPONENTS).map(str::to_owned));
        });
    }
    let closing = closing(&edges);
    for (from, schema) in schemas.iter_mut() {
        visit(schema, &mut |inner| {
            let again =
                reference(inner, COMPONENTS).filter(|to| closing.contains(&(from.as_str(), *to)));
            if let Some(name) = again.map(str::to_owned)
                && let Value::Object(members) = inner
            {
                members.remove("$ref");
                members.insert(AGAIN.to_owned(), json!(name));
                widened::mark(members);
            }
        });
    }
}

/// The edges that lead back to where a walk in order of names came from. Without them there is no circle.
fn closing(edges: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<(&str, &str)> {
    let mut found = BTreeSet::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let following = |name: &str| edges.get(name).into_iter().flatten();
    for start in edges.keys() {
        if done.contains(start.as_str()) {
            continue;
        }
        // The way from the start, and what is still to be followed from each of its places.
        let mut way = vec![(start.as_str(), following(start))];
        let mut on_the_way = BTreeSet::from([start.as_str()]);
        while let Some((from, rest)) = way.last_mut() {
            let from = *from;
            match rest.next() {
                None => {
                    done.insert(from);
                    on_the_way.remove(from);
                    way.pop();
                }
                Some(to) if on_the_way.contains(to.as_str()) => {
                    found.insert((from, to.as_str()));
                }
                Some(to) if done.contains(to.as_str()) => {}
                Some(to) => {
                    on_the_way.insert(to);
                    way.push((to, following(to)));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(name: &str) -> Value {
        json!({ "$ref": format!("{COMPONENTS}{name}") })
    }

    #[test]
    fn circles_are_cut_once_and_everything_else_stays() {
        let Value::Object(mut schemas) = json!({
            "A": { "properties": { "b": to("B"), "list": { "items": to("A") }, "leaf": to("Leaf") } },
            "B": { "anyOf": [to("C"), to("Leaf")] },
            "C": { "properties": { "$ref": { "type": "string" }, "a": { "$ref": "#/components/schemas/A", "title": "t" } } },
            "Leaf": { "examples": [to("A")] },
        }) else {
            panic!("an object")
        };
        cut(&mut schemas);
        let again = |title: Option<&str>| {
            let mut schema = json!({ "x-x402-recursive": "A", "x-x402-widened": true });
            if let Some(title) = title {
                schema["title"] = title.into();
            }
            schema
        };
        let expected = json!({
            "A": { "properties": { "b": to("B"), "list": { "items": again(None) }, "leaf": to("Leaf") } },
            "B": { "anyOf": [to("C"), to("Leaf")] },
            "C": { "properties": { "$ref": { "type": "string" }, "a": again(Some("t")) } },
            "Leaf": { "examples": [to("A")] },
        });
        assert_eq!(Value::Object(schemas), expected);
    }
}
