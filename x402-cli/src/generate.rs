//! `x402 generate`: a typed client from a price manifest, or from any OpenAPI description of paid calls.

mod files;

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};
use x402_codegen::{ClientModel, CodegenError, SourceFile, python, rust, typescript};
use x402_runtime::model::manifest::Document;

use crate::source::{self, FetchArgs};
use crate::vouched::Vouched;
use crate::{Exit, Failure, output, secret, shown};
use files::{Planned, State};

/// What the exit codes mean here.
const EXIT_CODES: &str = "\
Exit codes:
  0  the client is there; with --check: it is what would be generated
  1  the document cannot be fetched or read; with --check: files differ, and nothing else
  2  the command line or a file is wrong; with --check: anything else";

/// Longest name that is made of the name of a service.
const MAX_NAME: usize = 48;
/// Most characters of a warning.
const MAX_WARNING: usize = 300;

/// Arguments of `x402 generate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// A price manifest or an OpenAPI 3 description in JSON: a seller (https://HOST), a URL, a file, or - for standard input
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Language of the client
    #[arg(long, value_enum)]
    lang: Lang,
    /// Folder of the package; it is made if it is not there. No file that was not generated is overwritten
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the package: a letter, then letters, digits, - and _ [default: the name of the service with -client]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Generate the source file alone, without the files of a package around it
    #[arg(long)]
    module: bool,
    /// Write nothing; end with 1 and name the files that are not what would be generated
    #[arg(long)]
    check: bool,
    /// Print one JSON object: the files and what became of them, and the warnings
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetch: FetchArgs,
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// A crate on top of x402-client
    Rust,
    /// An npm package on top of @x402/fetch
    Typescript,
    /// A Python package on top of x402 and httpx
    Python,
}

impl Lang {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Typescript => "typescript",
            Self::Python => "python",
        }
    }

    fn package(self, model: &ClientModel, name: &str) -> Result<Vec<SourceFile>, CodegenError> {
        match self {
            Self::Rust => rust::package(model, name),
            Self::Typescript => typescript::package(model, name),
            Self::Python => python::package(model, name),
        }
    }

    /// Whether a file of a package is the client itself.
    fn is_source(self, file: &SourceFile) -> bool {
        file.path.ends_with(match self {
            Self::Rust => "/lib.rs",
            Self::Typescript => "/index.ts",
            Self::Python => "/__init__.py",
        })
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Rust => "rs",
            Self::Typescript => "ts",
            Self::Python => "py",
        }
    }
}

/// What was made, and what became of it.
struct Made {
    place: String,
    name: String,
    content_hash: String,
    warnings: Vec<String>,
    files: Vec<Planned>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let made = made(args).map_err(|failure| Failure {
        // With --check, 1 is for files that differ, and for nothing else.
        exit: if args.check {
            Exit::Usage
        } else {
            failure.exit
        },
        ..failure
    });
    match made {
        Err(failure) if args.json => output::print_json(&failure.to_json()).map(|()| failure.exit),
        Err(failure) => Err(failure),
        Ok(made) => show(args, &made),
    }
}

fn made(args: &Args) -> Result<Made, Failure> {
    secret::refuse_key_path("--out", Some(&args.out))?;
    let found = source::find(&args.source, &args.fetch, source::MAX_FILE)?;
    let model =
        x402_codegen::read(&found.bytes).map_err(|error| found.unusable(error.code(), &error))?;
    let mut warnings = Vec::new();
    if let Ok(document) = Document::read_trusted_size(&found.bytes) {
        let vouched = Vouched::check(&document, &found);
        vouched.refuse_wrong(&found)?;
        warnings.extend(vouched.warnings.into_iter().map(|(_, warning)| warning));
    }
    warnings.extend(model.warnings.iter().cloned());
    warnings.extend(model.gaps());
    let name = args.name.clone();
    let name = name.unwrap_or_else(|| name_of(&model.service.name));
    let files = sources(args, &model, &name)?;
    let mut files = files::plan(&args.out, files)?;
    if !args.check {
        files::write(&args.out, &mut files)?;
    }
    Ok(Made {
        place: found.place,
        name,
        content_hash: model.service.content_hash,
        warnings,
        files,
    })
}

fn sources(args: &Args, model: &ClientModel, name: &str) -> Result<Vec<SourceFile>, Failure> {
    let lang = args.lang;
    let files = lang.package(model, name).map_err(|error| {
        let failure = Failure::usage(error.code(), &error);
        match error {
            CodegenError::PackageName { .. } => failure.help("give another one with --name"),
            _ => failure,
        }
    })?;
    if !args.module {
        return Ok(files);
    }
    let path = format!("{}.{}", name.replace('-', "_"), lang.extension());
    let source = files.into_iter().filter(|file| lang.is_source(file));
    Ok(source
        .map(|file| SourceFile {
            path: path.clone(),
            ..file
        })
        .collect())
}

/// A name of a package for a service: what of its name is letters and digits, in small letters.
fn name_of(service: &str) -> String {
    let mut name = String::new();
    for c in service.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name: String = name.chars().take(MAX_NAME).collect();
    let name = name.trim_end_matches('-');
    if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        format!("{name}-client")
    } else if name.is_empty() {
        "api-client".to_owned()
    } else {
        format!("api-{name}-client")
    }
}

fn show(args: &Args, made: &Made) -> Result<Exit, Failure> {
    let trouble = args.check.then(|| differing(args, made)).flatten();
    if args.json {
        output::print_json(&report(args, made, trouble.as_ref()))?;
        return Ok(trouble.map_or(Exit::Success, |trouble| trouble.exit));
    }
    for warning in &made.warnings {
        output::say(&format!("warning: {}", shown::line(warning, MAX_WARNING)));
    }
    for file in &made.files {
        let path = args.out.join(&file.source.path);
        output::print_line(&format!("{:<9}  {}", file.state.word(), path.display()))?;
    }
    match trouble {
        Some(trouble) => {
            trouble.say();
            Ok(trouble.exit)
        }
        None => Ok(Exit::Success),
    }
}

/// That files are not what would be generated.
fn differing(args: &Args, made: &Made) -> Option<Failure> {
    let differ = made.files.iter().filter(|file| file.state != State::Same);
    let paths: Vec<&str> = differ.map(|file| file.source.path.as_str()).collect();
    let out = args.out.display();
    let message = format!("not up to date in {out}: {}", paths.join(", "));
    (!paths.is_empty()).then(|| {
        Failure::new(Exit::Failed, message)
            .code("files_differ")
            .help("generate again without --check, and look at what changed")
    })
}

fn report(args: &Args, made: &Made, trouble: Option<&Failure>) -> Value {
    let file = |file: &Planned| json!({ "path": file.source.path, "state": file.state.word() });
    json!({
        "source": made.place,
        "content_hash": made.content_hash,
        "lang": args.lang.as_str(),
        "name": made.name,
        "out": args.out.to_string_lossy(),
        "files": made.files.iter().map(file).collect::<Vec<_>>(),
        "warnings": made.warnings,
        "error": trouble.map(Failure::details),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m06_names_of_packages_are_made_of_letters_and_digits() {
        for (service, name) in [
            ("Textkit", "textkit-client"),
            ("Weather & more!", "weather-more-client"),
            ("127.0.0.1", "api-127-0-0-1-client"),
            ("../../etc", "etc-client"),
            ("Ünïcode", "n-code-client"),
            ("", "api-client"),
            ("///", "api-client"),
        ] {
            assert_eq!(name_of(service), name, "{service}");
        }
        assert!(name_of(&"x".repeat(500)).len() < 64);
    }
}
