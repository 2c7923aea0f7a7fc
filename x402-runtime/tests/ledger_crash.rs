//! A process that is killed loses nothing the ledger acknowledged.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod ledger_common;

use bytes::Bytes;
use ledger_common::{START_MS, payment};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use x402_runtime::ledger::{Advanced, Begin, Event, Ledger, SqliteLedger, State, StoredAnswer};
use x402_runtime::model::wire::SettleResponse;

/// Names the file when this program is the one to be killed.
const FILE: &str = "X402_TEST_LEDGER_FILE";

/// Where that program starts to count.
const FIRST: &str = "X402_TEST_LEDGER_FIRST";

/// More payments than any round gets through.
const ROUND: u64 = 1_000_000;

fn settled() -> Event {
    let transaction = "0x01".to_owned();
    Event::Settled {
        response: SettleResponse {
            success: true,
            transaction,
            ..SettleResponse::default()
        },
    }
}

/// Takes payments one after the other, and says so as soon as each hard step is acknowledged.
async fn sell(ledger: Arc<SqliteLedger>, first: u64) {
    for n in first.. {
        let new = payment(n, 1);
        let key = new.key.clone();
        assert_eq!(ledger.begin(new).await.unwrap(), Begin::Reserved);
        let body = Bytes::from(n.to_be_bytes().to_vec());
        let answer = StoredAnswer {
            status: 200,
            headers: vec![],
            body,
        };
        for event in [
            Event::Answered {
                owner: 1,
                answer: answer.into(),
                charge: None,
            },
            Event::Intend {
                owner: 1,
                lease_until_ms: START_MS,
            },
            settled(),
        ] {
            match ledger.advance(&key, event, START_MS).await.unwrap() {
                Advanced::Done(record) if record.state != State::Served => say(n, record.state),
                Advanced::Done(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn say(n: u64, state: State) {
    let mut out = std::io::stdout().lock();
    // The line may follow something the test harness left unfinished.
    writeln!(out, "\nack {n} {state}").unwrap();
    out.flush().unwrap();
}

/// Not a test: what the program does that is to be killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let (Ok(file), Ok(first)) = (std::env::var(FILE), std::env::var(FIRST)) else {
        return;
    };
    let ledger = Arc::new(SqliteLedger::open(file).unwrap());
    let first: u64 = first.parse().unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| tokio::spawn(sell(Arc::clone(&ledger), first + task * ROUND / 8)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Starts the program, kills it after so many acknowledgements, and returns all it made.
fn kill_after(file: &Path, first: u64, acknowledgements: usize) -> Vec<(u64, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--nocapture"])
        .env(FILE, file)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut seen = Vec::new();
    let mut killed = false;
    // What was said before the kill but not yet read counts too.
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        if let (Some("ack"), Some(n), Some(state)) = (words.next(), words.next(), words.next()) {
            seen.push((n.parse().unwrap(), state.to_owned()));
        }
        if seen.len() >= acknowledgements && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    let status = child.wait().unwrap();
    assert!(
        killed && !status.success(),
        "the program ended by itself: {status}"
    );
    seen
}

#[tokio::test]
async fn c4_c6_s13_what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("l.sqlite");
    let mut all: Vec<(u64, String)> = Vec::new();
    for (round, acknowledgements) in (0..).zip([1, 40, 177, 300]) {
        let seen = kill_after(&file, 1 + round * ROUND, acknowledgements);
        assert!(seen.len() >= acknowledgements);
        all.extend(seen);
        let ledger = SqliteLedger::open(&file).unwrap();
        for (n, state) in &all {
            let record = ledger
                .get(&payment(*n, 1).key)
                .await
                .unwrap()
                .expect("an acknowledged payment is gone");
            let settled = record.state == State::Settled;
            assert!(
                settled || record.state == State::Settling && state == "settling",
                "{n} {state}: {record:?}"
            );
            assert_eq!(
                record.answer.unwrap().body,
                n.to_be_bytes().as_slice(),
                "and so is its answer"
            );
        }
        // What was under way shows up for the resolver, and can be taken up again.
        let due = ledger.due(u64::MAX, 1_000).await.unwrap();
        assert!(due.iter().all(|record| record.state != State::Failed));
        for record in due.iter().filter(|record| record.state == State::Settling) {
            let over = Event::LeaseOver { now_ms: u64::MAX };
            let Advanced::Done(unknown) =
                ledger.advance(&record.key, over, START_MS).await.unwrap()
            else {
                panic!("{record:?} cannot be taken up")
            };
            assert_eq!(unknown.state, State::Unknown);
            assert!(matches!(
                ledger
                    .advance(&record.key, settled(), START_MS)
                    .await
                    .unwrap(),
                Advanced::Done(_)
            ));
        }
    }
}
