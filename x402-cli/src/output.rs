//! What goes to standard output and standard error.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::{Exit, Failure, shown};

/// Writes to standard output. A reader that has enough (`x402 man | head`) is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let message = format!("cannot write to standard output: {error}");
            Err(Failure::new(Exit::Failed, message))
        }
        _ => Ok(()),
    }
}

/// Writes one line to standard output.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    print(format!("{line}\n").as_bytes())
}

/// Writes one JSON object to standard output. What a terminal would obey is escaped in it.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::new(Exit::Failed, error))?;
    print_line(&shown::json(&text))
}

/// Says something to the person at the terminal. It can hold words of others.
#[expect(clippy::print_stderr, reason = "it is what users read")]
pub(crate) fn say(text: &str) {
    eprintln!("{}", shown::text(text));
}
