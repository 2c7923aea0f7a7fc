//! Calls for all pages: for as much as they cost and for less, and of a seller whose pages end in other ways or go wrong.

use std::iter;

use serde_json::{Map, Value, json};
use x402_codegen::model::Pagination;
use x402_model::manifest::EndpointEntry;
use x402_model::money::Decimal;
use x402_tests::shop::Visit;

use crate::plan::{Call, End, visit};
use crate::sample::{Place, Sampler};

/// Pages of an endpoint of a case.
type Pages = (&'static str, &'static str, &'static [&'static str]);

/// Pages that are the last ones in another way than by a null.
const LAST: &[Pages] = &[
    ("pagination", "list", &[r#"{"items":[]}"#]),
    (
        "pagination",
        "walk",
        &[
            r#"{"items":[]}"#,
            r#"{"items":[],"meta":null}"#,
            r#"{"items":[],"meta":{}}"#,
            r#"{"items":[],"meta":{"next":""}}"#,
        ],
    ),
];

/// Pages that do not name the next one as the document says: they are paid for, and nothing comes after them.
const WRONG: &[Pages] = &[
    (
        "pagination",
        "walk",
        &[
            r#"{"items":[{"id":3}],"meta":"text"}"#,
            r#"{"items":[],"meta":{"next":{"a":1}}}"#,
            r#"{"items":[],"meta":{"next":"7"}}"#,
            r#"{"items":[],"meta":{"next":true}}"#,
            r#"{"items":[],"meta":{"next":1.5}}"#,
            r#"{"items":[],"meta":[1]}"#,
        ],
    ),
    ("pagination", "roll", &[r#"{"items":[{"id":3}]}"#]),
];

/// Nothing is paid for a page that might be too much.
const TOO_MUCH: End = End {
    code: "spend_cap_reached",
    charged: false,
    broken: false,
};

const UNEXPECTED: End = End {
    code: "unexpected_answer",
    charged: true,
    broken: false,
};

/// The calls for pages of an endpoint.
pub(crate) fn calls(
    case: &str,
    at: usize,
    pagination: &Pagination,
    entry: &EndpointEntry,
    document: &Value,
) -> Vec<Call> {
    let book = Book {
        at,
        pagination,
        entry,
        document,
    };
    let [first, second] = book.names();
    let begin = || book.page(&Map::new(), &second);
    let named = |name: &Value| Map::from_iter([(pagination.parameter.clone(), name.clone())]);
    let given = |name: &Value| {
        let mut given = book.parameters();
        given.extend(named(name));
        given
    };
    let last = book.page(&named(&second), &Value::Null);
    // Pages without end, and whatever else is given is given with each of them.
    let endless = [&first, &second].map(|name| book.page(&given(name), &second));
    let mut calls = vec![
        book.call(vec![begin(), last.clone()], 2, None),
        book.call(vec![begin()], 1, Some(TOO_MUCH)),
        book.call(endless.to_vec(), 2, Some(TOO_MUCH)),
    ];
    for (pages, ends) in [(LAST, None), (WRONG, Some(UNEXPECTED))] {
        let own = pages.iter();
        let own = own.filter(|(name, id, _)| *name == case && *id == entry.id);
        for text in own.flat_map(|(_, _, pages)| *pages) {
            let end = Visit {
                output: serde_json::from_str(text).expect("JSON"),
                ..last.clone()
            };
            let broken = !Shape::of(document, entry).missing(&end).is_empty();
            let ends = ends.map(|ends| End { broken, ..ends });
            // There would be money for more.
            calls.push(book.call(vec![begin(), end], 3, ends));
        }
    }
    calls
}

/// An endpoint with pages.
struct Book<'p> {
    at: usize,
    pagination: &'p Pagination,
    entry: &'p EndpointEntry,
    document: &'p Value,
}

impl Book<'_> {
    /// A call for pages that may cost as much as `pages` of them.
    fn call(&self, visits: Vec<Visit>, pages: usize, ends: Option<End>) -> Call {
        let costs = iter::repeat_n(self.entry.price.bounds.max.0, pages);
        let cap = costs.fold(Decimal::ZERO, |sum, cost| {
            sum.checked_add(cost).expect("a small price")
        });
        let shape = Shape::of(self.document, self.entry);
        Call {
            endpoint: self.at,
            loose: visits.iter().map(|visit| shape.loose(visit)).collect(),
            visits,
            cap: Some(format!("{cap} USD")),
            ends,
            ..Call::default()
        }
    }

    /// All parameters but the name of a page.
    fn parameters(&self) -> Map<String, Value> {
        let sampler = Sampler::new(self.document, 1, Place::Query);
        let mut all = sampler.parameters(self.entry.input.query.as_ref());
        all.remove(&self.pagination.parameter);
        all
    }

    /// Names of two pages.
    fn names(&self) -> [Value; 2] {
        let query = self.entry.input.query.as_ref().expect("a parameter");
        match query["properties"][&self.pagination.parameter]["type"].as_str() {
            Some("integer") => [json!(3), json!(7)],
            _ => [json!("a"), json!("b&=é +")],
        }
    }

    /// A page that names the next one.
    fn page(&self, query: &Map<String, Value>, next: &Value) -> Visit {
        let mut output = json!({});
        let items = json!([{"id": 1}, {"id": 2}]);
        put(&mut output, &self.pagination.items, items);
        put(&mut output, &self.pagination.next, next.clone());
        visit(self.entry, json!({"query": query}), output)
    }
}

/// Puts something where a pointer points to.
fn put(mut value: &mut Value, pointer: &str, member: Value) {
    for name in pointer.split('/').skip(1) {
        value = &mut value[name];
    }
    *value = member;
}

/// The schema of a page.
struct Shape<'d> {
    properties: &'d Value,
    required: Vec<&'d str>,
}

impl<'d> Shape<'d> {
    fn of(document: &'d Value, entry: &'d EndpointEntry) -> Self {
        let schema = entry.output.schema.as_ref().expect("pages have a schema");
        let shared = schema["$ref"].as_str();
        let shared = shared.map(|name| name.trim_start_matches('#'));
        let schema = shared.map_or(schema, |name| document.pointer(name).expect("a schema"));
        let required = schema["required"].as_array().into_iter().flatten();
        Self {
            properties: &schema["properties"],
            required: required.filter_map(Value::as_str).collect(),
        }
    }

    /// Members that clients read in different ways: those of which the schema says nothing, a null where it says no type, and
    /// those that the page lacks.
    fn loose(&self, visit: &Visit) -> Vec<String> {
        let members = visit.output.as_object().into_iter().flatten();
        let open = members.filter(|(name, value)| match self.properties.get(name) {
            Some(schema) => value.is_null() && schema.get("type").is_none(),
            None => true,
        });
        let open = open.map(|(name, _)| name.clone());
        open.chain(self.missing(visit)).collect()
    }

    /// Members that the page lacks.
    fn missing(&self, visit: &Visit) -> Vec<String> {
        let all = self.required.iter();
        let missing = all.filter(|name| visit.output.get(name).is_none());
        missing.map(|name| (*name).to_owned()).collect()
    }
}
