//! Files of a generated package on disk: only below their folder, only in place of files that were generated, whole or not
//! at all.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use x402_codegen::{SourceFile, is_generated};

use crate::{Exit, Failure, safe_file};

/// Longest file that is held against what would be generated, in bytes.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// What stands at the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    /// What would be generated.
    Same,
    /// Something else that was generated.
    Differs,
    /// Something that was not generated.
    Foreign,
    /// What has just been written.
    Written,
}

impl State {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Same => "unchanged",
            Self::Differs => "differs",
            Self::Foreign => "foreign",
            Self::Written => "written",
        }
    }
}

/// A file and what stands at its place.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) source: SourceFile,
    pub(super) state: State,
}

/// Looks at the place of every file.
pub(super) fn plan(root: &Path, files: Vec<SourceFile>) -> Result<Vec<Planned>, Failure> {
    if root.exists() && !root.is_dir() {
        return Err(refused(root, "it is no folder"));
    }
    let all = files.into_iter().map(|source| {
        let state = state(root, &source)?;
        Ok(Planned { source, state })
    });
    all.collect()
}

/// Writes the files that are missing or differ; nothing at all if one is in the way that was not generated.
pub(super) fn write(root: &Path, files: &mut [Planned]) -> Result<(), Failure> {
    let foreign = files.iter().filter(|file| file.state == State::Foreign);
    let foreign: Vec<&str> = foreign.map(|file| file.source.path.as_str()).collect();
    if !foreign.is_empty() {
        let message = format!(
            "not generated, and not overwritten in {}: {}; nothing was written",
            root.display(),
            foreign.join(", ")
        );
        return Err(Failure::usage("not_generated", message)
            .help("take another folder with --out, move these away, or generate the source file alone with --module"));
    }
    for file in files.iter_mut().filter(|file| file.state != State::Same) {
        let path = root.join(&file.source.path);
        let folder = path.parent().unwrap_or(root);
        // Links that came since the plan was made are not followed either.
        let written = fs::create_dir_all(folder)
            .map_err(|error| unwritten(&path, &error))
            .and_then(|()| state(root, &file.source))
            .and_then(|_| {
                safe_file::replace(&path, file.source.text.as_bytes())
                    .map_err(|error| unwritten(&path, &error))
            });
        written?;
        file.state = State::Written;
    }
    Ok(())
}

fn state(root: &Path, source: &SourceFile) -> Result<State, Failure> {
    let below = Path::new(&source.path);
    let mut path = root.to_path_buf();
    let mut parts = below.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else {
            return Err(refused(below, "it is no path below a folder"));
        };
        path.push(name);
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
            found => found.map_err(|error| unwritten(&path, &error))?,
        };
        match (found.is_symlink(), parts.peek().is_some()) {
            (true, _) => return Err(refused(&path, "it is a link, and links are not followed")),
            (false, true) if !found.is_dir() => return Err(refused(&path, "it is no folder")),
            (false, false) if !found.is_file() => return Err(refused(&path, "it is no file")),
            _ => {}
        }
    }
    let there = read(&path).map_err(|error| unwritten(&path, &error))?;
    Ok(if there == source.text.as_bytes() {
        State::Same
    } else if is_generated(&String::from_utf8_lossy(&there)) {
        State::Differs
    } else {
        State::Foreign
    })
}

fn read(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refused(path: &Path, reason: &str) -> Failure {
    let message = format!("{} is not written: {reason}", path.display());
    Failure::usage("output_refused", message)
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::new(Exit::Usage, message).code("output_unwritable")
}
