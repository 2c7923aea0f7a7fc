//! Who is talked to over TLS, and who is not.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::Full;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream as Tls};

use super::super::pool::Pool;
use super::*;

/// One element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let mut bytes = vec![tag];
    match length {
        0..128 => bytes.push(low),
        128..256 => bytes.extend([0x81, low]),
        _ => bytes.extend([0x82, high, low]),
    }
    bytes.extend(content);
    bytes
}

/// A certificate that vouches for itself, for one address, and its key (RFC 5280).
fn certificate(address: [u8; 4]) -> (CertificateDer<'static>, PrivatePkcs8KeyDer<'static>) {
    const SEQUENCE: u8 = 0x30;
    const OID: u8 = 0x06;
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref()).unwrap();
    let algorithm = der(
        SEQUENCE,
        &[&der(OID, &[b"\x2a\x86\x48\xce\x3d\x04\x03\x02"])],
    );
    let name = der(OID, &[b"\x55\x04\x03"]);
    let name = der(SEQUENCE, &[&name, &der(0x0c, &[b"provider"])]);
    let name = der(SEQUENCE, &[&der(0x31, &[&name])]);
    let until = der(0x18, &[b"99991231235959Z"]);
    let validity = der(SEQUENCE, &[&der(0x18, &[b"20200101000000Z"]), &until]);
    let curve = der(OID, &[b"\x2a\x86\x48\xce\x3d\x03\x01\x07"]);
    let kind = der(
        SEQUENCE,
        &[&der(OID, &[b"\x2a\x86\x48\xce\x3d\x02\x01"]), &curve],
    );
    let public = der(0x03, &[&[0], pair.public_key().as_ref()]);
    let names = der(0x04, &[&der(SEQUENCE, &[&der(0x87, &[&address])])]);
    let names = der(SEQUENCE, &[&der(OID, &[b"\x55\x1d\x11"]), &names]);
    let signed = der(
        SEQUENCE,
        &[
            &der(0xa0, &[&der(0x02, &[&[2]])]),
            &der(0x02, &[&[7]]),
            &algorithm,
            &name,
            &validity,
            &name,
            &der(SEQUENCE, &[&kind, &public]),
            &der(0xa3, &[&der(SEQUENCE, &[&names])]),
        ],
    );
    let signature = pair.sign(&random, &signed).unwrap();
    let signature = der(0x03, &[&[0], signature.as_ref()]);
    let whole = der(SEQUENCE, &[&signed, &algorithm, &signature]);
    (whole.into(), key.as_ref().to_vec().into())
}

/// A provider that shows `certificate` and answers every request with the protocol that was agreed on. Tells of every
/// connection how many requests it has read on it.
fn serve(
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
) -> (Uri, Receiver<usize>) {
    let provider = Arc::new(default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("https://{}/", listener.local_addr().unwrap());
    let (counts, counted) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, counts) = (Arc::clone(&config), counts.clone());
            thread::spawn(move || counts.send(speak(stream, config)));
        }
    });
    (to.parse().unwrap(), counted)
}

fn speak(mut stream: TcpStream, config: Arc<ServerConfig>) -> usize {
    let mut connection = ServerConnection::new(config).unwrap();
    let mut requests = 0;
    loop {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            match Tls::new(&mut connection, &mut stream).read(&mut byte) {
                Ok(1) => request.extend(byte),
                _ => return requests,
            }
        }
        requests += 1;
        let agreed = connection.alpn_protocol().unwrap_or_default().to_vec();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
            agreed.len()
        );
        let answer = [head.into_bytes(), agreed].concat();
        if Tls::new(&mut connection, &mut stream)
            .write_all(&answer)
            .is_err()
        {
            return requests;
        }
    }
}

fn get() -> Request<Full<Bytes>> {
    let request = Request::get("/supported").header(HOST, "127.0.0.1");
    request.body(Full::default()).unwrap()
}

/// Trusts this certificate and no other.
fn trusting(to: &Uri, certificate: &CertificateDer<'static>) -> Connect {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Connect::with_tls(to.clone(), tls)
}

#[tokio::test]
async fn a_provider_with_the_right_certificate_is_talked_to_on_one_connection() {
    let (certificate, key) = certificate([127, 0, 0, 1]);
    let (to, counted) = serve(certificate.clone(), key);
    let pool = Pool::new(trusting(&to, &certificate));
    for _ in 0..3 {
        let answer = pool.call(Box::new(get()), 100).await.unwrap();
        assert_eq!(answer.body, b"http/1.1");
    }
    drop(pool);
    assert_eq!(counted.recv().unwrap(), 3);
}

#[tokio::test]
async fn t09_nothing_is_sent_to_a_provider_that_is_not_trusted() {
    let (other, _) = certificate([127, 0, 0, 1]);
    let (own, key) = certificate([127, 0, 0, 1]);
    let (to, counted) = serve(own, key);
    let platform = Connect::new(to.clone()).unwrap();
    for connect in [platform, trusting(&to, &other)] {
        let broken = Pool::new(connect)
            .call(Box::new(get()), 100)
            .await
            .unwrap_err();
        assert_eq!(broken, Broken::NoConnection);
        assert_eq!(counted.recv().unwrap(), 0);
    }
    let (elsewhere, key) = certificate([127, 0, 0, 2]);
    let (to, counted) = serve(elsewhere.clone(), key);
    let pool = Pool::new(trusting(&to, &elsewhere));
    let broken = pool.call(Box::new(get()), 100).await.unwrap_err();
    assert_eq!(broken, Broken::NoConnection, "another host");
    assert_eq!(counted.recv().unwrap(), 0);
}

#[tokio::test]
async fn t09_nothing_is_sent_to_a_provider_that_speaks_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to: Uri = format!("https://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let listening = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        said
    });
    let pool = Pool::new(Connect::new(to).unwrap());
    let broken = pool.call(Box::new(get()), 100).await.unwrap_err();
    assert_eq!(broken, Broken::NoConnection);
    drop(pool);
    let said = listening.join().unwrap();
    assert!(!said.windows(9).any(|nine| nine == b"supported"));
    let mut connector = trusting(
        &Uri::from_static("https://127.0.0.1/"),
        &certificate([127, 0, 0, 1]).0,
    );
    connector.to = Uri::from_static("http://127.0.0.1:1/");
    assert!(matches!(connector.open().await, Err(Broken::NoConnection)));
}
