//! `x402 facilitator`: a server that verifies and settles payments for others (protocol 1.10).

mod answer;
mod claims;
mod client;
mod crowd;
mod health;
mod http;
mod limiter;
mod logs;
mod options;
mod server;
mod service;
mod settings;
mod start;
mod tokens;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use alloy_primitives::U256;
use tokio::net::TcpListener;

pub use options::{Limits, Options, Rate, Repeats};
pub use server::{Running, ServeError, serve};
pub use settings::{Keystore, NetworkSettings, Settings};
pub use start::{Started, start};
pub use tokens::{TokenError, Tokens};

use crate::{Exit, Failure};

/// Arguments of `x402 facilitator`.
///
/// Keys are never arguments: they are read from files that only their owner may read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration file (TOML). The network flags below are then not allowed
    #[arg(long, value_name = "FILE", env = "X402_FACILITATOR_CONFIG")]
    config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:4022]
    #[arg(long, value_name = "ADDRESS", env = "X402_LISTEN")]
    listen: Option<SocketAddr>,
    /// File (mode 0600) with one `name token` per line; callers must send one as a bearer token
    #[arg(long, value_name = "FILE", env = "X402_AUTH_TOKEN_FILE")]
    auth_token_file: Option<PathBuf>,
    /// Let everybody call without a token, also from other machines
    #[arg(long)]
    public: bool,
    /// Who hears a success again when a payment is settled again: keyed, never or always [default: keyed]
    #[arg(long, value_name = "RULE")]
    repeats: Option<Repeats>,
    /// How many proxies in front add to X-Forwarded-For [default: 0, which ignores the header]
    #[arg(long, value_name = "NUMBER")]
    trusted_proxies: Option<usize>,
    /// Network to settle on, such as base-sepolia or eip155:84532; repeat it for more
    #[arg(
        long,
        value_name = "NAME",
        env = "X402_NETWORK",
        conflicts_with = "config"
    )]
    network: Vec<String>,
    /// JSON-RPC endpoint of the network, in the same order
    #[arg(
        long,
        value_name = "URL",
        env = "X402_RPC_URL",
        hide_env_values = true,
        conflicts_with = "config"
    )]
    rpc_url: Vec<String>,
    /// File (mode 0600) with the private key of an account that sends settlements and pays gas; repeat it for more
    #[arg(
        long,
        value_name = "FILE",
        env = "X402_SETTLER_KEY_FILE",
        conflicts_with = "config"
    )]
    settler_key_file: Vec<PathBuf>,
    /// Encrypted keystore of such an account
    #[arg(
        long,
        value_name = "FILE",
        env = "X402_SETTLER_KEYSTORE",
        requires = "settler_password_file",
        conflicts_with = "config"
    )]
    settler_keystore: Option<PathBuf>,
    /// File (mode 0600) with the keystore's password
    #[arg(
        long,
        value_name = "FILE",
        env = "X402_SETTLER_PASSWORD_FILE",
        conflicts_with = "config"
    )]
    settler_password_file: Option<PathBuf>,
    /// Token to settle, by symbol or address, or `any`; repeat it for more [default: the known ones of the network]
    #[arg(long, value_name = "TOKEN", conflicts_with = "config")]
    asset: Vec<String>,
    /// Receiver to settle for; repeat it for more [default: any]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config")]
    pay_to: Vec<String>,
    /// Highest sum of fees on a network within an hour, in wei [default: no limit]
    #[arg(long, value_name = "WEI", conflicts_with = "config")]
    max_fee_per_hour: Option<u64>,
    /// Log as one JSON object per line
    #[arg(long)]
    json_logs: bool,
    /// Log level: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", env = "X402_LOG", default_value = "info")]
    log: String,
}

pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    logs::init(&args.log, args.json_logs)?;
    let json = args.json_logs;
    let settings = args.settings()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    runtime.block_on(serve_until_stopped(settings, json))
}

impl Args {
    fn settings(self) -> Result<Settings, Failure> {
        let mut settings = match &self.config {
            Some(path) => Settings::from_file(path)?,
            None => Settings {
                networks: self.networks()?,
                ..Settings::default()
            },
        };
        if let Some(listen) = self.listen {
            settings.listen = listen;
        }
        if let Some(repeats) = self.repeats {
            settings.repeats = repeats;
        }
        if let Some(proxies) = self.trusted_proxies {
            settings.trusted_proxies = proxies;
        }
        settings.public |= self.public;
        settings.auth_token_file = self.auth_token_file.or(settings.auth_token_file);
        if settings.networks.is_empty() {
            return Err(Failure::new(Exit::Usage, "no network is given")
                .help("give --network, --rpc-url and --settler-key-file, or a --config file"));
        }
        Ok(settings)
    }

    fn networks(&self) -> Result<Vec<NetworkSettings>, Failure> {
        if self.network.len() != self.rpc_url.len() {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "{} networks but {} JSON-RPC endpoints are given",
                    self.network.len(),
                    self.rpc_url.len()
                ),
            )
            .help("give one --rpc-url for each --network, in the same order"));
        }
        let keystore = self
            .settler_keystore
            .clone()
            .zip(self.settler_password_file.clone());
        let keystore = keystore.map(|(file, password_file)| Keystore {
            file,
            password_file,
        });
        let named = self.network.iter().zip(&self.rpc_url);
        Ok(named
            .map(|(name, url)| NetworkSettings {
                name: name.clone(),
                rpc_url: Some(url.clone()),
                settler_key_files: self.settler_key_file.clone(),
                settler_keystores: keystore.iter().cloned().collect(),
                assets: self.asset.clone(),
                pay_to: self.pay_to.clone(),
                max_fee_per_hour_wei: self.max_fee_per_hour,
                ..NetworkSettings::default()
            })
            .collect())
    }
}

async fn serve_until_stopped(settings: Settings, json: bool) -> Result<Exit, Failure> {
    let tokens = settings.auth_token_file.as_deref().map(Tokens::from_file);
    let tokens = tokens
        .transpose()
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let mut networks = Vec::new();
    for network in &settings.networks {
        let started = start(network).await?;
        let twin = networks
            .iter()
            .any(|other: &Started| other.facilitator.chain_id() == started.facilitator.chain_id());
        if twin {
            let name = started.facilitator.network();
            return Err(Failure::new(Exit::Usage, format!("{name} is given twice")));
        }
        announce(json, &started)?;
        networks.push(started);
    }
    let options = Options {
        tokens,
        public: settings.public,
        trusted_proxies: settings.trusted_proxies,
        repeats: settings.repeats,
        limits: settings.limits,
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        let address = settings.listen;
        Failure::new(Exit::Failed, format!("cannot listen on {address}: {error}"))
    })?;
    let facilitators = networks.into_iter().map(|one| one.facilitator).collect();
    let running = serve(listener, facilitators, options).map_err(|error| match error {
        ServeError::Open(_) => Failure::new(Exit::Usage, error).help(
            "give --auth-token-file, listen on 127.0.0.1, or say --public if strangers may use it",
        ),
        other => Failure::new(Exit::Failed, other),
    })?;
    let address = running.address();
    if json {
        tracing::info!(%address, "listening");
    } else {
        say(&format!("listening on http://{address}"))?;
    }
    stop_signal().await;
    tracing::info!("shutting down");
    if running.shutdown().await {
        Ok(Exit::Success)
    } else {
        Err(
            Failure::new(Exit::Failed, "some settlements had not ended in time").help(
                "their transactions may still be mined; callers learn of them by asking again",
            ),
        )
    }
}

/// One line per network: what settles there, with which money.
fn announce(json: bool, started: &Started) -> Result<(), Failure> {
    let network = started.facilitator.network();
    let title = network.title().unwrap_or("unknown to this program");
    let assets = match started.assets.as_slice() {
        [] => "any token".to_owned(),
        names => names.join(", "),
    };
    let settlers = started
        .settlers
        .iter()
        .map(|(account, balance)| match balance {
            Some(wei) => format!("{account} with {} ETH", ether(*wei)),
            None => format!("{account} with an unknown balance"),
        });
    let settlers = settlers.collect::<Vec<_>>().join(", ");
    if json {
        tracing::info!(%network, title, assets, settlers, "network");
    } else {
        say(&format!(
            "{network} ({title}): settles {assets} from {settlers}"
        ))?;
    }
    for (account, balance) in &started.settlers {
        if balance.is_some_and(|wei| wei.is_zero()) {
            tracing::warn!(%network, %account, "the settling account is empty: nothing can be settled from it");
        }
    }
    if started.assets.is_empty() {
        tracing::warn!(%network, "any token is settled: strangers may name contracts that waste gas up to the caps");
    }
    Ok(())
}

/// Native money with all its decimals that matter.
fn ether(wei: U256) -> String {
    let unit = U256::from(10).pow(U256::from(18));
    let (whole, rest) = wei.div_rem(unit);
    let rest = format!("{rest:0>18}");
    let digits = rest.trim_end_matches('0');
    if digits.is_empty() {
        whole.to_string()
    } else {
        format!("{whole}.{digits}")
    }
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(Exit::Failed, error))
}

/// Waits for Ctrl-C or, on Unix, for the signal that service managers send.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_money_is_exact() {
        let table = [
            ("0", "0"),
            ("1", "0.000000000000000001"),
            ("1500000000000000000", "1.5"),
            ("10000000000000000000000", "10000"),
        ];
        for (wei, text) in table {
            assert_eq!(ether(wei.parse().unwrap()), text);
        }
    }
}
