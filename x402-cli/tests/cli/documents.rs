//! Manifests for tests: the example of the format, changed and signed; and a web server that shows documents.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use alloy_primitives::B256;
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use serde_json::{Value, json};
use x402_runtime::model::extension::timestamp;
use x402_runtime::model::manifest::{Document, SignedStatement, canonical, origin_digest};

pub(crate) const EXAMPLE: &str = include_str!("../../../x402-model/tests/manifest/manifest.json");

/// The example, valid for as long as these tests live.
pub(crate) fn example() -> Value {
    let mut value: Value = serde_json::from_str(EXAMPLE).unwrap();
    value["service"]["validUntil"] = json!("2999-01-01T00:00:00Z");
    value
}

fn hash(value: &Value) -> B256 {
    Document::from_value(value.clone()).unwrap().content_hash()
}

/// The document with the hash that it has.
pub(crate) fn hashed(mut value: Value) -> Value {
    let stated = format!("sha-256:{}", alloy_primitives::hex::encode(hash(&value)));
    value["integrity"] = json!({ "canonicalization": "RFC8785", "contentHash": stated });
    value
}

/// The document signed by the account of a key.
pub(crate) fn signed(value: Value, key: &str) -> Value {
    let signer: PrivateKeySigner = key.parse().unwrap();
    let mut value = hashed(value);
    let service = value["service"].clone();
    let text = |name: &str| service[name].as_str().unwrap().to_owned();
    let seconds = |name: &str| timestamp::read(&text(name)).unwrap() / 1000;
    let statement = SignedStatement {
        origin: text("origin"),
        service_version: text("version"),
        revision: service["revision"].as_u64().unwrap(),
        content_hash: hash(&value),
        issued_at: seconds("issuedAt"),
        valid_until: seconds("validUntil"),
    };
    let sign = |digest: B256| signer.sign_hash_sync(&digest).unwrap().to_string();
    value["integrity"]["signatures"] = json!([
        {
            "format": "eip712", "signer": signer.address(), "signature": sign(statement.digest()),
            "payload": {
                "version": 1, "origin": statement.origin, "serviceVersion": statement.service_version,
                "revision": statement.revision, "contentHash": statement.content_hash,
                "issuedAt": statement.issued_at, "validUntil": statement.valid_until,
            },
        },
        {
            "format": "eip191-origin", "signer": signer.address(),
            "signature": sign(origin_digest(&statement.origin)),
        },
    ]);
    value
}

/// A server that answers each path with the text of an HTTP message, written for its own origin; what it does not know, never.
pub(crate) fn web(answer: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (here, answer) = (origin.clone(), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, here, answer) = (stream.unwrap(), here.clone(), Arc::clone(&answer));
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().unwrap().unwrap();
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                let path = first.split(' ').nth(1).unwrap().to_owned();
                match answer(&path, &here) {
                    Some(answer) => drop(stream.write_all(answer.as_bytes())),
                    None => loop {
                        std::thread::park();
                    },
                }
            });
        }
    });
    origin
}

/// An HTTP message that holds a document.
pub(crate) fn ok(document: &Value) -> String {
    page("200 OK", &canonical(document))
}

pub(crate) fn page(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

pub(crate) fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: {to}\r\n\r\n"
    )
}
