//! One call from the first request to its outcome.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use x402_client::select::Choice;
use x402_client::{
    Asked, Budget, Client, ClientBuilder, Error, Missing, PricedCall, Response, RetryPolicy, Wallet,
};
use x402_runtime::model::asset::checksum;

use super::contract::{Contract, Guard};
use super::kept::{self, Kept};
use super::named::{Given, Named};
use super::outcome::{Asking, Outcome};
use super::request::{self, Prepared};
use super::{Args, advice};
use crate::{Exit, Failure, output};

/// Counts what a call costs where no ceiling is given: more than any call, and never spent.
pub(super) const LOOKING: &str = "1000000000000 USD";

/// Makes the call.
pub(super) async fn call(args: &Args) -> Result<Outcome, Failure> {
    args.wallet.check()?;
    check_output(args.output.as_deref())?;
    if let Some(file) = &args.resume {
        return resume(args, file).await;
    }
    let Some(given) = Given::of(args)? else {
        let prepared = Prepared::read(args)?;
        let limits = limits(args)?;
        let builder = builder(args).policy(request::policy(args)?);
        return buy(builder, args, &prepared, limits, None).await;
    };
    let limits = limits(args)?;
    let Named { prepared, contract } = given.read(args).await?;
    let builder = builder(args)
        .policy(contract.policy(args)?)
        .hook(Guard(Arc::clone(&contract)));
    let outcome = buy(builder, args, &prepared, limits, Some(&contract)).await?;
    Ok(Outcome {
        contract: Some(contract),
        ..outcome
    })
}

/// The ceiling, and a budget of that much.
fn limits(args: &Args) -> Result<(Option<String>, Budget), Failure> {
    let max = request::max(args)?;
    if args.sign_in && max.is_none() {
        let message = "--sign-in opens the wallet, which is done only with a ceiling";
        return Err(Failure::usage("sign_in_without_max", message)
            .help("say how much the call may cost if the seller lets nobody in, such as --max \"0.05 USD\""));
    }
    let budget = request::budget(max.as_deref().unwrap_or(LOOKING))?;
    Ok((max, budget))
}

async fn buy(
    builder: ClientBuilder<Missing, Missing>,
    args: &Args,
    prepared: &Prepared,
    (max, budget): (Option<String>, Budget),
    contract: Option<&Arc<Contract>>,
) -> Result<Outcome, Failure> {
    if let Some(contract) = contract.filter(|_| !args.json && !args.dry_run) {
        output::say(&contract.line());
    }
    let builder = builder.budget(budget);
    let builder = match request::nodes(args)? {
        Some(reader) => builder.chain(reader),
        None => builder,
    };
    let asker = Asker {
        args,
        prepared,
        max,
        contract,
    };
    if args.dry_run || asker.max.is_none() {
        let payer = args
            .wallet
            .find()
            .and_then(|found| found.address_without_key());
        let wallet = Wallet::view_only(payer.unwrap_or(Address::ZERO));
        return asker.look(&build(builder.wallet(wallet))?, payer).await;
    }
    let kept = Kept::open()?;
    let recorder = kept.clone();
    let wallet = args.wallet.locate()?.open()?;
    let builder = builder.wallet(wallet);
    let client = build(builder.record(move |payment| recorder.write(payment)))?;
    asker.pay(&client, &kept).await
}

fn builder(args: &Args) -> ClientBuilder<Missing, Missing> {
    Client::builder()
        .timeout(Duration::from_secs(args.timeout))
        .allow_http(args.allow_http)
        .retry(RetryPolicy {
            max_sends: args.attempts,
            ..RetryPolicy::default()
        })
}

fn build(builder: ClientBuilder<Wallet, Budget>) -> Result<Client, Failure> {
    builder
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))
}

/// A place for the answer is looked for before anything is paid.
fn check_output(file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    crate::secret::refuse_key_path("--output", Some(file))?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let problem = if file.is_dir() {
        Some("it is a folder".to_owned())
    } else {
        tempfile::NamedTempFile::new_in(folder)
            .err()
            .map(|error| error.to_string())
    };
    problem.map_or(Ok(()), |problem| {
        let message = format!("{} cannot be written: {problem}", file.display());
        Err(Failure::usage("output_unwritable", message))
    })
}

/// One call and what limits it.
struct Asker<'a> {
    args: &'a Args,
    prepared: &'a Prepared,
    max: Option<String>,
    contract: Option<&'a Arc<Contract>>,
}

impl Asker<'_> {
    /// Asks for the price and stops there.
    async fn look(&self, client: &Client, payer: Option<Address>) -> Result<Outcome, Failure> {
        let request = self.prepared.build(client, self.args, self.max.as_deref());
        Ok(match or_stopped(request.ask()).await {
            None => Outcome::interrupted(None, None),
            Some(Err(error)) => Outcome::error(&error, None),
            Some(Ok(Asked::Answered(response))) => Outcome::answered(response, None),
            Some(Ok(Asked::Priced(call))) => {
                let asking = self.asking(&call, payer);
                let trouble = advice::not_paid(&asking);
                Outcome::asked(asking, trouble)
            }
            Some(Ok(_)) => {
                Outcome::failed(Failure::new(Exit::Failed, "an answer of an unknown kind"))
            }
        })
    }

    fn asking(&self, call: &PricedCall, payer: Option<Address>) -> Asking {
        let promised =
            |choice: &Choice| self.contract.is_none_or(|contract| contract.admits(choice));
        let choice = call.choice().ok().filter(promised);
        let note = self.contract.zip(choice.as_ref());
        if let Some(note) = note.and_then(|(contract, choice)| contract.note(choice))
            && !self.args.json
        {
            output::say(&note);
        }
        Asking {
            options: call.options(),
            choice,
            payer: payer.map(checksum),
            max: self.max.clone(),
            dry_run: self.args.dry_run,
            contract: self.contract.cloned(),
        }
    }

    /// Asks for the price and pays it, if it may be paid.
    async fn pay(&self, client: &Client, kept: &Kept) -> Result<Outcome, Failure> {
        let request = self.prepared.build(client, self.args, self.max.as_deref());
        let call = match or_stopped(request.ask()).await {
            None => return Ok(Outcome::interrupted(None, None)),
            Some(Err(error)) => return Ok(Outcome::error(&error, None)),
            Some(Ok(Asked::Answered(response))) => return Ok(Outcome::answered(response, None)),
            Some(Ok(Asked::Priced(call))) => call,
            Some(Ok(_)) => return Err(Failure::new(Exit::Failed, "an answer of an unknown kind")),
        };
        let asking = self.asking(&call, Some(client.wallet().address()));
        if let Some(trouble) = advice::not_paid(&asking) {
            return Ok(Outcome::asked(asking, Some(trouble)));
        }
        let (method, url) = (self.prepared.method.as_str(), &self.prepared.url);
        if let Some(file) = kept.earlier(method, url) {
            output::say(&format!(
                "note: an earlier payment for this call has no known outcome; `x402 call --resume {}` asks for it",
                file.display()
            ));
        }
        let outcome = or_stopped(call.pay()).await;
        let path = |nonce| kept.path(nonce);
        Ok(ended(client, outcome, path, kept.written()))
    }
}

async fn resume(args: &Args, file: &Path) -> Result<Outcome, Failure> {
    let pending = kept::read(file)?;
    let wallet = Wallet::view_only(pending.receipt().payer);
    // Nothing is signed, so nothing is spent; a client cannot be without a budget.
    let budget = request::budget(LOOKING)?;
    let client = build(builder(args).budget(budget).wallet(wallet))?;
    let outcome = or_stopped(Box::pin(client.resume(pending))).await;
    Ok(ended(&client, outcome, |_| file.to_path_buf(), None))
}

/// What became of a payment, with what is known of it now in its file. `written` is the file of a payment that its error
/// does not hold.
fn ended(
    client: &Client,
    outcome: Option<Result<Response, Error>>,
    path: impl Fn(B256) -> PathBuf,
    written: Option<PathBuf>,
) -> Outcome {
    let update = |payment: &x402_client::PendingPayment| {
        let path = path(payment.nonce());
        // The file as it was before the send is as good for presenting the payment again.
        let _ = kept::write(&path, payment);
        path
    };
    match outcome {
        None => {
            let open = client.open_payments();
            let file = open.first().map(&update);
            let receipt = open.first().map(|payment| payment.receipt().clone());
            Outcome::interrupted(receipt, file)
        }
        Some(Ok(response)) => {
            let file = response.receipt().map(|receipt| path(receipt.nonce));
            Outcome::answered(response, file)
        }
        Some(Err(error)) => {
            let file = error.pending().map(update).or(written);
            Outcome::error(&error, file)
        }
    }
}

/// The outcome, or `None` if the process is told to stop first.
async fn or_stopped<T>(call: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        outcome = call => Some(outcome),
        () = stopped() => None,
    }
}

#[cfg(unix)]
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupted() => {}
        _ = terminated => {}
    }
}

#[cfg(not(unix))]
async fn stopped() {
    interrupted().await;
}

async fn interrupted() {
    // Without a handler the default holds: the process ends, and the payment's file is there.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
