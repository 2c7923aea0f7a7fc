//! Completions and man pages, made from the commands themselves.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{Cli, Exit, Failure, output};

/// Arguments of `x402 completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Arguments of `x402 man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for the program and for each of its commands to this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "x402", &mut text);
    output::print(&text).map(|()| Exit::Success)
}

pub(crate) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    if let Some(folder) = &args.out {
        return clap_mangen::generate_to(Cli::command(), folder)
            .map(|()| Exit::Success)
            .map_err(|error| {
                let folder = folder.display();
                Failure::new(Exit::Failed, format!("cannot write to {folder}: {error}"))
            });
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut text)
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    output::print(&text).map(|()| Exit::Success)
}
