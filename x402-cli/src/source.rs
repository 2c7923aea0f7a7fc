//! Where documents come from: a file, standard input, or an address on the web.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use alloy_primitives::Address;
use http::{HeaderMap, StatusCode, header};
use x402_client::transport::{CutReason, TransportErrorKind};
use x402_client::{Asked, Client, Error, Wallet};
use x402_runtime::model::manifest::{MAX_BYTES, WELL_KNOWN_PATH};

use crate::{Exit, Failure, call, secret, shown};

/// The longest document of one's own that is read, in bytes.
pub(crate) const MAX_FILE: usize = x402_codegen::MAX_BYTES;

/// Most characters of a reason, which can hold words of the document.
const MAX_REASON: usize = 500;

/// Most redirects within one origin that are followed.
const MAX_REDIRECTS: usize = 3;

/// How documents are fetched.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FetchArgs {
    /// Most seconds for fetching a document
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Allow http:// to other machines: whoever is on the way can change the document
    #[arg(long)]
    pub(crate) allow_http: bool,
}

/// A document as it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) bytes: Vec<u8>,
    /// Where it was: an address, a path, or `-`.
    pub(crate) place: String,
    /// Scheme, host and port, if it was fetched.
    pub(crate) origin: Option<String>,
}

impl Found {
    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        match self.place.as_str() {
            "-" => "standard input",
            place => place,
        }
    }

    /// How a document that is none ends the command: what was fetched is the seller's mistake, a file is the caller's.
    pub(crate) fn unusable(&self, code: &'static str, reason: impl std::fmt::Display) -> Failure {
        let exit = match self.origin {
            Some(_) => Exit::Failed,
            None => Exit::Usage,
        };
        let reason = shown::line(&reason.to_string(), MAX_REASON);
        Failure::new(exit, format!("{}: {reason}", self.name())).code(code)
    }
}

/// Whether a source is an address on the web.
pub(crate) fn is_url(source: &str) -> bool {
    source.contains("://")
}

/// Reads a document. A bare origin stands for the manifest that it shows; of what is fetched at most `most` bytes are read.
pub(crate) fn find(source: &str, args: &FetchArgs, most: usize) -> Result<Found, Failure> {
    secret::refuse_key("the source", source)?;
    if is_url(source) {
        return call::runtime()?.block_on(fetch(source, args, most));
    }
    let bytes = if source == "-" {
        read(io::stdin().lock(), source)?
    } else {
        read(open(source)?, source)?
    };
    Ok(Found {
        bytes,
        place: source.to_owned(),
        origin: None,
    })
}

fn open(source: &str) -> Result<File, Failure> {
    let path = Path::new(source);
    File::open(path).map_err(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            return unreadable(source, &error);
        }
        let failure = Failure::usage("file_missing", format!("there is no file {source}"));
        if source.contains(['.', ':']) && !source.starts_with(['.', '/']) {
            let near = ["localhost", "127.", "[::1]"];
            let here = near.iter().any(|host| source.starts_with(host));
            let scheme = if here { "http" } else { "https" };
            failure.help(format!("if it is a server, write {scheme}://{source}"))
        } else {
            failure
        }
    })
}

fn unreadable(source: &str, error: &io::Error) -> Failure {
    Failure::usage(
        "file_unreadable",
        format!("{source} cannot be read: {error}"),
    )
}

fn read(from: impl Read, source: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    from.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(source, &error))?;
    if bytes.len() > MAX_FILE {
        let message = format!("{source} is longer than {} MiB", MAX_FILE >> 20);
        return Err(Failure::usage("document_too_large", message));
    }
    Ok(bytes)
}

/// Fetches a document, all redirects included, within the time that is allowed.
pub(crate) async fn fetch(source: &str, args: &FetchArgs, most: usize) -> Result<Found, Failure> {
    let deadline = Duration::from_secs(args.timeout);
    tokio::time::timeout(deadline, follow(source, args, most))
        .await
        .unwrap_or_else(|_| {
            let message = format!("{source} did not answer within {} seconds", args.timeout);
            Err(Failure::new(Exit::Failed, message)
                .code("unreachable")
                .help("allow more time with --timeout SECONDS"))
        })
}

async fn follow(source: &str, args: &FetchArgs, most: usize) -> Result<Found, Failure> {
    // Nothing is ever paid here; a client cannot be without a wallet and a budget.
    let client = Client::builder()
        .wallet(Wallet::view_only(Address::ZERO))
        .budget(call::looking()?)
        .max_body(most)
        // The time of the whole is over before that of one request, so there is one word for being late.
        .timeout(Duration::from_secs(args.timeout).saturating_mul(2))
        .allow_http(args.allow_http)
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    let origin = origin(source).to_owned();
    let mut place = match source.strip_prefix(&origin) {
        Some("" | "/") => format!("{origin}{WELL_KNOWN_PATH}"),
        _ => source.to_owned(),
    };
    for _ in 0..=MAX_REDIRECTS {
        let request = client.get(&place).header("accept", "application/json");
        let response = match request.ask().await {
            Ok(Asked::Answered(response)) => response,
            Ok(_) => return Err(asks_for_payment(&place)),
            Err(error) => return Err(unfetched(&place, &error, most)),
        };
        let (status, headers, body, _) = response.into_parts();
        if status.is_success() {
            return Ok(Found {
                bytes: body.to_vec(),
                place,
                origin: Some(origin),
            });
        }
        place = redirected(&place, &origin, status, &headers)?;
    }
    let message = format!("{source} redirects more than {MAX_REDIRECTS} times");
    Err(Failure::new(Exit::Failed, message).code("redirected"))
}

/// Scheme, host and port as they are written.
pub(crate) fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at.saturating_add(3));
    let rest = url.get(host..).unwrap_or_default();
    let length = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    url.get(..host.saturating_add(length)).unwrap_or(url)
}

/// Where an answer that is no success points to, if that is at the same origin.
fn redirected(
    place: &str,
    origin: &str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<String, Failure> {
    let target = headers.get(header::LOCATION);
    let target = target.and_then(|target| target.to_str().ok());
    let Some(target) = target.filter(|_| status.is_redirection()) else {
        let failure = Failure::new(Exit::Failed, format!("{place} was answered with {status}"));
        let failure = failure.code("http_status");
        return Err(
            if status == StatusCode::NOT_FOUND && place.ends_with(WELL_KNOWN_PATH) {
                failure.help(
                "this seller shows no price manifest there; if it is elsewhere, name its whole URL",
            )
            } else {
                failure
            },
        );
    };
    let here = target.starts_with('/') && !target.starts_with("//");
    if here {
        return Ok(format!("{origin}{target}"));
    }
    if self::origin(target) == origin {
        return Ok(target.to_owned());
    }
    let message = format!("{place} redirects to another place: {target}");
    Err(Failure::new(Exit::Failed, message).code("redirected").help(
        "redirects to other places are not followed; if you trust that one, name it yourself",
    ))
}

fn asks_for_payment(place: &str) -> Failure {
    let message = format!("{place} asks for payment");
    Failure::new(Exit::Failed, message)
        .code("not_free")
        .help("documents are fetched for nothing; `x402 call` pays")
}

fn unfetched(place: &str, error: &Error, most: usize) -> Failure {
    let message = match error {
        Error::InvalidRequest(fault) => return call::fault(fault),
        Error::BodyCut(cut) if cut.reason == CutReason::TooLarge => {
            let message = format!("the document at {place} is longer than {} KiB", most >> 10);
            return Failure::new(Exit::Failed, message).code("document_too_large");
        }
        Error::Unreachable(cause) => format!("{place} cannot be fetched: {cause}"),
        other => format!("{place} cannot be fetched: {other}"),
    };
    let failure = Failure::new(Exit::Failed, message).code(error.code());
    match error {
        Error::Unreachable(cause) if cause.kind() == TransportErrorKind::Connect => {
            failure.help("is the server running? check host and port of the URL, and the network")
        }
        _ => failure,
    }
}

/// The longest manifest that is fetched.
pub(crate) const MAX_MANIFEST: usize = MAX_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_host_and_port() {
        for (url, expected) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://api.example.com/x?y#z", "https://api.example.com"),
            ("http://127.0.0.1:4021?x", "http://127.0.0.1:4021"),
            ("https://a.example\\@b.example/", "https://a.example"),
            ("//b.example/x", ""),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn redirects_stay_at_the_origin() {
        let to = |target: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, target.parse().unwrap());
            let found = redirected(
                "https://a.example/x",
                "https://a.example",
                StatusCode::FOUND,
                &headers,
            );
            found.map_err(|failure| failure.code)
        };
        assert_eq!(to("/y"), Ok("https://a.example/y".to_owned()));
        assert_eq!(
            to("https://a.example/z"),
            Ok("https://a.example/z".to_owned())
        );
        for elsewhere in [
            "//b.example/x",
            "https://b.example/x",
            "http://a.example/x",
            "https://a.example:8443/x",
            "https://a.example.b.example/x",
            "https://a.example@b.example/x",
            "y",
        ] {
            assert_eq!(to(elsewhere), Err("redirected"), "{elsewhere}");
        }
    }
}
