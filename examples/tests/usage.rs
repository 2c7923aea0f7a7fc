//! The marketplace says how it is used, and does not sell to whoever only asked.
#![allow(
    clippy::expect_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use std::process::Command;

#[test]
fn whoever_asks_how_the_marketplace_is_used_is_told() {
    for (argument, right) in [("--help", true), ("-h", true), ("--port=80", false)] {
        let mut marketplace = Command::new(env!("CARGO_BIN_EXE_marketplace"));
        let ended = marketplace.arg(argument).output().expect("the marketplace");
        assert_eq!(ended.status.success(), right, "{argument}");
        let said = if right { ended.stdout } else { ended.stderr };
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(
            said.contains("--manifest") && said.contains("X402_LISTEN"),
            "{said}"
        );
    }
}
