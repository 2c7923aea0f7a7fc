//! What the stores keep beside payments: the same in memory and in a file, after a kill, and in a file of the first version.
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
#[path = "ledger_common/steps.rs"]
mod steps;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use alloy_primitives::Address;
use ledger_common::{START_MS, payment};
use proptest::prelude::*;
use steps::{OWNER, answered, done, intend, settled};
use x402_runtime::ledger::{
    Account, Begin, Counter, Identity, Ledger, LedgerError, MemoryLedger, Posted, Posting,
    SqliteLedger, SqliteOptions, State, Taken,
};
use x402_runtime::model::money::AtomicAmount;

fn units(n: u64) -> AtomicAmount {
    AtomicAmount::from_u128(u128::from(n))
}

fn account(n: u8) -> Account {
    Account {
        holder: format!("holder {n}"),
        unit: "usd-6".to_owned(),
    }
}

fn counter(n: u8) -> Counter {
    Counter {
        name: format!("counter {n}"),
        window_ms: (n > 0).then(|| u64::from(n) * 10),
        limit: 3,
    }
}

#[derive(Clone, Debug)]
enum Act {
    Take(u8),
    GiveBack(u8, u64),
    Post(u8, Posting),
    Use(u8, u64),
    Begin { payment: u64, name: u8 },
    Advance { payment: u64, step: u8 },
    Sweep(usize),
    Purge(usize),
}

fn posting() -> impl Strategy<Value = Posting> {
    let account = || (0..2_u8).prop_map(account);
    prop_oneof![
        (account(), 0..9_u64).prop_map(|(account, n)| Posting::Credit {
            account,
            amount: units(n)
        }),
        (account(), 0..6_u64).prop_map(|(account, n)| Posting::Hold {
            account,
            amount: units(n)
        }),
        (0..6_u64).prop_map(|n| Posting::Capture { amount: units(n) }),
        Just(Posting::Release),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..3_u8).prop_map(Act::Take),
        1 => (0..3_u8, 0..9_u64).prop_map(|(n, back)| Act::GiveBack(n, back)),
        6 => (0..5_u8, posting()).prop_map(|(n, posting)| Act::Post(n, posting)),
        2 => (0..3_u8, 0..9_u64).prop_map(|(n, time)| Act::Use(n, time)),
        4 => (0..4_u64, 0..2_u8).prop_map(|(payment, name)| Act::Begin { payment, name }),
        5 => (0..4_u64, 0..6_u8).prop_map(|(payment, step)| Act::Advance { payment, step }),
        1 => (0..3_usize).prop_map(Act::Sweep),
        1 => (0..3_usize).prop_map(Act::Purge),
    ]
}

/// What a store answers to an act, in words.
async fn answer(ledger: &impl Ledger, act: &Act, now_ms: u64) -> String {
    let books = ledger.accounts();
    match act {
        Act::Take(n) => format!("{:?}", books.take(&counter(*n), now_ms).await),
        Act::GiveBack(n, back) => {
            let until = counter(*n)
                .window_ms
                .map(|window| (now_ms / window + *back % 2) * window);
            format!("{:?}", books.give_back(&counter(*n).name, until).await)
        }
        Act::Post(n, posting) => {
            format!(
                "{:?}",
                books.post(&n.to_string(), posting.clone(), now_ms).await
            )
        }
        Act::Use(n, time) => {
            format!(
                "{:?}",
                books.use_once(&n.to_string(), now_ms + time, now_ms).await
            )
        }
        Act::Begin { payment: n, name } => {
            let mut new = payment(*n, OWNER);
            new.now_ms = now_ms;
            let identity = Identity {
                name: format!("purchase {name}"),
                until_ms: now_ms + 9,
            };
            format!("{:?}", books.begin_identified(new, identity).await)
        }
        Act::Advance { payment: n, step } => {
            let event = match step {
                0 => answered(b"x"),
                1 => intend(),
                2 => settled(),
                3 => x402_runtime::ledger::Event::Finalised,
                4 => x402_runtime::ledger::Event::ReceiptGone,
                _ => x402_runtime::ledger::Event::Refused {
                    code: "no".to_owned(),
                },
            };
            format!(
                "{:?}",
                ledger.advance(&payment(*n, OWNER).key, event, now_ms).await
            )
        }
        // Which of several go first is the store's choice, so all or none go.
        Act::Sweep(max) => {
            format!("{:?}", books.sweep(now_ms, now_ms, *max / 2 * 1_000).await)
        }
        Act::Purge(max) => {
            format!("{:?}", ledger.purge(u64::MAX, *max / 2 * 1_000).await)
        }
    }
}

/// What a store shows after all.
async fn shown(ledger: &impl Ledger) -> String {
    let mut all = Vec::new();
    for n in 0..2 {
        all.push(format!(
            "{:?}",
            ledger.accounts().balance(&account(n)).await
        ));
        let name = format!("purchase {n}");
        let payer = payment(0, OWNER).key.payer;
        all.push(format!(
            "{:?}",
            ledger.accounts().identified(payer, "weather", &name).await
        ));
        all.push(format!(
            "{:?}",
            ledger
                .accounts()
                .volume(payer, "weather", 0..u64::MAX)
                .await
        ));
    }
    all.push(format!(
        "{:?}",
        ledger.accounts().open_holds(u64::MAX, 99).await
    ));
    all.join("\n")
}

fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn file_and_memory_answer_alike(acts in prop::collection::vec((act(), 0..6_u64), 1..80)) {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteLedger::open(folder.path().join("l.sqlite")).unwrap();
        let memory = MemoryLedger::new();
        on_a_runtime(async {
            let mut now_ms = START_MS;
            file.accounts().keep_volume("weather", START_MS).await.unwrap();
            memory.accounts().keep_volume("weather", START_MS).await.unwrap();
            for (act, passed) in &acts {
                now_ms += passed;
                let (a, b) = (answer(&file, act, now_ms).await, answer(&memory, act, now_ms).await);
                prop_assert_eq!(a, b, "{:?}", act);
            }
            prop_assert_eq!(shown(&file).await, shown(&memory).await);
            Ok(())
        })?;
    }
}

/// C11: what is new needs room; what was begun is finished without.
#[tokio::test]
async fn c11_a_full_store_starts_nothing_and_finishes_everything() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        max_bytes: Some(512 * 1024),
        ..SqliteOptions::default()
    };
    let file = SqliteLedger::open_with(folder.path().join("l.sqlite"), &options).unwrap();
    full(&file, 20_000).await;
    full(&MemoryLedger::new().with_max_records(50), 200).await;
}

async fn full(ledger: &impl Ledger, many: u64) {
    let credit = Posting::Credit {
        account: account(1),
        amount: units(1_000_000),
    };
    let hold = || Posting::Hold {
        account: account(1),
        amount: units(1),
    };
    ledger
        .accounts()
        .post("credit", credit, START_MS)
        .await
        .unwrap();
    let mut held = 0;
    let error = loop {
        match ledger
            .accounts()
            .post(&format!("hold {held}"), hold(), START_MS)
            .await
        {
            Ok(_) => held += 1,
            Err(error) => break error,
        }
        assert!(held < many, "never full");
    };
    assert_eq!(error, LedgerError::Full);
    let capture = Posting::Capture { amount: units(1) };
    for n in 0..held {
        let posted = ledger
            .accounts()
            .post(&format!("hold {n}"), capture.clone(), START_MS)
            .await
            .unwrap();
        assert!(matches!(posted, Posted::Done(_)), "{n}: {posted:?}");
    }
    let removed = ledger
        .accounts()
        .sweep(START_MS + 1, START_MS + 1, 1_000_000)
        .await
        .unwrap();
    assert_eq!(removed, held);
    ledger
        .accounts()
        .post("again", hold(), START_MS)
        .await
        .unwrap();
    assert_eq!(
        ledger
            .accounts()
            .balance(&account(1))
            .await
            .unwrap()
            .captured,
        units(held)
    );
}

/// Names the file when this program is the one to be killed.
const FILE: &str = "X402_TEST_BOOKS_FILE";

/// Not a test: takes units, holds and spends money, and says each thing once it is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let ledger = Arc::new(SqliteLedger::open(file).unwrap());
    let run = std::process::id();
    let tasks = (0..8_u32).map(|task| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            for n in 0_u32.. {
                let reference = format!("{run}-{task}-{n}");
                let hold = Posting::Hold {
                    account: account(1),
                    amount: units(3),
                };
                let capture = Posting::Capture { amount: units(2) };
                let unlimited = Counter {
                    limit: u64::MAX,
                    ..counter(0)
                };
                ledger.accounts().take(&unlimited, START_MS).await.unwrap();
                say("take", &reference);
                ledger
                    .accounts()
                    .post(&reference, hold, START_MS)
                    .await
                    .unwrap();
                say("hold", &reference);
                ledger
                    .accounts()
                    .post(&reference, capture, START_MS)
                    .await
                    .unwrap();
                say("capture", &reference);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

fn say(what: &str, reference: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nack {what} {reference}").unwrap();
    out.flush().unwrap();
}

fn kill_after(file: &Path, acknowledgements: usize) -> Vec<(String, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut seen = Vec::new();
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        if let (Some("ack"), Some(what), Some(reference)) =
            (words.next(), words.next(), words.next())
        {
            seen.push((what.to_owned(), reference.to_owned()));
        }
        if seen.len() >= acknowledgements && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed, "the program ended by itself");
    seen
}

/// Everything that was said to be done is done, and done again it changes nothing.
async fn acknowledged(ledger: &SqliteLedger, all: &[(String, String)]) {
    let books = ledger.accounts();
    let said = |what: &str| all.iter().filter(|(said, _)| said == what).count() as u64;
    let unlimited = Counter {
        limit: u64::MAX,
        ..counter(0)
    };
    let Taken::Yes { left, .. } = books.take(&unlimited, START_MS).await.unwrap() else {
        panic!("exhausted");
    };
    assert!(
        u64::MAX - left > said("take"),
        "an acknowledged unit is back"
    );
    let balance = books.balance(&account(1)).await.unwrap();
    assert!(balance.captured >= units(2 * said("capture")));
    let sum = balance
        .available
        .checked_add(balance.held)
        .unwrap()
        .checked_add(balance.captured);
    assert_eq!(sum, Some(units(1_000_000_000)), "money came or went");
    for (what, reference) in all {
        let posting = match what.as_str() {
            "hold" => Posting::Hold {
                account: account(1),
                amount: units(3),
            },
            "capture" => Posting::Capture { amount: units(2) },
            _ => continue,
        };
        let posted = books.post(reference, posting, START_MS).await.unwrap();
        assert!(
            matches!(posted, Posted::Repeated(_)),
            "{what} {reference}: {posted:?}"
        );
    }
}

#[tokio::test]
async fn s13_units_and_money_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("l.sqlite");
    let money = Posting::Credit {
        account: account(1),
        amount: units(1_000_000_000),
    };
    let first = SqliteLedger::open(&file).unwrap();
    first
        .accounts()
        .post("credit", money, START_MS)
        .await
        .unwrap();
    drop(first);
    let mut all = Vec::new();
    for acknowledgements in [1, 40, 300] {
        all.extend(kill_after(&file, acknowledgements));
        let ledger = SqliteLedger::open(&file).unwrap();
        acknowledged(&ledger, &all).await;
        // Whoever held and died is found, and its money is not lost.
        for hold in ledger.accounts().open_holds(u64::MAX, 99).await.unwrap() {
            let posted = ledger
                .accounts()
                .post(&hold.reference, Posting::Release, START_MS)
                .await
                .unwrap();
            assert!(matches!(posted, Posted::Done(_)), "{posted:?}");
        }
        assert_eq!(
            ledger.accounts().balance(&account(1)).await.unwrap().held,
            units(0)
        );
    }
}

/// A file as the first version left it: a payment that is paid, and one whose money may be on its way.
fn version_1(path: &Path) {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch(include_str!("data/ledger_v1.sql"))
        .unwrap();
}

fn version(path: &Path) -> i64 {
    let conn = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT value FROM meta WHERE name = 'schema_version'";
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_file_of_version_1_is_brought_to_version_2_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.sqlite");
    version_1(&path);
    assert_eq!(version(&path), 1);
    // Two processes may find it at the same time.
    let openers: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || SqliteLedger::open(path).unwrap())
        })
        .collect();
    for opener in openers {
        drop(opener.join().unwrap());
    }
    assert_eq!(version(&path), 2);

    let ledger = SqliteLedger::open(&path).unwrap();
    let paid = ledger.get(&payment(1, OWNER).key).await.unwrap().unwrap();
    assert_eq!(paid.state, State::Settled);
    assert_eq!(paid.answer.unwrap().body, b"sold".as_slice());
    let key = payment(2, OWNER).key;
    let open = ledger.get(&key).await.unwrap().unwrap();
    assert_eq!(open.state, State::Settling);
    assert_eq!(done(&ledger, &key, settled()).await.state, State::Settled);
    let begun = ledger.begin(payment(1, OWNER)).await.unwrap();
    assert!(matches!(begun, Begin::Exists(_)), "sold again");

    // What is new works on it, and counts what is old.
    let payer = payment(1, OWNER).key.payer;
    let volume = ledger
        .accounts()
        .volume(payer, "weather", 0..u64::MAX)
        .await
        .unwrap();
    assert_eq!((volume.calls, volume.spend[0].amount), (2, units(20_000)));
    let nobodys = ledger
        .accounts()
        .volume(Address::ZERO, "weather", 0..u64::MAX)
        .await
        .unwrap();
    assert_eq!(nobodys.calls, 0);
    ledger.accounts().take(&counter(1), START_MS).await.unwrap();
    assert!(
        ledger
            .accounts()
            .use_once("a", START_MS + 1, START_MS)
            .await
            .unwrap()
    );
}

/// A new file and one that was brought up are the same to whoever reads it.
#[test]
fn a_new_file_has_the_tables_of_one_that_was_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        folder.path().join("old.sqlite"),
        folder.path().join("new.sqlite"),
    );
    version_1(&old);
    let tables = |path: &Path| {
        drop(SqliteLedger::open(path).unwrap());
        let conn = rusqlite::Connection::open(path).unwrap();
        let mut statement = conn
            .prepare("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
            .unwrap();
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        rows.map(|row| {
            row.unwrap()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(tables(&old), tables(&new));
}
