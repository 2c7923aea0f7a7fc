//! The two chains that sellers run on in tests, behind one set of questions.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use x402_runtime::clock::{Clock, SystemClock};
use x402_runtime::facilitator::Facilitator;
use x402_runtime::sandbox::Sandbox;

use crate::accounts::{self, OTHER, PAYEE, PAYER, SETTLER};
use crate::anvil::{Anvil, FUNDS};
use crate::buyer::Payment;
use crate::seller::Setup;
use crate::token::{TestUsd, USDC};

/// A chain, its clock and the facilitator that settles on it.
pub struct World {
    chain: Chain,
    facilitator: Arc<dyn Facilitator>,
    clock: Arc<dyn Clock>,
}

enum Chain {
    Sandbox(Sandbox),
    Anvil(Box<Anvil>),
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

/// What payer and payee held, and how many transactions the settler had sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    payer: u64,
    payee: u64,
    settlements: u64,
}

impl Books {
    /// Fails unless exactly this much went from payer to payee since, in so many settlement transactions.
    pub async fn moved(&self, world: &World, amount: u64, settlements: u64) {
        let expected = Self {
            payer: self.payer - amount,
            payee: self.payee + amount,
            settlements: self.settlements + settlements,
        };
        assert_eq!(
            world.books().await,
            expected,
            "{amount} should have moved in {settlements} settlements"
        );
    }

    /// Fails unless exactly this much went from payer to payee since, whoever sent it.
    pub async fn tokens_moved(&self, world: &World, amount: u64) {
        let books = world.books().await;
        assert_eq!(
            (books.payer, books.payee),
            (self.payer - amount, self.payee + amount),
            "{amount} should have moved"
        );
    }

    /// What the payer held.
    #[must_use]
    pub const fn payer(&self) -> u64 {
        self.payer
    }
}

impl World {
    /// A chain in this process.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::sandbox_with(Arc::new(SystemClock))
    }

    /// A chain in this process on another clock.
    #[must_use]
    pub fn sandbox_with(clock: Arc<dyn Clock>) -> Self {
        let sandbox = Sandbox::with_clock(clock).expect("the sandbox starts");
        let (facilitator, clock) = (sandbox.facilitator(), sandbox.clock());
        Self {
            chain: Chain::Sandbox(sandbox),
            facilitator,
            clock,
        }
    }

    /// A sandbox as the recordings know their chain: only the payer holds tokens, 5 USDC.
    #[must_use]
    pub fn poor_sandbox(clock: Arc<dyn Clock>) -> Self {
        let world = Self::sandbox_with(clock);
        let sandbox = world.as_sandbox();
        for account in sandbox.accounts() {
            let holds = sandbox
                .token_balance(account.address())
                .expect("the token answers")
                .get();
            let keeps = if account.address() == sandbox.payer() {
                FUNDS
            } else {
                0
            };
            let call = TestUsd::transferCall {
                to: Address::repeat_byte(0xde),
                value: holds - U256::from(keeps),
            };
            sandbox
                .transact_as(account.address(), USDC, call.abi_encode())
                .expect("tokens can be given away");
        }
        world
    }

    /// The real thing: anvil over JSON-RPC.
    pub async fn anvil() -> Self {
        let chain = Anvil::start().await;
        let facilitator = crate::settler::facilitator(chain.url()).await;
        Self::over(chain, facilitator)
    }

    /// A chain with a facilitator of one's own, such as one that reaches the chain through a lying node.
    #[must_use]
    pub fn over(chain: Anvil, facilitator: Arc<dyn Facilitator>) -> Self {
        Self {
            chain: Chain::Anvil(Box::new(chain)),
            facilitator,
            clock: Arc::new(SystemClock),
        }
    }

    /// Verifies and settles on this chain.
    #[must_use]
    pub fn facilitator(&self) -> Arc<dyn Facilitator> {
        Arc::clone(&self.facilitator)
    }

    /// The time that seller and chain share.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The present, Unix seconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.now_ms() / 1000
    }

    /// The sandbox, in a world that is one.
    #[must_use]
    pub fn as_sandbox(&self) -> &Sandbox {
        match &self.chain {
            Chain::Sandbox(sandbox) => sandbox,
            Chain::Anvil(_) => panic!("this world is not a sandbox"),
        }
    }

    /// The anvil chain, in a world that is one.
    #[must_use]
    pub fn as_anvil(&self) -> &Anvil {
        match &self.chain {
            Chain::Anvil(anvil) => anvil,
            Chain::Sandbox(_) => panic!("this world is not anvil"),
        }
    }

    /// The test token's balance in atomic units.
    pub async fn balance(&self, account: Address) -> u64 {
        let balance = match &self.chain {
            Chain::Sandbox(sandbox) => sandbox
                .token_balance(account)
                .expect("the token answers")
                .get(),
            Chain::Anvil(anvil) => anvil.balance(account).await,
        };
        balance.try_into().expect("a balance of a test")
    }

    /// Lets a development account cancel its own authorization.
    pub async fn cancel(&self, authorizer: usize, nonce: B256) {
        match &self.chain {
            Chain::Sandbox(sandbox) => {
                let account = &sandbox.accounts()[authorizer];
                sandbox
                    .cancel_authorization(USDC, account, nonce)
                    .expect("the authorization can be cancelled");
            }
            Chain::Anvil(anvil) => anvil.cancel_authorization(authorizer, nonce).await,
        }
    }

    /// Lets a stranger send a payment to the chain.
    pub async fn broadcast(&self, payment: &Payment) {
        let call = payment.call().abi_encode();
        match &self.chain {
            Chain::Sandbox(sandbox) => {
                let receipt = sandbox
                    .transact_as(accounts::address(OTHER), USDC, call)
                    .expect("it can be sent");
                assert!(receipt.status, "the token takes the payment");
            }
            Chain::Anvil(anvil) => {
                anvil.send(OTHER, USDC, call).await;
            }
        }
    }

    /// Replaces the newest block by an empty one.
    pub async fn reorg(&self) {
        match &self.chain {
            Chain::Sandbox(sandbox) => sandbox.reorg(1),
            Chain::Anvil(anvil) => anvil.reorg(1).await,
        }
    }

    async fn settlements(&self) -> u64 {
        let settler = accounts::address(SETTLER);
        match &self.chain {
            Chain::Sandbox(sandbox) => sandbox.transaction_count(settler),
            Chain::Anvil(anvil) => anvil.transaction_count(settler).await,
        }
    }

    /// What payer and payee hold now.
    pub async fn books(&self) -> Books {
        Books {
            payer: self.balance(accounts::address(PAYER)).await,
            payee: self.balance(accounts::address(PAYEE)).await,
            settlements: self.settlements().await,
        }
    }
}

impl Setup {
    /// A seller in memory on this world's chain and clock.
    #[must_use]
    pub fn on(world: &World) -> Self {
        Self {
            clock: world.clock(),
            ..Self::new(world.facilitator())
        }
    }
}
