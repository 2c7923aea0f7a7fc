//! Opens connections to one provider: TCP on the loopback interface, TLS with the platform's roots to everywhere else.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs::default_provider};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tower_service::Service as _;

use super::connection::{Broken, Connection};

/// Longest time to open a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a connection is silent before the system asks whether the other side is still there, and between two questions.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How many such questions stay without an answer on a connection that is given up.
const KEEPALIVE_RETRIES: u32 = 3;
/// How long what was sent may stay without a sign that it arrived.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// The bytes of a connection.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// The way to one provider's door.
pub(super) struct Connect {
    to: Uri,
    connector: HttpsConnector<HttpConnector>,
}

impl Connect {
    /// Certificates are checked as the platform checks them. `None` when the TLS library does not start.
    pub(super) fn new(to: Uri) -> Option<Self> {
        let provider =
            CryptoProvider::get_default().map_or_else(|| Arc::new(default_provider()), Arc::clone);
        let verifier = Verifier::new(Arc::clone(&provider)).ok()?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Some(Self::with_tls(to, tls))
    }

    pub(super) fn with_tls(to: Uri, mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIME));
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE));
        tcp.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        let mut connector = HttpsConnector::from((tcp, tls));
        if to.scheme_str() == Some("https") {
            connector.enforce_https();
        }
        Self { to, connector }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When nobody is there in time, or is not who they should be.
    pub(super) async fn open(&self) -> Result<Box<Connection>, Broken> {
        let mut connector = self.connector.clone();
        let opening = async move {
            poll_fn(|cx| connector.poll_ready(cx)).await?;
            connector.call(self.to.clone()).await
        };
        let stream = tokio::time::timeout(CONNECT_TIME, opening)
            .await
            .map_err(|_| Broken::Late)?
            .map_err(|_| Broken::NoConnection)?;
        Connection::over(stream).await
    }
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
