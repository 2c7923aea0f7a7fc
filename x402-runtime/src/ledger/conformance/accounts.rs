//! Checks of what a store keeps beside payments.

use super::sample::{START_MS, answered, intend, payment, settled};
use super::{same, text, walk};
use crate::ledger::{
    Account, Balance, Counter, Event, Ledger, OpenHold, PostRefusal, Posted, Posting, Pouring,
    Spend, Taken, Volume,
};
use alloy_primitives::Address;
use x402_model::money::AtomicAmount;

const DAY_MS: u64 = 86_400_000;

pub(super) fn amount(units: u128) -> AtomicAmount {
    AtomicAmount::from_u128(units)
}

pub(super) fn account(holder: &str) -> Account {
    Account {
        holder: holder.to_owned(),
        unit: "usd-6".to_owned(),
    }
}

pub(super) fn counter(name: &str, window_ms: Option<u64>, limit: u64) -> Counter {
    Counter {
        name: name.to_owned(),
        window_ms,
        limit,
    }
}

/// Units are counted to the last one, and come back with the next window only.
pub(super) async fn counters(ledger: &impl Ledger) -> Result<(), String> {
    let end = (START_MS / DAY_MS + 1) * DAY_MS;
    let daily = counter("daily", Some(DAY_MS), 2);
    let yes = |left, until_ms| Taken::Yes { left, until_ms };
    let exhausted = |resets_ms| Taken::Exhausted { resets_ms };
    for (now_ms, wanted) in [
        (START_MS, yes(1, Some(end))),
        (end - 1, yes(0, Some(end))),
        (end - 1, exhausted(Some(end))),
        (end, yes(1, Some(end + DAY_MS))),
        // A clock that is set back does not open the window of before again.
        (end - 1, yes(0, Some(end + DAY_MS))),
        (end - 1, exhausted(Some(end + DAY_MS))),
    ] {
        let taken = ledger.accounts().take(&daily, now_ms).await.map_err(text)?;
        same("a unit of a day", &taken, &wanted)?;
    }
    // What is put back can be taken again, once, and not in another window.
    let give_back = |until| ledger.accounts().give_back("daily", Some(until));
    give_back(end).await.map_err(text)?;
    same(
        "another window",
        &ledger.accounts().take(&daily, end).await.map_err(text)?,
        &exhausted(Some(end + DAY_MS)),
    )?;
    give_back(end + DAY_MS).await.map_err(text)?;
    same(
        "put back",
        &ledger.accounts().take(&daily, end).await.map_err(text)?,
        &yes(0, Some(end + DAY_MS)),
    )?;
    ledger
        .accounts()
        .give_back("nobody's", None)
        .await
        .map_err(text)?;

    let trial = counter("trial", None, 1);
    let taken = ledger
        .accounts()
        .take(&trial, START_MS)
        .await
        .map_err(text)?;
    same("a trial", &taken, &yes(0, None))?;
    let taken = ledger
        .accounts()
        .take(&trial, u64::MAX)
        .await
        .map_err(text)?;
    same("a trial for ever", &taken, &exhausted(None))?;
    let none = counter("none", None, 0);
    let taken = ledger
        .accounts()
        .take(&none, START_MS)
        .await
        .map_err(text)?;
    same("a counter of nothing", &taken, &exhausted(None))
}

/// Money moves between the parts of its account as the books say, once per reference.
#[allow(clippy::too_many_lines, reason = "a table of cases")]
pub(super) async fn postings(ledger: &impl Ledger) -> Result<(), String> {
    let credit = |holder, units| Posting::Credit {
        account: account(holder),
        amount: amount(units),
    };
    let hold = |holder, units| Posting::Hold {
        account: account(holder),
        amount: amount(units),
    };
    let capture = |units| Posting::Capture {
        amount: amount(units),
    };
    let parts = |available, held, captured| Balance {
        available: amount(available),
        held: amount(held),
        captured: amount(captured),
    };
    let (done, repeated, refused) = (Posted::Done, Posted::Repeated, Posted::Refused);
    let most = Posting::Credit {
        account: account("a"),
        amount: AtomicAmount::new(alloy_primitives::U256::MAX),
    };
    let steps = [
        ("h0", hold("a", 1), refused(PostRefusal::Insufficient)),
        ("c1", credit("a", 10), done(parts(10, 0, 0))),
        ("c1", credit("a", 10), repeated(parts(10, 0, 0))),
        ("c1", credit("a", 11), refused(PostRefusal::Conflict)),
        ("c1", credit("b", 10), refused(PostRefusal::Conflict)),
        ("c1", hold("a", 10), refused(PostRefusal::Conflict)),
        ("c1", Posting::Release, refused(PostRefusal::NoHold)),
        ("c1", capture(1), refused(PostRefusal::NoHold)),
        ("c2", credit("a", 0), refused(PostRefusal::Zero)),
        ("c2", most, refused(PostRefusal::Overflow)),
        ("h1", hold("a", 0), refused(PostRefusal::Zero)),
        ("h1", hold("a", 6), done(parts(4, 6, 0))),
        ("h1", hold("a", 6), repeated(parts(4, 6, 0))),
        ("h1", hold("a", 5), refused(PostRefusal::Conflict)),
        ("h2", hold("a", 5), refused(PostRefusal::Insufficient)),
        ("h2", hold("a", 4), done(parts(0, 10, 0))),
        ("h1", capture(7), refused(PostRefusal::OverHold)),
        ("h1", capture(5), done(parts(1, 4, 5))),
        ("h1", capture(5), repeated(parts(1, 4, 5))),
        ("h1", capture(4), refused(PostRefusal::Conflict)),
        ("h1", Posting::Release, refused(PostRefusal::Conflict)),
        ("h1", hold("a", 6), repeated(parts(1, 4, 5))),
        ("h2", Posting::Release, done(parts(5, 0, 5))),
        ("h2", Posting::Release, repeated(parts(5, 0, 5))),
        ("h2", capture(1), refused(PostRefusal::Conflict)),
        ("h3", Posting::Release, refused(PostRefusal::NoHold)),
        ("h3", capture(0), refused(PostRefusal::NoHold)),
        ("h3", hold("a", 5), done(parts(0, 5, 5))),
        ("h3", capture(0), done(parts(5, 0, 5))),
    ];
    for (n, (reference, posting, wanted)) in steps.into_iter().enumerate() {
        let posted = ledger
            .accounts()
            .post(reference, posting, START_MS)
            .await
            .map_err(text)?;
        same(&format!("posting {n}"), &posted, &wanted)?;
    }
    let balance = ledger
        .accounts()
        .balance(&account("a"))
        .await
        .map_err(text)?;
    same("the balance", &balance, &parts(5, 0, 5))?;
    let nobody = ledger
        .accounts()
        .balance(&account("nobody"))
        .await
        .map_err(text)?;
    same("an account of nothing", &nobody, &Balance::default())
}

/// Money goes from one account to another as a whole, once per reference, and all accounts of a holder are seen at once.
#[allow(clippy::too_many_lines, reason = "a table of cases")]
pub(super) async fn pourings(ledger: &impl Ledger) -> Result<(), String> {
    let books = ledger.accounts();
    let of = |unit: &str| Account {
        holder: "h".to_owned(),
        unit: unit.to_owned(),
    };
    let parts = |available, held, captured| Balance {
        available: amount(available),
        held: amount(held),
        captured: amount(captured),
    };
    let credit = |holder: &str, unit: &str, units| Posting::Credit {
        account: Account {
            holder: holder.to_owned(),
            unit: unit.to_owned(),
        },
        amount: amount(units),
    };
    let hold = Posting::Hold {
        account: of("b"),
        amount: amount(3),
    };
    for (reference, posting) in [
        ("1", credit("h", "b", 10)),
        ("2", credit("h", "a", 4)),
        ("3", credit("hh", "a", 1)),
        ("4", credit("g", "a", 1)),
        ("5", hold),
    ] {
        books
            .post(reference, posting, START_MS)
            .await
            .map_err(text)?;
    }
    let all = |a, b| vec![(of("a"), a), (of("b"), b)];
    let found = books.accounts_of("h").await.map_err(text)?;
    same("accounts", &found, &all(parts(4, 0, 0), parts(7, 3, 0)))?;
    let nobody = books.accounts_of("nobody").await.map_err(text)?;
    same("accounts of nobody", &nobody, &Vec::new())?;
    let pouring = |from: &str, to: &str, below: Option<u128>| Pouring {
        from: of(from),
        to: of(to),
        below: below.map(amount),
    };
    for (n, (reference, pouring, moved, a, b)) in [
        (
            None,
            pouring("a", "b", Some(4)),
            0,
            parts(4, 0, 0),
            parts(7, 3, 0),
        ),
        (
            None,
            pouring("a", "a", None),
            0,
            parts(4, 0, 0),
            parts(7, 3, 0),
        ),
        (
            None,
            pouring("a", "b", Some(5)),
            4,
            parts(0, 0, 0),
            parts(11, 3, 0),
        ),
        (
            None,
            pouring("a", "b", None),
            0,
            parts(0, 0, 0),
            parts(11, 3, 0),
        ),
        (
            Some("p"),
            pouring("a", "b", None),
            0,
            parts(0, 0, 0),
            parts(11, 3, 0),
        ),
        (
            Some("p"),
            pouring("b", "a", None),
            11,
            parts(11, 0, 0),
            parts(0, 3, 0),
        ),
        // Under the same reference nothing moves, whatever is asked for.
        (
            Some("p"),
            pouring("a", "b", None),
            11,
            parts(11, 0, 0),
            parts(0, 3, 0),
        ),
        (
            None,
            pouring("x", "b", None),
            0,
            parts(11, 0, 0),
            parts(0, 3, 0),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let poured = books
            .pour(reference, pouring, START_MS)
            .await
            .map_err(text)?;
        same(&format!("pouring {n}"), &poured, &amount(moved))?;
        let found = books.accounts_of("h").await.map_err(text)?;
        same(&format!("after pouring {n}"), &found, &all(a, b))?;
    }
    Ok(())
}

/// Holds whose callers are gone are found, oldest first, and no others.
pub(super) async fn open_holds(ledger: &impl Ledger) -> Result<(), String> {
    let account = account("x");
    let post = |reference, posting, at| ledger.accounts().post(reference, posting, at);
    let hold = || Posting::Hold {
        account: account.clone(),
        amount: amount(1),
    };
    let credit = Posting::Credit {
        account: account.clone(),
        amount: amount(10),
    };
    post("credit", credit, START_MS).await.map_err(text)?;
    for (reference, at) in [
        ("c", START_MS + 3),
        ("a", START_MS + 1),
        ("b", START_MS + 2),
        ("d", START_MS),
    ] {
        post(reference, hold(), at).await.map_err(text)?;
    }
    post("d", Posting::Release, START_MS + 1)
        .await
        .map_err(text)?;
    let open = |reference: &str, since_ms| OpenHold {
        reference: reference.to_owned(),
        account: account.clone(),
        amount: amount(1),
        since_ms,
    };
    let found = ledger
        .accounts()
        .open_holds(START_MS + 3, 9)
        .await
        .map_err(text)?;
    same(
        "open holds",
        &found,
        &vec![open("a", START_MS + 1), open("b", START_MS + 2)],
    )?;
    let found = ledger
        .accounts()
        .open_holds(START_MS + 9, 1)
        .await
        .map_err(text)?;
    same("the oldest hold", &found, &vec![open("a", START_MS + 1)])
}

/// Exactly the settled payments of one payer at one endpoint in one time count.
pub(super) async fn volume(ledger: &impl Ledger) -> Result<(), String> {
    let paid = || vec![answered("x"), intend(1), settled()];
    walk(ledger, 1, paid()).await?;
    walk(ledger, 2, [paid(), vec![Event::Finalised]].concat()).await?;
    walk(ledger, 3, [paid(), vec![Event::ReceiptGone]].concat()).await?;
    walk(ledger, 4, vec![answered("x")]).await?;
    walk(ledger, 5, vec![answered("x"), Event::Expired]).await?;
    let sample = payment(1);
    let wanted = Volume {
        calls: 2,
        spend: vec![Spend {
            network: sample.key.network,
            asset: sample.key.asset,
            amount: amount(20_000),
        }],
    };
    let of = |payer, endpoint, times| ledger.accounts().volume(payer, endpoint, times);
    let payer = sample.key.payer;
    for (what, payer, endpoint, times, wanted) in [
        (
            "the volume",
            payer,
            "weather",
            START_MS..START_MS + 1,
            wanted,
        ),
        (
            "another payer's",
            Address::repeat_byte(1),
            "weather",
            0..u64::MAX,
            Volume::default(),
        ),
        (
            "another endpoint's",
            payer,
            "news",
            0..u64::MAX,
            Volume::default(),
        ),
        (
            "later volume",
            payer,
            "weather",
            START_MS + 1..u64::MAX,
            Volume::default(),
        ),
        (
            "earlier volume",
            payer,
            "weather",
            0..START_MS,
            Volume::default(),
        ),
    ] {
        let found = of(payer, endpoint, times).await.map_err(text)?;
        same(what, &found, &wanted)?;
    }
    Ok(())
}
