//! The environment of the marketplace, read once and checked before anything is opened.

use std::{fmt, net::SocketAddr, path::PathBuf};

use x402_model::{
    asset::{Asset, Eip712Name, TransferMethod, parse_address},
    network::Network,
};
use x402_runtime::{
    evm::{KeyError, SettlerKey},
    facilitator::http::{CdpAuth, CdpKeyError},
};

/// Everything the marketplace can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Public origin; the listening address when absent.
    pub origin: Option<String>,
    /// Address that receives the payments.
    pub pay_to: Option<String>,
    /// The network payments are made on.
    pub network: Network,
    /// One more USD token of that network.
    pub second_asset: Option<Asset>,
    /// Where money moves.
    pub settlement: Settlement,
    /// Where payments are recorded.
    pub ledger: LedgerChoice,
}

/// Where money moves.
#[derive(Debug, Clone)]
pub enum Settlement {
    /// The in-process chain.
    Sandbox,
    /// A network behind a JSON-RPC endpoint.
    Rpc {
        /// The endpoint.
        url: String,
        /// The key that pays gas.
        settler: SettlerFile,
    },
    /// Somebody else's facilitator.
    Provider {
        /// Its address.
        url: String,
        /// Who calls it, if it wants to know.
        key: Option<ProviderKey>,
    },
}

/// The API key that authorizes calls to a provider.
#[derive(Debug, Clone)]
pub struct ProviderKey {
    id: String,
    file: PathBuf,
}

impl ProviderKey {
    /// Reads the key.
    ///
    /// # Errors
    /// When the file cannot be read, is readable by others, or holds no API key.
    pub fn load(&self) -> Result<CdpAuth, CdpKeyError> {
        CdpAuth::from_file(&self.id, &self.file)
    }
}

/// The file that holds the settler key.
#[derive(Debug, Clone)]
pub struct SettlerFile(PathBuf);

impl SettlerFile {
    /// Reads the key.
    ///
    /// # Errors
    /// When the file cannot be read, is readable by others, or holds no key.
    pub fn load(&self) -> Result<SettlerKey, KeyError> {
        SettlerKey::from_file(&self.0)
    }
}

/// Where payments are recorded.
#[derive(Debug, Clone)]
pub enum LedgerChoice {
    /// Gone with the process.
    Memory,
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl fmt::Display for LedgerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("in memory"),
            Self::Sqlite(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Every mistake found in the environment.
#[derive(Debug)]
pub struct SettingsError(Vec<String>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads the `X402_…` variables of this process.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Reads the variables from `lookup`.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut mistakes = Vec::new();
        let listen = lookup("X402_LISTEN").unwrap_or_else(|| "127.0.0.1:4021".to_owned());
        let listen = keep(
            &mut mistakes,
            "X402_LISTEN",
            listen
                .parse()
                .map_err(|_| format!("`{listen}` is no address like 127.0.0.1:4021")),
        );
        let network = lookup("X402_NETWORK")
            .map_or(Ok(Network::BASE_SEPOLIA), |name| Network::parse_any(&name));
        let network = keep(&mut mistakes, "X402_NETWORK", network);
        let settlement = settlement(&lookup)
            .and_then(|settlement| authorized(settlement, &lookup))
            .map_err(|mistake| mistakes.push(mistake.to_owned()))
            .ok();
        if let (Some(Settlement::Sandbox), Some(network)) = (&settlement, &network)
            && *network != Network::BASE_SEPOLIA
        {
            mistakes.push(format!(
                "X402_NETWORK: the sandbox is {}; set X402_RPC_URL or X402_FACILITATOR_URL to use {network}",
                Network::BASE_SEPOLIA
            ));
        }
        let second_asset = match (&network, lookup("X402_SECOND_ASSET")) {
            (Some(network), Some(text)) => keep(
                &mut mistakes,
                "X402_SECOND_ASSET",
                parse_asset(network, &text),
            ),
            _ => None,
        };
        let ledger = match lookup("X402_LEDGER").as_deref() {
            None | Some("memory") => LedgerChoice::Memory,
            Some(path) => LedgerChoice::Sqlite(path.into()),
        };
        match (listen, network, settlement) {
            (Some(listen), Some(network), Some(settlement)) if mistakes.is_empty() => Ok(Self {
                listen,
                origin: lookup("X402_ORIGIN"),
                pay_to: lookup("X402_PAY_TO"),
                network,
                second_asset,
                settlement,
                ledger,
            }),
            _ => Err(SettingsError(mistakes)),
        }
    }
}

fn keep<T>(
    mistakes: &mut Vec<String>,
    name: &str,
    value: Result<T, impl fmt::Display>,
) -> Option<T> {
    value
        .map_err(|mistake| mistakes.push(format!("{name}: {mistake}")))
        .ok()
}

fn settlement(lookup: &impl Fn(&str) -> Option<String>) -> Result<Settlement, &'static str> {
    let provider = lookup("X402_FACILITATOR_URL");
    let own = (lookup("X402_RPC_URL"), lookup("X402_SETTLER_KEY_FILE"));
    match (provider, own) {
        (None, (None, None)) => Ok(Settlement::Sandbox),
        (Some(url), (None, None)) => Ok(Settlement::Provider { url, key: None }),
        (None, (Some(url), Some(path))) => Ok(Settlement::Rpc {
            url,
            settler: SettlerFile(path.into()),
        }),
        (Some(_), _) => Err(
            "X402_FACILITATOR_URL: a provider settles without X402_RPC_URL and X402_SETTLER_KEY_FILE; \
             set it, or both of them, but not all",
        ),
        (None, (Some(_), None)) => Err(
            "X402_RPC_URL: set X402_SETTLER_KEY_FILE too, the key in it pays gas for settlements; \
             or let a provider settle with X402_FACILITATOR_URL alone",
        ),
        (None, (None, Some(_))) => {
            Err("X402_RPC_URL: X402_SETTLER_KEY_FILE is set; name the JSON-RPC endpoint as well")
        }
    }
}

/// Adds the API key to a provider that is called with one.
fn authorized(
    settlement: Settlement,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Settlement, &'static str> {
    let key = (
        lookup("X402_FACILITATOR_KEY_ID"),
        lookup("X402_FACILITATOR_KEY_FILE"),
    );
    match (settlement, key) {
        (settlement, (None, None)) => Ok(settlement),
        (Settlement::Provider { url, .. }, (Some(id), Some(file))) => Ok(Settlement::Provider {
            url,
            key: Some(ProviderKey {
                id,
                file: file.into(),
            }),
        }),
        (_, (Some(_), Some(_))) => Err(
            "X402_FACILITATOR_KEY_ID: an API key is for a provider; set X402_FACILITATOR_URL too",
        ),
        (_, (Some(_), None)) => Err(
            "X402_FACILITATOR_KEY_ID: set X402_FACILITATOR_KEY_FILE too, the file that holds the key",
        ),
        (_, (None, Some(_))) => {
            Err("X402_FACILITATOR_KEY_FILE: set X402_FACILITATOR_KEY_ID too, the id of that key")
        }
    }
}

/// Reads a token. With the name of its EIP-712 domain it takes signed transfers, or signed permits for Permit2 if the text ends so;
/// without one it is approved there by a transaction.
fn parse_asset(network: &Network, text: &str) -> Result<Asset, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (symbol, address, decimals, domain, transfer) = match *parts.as_slice() {
        [symbol, address, decimals] => (symbol, address, decimals, None, TransferMethod::Permit2),
        [symbol, address, decimals, name, version] => {
            let domain = Some((name, version));
            (symbol, address, decimals, domain, TransferMethod::Eip3009)
        }
        [symbol, address, decimals, name, version, "permit2"] => {
            let domain = Some((name, version));
            (symbol, address, decimals, domain, TransferMethod::Permit2)
        }
        _ => {
            return Err(
                "write it as SYMBOL:address:decimals:EIP-712 name:EIP-712 version, with `:permit2` behind it if the \
                 token takes signed permits but no signed transfers, or as SYMBOL:address:decimals if it takes neither"
                    .to_owned(),
            );
        }
    };
    Ok(Asset {
        network: network.clone(),
        address: parse_address(address).map_err(|error| error.to_string())?,
        symbol: symbol.to_owned().into(),
        decimals: decimals
            .parse()
            .map_err(|_| format!("`{decimals}` is no number of decimals"))?,
        eip712: domain.map(|(name, version)| Eip712Name {
            name: name.to_owned().into(),
            version: version.to_owned().into(),
        }),
        transfer,
        eip2612: domain.is_some() && transfer == TransferMethod::Permit2,
        usd_pegged: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_lookup(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_the_sandbox_in_memory() {
        let settings = read(&[]).expect("defaults are complete");
        assert!(matches!(settings.settlement, Settlement::Sandbox));
        assert!(matches!(settings.ledger, LedgerChoice::Memory));
        assert_eq!(settings.network, Network::BASE_SEPOLIA);
    }

    #[test]
    fn all_mistakes_come_at_once() {
        let error = read(&[
            ("X402_LISTEN", "here"),
            ("X402_NETWORK", "bsae"),
            ("X402_RPC_URL", "http://127.0.0.1:1"),
        ])
        .expect_err("three mistakes")
        .to_string();
        for name in ["X402_LISTEN", "X402_NETWORK", "X402_RPC_URL"] {
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn either_a_provider_settles_or_a_key_of_ones_own() {
        let provider = ("X402_FACILITATOR_URL", "https://x402.org/facilitator");
        let rpc = ("X402_RPC_URL", "http://127.0.0.1:1");
        let key = ("X402_SETTLER_KEY_FILE", "settler.key");
        let settings = read(&[provider, ("X402_NETWORK", "base")]).expect("complete");
        assert!(matches!(settings.settlement, Settlement::Provider { .. }));
        for pairs in [
            vec![provider, rpc],
            vec![provider, key],
            vec![provider, rpc, key],
        ] {
            let error = read(&pairs).expect_err("too much").to_string();
            assert!(error.starts_with("X402_FACILITATOR_URL: "), "{error}");
        }
    }

    #[test]
    fn a_provider_may_want_an_api_key() {
        let provider = ("X402_FACILITATOR_URL", "https://x402.org/facilitator");
        let id = ("X402_FACILITATOR_KEY_ID", "8c2f6f30");
        let file = ("X402_FACILITATOR_KEY_FILE", "no-such-file.key");
        let settings = read(&[provider, id, file]).expect("complete");
        let Settlement::Provider { key: Some(key), .. } = settings.settlement else {
            panic!("{settings:?}");
        };
        assert!(matches!(key.load(), Err(CdpKeyError::File(_))));
        for pairs in [vec![provider, id], vec![provider, file], vec![id, file]] {
            let error = read(&pairs).expect_err("half of it").to_string();
            assert!(error.starts_with("X402_FACILITATOR_KEY_"), "{error}");
        }
    }

    #[test]
    fn a_second_asset_is_read_in_one_variable() {
        let token = "TUSD:0x5FbDB2315678afecb367f032d93F642f64180aa3:6";
        let permits = (TransferMethod::Permit2, true);
        for (rest, named, takes) in [
            (":Test USD:1", true, (TransferMethod::Eip3009, false)),
            (":Test USD:1:permit2", true, permits),
            ("", false, (TransferMethod::Permit2, false)),
        ] {
            let text = format!("{token}{rest}");
            let settings = read(&[("X402_SECOND_ASSET", &text)]).expect("well formed");
            let asset = settings.second_asset.expect("given");
            assert_eq!(asset.symbol, "TUSD");
            assert_eq!((asset.transfer, asset.eip2612), takes, "{text}");
            assert_eq!(asset.eip712.is_some(), named, "{text}");
        }
        for rest in [":permit2", ":Test USD:1:eip3009", ":Test USD:1:permit2:"] {
            let text = format!("{token}{rest}");
            let error = read(&[("X402_SECOND_ASSET", &text)]).expect_err("no form");
            assert!(error.to_string().contains("SYMBOL:address"), "{error}");
        }
    }
}
