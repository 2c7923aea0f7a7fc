//! Where log lines go: standard error, as text or as one JSON object per line.

use std::io;
use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::{Exit, Failure};

/// Starts logging. `level` is a level, or a list such as `x402_cli=debug,x402_runtime=info`; a bare level is for this
/// program's own parts only, because those of the HTTP libraries would log what must not be logged.
pub(super) fn init(level: &str, json: bool) -> Result<(), Failure> {
    let level = level.trim();
    let list = if level.contains('=') {
        level.to_owned()
    } else {
        format!("x402_cli={level},x402_runtime={level}")
    };
    let targets = Targets::from_str(&list).map_err(|error| {
        Failure::new(Exit::Usage, format!("the log level is wrong: {error}"))
            .help("write error, warn, info, debug or trace")
    })?;
    let lines = fmt::layer().with_writer(io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if json {
        Box::new(lines.json().flatten_event(true).with_filter(targets))
    } else {
        Box::new(lines.with_ansi(false).with_filter(targets))
    };
    // A second start in one process keeps the first one's log.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines));
    Ok(())
}
