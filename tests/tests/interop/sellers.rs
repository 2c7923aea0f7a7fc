//! Everybody who sells: the marketplace, and other people's packages as scripts.

use tokio::process::Command;
use x402_tests::accounts::{self, PAYEE};
use x402_tests::marketplace;
use x402_tests::permit2::WRAPPED;
use x402_tests::token::USDC;

use crate::facilitators::Facilitator;
use crate::install::Tools;
use crate::means::Means;
use crate::process::Peer;
use crate::stage::{Call, Receipt, Stage};

/// The paid routes of the marketplace.
pub(crate) const MARKET: &[Call] = &[
    Call {
        method: "GET",
        path: "/weather/oslo",
        body: None,
        price: 10_000,
        holds: r#""city":"oslo""#,
        means: Means::Signed,
    },
    Call {
        method: "POST",
        path: "/summarize",
        body: Some(r#"{"text":"Agents pay. Sellers earn. Agents keep receipts.","sentences":1}"#),
        price: 500_000,
        holds: r#""sentences_read":3"#,
        means: Means::Signed,
    },
    // The same route at the price of another request: terms that only hold for it.
    Call {
        method: "POST",
        path: "/summarize",
        body: Some(r#"{"text":"Agents pay. Sellers earn.","sentences":1,"quality":"fast"}"#),
        price: 50_000,
        holds: r#""summary":"Agents pay.""#,
        means: Means::Signed,
    },
    Call {
        method: "GET",
        path: "/report",
        body: None,
        price: 50_000,
        holds: r#""readings":"#,
        means: Means::Signed,
    },
];

/// What the marketplace charges by the word: three read and eight written, of the nineteen characters and eight words that were
/// signed for.
const METERED: u64 = 500 + 3 * 10 + 8 * 100;
const CEILING: u64 = 500 + 19 * 10 + 8 * 100;

/// What the marketplace sells through Permit2.
pub(crate) const MARKET_PERMIT2: &[Call] = &[
    Call {
        method: "POST",
        path: "/complete",
        body: Some(r#"{"prompt":"Agents pay sellers.","max_words":8}"#),
        price: METERED,
        holds: r#""usage":{"input":3,"output":8}"#,
        means: Means::Upto(CEILING),
    },
    Call {
        method: "POST",
        path: "/complete/stream",
        body: Some(r#"{"prompt":"Agents pay sellers.","max_words":8}"#),
        price: METERED,
        holds: "data: {\"text\":\"Agents\"}\n\ndata: {\"text\":\"pay\"}\n\n",
        means: Means::Streamed(CEILING),
    },
    // A route for which any dollar is taken.
    Call {
        method: "GET",
        path: "/report",
        body: None,
        price: 50_000,
        holds: r#""readings":"#,
        means: Means::Wrapped,
    },
    Call {
        method: "GET",
        path: "/report",
        body: None,
        price: 50_000,
        holds: r#""readings":"#,
        means: Means::Permitting,
    },
];

/// What other sellers sell through Permit2; the last one only `@x402/express`.
const STALL_PERMIT2: &[Call] = &[
    Call {
        method: "GET",
        path: "/exact",
        body: None,
        price: 10_000,
        holds: r#"{"celsius":21}"#,
        means: Means::Permit2,
    },
    Call {
        method: "GET",
        path: "/metered",
        body: None,
        price: 12_345,
        holds: r#"{"celsius":23}"#,
        means: Means::Upto(50_000),
    },
    Call {
        method: "GET",
        path: "/wrapped",
        body: None,
        price: 10_000,
        holds: r#"{"celsius":22}"#,
        means: Means::Wrapped,
    },
];

/// The paid routes of every other seller.
const STALL: &[Call] = &[
    Call {
        method: "GET",
        path: "/weather",
        body: None,
        price: 10_000,
        holds: r#"{"celsius":21}"#,
        means: Means::Signed,
    },
    Call {
        method: "POST",
        path: "/echo",
        body: Some(r#"{"said":"Grüezi"}"#),
        price: 20_000,
        holds: r#"{"echo":{"said":"Grüezi"}}"#,
        means: Means::Signed,
    },
];

/// A seller that is open.
#[derive(Debug)]
pub(crate) struct Seller<'a> {
    pub(crate) name: &'static str,
    /// The version in which its buyers pay, where it has no choice.
    pub(crate) version: u8,
    pub(crate) origin: String,
    /// Who settles for it; nobody but itself if absent.
    facilitator: Option<&'a Facilitator>,
    /// The account that settles what it earns.
    pub(crate) settler: usize,
    pub(crate) calls: &'static [Call],
    process: Option<Peer>,
}

impl Seller<'_> {
    /// Who settles for it.
    pub(crate) fn settled_by(&self) -> &'static str {
        self.facilitator.map_or("own key", |who| who.name)
    }

    /// How this seller reports the settlement of a payment of this version.
    pub(crate) fn receipt(&self, version: u8) -> Receipt {
        match version {
            1 if self.name == Stall::AxumV1.name() => Receipt::AXUM_V1,
            1 => Receipt::V1,
            _ => Receipt::V2,
        }
    }

    /// Whether its facilitator pays for permits: other people's sellers declare it, ours does what `/supported` says.
    pub(crate) fn takes_permits(&self) -> bool {
        self.process.is_some() || self.facilitator.is_none()
    }

    /// A failed call's message, with what the seller and its facilitator printed.
    pub(crate) fn quoted(&self, call: &Call, why: &str) -> String {
        let seller = self.process.as_ref().map(Peer::quote);
        let facilitator = self.facilitator.map(Facilitator::quote);
        let mut message = format!("{} {}: {why}", call.method, call.path);
        for quote in [seller, facilitator].into_iter().flatten() {
            message.push('\n');
            message.push_str(&quote);
        }
        message
    }
}

/// Other people's sellers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stall {
    Express,
    LegacyExpress,
    FastApi,
    Axum,
    AxumV1,
}

impl Stall {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Express => "@x402/express 2.27 (npm)",
            Self::LegacyExpress => "x402-express 1.2 (npm)",
            Self::FastApi => "x402 2.25 FastAPI (PyPI)",
            Self::Axum | Self::AxumV1 => "x402-axum 2.0 (crates)",
        }
    }

    pub(crate) const fn version(self) -> u8 {
        match self {
            Self::Express | Self::FastApi | Self::Axum => 2,
            Self::LegacyExpress | Self::AxumV1 => 1,
        }
    }

    fn command(self, tools: &Tools) -> Command {
        let (program, argument) = match self {
            Self::Express => ("node".into(), tools.js.join("sell-express.mjs")),
            Self::LegacyExpress => ("node".into(), tools.js.join("sell-legacy-express.mjs")),
            Self::FastApi => (
                tools.python.program.clone(),
                tools.py.join("sell_fastapi.py"),
            ),
            Self::Axum | Self::AxumV1 => (tools.rust.clone(), "sell".into()),
        };
        let mut command = Command::new(program);
        command
            .arg(argument)
            .env("PEER_VERSION", self.version().to_string());
        command
    }

    /// Opens the seller; the facilitator settles for it.
    ///
    /// # Errors
    /// What it printed instead of being ready.
    pub(crate) async fn open<'a>(
        self,
        tools: &Tools,
        facilitator: &'a Facilitator,
    ) -> Result<Seller<'a>, String> {
        let mut command = self.command(tools);
        command
            .env("PEER_PAY_TO", accounts::text(PAYEE))
            .env("PEER_FACILITATOR_URL", facilitator.url());
        let mut process = Peer::start(self.name(), &mut command);
        Ok(Seller {
            name: self.name(),
            version: self.version(),
            origin: process.line("ready ").await?,
            facilitator: Some(facilitator),
            settler: facilitator.settler,
            calls: STALL,
            process: Some(process),
        })
    }

    async fn sell_permit2<'a>(
        self,
        mut command: Command,
        facilitator: Option<&'a Facilitator>,
        settler: usize,
        calls: &'static [Call],
    ) -> Result<Seller<'a>, String> {
        command
            .env("PEER_PAY_TO", accounts::text(PAYEE))
            .env("PEER_ASSET", USDC.to_checksum(None));
        let mut process = Peer::start(self.name(), &mut command);
        Ok(Seller {
            name: self.name(),
            version: 2,
            origin: process.line("ready ").await?,
            facilitator,
            settler,
            calls,
            process: Some(process),
        })
    }
}

/// Opens `@x402/express`, which sells through Permit2 and settles by itself.
///
/// # Errors
/// What it printed instead of being ready.
pub(crate) async fn express_permit2(
    tools: &Tools,
    stage: &Stage,
    settler: usize,
) -> Result<Seller<'static>, String> {
    let mut command = Command::new("node");
    command
        .arg(tools.js.join("sell-permit2.mjs"))
        .env("PEER_RPC_URL", stage.chain.url())
        .env("PEER_KEY_FILE", stage.key(settler))
        .env("PEER_SECOND_ASSET", WRAPPED.to_checksum(None));
    let stall = Stall::Express;
    stall
        .sell_permit2(command, None, settler, STALL_PERMIT2)
        .await
}

/// Opens `x402` with FastAPI, which sells through Permit2; the facilitator settles for it.
///
/// # Errors
/// What it printed instead of being ready.
pub(crate) async fn fastapi_permit2<'a>(
    tools: &Tools,
    facilitator: &'a Facilitator,
) -> Result<Seller<'a>, String> {
    let mut command = Command::new(&tools.python.program);
    command
        .arg(tools.py.join("sell_permit2.py"))
        .env("PEER_FACILITATOR_URL", facilitator.url());
    let (stall, settler) = (Stall::FastApi, facilitator.settler);
    let calls = STALL_PERMIT2
        .split_last()
        .map_or(STALL_PERMIT2, |(_, calls)| calls);
    stall
        .sell_permit2(command, Some(facilitator), settler, calls)
        .await
}

/// Opens the marketplace, which settles with a key of its own.
pub(crate) async fn market(stage: &Stage, settler: usize) -> Seller<'static> {
    let variables = own_key(stage, settler);
    open_market(None, settler, variables, MARKET).await.0
}

/// Opens the marketplace with a second token, which takes no signed transfers. By the meter it sells in USDC with one of them.
pub(crate) async fn market_in(stage: &Stage, settler: usize, means: Means) -> Seller<'static> {
    let (symbol, domain, calls) = if means == Means::Permitting {
        ("PERM", ":USDC:2:permit2", &MARKET_PERMIT2[3..])
    } else {
        ("WRAP", "", &MARKET_PERMIT2[..3])
    };
    let token = means.token().to_checksum(None);
    let mut variables = own_key(stage, settler);
    variables.push(("X402_SECOND_ASSET", format!("{symbol}:{token}:6{domain}")));
    open_market(None, settler, variables, calls).await.0
}

fn own_key(stage: &Stage, settler: usize) -> Vec<(&'static str, String)> {
    vec![
        ("X402_RPC_URL", stage.chain.url().to_owned()),
        ("X402_SETTLER_KEY_FILE", path(stage.key(settler))),
        (
            "X402_LEDGER",
            path(stage.folder().join(format!("payments-{settler}.sqlite"))),
        ),
    ]
}

/// Opens the marketplace with somebody who settles for it.
pub(crate) async fn market_with(facilitator: &Facilitator) -> Seller<'_> {
    market_saying(facilitator).await.0
}

/// The same, and the line that it prints when it is ready.
pub(crate) async fn market_saying(facilitator: &Facilitator) -> (Seller<'_>, String) {
    let variables = vec![("X402_FACILITATOR_URL", facilitator.url().to_owned())];
    open_market(Some(facilitator), facilitator.settler, variables, MARKET).await
}

/// Opens the marketplace for what it sells by the meter, with somebody who settles for it.
pub(crate) async fn metered_market_with(facilitator: &Facilitator) -> Seller<'_> {
    let mut seller = market_with(facilitator).await;
    seller.calls = &MARKET_PERMIT2[..2];
    seller
}

async fn open_market<'a>(
    facilitator: Option<&'a Facilitator>,
    settler: usize,
    mut variables: Vec<(&'static str, String)>,
    calls: &'static [Call],
) -> (Seller<'a>, String) {
    variables.extend([
        ("X402_LISTEN", "127.0.0.1:0".to_owned()),
        ("X402_PAY_TO", accounts::text(PAYEE)),
        ("X402_NETWORK", "base-sepolia".to_owned()),
    ]);
    let (origin, line) = marketplace::start_saying(variables).await;
    let seller = Seller {
        name: "marketplace (ours)",
        version: 2,
        origin,
        facilitator,
        settler,
        calls,
        process: None,
    };
    (seller, line)
}

fn path(path: std::path::PathBuf) -> String {
    path.into_os_string()
        .into_string()
        .expect("a path of a test")
}
