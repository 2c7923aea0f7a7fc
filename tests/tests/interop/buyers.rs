//! Everybody who buys: other people's packages as scripts, and our own client.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::process::Command;
use x402_client::{Budget, Client, JsonRpcReader, Wallet};
use x402_model::network::Network;
use x402_tests::accounts::{self, PAYER};
use x402_tests::buyer::decode;
use x402_tests::permit2;

use crate::install::Tools;
use crate::means::Means;
use crate::process::Peer;
use crate::stage::{Answer, Call, Stage};

/// The headers that receipts come in, the newer version's first.
const RECEIPTS: [&str; 2] = ["payment-response", "x-payment-response"];

/// How a buyer is run.
#[derive(Debug, Clone, Copy)]
enum How {
    Node(&'static str),
    Python(&'static str),
    LegacyPython(&'static str),
    Rust,
    OurClient,
    OurProgram,
}

/// Somebody who buys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buyer {
    pub(crate) name: &'static str,
    how: How,
}

pub(crate) const FETCH: Buyer = Buyer {
    name: "@x402/fetch 2.27 (npm)",
    how: How::Node("buy-fetch.mjs"),
};
pub(crate) const AXIOS: Buyer = Buyer {
    name: "@x402/axios 2.11 (npm)",
    how: How::Node("buy-axios.mjs"),
};
pub(crate) const LEGACY_FETCH: Buyer = Buyer {
    name: "x402-fetch 1.2 (npm)",
    how: How::Node("buy-legacy-fetch.mjs"),
};
pub(crate) const HTTPX: Buyer = Buyer {
    name: "x402 2.25 httpx (PyPI)",
    how: How::Python("buy_httpx.py"),
};
pub(crate) const REQUESTS: Buyer = Buyer {
    name: "x402 2.25 requests (PyPI)",
    how: How::Python("buy_requests.py"),
};
pub(crate) const LEGACY_HTTPX: Buyer = Buyer {
    name: "x402 1.0 httpx (PyPI)",
    how: How::LegacyPython("buy_legacy_httpx.py"),
};
pub(crate) const LEGACY_REQUESTS: Buyer = Buyer {
    name: "x402 1.0 requests (PyPI)",
    how: How::LegacyPython("buy_legacy_requests.py"),
};
pub(crate) const REQWEST: Buyer = Buyer {
    name: "x402-reqwest 2.0 (crates)",
    how: How::Rust,
};
pub(crate) const OUR_CLIENT: Buyer = Buyer {
    name: "x402-client (ours)",
    how: How::OurClient,
};

pub(crate) const OUR_PROGRAM: Buyer = Buyer {
    name: "x402 call (ours)",
    how: How::OurProgram,
};

impl Buyer {
    /// Whether the buyer knows nothing of version 2.
    pub(crate) fn speaks_only_v1(&self) -> bool {
        [LEGACY_FETCH, LEGACY_HTTPX, LEGACY_REQUESTS]
            .iter()
            .any(|legacy| legacy.name == self.name)
    }

    /// Makes one call and pays for it.
    ///
    /// # Errors
    /// What the buyer printed instead of an answer.
    pub(crate) async fn buy(
        &self,
        tools: &Tools,
        stage: &Stage,
        origin: &str,
        call: &Call,
    ) -> Result<Answer, String> {
        let url = format!("{origin}{}", call.path);
        match self.how {
            How::Node(script) => {
                let mut command = Command::new("node");
                command.arg(tools.js.join(script));
                self.run(command, stage, &url, call).await
            }
            How::Python(script) => {
                let mut command = Command::new(&tools.python.program);
                command.arg(tools.py.join(script));
                self.run(command, stage, &url, call).await
            }
            How::LegacyPython(script) => {
                let mut command = Command::new(&tools.python.program);
                command
                    .arg(tools.py.join(script))
                    .env("PYTHONPATH", &tools.python.legacy);
                self.run(command, stage, &url, call).await
            }
            How::Rust => {
                let mut command = Command::new(&tools.rust);
                command.arg("buy");
                self.run(command, stage, &url, call).await
            }
            How::OurClient => ours(stage, &url, call).await,
            How::OurProgram => program(stage, &url, call).await,
        }
    }

    /// Whether the buyer signs permits, for which it reads the chain.
    pub(crate) fn signs_permits(&self, means: Means) -> bool {
        match self.how {
            How::Node(_) | How::Python(_) | How::OurClient => means.takes_permits(),
            // It signs them for this scheme only.
            How::Rust => means.is_metered(),
            How::LegacyPython(_) | How::OurProgram => false,
        }
    }

    /// What the buyer says when it cannot pay by these means at all.
    pub(crate) fn cannot_pay(&self, means: Means) -> Option<&'static str> {
        match (self.how, means) {
            // It reads terms for Permit2 only if they have the name of a domain, although nothing is signed for it: see
            // `AssetTransferMethod` in `chain/types.rs` of x402-chain-eip155.
            (How::Rust, Means::Wrapped) => Some("No matching payment option found"),
            // It pays in the tokens of its table only.
            (How::OurProgram, Means::Wrapped) => Some("asset_not_allowed"),
            _ => None,
        }
    }

    async fn run(
        &self,
        mut command: Command,
        stage: &Stage,
        url: &str,
        call: &Call,
    ) -> Result<Answer, String> {
        command
            .env("PEER_URL", url)
            .env("PEER_METHOD", call.method)
            .env("PEER_KEY_FILE", stage.key(PAYER));
        if let Some(body) = call.body {
            command.env("PEER_BODY", body);
        }
        if self.signs_permits(call.means) {
            command.env("PEER_RPC_URL", stage.chain.url());
        }
        if matches!(call.means, Means::Permitting | Means::Wrapped) {
            command.env("PEER_ASSET", call.means.token().to_checksum(None));
        }
        report(self.name, command).await
    }
}

/// Runs a buyer to its good end and reads the line of JSON that it prints.
async fn report<T: DeserializeOwned>(name: &str, mut command: Command) -> Result<T, String> {
    let mut peer = Peer::start(name, &mut command);
    let line = peer.line("{").await?;
    let status = peer.end().await?;
    if !status.success() {
        return Err(peer.complaint(&format!("ended with {status}")));
    }
    serde_json::from_str(&format!("{{{line}")).map_err(|e| peer.complaint(&e.to_string()))
}

/// Our client, whose own receipt must say the same as the header.
async fn ours(stage: &Stage, url: &str, call: &Call) -> Result<Answer, String> {
    let client = if call.means == Means::Signed {
        let wallet = Wallet::from_local_key(accounts::signer(PAYER));
        let budget = Budget::new("0.60 USD", "0.60 USD").expect("a budget");
        Client::new(wallet, budget)
    } else {
        let reader = JsonRpcReader::new().endpoint(Network::BASE_SEPOLIA, stage.chain.url());
        let builder = permit2::builder().chain(reader.expect("a URL"));
        builder.build().expect("a client")
    };
    let request = match call.body {
        None => client.get(url),
        Some(body) => {
            let body: Value = serde_json::from_str(body).expect("a body of a test");
            client.post(url).json(&body)
        }
    };
    let answer = request.send().await.map_err(|e| format!("{e:?}"))?;
    let named = RECEIPTS.into_iter().find_map(|name| {
        let value = answer.headers().get(name)?.to_str().ok()?;
        Some((name.to_owned(), decode(value)?))
    });
    let (header, receipt) = named.unzip();
    let answered = Answer {
        status: answer.status().as_u16(),
        body: answer.text().map_err(|e| e.to_string())?.to_owned(),
        header,
        receipt,
    };
    let ours = answer.receipt().ok_or("our client has no receipt")?;
    let transaction = answered
        .receipt
        .as_ref()
        .and_then(|r| r["transaction"].as_str());
    if !ours.is_settled() || ours.transaction.as_deref() != transaction {
        return Err(format!(
            "our client's receipt differs from the seller's: {ours:?}"
        ));
    }
    Ok(answered)
}

/// Our program, whose own account of the payment must say the same as the header.
async fn program(stage: &Stage, url: &str, call: &Call) -> Result<Answer, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_x402_program"));
    command
        .args(["call", "--json", "--include", "--max", "0.60 USD"])
        .arg("--key-file")
        .arg(stage.key(PAYER))
        .args(["-X", call.method, url])
        .env("XDG_STATE_HOME", stage.folder());
    if let Some(body) = call.body {
        command.args(["--data-json", body]);
    }
    let said: Value = report(OUR_PROGRAM.name, command).await?;
    let named = RECEIPTS.into_iter().find_map(|name| {
        let value = said["headers"][name].as_str()?;
        Some((name.to_owned(), decode(value)?))
    });
    let (header, receipt) = named.ok_or_else(|| format!("no receipt: {said}"))?;
    if said["settle"] != "settled"
        || said["paid"] != true
        || said["charged_amount"] != *call.price.to_string()
        || said["transaction"] != receipt["transaction"]
    {
        return Err(format!("it differs from the header: {said}"));
    }
    Ok(Answer {
        status: said["status"]
            .as_u64()
            .and_then(|status| status.try_into().ok())
            .unwrap_or_default(),
        body: said["body"]
            .as_str()
            .map_or_else(|| said["body"].to_string(), str::to_owned),
        header: Some(header),
        receipt: Some(receipt),
    })
}
