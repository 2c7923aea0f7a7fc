//! `x402 call ORIGIN ENDPOINT NAME=VALUE`: a call by the id that a manifest gives it, within the contract of that manifest.

mod arguments;
mod schema;
mod value;
mod wire;

use std::sync::Arc;

use x402_runtime::model::asset::checksum;
use x402_runtime::model::manifest::{EndpointEntry, Manifest};

use super::Args;
use super::contract::Contract;
use super::request::{Prepared, Promise};
use crate::source::{self, FetchArgs};
use crate::vouched::Vouched;
use crate::{Exit, Failure, inputs, manifest, output, secret, shown};

/// Most ids that are listed.
const MAX_LISTED: usize = 20;
/// Most characters of a foreign name.
const NAME: usize = 80;

/// A call by id as it stands on the command line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// Where the manifest is.
    source: &'a str,
    endpoint: &'a str,
    arguments: &'a [String],
}

/// A call by id that can be made.
pub(super) struct Named {
    pub(super) prepared: Prepared,
    pub(super) contract: Arc<Contract>,
}

impl<'a> Given<'a> {
    /// The call by id, if the command line holds one: a URL comes first and a word after it.
    pub(super) fn of(args: &'a Args) -> Result<Option<Self>, Failure> {
        match (&args.first, &args.second) {
            (Some(source), Some(endpoint)) if source::is_url(source) && !is_method(endpoint) => {
                Ok(Some(Self {
                    source,
                    endpoint,
                    arguments: &args.arguments,
                }))
            }
            _ if !args.arguments.is_empty() => {
                let message = "arguments are for a call by id, and no endpoint is named";
                Err(Failure::usage("no_endpoint", message)
                    .help("write x402 call https://HOST ENDPOINT NAME=VALUE; `x402 manifest https://HOST` lists the endpoints"))
            }
            _ => Ok(None),
        }
    }

    fn check(&self, args: &Args) -> Result<(), Failure> {
        secret::refuse_key("the URL", self.source)?;
        secret::refuse_key("the endpoint", self.endpoint)?;
        if args.method.is_some() {
            let message = "the manifest says which method an endpoint has: leave -X out";
            return Err(Failure::usage("two_methods", message));
        }
        Ok(())
    }

    /// Fetches the manifest and puts the call together. Only the manifest is asked for.
    pub(super) async fn read(self, args: &Args) -> Result<Named, Failure> {
        self.check(args)?;
        let fetch = FetchArgs {
            timeout: args.timeout,
            allow_http: args.allow_http,
        };
        let found = source::fetch(self.source, &fetch, source::MAX_MANIFEST).await?;
        let document = manifest::open(&found)?;
        let vouched = Vouched::check(&document, &found);
        vouched.refuse_wrong(&found)?;
        let manifest = document.manifest();
        for (code, warning) in &vouched.warnings {
            if *code == "manifest_other_origin" {
                return Err(Failure::new(Exit::Failed, shown::line(warning, 300))
                    .code(code)
                    .help(format!(
                        "name that origin, if it is the one you mean: {}",
                        shown::line(&manifest.service.origin, 300)
                    )));
            }
            if !args.json {
                output::say(&format!("warning: {warning}"));
            }
        }
        let endpoint = self.endpoint(manifest)?;
        let bound = arguments::bind(manifest, endpoint, self.arguments, args)
            .map_err(|failure| self.with_usage(manifest, endpoint, failure))?;
        let wire = wire::Wire::new(endpoint, &bound)
            .map_err(|failure| self.with_usage(manifest, endpoint, failure))?;
        let quote = wire.quote(manifest, endpoint)?;
        let contract = Contract::new(&document, &vouched, endpoint, quote);
        let promise = Promise {
            cap: contract.cap(),
            payee: contract.payee(args)?.map(checksum),
        };
        let prepared = wire.prepare(&manifest.service.origin, promise, args)?;
        Ok(Named {
            prepared,
            contract: Arc::new(contract),
        })
    }

    fn endpoint<'m>(&self, manifest: &'m Manifest) -> Result<&'m EndpointEntry, Failure> {
        let named = |endpoint: &&EndpointEntry| endpoint.id == self.endpoint;
        let Some(endpoint) = manifest.endpoints.iter().find(named) else {
            let ids = || {
                manifest
                    .endpoints
                    .iter()
                    .map(|endpoint| endpoint.id.as_str())
            };
            let message = format!("there is no endpoint {} in the manifest", self.endpoint);
            let failure = Failure::usage("unknown_endpoint", message);
            return Err(match nearest(self.endpoint, ids()) {
                Some(id) => failure.help(format!("did you mean {}?", shown::line(id, NAME))),
                None => failure.help(format!("it has {}", listed(ids()))),
            });
        };
        if endpoint.kind == "http" {
            return Ok(endpoint);
        }
        let kind = shown::line(&endpoint.kind, NAME);
        let message = format!(
            "the endpoint {} is called by {kind}, not by HTTP",
            self.endpoint
        );
        Err(Failure::usage("not_http", message))
    }

    /// A mistake in the arguments is told with the form of the call.
    fn with_usage(
        &self,
        manifest: &Manifest,
        endpoint: &EndpointEntry,
        failure: Failure,
    ) -> Failure {
        let inputs = inputs::of(manifest, endpoint);
        let usage = shown::line(&inputs::usage(manifest, &inputs, "=…"), 600);
        let form = format!("x402 call {} {} {usage}", self.source, self.endpoint);
        let form = format!("write {}", form.trim_end());
        let help = match &failure.help {
            Some(help) if help.ends_with('?') => format!("{help} {form}"),
            Some(help) => format!("{help}; {form}"),
            None => form,
        };
        failure.help(help)
    }
}

/// Whether a word is what people write who put the method behind the URL.
fn is_method(word: &str) -> bool {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&word)
}

/// The candidate that a word is most likely a slip of, if one is near enough to be worth naming.
fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names in a list that ends.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let all: Vec<String> = names.map(|name| shown::line(name, NAME)).collect();
    match all.get(..MAX_LISTED) {
        Some(first) if all.len() > MAX_LISTED => {
            let more = all.len().saturating_sub(MAX_LISTED);
            format!("{} and {more} more", first.join(", "))
        }
        _ => all.join(", "),
    }
}
