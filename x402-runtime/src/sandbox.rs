//! A whole chain in this process: a real EVM with a real EIP-3009 token, for examples, tests and trying things out.
//!
//! The sandbox has chain id 84532 (Base Sepolia), the test token `TestUsd` at that network's USDC address, a second
//! token, a third one with 18 decimals that takes signed approvals instead of signed transfers, stand-ins for Permit2 and
//! the two x402 proxies at their published addresses, and the ten public development accounts with native money and
//! tokens. A transaction is mined in a block of
//! its own the moment it is sent; [`Sandbox::set_automine`] turns that off. Nothing is ever read from or sent to a
//! network.
//!
//! What it does not imitate: gas prices never move unless set, blocks have no real hashes or roots, and state can be
//! asked for the newest 256 blocks only. While it is used, an empty block appears for every two seconds that passed,
//! so that chain time follows the clock.

mod accounts;
mod ask;
mod chain;
mod clock;
mod control;
mod engine;
mod node;
mod pool;
mod tx;
mod world;

use std::sync::{Arc, OnceLock};

use alloy_primitives::{Address, Bytes, U256, address};
use x402_model::asset::{Asset, Eip712Name, TransferMethod};
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, PERMIT2, UPTO_PERMIT2_PROXY};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

pub use accounts::DevAccount;
pub(crate) use accounts::PUBLIC_KEYS;
pub use chain::SendFault;

use crate::clock::{Clock, SystemClock};
use crate::evm::chain::Chain;
use crate::evm::{EvmConfig, EvmFacilitator, SettlerKey};
use chain::{SandboxChain, Shared};
use clock::SandboxClock;
use node::Node;

/// Chain id of the sandbox: Base Sepolia's, so that clients accept its payments without any setting.
pub const CHAIN_ID: u64 = 84_532;
/// Where the test token is: the address of USDC on Base Sepolia.
pub const USDC: Address = address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e");
/// Where the second token is.
pub const SECOND_TOKEN: Address = address!("0x00000000000000000000000000000000000074e5");
/// Where the third token is: 18 decimals, EIP-2612 approvals, no EIP-3009.
pub const PERMIT_TOKEN: Address = address!("0x0000000000000000000000000000000000026124");
/// Wei per gas of every block.
const BASE_FEE: u64 = 10_000_000;
/// Native money of each development account: 10,000 ether.
const GENESIS_WEI: u128 = 10_000_000_000_000_000_000_000;
/// Tokens of each development account, in atomic units: 1,000 dollars.
const GENESIS_TOKENS: u64 = 1_000_000_000;
/// Decimals of the first two tokens.
const DECIMALS: u8 = 6;
/// Decimals of the third token.
const PERMIT_TOKEN_DECIMALS: u8 = 18;
// Run-time code of `contracts/src`; a test compiles the sources and compares.
const TEST_USD: &str = include_str!("sandbox/test_usd.hex");
const TEST_PERMIT_TOKEN: &str = include_str!("sandbox/test_permit_token.hex");
const TEST_PERMIT2: &str = include_str!("sandbox/test_permit2.hex");
const TEST_EXACT_PROXY: &str = include_str!("sandbox/test_exact_proxy.hex");
const TEST_UPTO_PROXY: &str = include_str!("sandbox/test_upto_proxy.hex");

/// Something the sandbox could not do: a contract refused, or code was malformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sandbox: {message}")]
pub struct SandboxError {
    message: String,
}

impl SandboxError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// An EVM chain in this process. Cheap to clone; clones are the same chain.
///
/// ```
/// use x402_runtime::sandbox::Sandbox;
/// let sandbox = Sandbox::new()?;
/// assert_eq!(sandbox.token_balance(sandbox.payer())?.to_string(), "1000000000");
/// # Ok::<(), x402_runtime::sandbox::SandboxError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    accounts: Arc<[DevAccount; 10]>,
    facilitator: Arc<OnceLock<Arc<EvmFacilitator>>>,
}

impl Sandbox {
    /// A fresh chain that runs on the system's clock.
    ///
    /// # Errors
    /// Never in a sound build: [`SandboxError`] when the built-in token does not start.
    pub fn new() -> Result<Self, SandboxError> {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// A fresh chain that takes the time of its blocks from `clock`.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn with_clock(clock: Arc<dyn Clock>) -> Result<Self, SandboxError> {
        let accounts: Option<Vec<DevAccount>> =
            PUBLIC_KEYS.iter().map(DevAccount::from_key).collect();
        let accounts = accounts.and_then(|accounts| <[DevAccount; 10]>::try_from(accounts).ok());
        let accounts =
            accounts.ok_or_else(|| SandboxError::new("a development key is malformed"))?;
        let clock = Arc::new(SandboxClock::new(clock));
        let node = Node::new(CHAIN_ID, BASE_FEE, clock.now_seconds());
        let sandbox = Self {
            shared: Arc::new(Shared::new(node, clock)),
            accounts: Arc::new(accounts),
            facilitator: Arc::default(),
        };
        sandbox.genesis()?;
        Ok(sandbox)
    }

    fn genesis(&self) -> Result<(), SandboxError> {
        for (address, hex) in [
            (PERMIT2, TEST_PERMIT2),
            (EXACT_PERMIT2_PROXY, TEST_EXACT_PROXY),
            (UPTO_PERMIT2_PROXY, TEST_UPTO_PROXY),
        ] {
            self.set_code(address, built_in(hex)?)?;
        }
        let usd = built_in(TEST_USD)?;
        self.place_token(USDC, usd.clone(), "USDC", "USDC", "2")?;
        self.place_token(SECOND_TOKEN, usd, "Test USD", "TUSD", "1")?;
        let asset = self.permit_asset();
        self.place(PERMIT_TOKEN, built_in(TEST_PERMIT_TOKEN)?, &asset)?;
        let units = U256::from(GENESIS_TOKENS) * U256::from(1_000_000_000_000_u64);
        for account in self.accounts.iter() {
            self.set_native_balance(account.address(), U256::from(GENESIS_WEI));
            self.mint(USDC, account.address(), GENESIS_TOKENS)?;
            self.mint(SECOND_TOKEN, account.address(), GENESIS_TOKENS)?;
            self.mint_units(PERMIT_TOKEN, account.address(), units)?;
        }
        Ok(())
    }

    /// The development accounts. By custom 0 pays, 1 is paid, 2 settles.
    #[must_use]
    pub fn accounts(&self) -> &[DevAccount; 10] {
        &self.accounts
    }

    /// The account that buys in the examples.
    #[must_use]
    pub fn payer(&self) -> Address {
        let [payer, ..] = &*self.accounts;
        payer.address()
    }

    /// The account that is paid in the examples.
    #[must_use]
    pub fn seller(&self) -> Address {
        let [_, seller, ..] = &*self.accounts;
        seller.address()
    }

    /// The account that sends the settlements and pays their gas.
    #[must_use]
    pub fn settler(&self) -> Address {
        let [_, _, settler, ..] = &*self.accounts;
        settler.address()
    }

    /// The network that payments name.
    #[must_use]
    pub const fn network(&self) -> Network {
        Network::evm(CHAIN_ID)
    }

    /// The main test token's address.
    #[must_use]
    pub const fn usdc(&self) -> Address {
        USDC
    }

    /// The second test token, for sellers that accept two.
    #[must_use]
    pub fn second_asset(&self) -> Asset {
        Asset {
            network: self.network(),
            address: SECOND_TOKEN,
            symbol: "TUSD".into(),
            decimals: DECIMALS,
            eip712: Some(Eip712Name {
                name: "Test USD".into(),
                version: "1".into(),
            }),
            transfer: TransferMethod::Eip3009,
            eip2612: true,
            usd_pegged: true,
        }
    }

    /// The third test token, which is paid through Permit2: 18 decimals, and the approval may be a signature.
    ///
    /// ```
    /// use x402_runtime::sandbox::Sandbox;
    /// let asset = Sandbox::new()?.permit_asset();
    /// assert_eq!((&*asset.symbol, asset.decimals), ("PUSD", 18));
    /// # Ok::<(), x402_runtime::sandbox::SandboxError>(())
    /// ```
    #[must_use]
    pub fn permit_asset(&self) -> Asset {
        Asset {
            network: self.network(),
            address: PERMIT_TOKEN,
            symbol: "PUSD".into(),
            decimals: PERMIT_TOKEN_DECIMALS,
            eip712: Some(Eip712Name {
                name: "Permit Test USD".into(),
                version: "1".into(),
            }),
            transfer: TransferMethod::Permit2,
            eip2612: true,
            usd_pegged: true,
        }
    }

    /// The sandbox's time, for everything that must agree with it.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock) as Arc<dyn Clock>
    }

    /// The chain, as settlement code sees it.
    #[must_use]
    pub fn chain(&self) -> Arc<dyn Chain> {
        Arc::new(SandboxChain(Arc::clone(&self.shared)))
    }

    /// The facilitator that settles on this chain: the code that also settles on real ones. Always the same one.
    #[must_use]
    pub fn facilitator(&self) -> Arc<EvmFacilitator> {
        Arc::clone(
            self.facilitator
                .get_or_init(|| Arc::new(self.facilitator_with(EvmConfig::sandbox()))),
        )
    }

    /// Another facilitator on this chain, with other limits but the same settling account.
    #[must_use]
    pub fn facilitator_with(&self, config: EvmConfig) -> EvmFacilitator {
        let [_, _, settler, ..] = &*self.accounts;
        let key = SettlerKey::from_signer(settler.signer());
        EvmFacilitator::assemble(self.chain(), CHAIN_ID, vec![key], config, self.clock())
    }

    /// An account's balance of the main test token.
    ///
    /// # Errors
    /// Never for the built-in token.
    pub fn token_balance(&self, account: Address) -> Result<AtomicAmount, SandboxError> {
        self.balance_of(USDC, account)
    }
}

/// Code that is part of this crate.
fn built_in(hex: &str) -> Result<Bytes, SandboxError> {
    hex.trim()
        .parse()
        .map_err(|_| SandboxError::new("built-in code is not hex"))
}
