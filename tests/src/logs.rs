//! Everything that the product logs on this thread, as text.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// Collects log text; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    text: Arc<Mutex<String>>,
}

impl Logs {
    /// Collects what this thread logs at any level until the guard is dropped.
    #[must_use]
    pub fn collect() -> (Self, tracing::subscriber::DefaultGuard) {
        hear_all_threads();
        let logs = Self::default();
        let collector = Collector {
            logs: logs.clone(),
            spans: AtomicU64::new(0),
        };
        let guard = tracing::subscriber::set_default(collector);
        (logs, guard)
    }

    /// What was collected so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.lock().expect("the log").clone()
    }
}

/// `tracing` remembers for each place in the code whether anybody listens there. While only one subscriber lives, it asks the
/// thread that comes by first, which may be another test's and have none. Two that stay alive make it ask all of them.
fn hear_all_threads() {
    static KEPT: OnceLock<[Dispatch; 2]> = OnceLock::new();
    KEPT.get_or_init(|| [(); 2].map(|()| Dispatch::new(NoSubscriber::new())));
}

struct Collector {
    logs: Logs,
    spans: AtomicU64,
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Collector {
    fn write(&self, metadata: Option<&Metadata<'_>>, record: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.logs.text.lock().expect("the log");
        if let Some(metadata) = metadata {
            let _ = write!(
                text,
                "{} {} {}",
                metadata.level(),
                metadata.target(),
                metadata.name()
            );
        }
        record(&mut Line(&mut text));
        text.push('\n');
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.write(Some(span.metadata()), |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.write(None, |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(Some(event.metadata()), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
