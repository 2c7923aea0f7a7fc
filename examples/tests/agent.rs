//! The agent does its task within its budget, and what it says of its money is what the chain says.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first thing that is not as expected"
)]

use std::process::Command;

#[test]
fn the_agent_buys_what_it_can_afford_and_is_refused_the_rest() {
    let output = Command::new(env!("CARGO_BIN_EXE_agent")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<&str> = said.lines().collect();
    // What it expects to pay is what it pays.
    let pairs = lines
        .windows(2)
        .filter(|pair| pair[1].starts_with("   paid "));
    let paid: Vec<(&str, &str, &str)> = pairs
        .map(|pair| {
            let quoted = pair[0].rsplit("costs ").next().unwrap();
            let words: Vec<&str> = pair[1].split(' ').collect();
            let transaction = words[7].trim_end_matches(',');
            assert_eq!(transaction.len(), 66, "{said}");
            (quoted.trim_end_matches(" USD"), words[4], words[8])
        })
        .collect();
    assert_eq!(
        paid,
        [
            ("0.01", "0.01", "0.14"),
            ("0.01", "0.01", "0.13"),
            ("0.05", "0.05", "0.08"),
            ("0.05", "0.05", "0.03"),
        ],
        "{said}"
    );
    assert!(
        lines.contains(&"Summary, best: costs 0.5 USD, which is too much"),
        "{said}"
    );
    assert!(said.contains("Done: In Zurich it is "), "{said}");
    let refused = "   refused before anything was signed: ";
    assert!(lines.iter().any(|line| line.starts_with(refused)), "{said}");
    assert_eq!(
        lines.last(),
        Some(&"The chain says: 0.12 USDC in 4 settlements; the agent says: 0.12 spent, 0.03 left."),
        "{said}"
    );
}
