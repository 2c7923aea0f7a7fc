//! Checks of names of purchases, of what is used once, and of what is swept away.

use super::accounts::{account, amount, counter};
use super::sample::{LEASE_MS, OWNER, START_MS, answered, intend, payment, settled};
use super::{become_next, ensure, same, text};
use crate::ledger::{
    Begin, Event, Identity, Ledger, NewPayment, PaymentKey, Posted, Posting, Record, Taken,
};
use alloy_primitives::Address;

pub(super) fn identity(name: &str) -> Identity {
    Identity {
        name: name.to_owned(),
        until_ms: START_MS + 1_000,
    }
}

/// A name is used up by one caller, and can be used again once it is forgotten.
pub(super) async fn used_once(ledger: &impl Ledger) -> Result<(), String> {
    let books = ledger.accounts();
    for (name, now_ms, wanted) in [
        ("a", START_MS, true),
        ("a", START_MS, false),
        ("b", START_MS, true),
        ("a", START_MS + 9, false),
        ("a", START_MS + 10, true),
        ("a", START_MS + 10, false),
    ] {
        let used = books
            .use_once(name, now_ms + 10, now_ms)
            .await
            .map_err(text)?;
        same(&format!("{name} at {now_ms}"), &used, &wanted)?;
    }
    Ok(())
}

async fn begin(
    ledger: &impl Ledger,
    new: NewPayment,
    name: &str,
) -> Result<Option<PaymentKey>, String> {
    let begun = ledger
        .accounts()
        .begin_identified(new, identity(name))
        .await
        .map_err(text)?;
    Ok(match begun {
        Begin::Reserved => None,
        Begin::Exists(record) => Some(record.key.clone()),
    })
}

/// A second payment of a purchase that is paid, or may be, is not begun. One that is certainly not charged leaves its name.
#[allow(clippy::too_many_lines, reason = "a table of cases")]
pub(super) async fn purchases(ledger: &impl Ledger) -> Result<(), String> {
    let books = ledger.accounts();
    let refused = || Event::Refused {
        code: "no".to_owned(),
    };
    let unanswered = || Event::Unanswered { transaction: None };
    let kept = [
        vec![],
        vec![answered("x")],
        vec![answered("x"), intend(1)],
        vec![answered("x"), intend(1), settled()],
        vec![answered("x"), intend(1), settled(), Event::Finalised],
        vec![answered("x"), intend(1), unanswered()],
        vec![answered("x"), intend(1), unanswered(), intend(2), refused()],
    ];
    let left = [
        vec![Event::HandlerFailed { owner: OWNER }],
        vec![Event::LeaseOver { now_ms: LEASE_MS }],
        vec![answered("x"), intend(1), refused()],
        vec![answered("x"), Event::Expired],
    ];
    let cases = kept
        .map(|events| (events, true))
        .into_iter()
        .chain(left.map(|events| (events, false)));
    for (n, (events, keeps)) in (0_u8..).zip(cases) {
        let name = format!("purchase-{n}-0123456789");
        let (first, second) = (payment(2 * n), payment(2 * n + 1));
        same(
            "a new purchase",
            &begin(ledger, first.clone(), &name).await?,
            &None,
        )?;
        let mut record = Some(Record::reserve(first.clone()));
        for event in events {
            let before = record.ok_or("the record is gone too early")?;
            record = super::apply(ledger, &before, event, LEASE_MS).await?;
        }
        let wanted = keeps.then(|| first.key.clone());
        let found = begin(ledger, second.clone(), &name).await?;
        same(&format!("case {n}: the second payment"), &found, &wanted)?;
        let stored = ledger.get(&second.key).await.map_err(text)?;
        same(
            &format!("case {n}: it is begun"),
            &stored.is_some(),
            &!keeps,
        )?;
        let stands_for = books
            .identified(first.key.payer, "weather", &name)
            .await
            .map_err(text)?;
        let stands_for = stands_for.map(|record| record.key);
        let wanted = if keeps { first.key } else { second.key };
        same(
            &format!("case {n}: what the name stands for"),
            &stands_for,
            &Some(wanted),
        )?;
    }
    Ok(())
}

/// A name is its payer's at its endpoint, for its time.
pub(super) async fn names_are_apart(ledger: &impl Ledger) -> Result<(), String> {
    let books = ledger.accounts();
    const NAME: &str = "purchase-0123456789";
    let first = payment(1);
    same(
        "a purchase",
        &begin(ledger, first.clone(), NAME).await?,
        &None,
    )?;
    let again = begin(ledger, first.clone(), NAME).await?;
    same("the same payment again", &again, &Some(first.key.clone()))?;
    let mut others = payment(2);
    others.key.payer = Address::repeat_byte(0x77);
    same(
        "another payer's",
        &begin(ledger, others, NAME).await?,
        &None,
    )?;
    let mut elsewhere = payment(3);
    elsewhere.endpoint = "news".into();
    same(
        "another endpoint's",
        &begin(ledger, elsewhere, NAME).await?,
        &None,
    )?;
    let another = begin(ledger, payment(4), "purchase-9876543210").await?;
    same("another name", &another, &None)?;
    let mut late = payment(5);
    late.now_ms = START_MS + 1_000;
    same("after its time", &begin(ledger, late, NAME).await?, &None)?;
    let unknown = books
        .identified(first.key.payer, "weather", "nobody's")
        .await
        .map_err(text)?;
    same("a name nobody gave", &unknown, &None)
}

/// What is over goes, in steps; what is not, and every credit, stays.
pub(super) async fn swept(ledger: &impl Ledger) -> Result<(), String> {
    let books = ledger.accounts();
    let daily = counter("daily", Some(1_000), 1);
    books.take(&daily, 0).await.map_err(text)?;
    books
        .take(&counter("ever", None, 1), 0)
        .await
        .map_err(text)?;
    books.use_once("a", 10, 0).await.map_err(text)?;
    begin(ledger, payment(1), "purchase-0123456789").await?;
    let account = account("x");
    let credit = || Posting::Credit {
        account: account.clone(),
        amount: amount(2),
    };
    let hold = || Posting::Hold {
        account: account.clone(),
        amount: amount(1),
    };
    for (reference, posting) in [
        ("c", credit()),
        ("h", hold()),
        ("open", hold()),
        ("h", Posting::Release),
    ] {
        books.post(reference, posting, 5).await.map_err(text)?;
    }
    let sweep = |now_ms, closed_ms, max| books.sweep(now_ms, closed_ms, max);
    same("nothing is over", &sweep(9, 5, 9).await.map_err(text)?, &0)?;
    same(
        "none at a time",
        &sweep(u64::MAX, u64::MAX, 0).await.map_err(text)?,
        &0,
    )?;
    same(
        "all that is over",
        &sweep(u64::MAX, u64::MAX, 9).await.map_err(text)?,
        &4,
    )?;
    same(
        "and nothing more",
        &sweep(u64::MAX, u64::MAX, 9).await.map_err(text)?,
        &0,
    )?;
    let posted = books.post("c", credit(), 6).await.map_err(text)?;
    ensure(matches!(posted, Posted::Repeated(_)), || {
        format!("a credit came in twice: {posted:?}")
    })?;
    let taken = books
        .take(&counter("ever", None, 1), 0)
        .await
        .map_err(text)?;
    ensure(matches!(taken, Taken::Exhausted { .. }), || {
        format!("a trial came back: {taken:?}")
    })?;
    let open = books.open_holds(u64::MAX, 9).await.map_err(text)?;
    same("open holds", &open.len(), &1)
}

/// All of it is there after the store was closed and opened again.
pub(super) async fn reopened<L: Ledger>(mut open: impl FnMut() -> L) -> Result<(), String> {
    const NAME: &str = "reopened-0123456789";
    let one = counter("one", None, 1);
    let credit = || Posting::Credit {
        account: account("reopened"),
        amount: amount(3),
    };
    let hold = || Posting::Hold {
        account: account("reopened"),
        amount: amount(2),
    };
    let ledger = open();
    let books = ledger.accounts();
    books.take(&one, START_MS).await.map_err(text)?;
    books
        .use_once("reopened", START_MS + 9, START_MS)
        .await
        .map_err(text)?;
    books
        .post("credit", credit(), START_MS)
        .await
        .map_err(text)?;
    books.post("hold", hold(), START_MS).await.map_err(text)?;
    same(
        "a purchase",
        &begin(&ledger, payment(60), NAME).await?,
        &None,
    )?;
    let record = Record::reserve(payment(60));
    become_next(&ledger, &record, answered("x"), START_MS).await?;
    let before = books.balance(&account("reopened")).await.map_err(text)?;
    drop(ledger);

    let ledger = open();
    let books = ledger.accounts();
    let taken = books.take(&one, START_MS).await.map_err(text)?;
    ensure(matches!(taken, Taken::Exhausted { .. }), || {
        format!("taken twice: {taken:?}")
    })?;
    let used = books
        .use_once("reopened", START_MS + 9, START_MS)
        .await
        .map_err(text)?;
    same("used again", &used, &false)?;
    for (reference, posting) in [("credit", credit()), ("hold", hold())] {
        let posted = books
            .post(reference, posting, START_MS)
            .await
            .map_err(text)?;
        same("a posting again", &posted, &Posted::Repeated(before))?;
    }
    let found = begin(&ledger, payment(61), NAME).await?;
    same("the purchase", &found, &Some(payment(60).key))
}
