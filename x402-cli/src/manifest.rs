//! `x402 manifest`: reads the price manifest of a service, and says who vouches for it.

mod money;
mod rule;
mod table;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use x402_runtime::model::asset::parse_address;
use x402_runtime::model::manifest::Document;

use crate::source::{self, FetchArgs, Found};
use crate::vouched::Vouched;
use crate::{Exit, Failure, output, safe_file, secret};

/// What the exit codes mean here.
const EXIT_CODES: &str = "\
Exit codes:
  0  the manifest was read, and what it says about itself is true
  1  it cannot be fetched or read, or its hash or signature is wrong
  2  the command line or a file it names is wrong";

/// Arguments of `x402 manifest`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// The seller (https://HOST), the URL of a manifest, a file, or - for standard input
    #[arg(value_name = "URL|FILE|-")]
    source: String,
    /// Refuse a manifest that this address did not sign
    #[arg(long, value_name = "ADDRESS")]
    signer: Option<String>,
    /// Save the document as it was read, for `x402 diff` and `x402 generate`
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object: who vouches for the manifest, and the manifest itself
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetch: FetchArgs,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let read = read(args);
    match read {
        Ok(read) => show(args, &read),
        Err(failure) if args.json => output::print_json(&failure.to_json()).map(|()| failure.exit),
        Err(failure) => Err(failure),
    }
}

struct Read {
    found: Found,
    document: Document,
    vouched: Vouched,
    trouble: Option<Failure>,
}

fn read(args: &Args) -> Result<Read, Failure> {
    secret::refuse_key_path("--out", args.out.as_deref())?;
    let found = source::find(&args.source, &args.fetch, source::MAX_MANIFEST)?;
    let document = open(&found)?;
    let vouched = Vouched::check(&document, &found);
    let trouble = vouched
        .refuse_wrong(&found)
        .and_then(|()| signed_by(args.signer.as_deref(), &found, &vouched))
        .err();
    Ok(Read {
        found,
        document,
        vouched,
        trouble,
    })
}

/// Reads a manifest. What was fetched has been held to the limits of the format, files of one's own may be longer.
pub(crate) fn open(found: &Found) -> Result<Document, Failure> {
    Document::read_trusted_size(&found.bytes).map_err(|error| found.unusable(error.code(), &error))
}

fn signed_by(wanted: Option<&str>, found: &Found, vouched: &Vouched) -> Result<(), Failure> {
    let Some(wanted) = wanted else { return Ok(()) };
    let address = parse_address(wanted).map_err(|error| {
        Failure::usage("invalid_address", format!("--signer: {error}"))
            .help("write 0x and 40 hex digits, as the seller publishes it")
    })?;
    if vouched.signature.signer() == Some(address) {
        return Ok(());
    }
    let sentence = vouched.signature.sentence();
    let message = format!("{}: the manifest is {sentence}", found.name());
    Err(Failure::new(Exit::Failed, message)
        .code("manifest_other_signer")
        .help(format!(
            "--signer wants {wanted}; do not pay by this manifest before you know why"
        )))
}

fn show(args: &Args, read: &Read) -> Result<Exit, Failure> {
    let saved = match (&args.out, &read.trouble) {
        (Some(file), None) => save(file, &read.found.bytes).map(|()| true),
        _ => Ok(false),
    };
    let saved = match saved {
        Ok(saved) => saved,
        Err(failure) if args.json => {
            return output::print_json(&failure.to_json()).map(|()| failure.exit);
        }
        Err(failure) => return Err(failure),
    };
    if args.json {
        output::print_json(&report(args, read, saved))?;
        return Ok(read
            .trouble
            .as_ref()
            .map_or(Exit::Success, |trouble| trouble.exit));
    }
    for (_, warning) in &read.vouched.warnings {
        output::say(&format!("warning: {warning}"));
    }
    if let Some(trouble) = &read.trouble {
        trouble.say();
        return Ok(trouble.exit);
    }
    output::print(table::of(&read.document, &read.vouched).as_bytes())?;
    if let (Some(file), true) = (&args.out, saved) {
        output::say(&format!("saved to {}", file.display()));
    }
    Ok(Exit::Success)
}

fn save(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    safe_file::replace_target(file, bytes).map_err(|error| {
        let message = format!("{} cannot be written: {error}", file.display());
        Failure::usage("output_unwritable", message)
    })
}

fn report(args: &Args, read: &Read, saved: bool) -> Value {
    let mut report = read.vouched.to_json();
    let more = json!({
        "source": read.found.place,
        "content_hash": read.document.content_hash_text(),
        "saved": args.out.as_ref().filter(|_| saved).map(|file| file.to_string_lossy()),
        "manifest": read.document.value(),
    "error": read.trouble.as_ref().map(Failure::details),
    });
    if let (Value::Object(report), Value::Object(more)) = (&mut report, more) {
        report.extend(more);
    }
    report
}
