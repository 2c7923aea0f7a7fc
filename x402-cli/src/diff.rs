//! `x402 diff`: what a new manifest changes for those who use the old one.

mod print;
mod rewrite;
mod version;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};
use x402_runtime::model::manifest::Document;
use x402_runtime::model::manifest::diff::{Change, Money, Verdict, Wire, compare};

use crate::source::{self, FetchArgs, Found};
use crate::vouched::Vouched;
use crate::{Exit, Failure, manifest, output, safe_file};

/// What the exit codes mean here.
const EXIT_CODES: &str = "\
Exit codes:
  0  nothing changed that --deny names
  1  something changed that --deny names; nothing was written
  2  the documents cannot be compared, or the command line is wrong";

/// The code of a change that is not allowed.
const DENIED: &str = "change_denied";

/// Arguments of `x402 diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// The manifest that is in use: a seller (https://HOST), a URL, a file, or - for standard input
    #[arg(value_name = "OLD")]
    old: String,
    /// The manifest that is to follow it
    #[arg(value_name = "NEW")]
    new: String,
    /// Changes that are not allowed; can be given again, or as a list with commas
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    deny: Vec<Deny>,
    /// Write the version and the revision that the changes ask for into the file NEW, and touch nothing else
    #[arg(long)]
    write: bool,
    /// Print one JSON object: the verdict and every change
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetch: FetchArgs,
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Something costs more
    Costlier,
    /// Something may cost more than the bounds of the old manifest
    CapRaised,
    /// Something breaks old clients, or acts on them although they do nothing
    Major,
    /// Something that a person has to look at before an agent pays again
    Stop,
}

impl Deny {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Costlier => "costlier",
            Self::CapRaised => "cap-raised",
            Self::Major => "major",
            Self::Stop => "stop",
        }
    }

    fn forbids(self, change: &Change) -> bool {
        match self {
            Self::Costlier => change.money >= Money::Costlier,
            Self::CapRaised => change.money >= Money::CapRaised,
            Self::Major => change.wire >= Wire::Major || change.silent,
            Self::Stop => change.stop,
        }
    }
}

/// One of the two documents.
struct Side {
    found: Found,
    document: Document,
    vouched: Vouched,
}

struct Comparison {
    old: Side,
    new: Side,
    verdict: Verdict,
    denied: Vec<Deny>,
    /// The version that the new manifest has to have, unless one of the two is no semantic version.
    version: Option<String>,
    revision: u64,
    written: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    // 1 is for what is denied, and for nothing else.
    let compared = compared(args).map_err(|failure| Failure {
        exit: Exit::Usage,
        ..failure
    });
    let compared = match compared {
        Err(failure) if args.json => {
            return output::print_json(&failure.to_json()).map(|()| failure.exit);
        }
        compared => compared?,
    };
    let trouble = compared.trouble();
    if args.json {
        output::print_json(&compared.to_json(trouble.as_ref()))?;
    } else {
        output::print(print::table(&compared).as_bytes())?;
        print::notes(&compared);
        if let Some(trouble) = &trouble {
            trouble.say();
        }
    }
    Ok(trouble.map_or(Exit::Success, |trouble| trouble.exit))
}

fn compared(args: &Args) -> Result<Comparison, Failure> {
    if args.old == "-" && args.new == "-" {
        let message = "standard input cannot be both documents";
        return Err(Failure::usage("two_inputs", message));
    }
    if args.write && (args.new == "-" || source::is_url(&args.new)) {
        let message = "--write writes to the file NEW, and NEW is no file";
        return Err(Failure::usage("not_a_file", message)
            .help("save it first: `x402 manifest URL --out FILE`"));
    }
    let (old, new) = (Side::read(&args.old, args)?, Side::read(&args.new, args)?);
    let (before, after) = (old.document.manifest(), new.document.manifest());
    let verdict = compare(before, after);
    let names = |kind: &Deny| verdict.changes.iter().any(|change| kind.forbids(change));
    let denied = Deny::value_variants().iter().copied();
    let denied = denied.filter(|kind| args.deny.contains(kind)).filter(names);
    let denied: Vec<Deny> = denied.collect();
    let version = version::wanted(
        &before.service.version,
        &after.service.version,
        verdict.bump,
    );
    let revision = version::revision(
        before.service.revision,
        after.service.revision,
        verdict.bump,
    );
    let mut compared = Comparison {
        denied,
        version,
        revision,
        written: None,
        old,
        new,
        verdict,
    };
    if args.write && compared.denied.is_empty() {
        compared.write(Path::new(&args.new))?;
    }
    Ok(compared)
}

impl Side {
    fn read(source: &str, args: &Args) -> Result<Self, Failure> {
        let found = source::find(source, &args.fetch, source::MAX_MANIFEST)?;
        let document = manifest::open(&found)?;
        let vouched = Vouched::check(&document, &found);
        Ok(Self {
            found,
            document,
            vouched,
        })
    }

    fn to_json(&self) -> Value {
        let service = &self.document.manifest().service;
        let mut side = self.vouched.to_json();
        let more = json!({
            "source": self.found.place,
            "version": service.version,
            "revision": service.revision,
            "content_hash": self.document.content_hash_text(),
        });
        if let (Value::Object(side), Value::Object(more)) = (&mut side, more) {
            side.extend(more);
        }
        side
    }
}

impl Comparison {
    fn write(&mut self, file: &Path) -> Result<(), Failure> {
        let service = &self.new.document.manifest().service;
        let Some(version) = &self.version else {
            let message = format!(
                "{:?} and {:?} are not both versions such as 1.2.0",
                self.old.document.manifest().service.version,
                service.version
            );
            return Err(
                Failure::usage("invalid_version", message).help("write the version by hand")
            );
        };
        let revision = self.revision;
        if *version == service.version && revision == service.revision {
            return Ok(());
        }
        let text = rewrite::text(&self.new.found.bytes, version, revision)?;
        safe_file::replace_target(file, text.as_bytes()).map_err(|error| {
            let message = format!("{} cannot be written: {error}", file.display());
            Failure::usage("output_unwritable", message)
        })?;
        self.written = Some(file.to_path_buf());
        Ok(())
    }

    /// Why the change is not allowed, if it is not.
    fn trouble(&self) -> Option<Failure> {
        let words: Vec<&str> = self.denied.iter().map(|kind| kind.as_str()).collect();
        let message = format!("the change is denied: {}", words.join(", "));
        (!words.is_empty()).then(|| {
            Failure::new(Exit::Failed, message)
                .code(DENIED)
                .help("take it back, or allow it: leave its kind out of --deny")
        })
    }

    fn to_json(&self, trouble: Option<&Failure>) -> Value {
        let verdict = &self.verdict;
        let change = |change: &Change| {
            json!({
                "place": change.place, "what": change.what, "wire": change.wire.as_str(),
                "money": change.money.as_str(), "stop": change.stop, "silent": change.silent,
            })
        };
        let denied: Vec<&str> = self.denied.iter().map(|kind| kind.as_str()).collect();
        json!({
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "wire": verdict.wire.as_str(),
            "money": verdict.money.as_str(),
            "stop": verdict.stop,
            "bump": verdict.bump.as_str(),
            "needs_notice": verdict.needs_notice(),
            "safe_to_pay": verdict.is_safe_to_pay(),
            "changes": verdict.changes.iter().map(change).collect::<Vec<_>>(),
            "version": self.version,
            "revision": self.revision,
            "denied": denied,
            "written": self.written.as_ref().map(|file| file.to_string_lossy()),
            "error": trouble.map(Failure::details),
        })
    }
}
