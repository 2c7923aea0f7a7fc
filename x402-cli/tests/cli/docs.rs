//! `docs/cli.md` says what the program does.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;
use x402_cli::Cli;

use crate::home::Home;

pub(crate) fn cli_md() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_command_and_option_is_documented() {
    let docs = cli_md();
    let mut commands = vec![(String::from("x402"), Cli::command())];
    let mut missing = Vec::new();
    while let Some((name, command)) = commands.pop() {
        for sub in command.get_subcommands() {
            // These two speak for themselves or have a page of their own.
            if !["help", "facilitator"].contains(&sub.get_name()) {
                commands.push((format!("{name} {}", sub.get_name()), sub.clone()));
            }
        }
        if !docs.contains(&format!("`{name}")) {
            missing.push(name.clone());
        }
        for option in command
            .get_arguments()
            .filter(|option| !option.is_hide_set())
        {
            let long = option.get_long().unwrap_or("help");
            if !["help", "version"].contains(&long) && !docs.contains(&format!("--{long}")) {
                missing.push(format!("{name} --{long}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_member_of_the_json_object_is_documented_and_no_other() {
    let report = Home::new().run(&["call", "x402", "--json"]).json();
    let members: BTreeSet<String> = report.as_object().unwrap().keys().cloned().collect();
    let docs = cli_md();
    let table = docs.split("<!-- json: start -->").nth(1).unwrap();
    let table = table.split("<!-- json: end -->").next().unwrap();
    let documented: BTreeSet<String> = table
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split('`')
                .next()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(members, documented);
}

#[test]
fn every_variable_is_documented() {
    let docs = cli_md();
    for name in [
        "X402_MAX",
        "X402_KEYSTORE",
        "X402_KEY_FILE",
        "X402_PASSWORD_FILE",
        "X402_RPC_URL",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
    ] {
        assert!(docs.contains(&format!("`{name}`")), "{name}");
    }
}
