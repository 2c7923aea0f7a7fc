//! Shows the outcome of a call: the body to standard output, everything about money to standard error.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use x402_client::{EvmKind, OfferedOption, Receipt, Settlement};
use x402_runtime::model::asset::checksum;

use super::json::Report;
use super::outcome::{Answer, Asking, Outcome, Trouble};
use super::{Args, advice, kept, network_text};
use crate::{Exit, Failure, output, shown};

/// Shows the outcome and gives its exit code. The file of a payment goes once its answer is safe.
pub(super) fn print(mut outcome: Outcome, args: &Args) -> Result<Exit, Failure> {
    let saved = match (&outcome.answer, &args.output) {
        (Some(answer), Some(file)) => save(&answer.body, file),
        _ => Ok(()),
    };
    if let Err(failure) = saved {
        unsaved(&mut outcome, failure);
    }
    let is_over = outcome.is_over();
    let shown = if args.json {
        output::print_json(&Report::new(&outcome, args, !is_over))
    } else {
        people(&outcome, args, !is_over)
    };
    match (shown, &outcome.receipt, &outcome.file) {
        (Ok(()), ..) => {}
        (Err(failure), Some(_), Some(file)) => {
            output::say(&format!("error: {}\n{}", failure.message, resume(file)));
            return Ok(Exit::Pending);
        }
        (Err(failure), ..) => return Err(failure),
    }
    if let (Some(file), true) = (&outcome.file, is_over)
        && let Err(error) = kept::remove(file)
    {
        output::say(&format!(
            "note: {} cannot be removed: {error}",
            file.display()
        ));
    }
    Ok(outcome.exit)
}

fn save(body: &[u8], file: &Path) -> Result<(), Failure> {
    std::fs::write(file, body).map_err(|error| {
        let message = format!(
            "the answer cannot be written to {}: {error}",
            file.display()
        );
        Failure::new(Exit::Failed, message).code("output_unwritable")
    })
}

/// The answer is lost; if it was paid for, the payment gets it again.
fn unsaved(outcome: &mut Outcome, failure: Failure) {
    let failed = Outcome::failed(failure);
    outcome.trouble = failed.trouble;
    outcome.exit = match outcome.receipt {
        Some(_) => Exit::Pending,
        None => failed.exit,
    };
}

fn people(outcome: &Outcome, args: &Args, kept: bool) -> Result<(), Failure> {
    if let Some(answer) = outcome
        .answer
        .as_ref()
        .filter(|_| outcome.exit != Exit::Failed)
    {
        show(answer, args)?;
    }
    if let Some(asking) = &outcome.terms {
        if asking.dry_run {
            output::print(dry_run(asking).as_bytes())?;
        } else {
            output::say(&offers(asking));
        }
    }
    if let Some(receipt) = outcome
        .receipt
        .as_ref()
        .filter(|_| outcome.answer.is_some())
    {
        output::say(&receipt_line(receipt));
    }
    if let Some(trouble) = &outcome.trouble {
        output::say(&trouble_text(trouble));
    }
    if let Some(file) = outcome.file.as_ref().filter(|_| kept) {
        output::say(&resume(file));
    }
    Ok(())
}

fn resume(file: &Path) -> String {
    format!(
        "the payment is kept; this presents the same one again, which is never charged twice:\n  x402 call --resume {}",
        file.display()
    )
}

fn show(answer: &Answer, args: &Args) -> Result<(), Failure> {
    if args.include {
        let mut head = format!("HTTP {}\n", answer.status);
        for (name, value) in &answer.headers {
            let _ = writeln!(
                head,
                "{name}: {}",
                String::from_utf8_lossy(value.as_bytes())
            );
        }
        output::print(format!("{}\n", shown::text(&head)).as_bytes())?;
    }
    if args.output.is_some() {
        return Ok(());
    }
    if !io::stdout().is_terminal() {
        return output::print(&answer.body);
    }
    // A terminal obeys control characters, and the seller wrote these.
    let text = shown::text(&String::from_utf8_lossy(&answer.body));
    output::print(text.as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        output::print(b"\n")?;
    }
    if text.contains('\u{fffd}') {
        output::say("note: bytes that are no text are shown as \u{fffd}; --output FILE keeps them");
    }
    Ok(())
}

fn receipt_line(receipt: &Receipt) -> String {
    let place = format!(
        "on {} to {}",
        network_text(&receipt.network),
        checksum(receipt.pay_to)
    );
    let amount = receipt.amount_text();
    match (&receipt.settlement, &receipt.transaction) {
        (Settlement::Settled, Some(transaction)) => {
            let paid = match receipt.charged_text() {
                Some(charged) if charged != amount => format!("{charged} of at most {amount}"),
                _ => amount,
            };
            format!("paid {paid} {place}, transaction {transaction}")
        }
        (Settlement::Unused, _) => format!(
            "offered up to {amount} {place}; the seller reports that it took nothing, and could take it until the payment expires"
        ),
        (Settlement::Failed { reason }, _) => {
            format!(
                "offered {amount} {place}; the seller reports that it was not settled: {reason}"
            )
        }
        _ => format!("offered {amount} {place}; the seller did not report a settlement"),
    }
}

fn trouble_text(trouble: &Trouble) -> String {
    match &trouble.help {
        Some(help) => format!("error: {}\n  help: {help}", trouble.message),
        None => format!("error: {}", trouble.message),
    }
}

fn option_line(asking: &Asking, option: &OfferedOption) -> String {
    let network = option
        .network
        .as_ref()
        .map_or_else(|| option.network_text.clone(), network_text);
    let payee = option
        .pay_to
        .map_or_else(|| "an unreadable address".to_owned(), checksum);
    let line = format!("{} on {network} to {payee}", advice::price(option));
    match asking.refusal(option) {
        Some((_, reason)) => format!("{line}\n      not payable: {reason}"),
        None => line,
    }
}

fn offers(asking: &Asking) -> String {
    let mut text = "the seller asks for payment:".to_owned();
    for option in &asking.options {
        let _ = write!(text, "\n  {}", option_line(asking, option));
    }
    text
}

fn dry_run(asking: &Asking) -> String {
    let quote = asking
        .contract
        .as_ref()
        .map(|contract| format!("{}\n", contract.line()));
    let mut text = format!("{}{}\n", quote.unwrap_or_default(), offers(asking));
    if let Some(choice) = &asking.choice {
        let (asset, amount) = (choice.asset(), choice.amount());
        let of = asking.options.len();
        let most = match choice.kind() {
            EvmKind::Permit2Upto => "at most ",
            _ => "",
        };
        let _ = writeln!(
            text,
            "chosen: option {} of {of}",
            choice.index().saturating_add(1)
        );
        let _ = writeln!(
            text,
            "  price   {most}{} {}",
            amount.to_decimal(asset.decimals),
            asset.symbol
        );
        let _ = writeln!(
            text,
            "  amount  {amount} atomic units of {}",
            checksum(asset.address)
        );
        let _ = writeln!(text, "  network {}", network_text(&asset.network));
        let _ = writeln!(text, "  to      {}", checksum(choice.pay_to()));
        let payer = asking.payer.as_deref().unwrap_or("no wallet was found");
        let _ = writeln!(text, "  from    {payer}");
    }
    let allowed = match (&asking.max, &asking.choice) {
        (None, _) => "not given: the call would not be paid".to_owned(),
        (Some(max), Some(_)) => format!("{max}: the call would be paid"),
        (Some(max), None) => format!("{max}: the call would not be paid"),
    };
    let _ = writeln!(text, "--max {allowed}");
    text.push_str("dry run: nothing was signed\n");
    text
}
