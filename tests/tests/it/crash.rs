//! kill -9 at every step of a payment. The chain is the judge: nobody pays twice, nobody pays for nothing.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::Method;
use tempfile::TempDir;
use x402_tests::accounts::{self, PAYEE, PAYER};
use x402_tests::anvil::Anvil;
use x402_tests::buyer::{Answer, Buyer, Payment, now};
use x402_tests::seller::PRICE;

use crate::calls::essence;
use crate::failures::settled_answer;

const PATH: &str = "/weather/oslo";

/// A crash point, and what must hold when the process comes back.
struct Point {
    name: &'static str,
    /// How often the handler may have run in the end.
    runs: std::ops::RangeInclusive<usize>,
    /// Whether the payment is carried out without its buyer coming back.
    settles_alone: bool,
}

/// The seller as a process of its own.
pub(crate) struct Process {
    child: Child,
    pub(crate) origin: String,
}

impl Process {
    fn start(chain: &Anvil, folder: &Path, port: u16, failpoint: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash_seller"));
        command
            .env("CRASH_FOLDER", folder)
            .env("CRASH_RPC", chain.url());
        command.env("CRASH_LISTEN", format!("127.0.0.1:{port}"));
        command.env_remove("X402_FAILPOINT");
        if let Some(name) = failpoint {
            command.env("X402_FAILPOINT", name);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let origin = line
            .trim()
            .strip_prefix("ready ")
            .unwrap_or_else(|| panic!("the seller did not start: {line:?}"));
        Self {
            origin: origin.to_owned(),
            child,
        }
    }

    pub(crate) fn buyer(&self) -> Buyer {
        Buyer::new(&self.origin)
    }

    /// Waits for the process to end by itself.
    pub(crate) fn ended(&mut self) -> bool {
        for _ in 0..500 {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One chain, one ledger on disk, and the port that the seller keeps through all its lives.
pub(crate) struct Scene {
    pub(crate) chain: Anvil,
    folder: TempDir,
    port: u16,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .unwrap()
            .port();
        Self {
            chain: Anvil::start().await,
            folder: tempfile::tempdir().unwrap(),
            port,
        }
    }

    pub(crate) fn seller(&self, failpoint: Option<&str>) -> Process {
        Process::start(&self.chain, self.folder.path(), self.port, failpoint)
    }

    pub(crate) fn runs(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("runs"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    pub(crate) async fn payments(&self) -> usize {
        self.chain.payments_to(accounts::address(PAYEE)).await
    }

    /// T3 and T4: the receipt names the one transaction that moved the price from payer to payee.
    async fn judge(&self, answer: &Answer, what: &str) {
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        let transfers = self.chain.transfers().await;
        let [transfer] = transfers.as_slice() else {
            panic!("{what}: one transfer expected, found {transfers:?}")
        };
        assert_eq!(
            (transfer.from, transfer.to),
            (accounts::address(PAYER), accounts::address(PAYEE)),
            "{what}"
        );
        assert_eq!(transfer.value.to::<u64>(), PRICE, "{what}");
        let receipt = answer
            .receipt()
            .unwrap_or_else(|| panic!("{what}: paid without a receipt"));
        assert_eq!(
            receipt["transaction"],
            transfer.transaction.to_string(),
            "{what}"
        );
    }
}

async fn pay(buyer: &Buyer, header: &str) -> Option<Answer> {
    buyer
        .try_send(
            Method::GET,
            PATH,
            &[("PAYMENT-SIGNATURE", header)],
            Vec::new(),
        )
        .await
        .ok()
}

/// Dies at the point, comes back, and the buyer presents the same payment again.
async fn crash_and_return(point: &Point) {
    let scene = Scene::new().await;
    let mut first = scene.seller(Some(point.name));
    let terms = first.buyer().terms(PATH).await;
    let header = Payment::new(PAYER, &terms, now()).header();
    let answer = pay(&first.buyer(), &header).await;
    assert!(
        answer.is_none(),
        "{}: the process lives: {answer:?}",
        point.name
    );
    assert!(first.ended(), "{}: the process lives", point.name);
    assert!(scene.payments().await <= 1);

    let second = scene.seller(None);
    let answer = settled_answer(&second.buyer(), PATH, &header).await;
    scene.judge(&answer, point.name).await;
    assert!(
        point.runs.contains(&scene.runs()),
        "{}: the handler ran {} times",
        point.name,
        scene.runs()
    );
    let again = second.buyer().pay(PATH, &header).await;
    assert_eq!(
        essence(&again),
        essence(&answer),
        "{}: T2, the same bytes for ever",
        point.name
    );
    scene.judge(&again, point.name).await;
}

/// Dies at the point and comes back; the buyer does not. What was served is carried out, what was not costs nothing.
async fn crash_and_leave(point: &Point) {
    let scene = Scene::new().await;
    let mut first = scene.seller(Some(point.name));
    let terms = first.buyer().terms(PATH).await;
    let header = Payment::new(PAYER, &terms, now()).header();
    let _ = pay(&first.buyer(), &header).await;
    assert!(first.ended(), "{}: the process lives", point.name);

    let second = scene.seller(None);
    let expected = usize::from(point.settles_alone);
    for _ in 0..300 {
        if point.settles_alone && scene.payments().await == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(if point.settles_alone {
            50
        } else {
            10
        }))
        .await;
    }
    assert_eq!(
        scene.payments().await,
        expected,
        "{}: without its buyer",
        point.name
    );
    // Whenever the buyer comes back after all, it is served for the one payment.
    let answer = settled_answer(&second.buyer(), PATH, &header).await;
    scene.judge(&answer, point.name).await;
}

/// The crash matrix. A test below compares it with the points that the product has.
const POINTS: &[Point] = &[
    Point {
        name: "c0_header_parsed",
        runs: 1..=1,
        settles_alone: false,
    },
    Point {
        name: "c1_reserved",
        runs: 1..=1,
        settles_alone: false,
    },
    Point {
        name: "c2_handler_ran",
        runs: 2..=2,
        settles_alone: false,
    },
    Point {
        name: "c3_answer_stored",
        runs: 1..=1,
        settles_alone: true,
    },
    Point {
        name: "c4_intent_stored",
        runs: 1..=1,
        settles_alone: true,
    },
    Point {
        name: "c5_sent",
        runs: 1..=1,
        settles_alone: true,
    },
    Point {
        name: "c6_answer_received",
        runs: 1..=1,
        settles_alone: true,
    },
    Point {
        name: "c7_settled",
        runs: 1..=1,
        settles_alone: true,
    },
    Point {
        name: "c8_before_response",
        runs: 1..=1,
        settles_alone: true,
    },
];

#[test]
fn the_matrix_names_every_crash_point_of_the_product() {
    let mut names = std::collections::BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../x402-runtime/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let after = text.split("failpoint(\"").skip(1);
                names.extend(after.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }
    let expected: std::collections::BTreeSet<String> =
        POINTS.iter().map(|point| point.name.to_owned()).collect();
    assert_eq!(names, expected);
}

macro_rules! crash_tests {
    ($($returns:ident $leaves:ident $index:literal;)*) => {$(
        #[tokio::test]
        async fn $returns() {
            crash_and_return(&POINTS[$index]).await;
        }

        #[tokio::test]
        async fn $leaves() {
            crash_and_leave(&POINTS[$index]).await;
        }
    )*};
}

crash_tests! {
    crash_c0_header_parsed crash_c0_and_the_buyer_leaves 0;
    crash_c1_reserved crash_c1_and_the_buyer_leaves 1;
    crash_c2_handler_ran crash_c2_and_the_buyer_leaves 2;
    crash_c3_answer_stored crash_c3_and_the_buyer_leaves 3;
    crash_c4_intent_stored crash_c4_and_the_buyer_leaves 4;
    crash_c5_sent crash_c5_and_the_buyer_leaves 5;
    crash_c6_answer_received crash_c6_and_the_buyer_leaves 6;
    crash_c7_settled crash_c7_and_the_buyer_leaves 7;
    crash_c8_before_response crash_c8_and_the_buyer_leaves 8;
}

/// Two processes sell from one ledger: together they run the handler once and settle once (T2).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_two_processes_with_one_ledger_run_the_handler_once() {
    let scene = Scene::new().await;
    let sellers = [0, 0].map(|port| Process::start(&scene.chain, scene.folder.path(), port, None));
    let header = Payment::new(PAYER, &sellers[0].buyer().terms(PATH).await, now()).header();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..256 {
        let (buyer, header) = (sellers[number % 2].buyer(), header.clone());
        calls.spawn(async move { pay(&buyer, &header).await.expect("both sellers answer") });
    }
    let answers = calls.join_all().await;
    assert!(
        answers
            .iter()
            .all(|answer| [200, 409].contains(&answer.status)),
        "{answers:?}"
    );
    assert_eq!(scene.runs(), 1);
    let [first, second] = [&sellers[0], &sellers[1]].map(Process::buyer);
    let answer = settled_answer(&first, PATH, &header).await;
    scene.judge(&answer, "two processes").await;
    assert_eq!(essence(&second.pay(PATH, &header).await), essence(&answer));
    assert!(
        answers
            .iter()
            .filter(|a| a.status == 200)
            .all(|a| essence(a) == essence(&answer))
    );
}

/// No matter when the process is killed.
#[tokio::test]
async fn killed_at_any_moment_a_payment_is_carried_out_once() {
    let scene = Scene::new().await;
    let mut seller = scene.seller(None);
    let mut paid = 0;
    for delay in [0_u64, 1, 2, 4, 6, 9, 13, 20] {
        let header = Payment::new(PAYER, &seller.buyer().terms(PATH).await, now()).header();
        let call = tokio::spawn({
            let (buyer, header) = (seller.buyer(), header.clone());
            async move { pay(&buyer, &header).await }
        });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        seller.kill();
        let _ = call.await;
        seller = scene.seller(None);
        let answer = settled_answer(&seller.buyer(), PATH, &header).await;
        assert_eq!(answer.status, 200, "killed after {delay} ms: {answer:?}");
        paid += 1;
        assert_eq!(scene.payments().await, paid, "killed after {delay} ms");
    }
}
