//! Records spans and events as a tree, with every field as text.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// A span or an event as it was recorded.
#[derive(Debug, Clone)]
pub struct Seen {
    pub name: String,
    pub level: String,
    /// The name of the span around it.
    pub parent: Option<String>,
    pub fields: BTreeMap<String, String>,
    /// The fields that it may have, filled in or not.
    pub declared: Vec<String>,
    pub is_span: bool,
    id: Option<u64>,
}

impl Seen {
    pub fn field(&self, name: &str) -> &str {
        self.fields
            .get(name)
            .unwrap_or_else(|| panic!("{} has no {name}: {:?}", self.name, self.fields))
    }
}

/// `tracing` remembers for each place in the code whether anybody listens there. While only one subscriber lives, it asks the
/// thread that comes by first, which may be another test's and have none. Two that stay alive make it ask all of them.
fn hear_all_threads() {
    static KEPT: OnceLock<[Dispatch; 2]> = OnceLock::new();
    KEPT.get_or_init(|| [(); 2].map(|()| Dispatch::new(NoSubscriber::new())));
}

/// What was recorded; clones share it.
#[derive(Clone, Default)]
pub struct Tree(Arc<Mutex<Vec<Seen>>>);

impl Tree {
    /// Records what this thread does until the guard is dropped.
    pub fn record() -> (Self, tracing::subscriber::DefaultGuard) {
        hear_all_threads();
        let tree = Self::default();
        let subscriber = Registry::default().with(tree.clone());
        (tree, tracing::subscriber::set_default(subscriber))
    }

    pub fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    pub fn named(&self, name: &str) -> Vec<Seen> {
        self.all()
            .into_iter()
            .filter(|seen| seen.name == name)
            .collect()
    }

    /// The only one of this name.
    pub fn one(&self, name: &str) -> Seen {
        let mut found = self.named(name);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found.remove(0)
    }

    /// Everything as text, for canaries.
    pub fn text(&self) -> String {
        format!("{:?}", self.all())
    }

    fn add(
        &self,
        metadata: &Metadata<'_>,
        parent: Option<String>,
        fields: Fields,
        id: Option<u64>,
    ) {
        self.0.lock().unwrap().push(Seen {
            name: metadata.name().to_owned(),
            level: metadata.level().as_str().to_ascii_lowercase(),
            parent,
            fields: fields.0,
            declared: metadata
                .fields()
                .iter()
                .map(|field| field.name().to_owned())
                .filter(|name| name != "message")
                .collect(),
            is_span: id.is_some(),
            id,
        });
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.0.insert(field.name().to_owned(), text);
    }
}

impl<S> Layer<S> for Tree
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context.span(id).and_then(|span| span.parent());
        let parent = parent.map(|span| span.name().to_owned());
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        self.add(attributes.metadata(), parent, fields, Some(id.into_u64()));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut all = self.0.lock().unwrap();
        // The newest, because ids are used again.
        if let Some(span) = all.iter_mut().rfind(|seen| seen.id == Some(id.into_u64())) {
            span.fields.extend(fields.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let parent = context.event_span(event).map(|span| span.name().to_owned());
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.add(event.metadata(), parent, fields, None);
    }
}
