//! From the command line to one request and the rules for paying it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use http::Method;
use x402_client::error::RequestFault;
use x402_client::{
    Budget, BudgetError, Client, JsonRpcReader, NetworkClass, Policy, RequestBuilder,
};
use x402_runtime::model::network::Network;
use x402_runtime::model::price::PriceErrorCode;

use super::Args;
use crate::{Failure, places, secret};

/// Largest body that is sent, in bytes.
const MAX_BODY: u64 = 64 * 1024 * 1024;

/// One request as it goes out, without payment.
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// What a manifest promises about it.
    pub(super) promise: Promise,
}

/// Limits that a manifest sets for a call, besides those of the command line.
#[derive(Default)]
pub(super) struct Promise {
    /// The most that it costs.
    pub(super) cap: Option<String>,
    /// The only address that is paid.
    pub(super) payee: Option<String>,
}

impl Prepared {
    pub(super) fn read(args: &Args) -> Result<Self, Failure> {
        let (method, url) = target(args)?;
        let headers = args.headers.iter().map(|line| header(line));
        let mut headers = headers.collect::<Result<Vec<_>, _>>()?;
        let body = match (&args.data, &args.data_json) {
            (Some(text), _) => data(text)?,
            (None, Some(text)) => {
                let body = data(text)?;
                check_json(&body)?;
                let named =
                    |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
                if !headers.iter().any(named) {
                    headers.push(("content-type".into(), "application/json".into()));
                }
                body
            }
            (None, None) => Bytes::new(),
        };
        Ok(Self {
            method,
            url,
            headers,
            body,
            promise: Promise::default(),
        })
    }

    /// The request in the client's hands.
    pub(super) fn build(&self, client: &Client, args: &Args, max: Option<&str>) -> RequestBuilder {
        let mut request = client.request(self.method.clone(), &self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request = request.body(self.body.clone());
        // The budget of the client is --max; a manifest can allow less.
        if let Some(max) = self.promise.cap.as_deref().or(max) {
            request = request.max(max);
        }
        if let Some(payee) = args.pay_to.as_ref().or(self.promise.payee.as_ref()) {
            request = request.pay_to(payee);
        }
        if let Some(key) = &args.idempotency_key {
            request = request.idempotency_key(key);
        }
        // Whoever only looks opens no wallet.
        if args.sign_in && max.is_some() && !args.dry_run {
            request = request.sign_in();
        }
        request
    }
}

/// What reads the chains that the caller has nodes for. Errors do not repeat the address: many carry a key in their path.
pub(super) fn nodes(args: &Args) -> Result<Option<JsonRpcReader>, Failure> {
    let mut reader: Option<JsonRpcReader> = None;
    for node in &args.nodes {
        let wrong = |reason: String| Failure::usage("invalid_rpc", format!("--rpc: {reason}"));
        let (network, url) = node.split_once('=').ok_or_else(|| {
            wrong("write NETWORK=URL, such as base=https://mainnet.base.org".to_owned())
        })?;
        let network = Network::parse_any(network).map_err(|error| wrong(error.to_string()))?;
        let known = match reader.take() {
            Some(known) => known,
            None => JsonRpcReader::new(),
        };
        reader = Some(
            known
                .endpoint(network, url)
                .map_err(|error| wrong(error.to_string()))?,
        );
    }
    Ok(reader)
}

fn target(args: &Args) -> Result<(Method, String), Failure> {
    let (word, url) = match (&args.first, &args.second) {
        (Some(method), Some(url)) => (Some(method), url),
        (Some(url), None) => (None, url),
        _ => return Err(Failure::usage("no_url", "no URL is given")),
    };
    secret::refuse_key("the URL", url)?;
    let method = match (word, &args.method) {
        (Some(_), Some(_)) => {
            let message = "the method is given twice, before the URL and with -X";
            return Err(Failure::usage("two_methods", message));
        }
        (Some(word), None) | (None, Some(word)) => read_method(word)?,
        (None, None) if args.data.is_some() || args.data_json.is_some() => Method::POST,
        (None, None) => Method::GET,
    };
    if !url.contains("://") {
        let message = format!("{url} is not a URL: it has no scheme");
        let host = url.split(['/', ':']).next().unwrap_or_default();
        let scheme = match host {
            "localhost" | "127.0.0.1" => "http",
            _ => "https",
        };
        return Err(Failure::usage("invalid_url", message)
            .help(format!("write {scheme}://{}", url.trim_start_matches('/'))));
    }
    Ok((method, url.clone()))
}

fn read_method(word: &str) -> Result<Method, Failure> {
    secret::refuse_key("the method", word)?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let method = is_word.then(|| Method::from_bytes(word.to_ascii_uppercase().as_bytes()));
    method.and_then(Result::ok).ok_or_else(|| {
        Failure::usage("invalid_method", format!("{word} is not an HTTP method")).help(
            "write the method before the URL: x402 call POST https://api.example.com/summarize",
        )
    })
}

pub(super) fn header(line: &str) -> Result<(String, String), Failure> {
    // The value can be a secret of the caller's and is not repeated.
    let split = line
        .split_once(':')
        .filter(|(name, _)| !name.trim().is_empty());
    split
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| {
            let message = "a header is not written as NAME: VALUE";
            Failure::usage("invalid_header", message).help("for example -H 'Accept: text/plain'")
        })
}

pub(super) fn data(text: &str) -> Result<Bytes, Failure> {
    let Some(source) = text.strip_prefix('@') else {
        return Ok(Bytes::copy_from_slice(text.as_bytes()));
    };
    let unreadable = |error: io::Error| {
        let message = format!("the body cannot be read from {source}: {error}");
        Failure::usage("body_unreadable", message)
    };
    secret::refuse_key("the file of the body", source)?;
    if source == "-" {
        return bounded(io::stdin().lock(), unreadable);
    }
    bounded(
        File::open(Path::new(source)).map_err(unreadable)?,
        unreadable,
    )
}

pub(super) fn bounded(
    source: impl Read,
    unreadable: impl Fn(io::Error) -> Failure,
) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    source
        .take(MAX_BODY.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(&unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_BODY) {
        Ok(bytes.into())
    } else {
        Err(unreadable(io::Error::other("it is longer than 64 MiB")))
    }
}

fn check_json(body: &[u8]) -> Result<(), Failure> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body)
        .map(drop)
        .map_err(|error| not_json(&error))
}

/// The value of a body.
pub(super) fn json(body: &[u8]) -> Result<serde_json::Value, Failure> {
    serde_json::from_slice(body).map_err(|error| not_json(&error))
}

fn not_json(error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let message = format!("the body is not JSON (line {line}, column {column})");
    Failure::usage("invalid_json", message)
        .help("send other text with --data, and put JSON into single quotes on a shell")
}

/// The ceiling of the call, from `--max` or the environment.
pub(super) fn max(args: &Args) -> Result<Option<String>, Failure> {
    match &args.max {
        Some(max) => Ok(Some(max.clone())),
        None => places::text_variable("X402_MAX"),
    }
}

/// A budget of this much for one call.
pub(super) fn budget(max: &str) -> Result<Budget, Failure> {
    Budget::new(max, max).map_err(|error| {
        let failure = |message: String| Failure::usage("invalid_max", message);
        match error {
            BudgetError::Parse { source, .. } => {
                let failure = failure(format!("--max: {}", source.message));
                match source.help {
                    _ if source.code == PriceErrorCode::Zero => {
                        failure.help("leave --max out to see the price without paying")
                    }
                    Some(help) => failure.help(help.replace('`', "\"")),
                    None => failure,
                }
            }
            other => failure(format!("--max: {other}")),
        }
    })
}

/// What may be paid besides the ceiling.
pub(super) fn policy(args: &Args) -> Result<Policy, Failure> {
    let (networks, class) = networks(args)?;
    Ok(Policy::default().networks(networks).network_class(class))
}

/// The networks that are allowed, by name and by kind; no name allows all.
pub(super) fn networks(args: &Args) -> Result<(Vec<Network>, NetworkClass), Failure> {
    let mut networks: Vec<Network> = Vec::new();
    let mut class = NetworkClass::Any;
    for text in &args.networks {
        match (text.as_str(), class) {
            ("test", NetworkClass::Any | NetworkClass::TestOnly) => class = NetworkClass::TestOnly,
            ("main", NetworkClass::Any | NetworkClass::MainOnly) => class = NetworkClass::MainOnly,
            ("test" | "main", _) => class = NetworkClass::Any,
            _ => networks.push(super::network(text)?),
        }
    }
    Ok((networks, class))
}

/// A call that is wrong as written.
pub(crate) fn fault(fault: &RequestFault) -> Failure {
    let failure = Failure::usage(fault.code(), fault);
    match fault {
        RequestFault::Url => failure.help("write https://HOST/PATH"),
        RequestFault::Insecure { origin } => {
            let message = format!("{origin} is not encrypted: others could change price and payee");
            Failure::usage(fault.code(), message)
                .help("write https://; in a closed network, --allow-http allows it")
        }
        RequestFault::PayTo => Failure::usage(fault.code(), "--pay-to is not an address")
            .help("write 0x and 40 hex digits, as the seller publishes it"),
        RequestFault::ReservedHeader { .. } => failure.help("leave it out"),
        _ => failure,
    }
}
