//! Help, completions and man pages mention every command.

use clap::CommandFactory as _;
use x402_cli::{Cli, Exit};

use crate::KEYS;
use crate::home::Home;

fn commands() -> Vec<String> {
    let cli = Cli::command();
    cli.get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect()
}

#[test]
fn every_shell_gets_completions_for_every_command() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = home.run(&["completions", shell]);
        assert_eq!(run.code, 0, "{shell}");
        for word in commands()
            .iter()
            .map(String::as_str)
            .chain(["balance", "dry-run", "resume", "signer", "deny"])
        {
            assert!(run.out.contains(word), "{shell}: {word} is missing");
        }
    }
}

#[test]
fn man_pages_are_written_for_every_command() {
    let home = Home::new();
    let folder = home.text("man");
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(home.run(&["man", "--out", &folder]).code, 0);
    let mut pages = vec!["x402.1".to_owned()];
    pages.extend(commands().iter().map(|name| format!("x402-{name}.1")));
    for sub in ["new", "import", "address", "balance"] {
        pages.push(format!("x402-wallet-{sub}.1"));
    }
    for page in pages {
        let text = std::fs::read_to_string(home.path("man").join(&page));
        assert!(text.is_ok_and(|text| text.contains(".TH ")), "{page}");
    }
    home.run(&["man", "--out", &home.text("no/such")])
        .said(1, &["cannot write to"]);
    let one = home.run(&["man"]);
    assert!(
        commands()
            .iter()
            .all(|name| one.out.contains(name.as_str()))
    );
}

#[test]
fn the_exit_codes_stand_in_help_man_page_and_docs() {
    let home = Home::new();
    let help = home.run(&["call", "--help"]).out;
    let folder = home.text("man");
    std::fs::create_dir(&folder).unwrap();
    home.run(&["man", "--out", &folder]);
    let man = std::fs::read_to_string(home.path("man/x402-call.1")).unwrap();
    let man = man.replace("\\-", "-").replace('\n', " ");
    let docs = crate::docs::cli_md();
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for exit in Exit::ALL {
        let (code, meaning) = (exit.code(), exit.meaning());
        assert!(
            one_line(&help).contains(&format!("{code} {meaning}")),
            "help: {code}"
        );
        assert!(
            one_line(&man).contains(&format!("{code} {meaning}")),
            "man: {code}"
        );
        assert!(
            docs.contains(&format!("| {code} | {meaning} |")),
            "docs: {code}"
        );
    }
    let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn help_leads_from_nothing_to_a_paid_call() {
    let home = Home::new();
    let help = home.run(&["--help"]).out;
    for part in [
        "cargo run --bin marketplace",
        "--max \"0.01 USD\"",
        "x402 wallet new",
        KEYS[0],
    ] {
        assert!(help.contains(part), "{part}");
    }
    Cli::command().debug_assert();
}
