//! What tests and examples may do to the sandbox chain besides sending transactions.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{SolCall, sol};
use x402_model::asset::{Asset, Eip712Name};
use x402_model::evm::Eip712Domain;
use x402_model::evm::eip712::CANCEL_AUTHORIZATION_TYPE_HASH;
use x402_model::evm::permit2::PERMIT2;
use x402_model::money::AtomicAmount;

use super::chain::SendFault;
use super::node::Executed;
use super::{CHAIN_ID, DevAccount, Sandbox, SandboxError};
use crate::evm::abi::Eip3009Token::{balanceOfCall, nameCall, versionCall};
use crate::evm::abi::revert_reason;
use crate::evm::chain::{BlockInfo, BlockRef, CallError, CallRequest, ReceiptInfo};

sol! {
    function initialize(string name, string symbol, string version, uint8 decimals) external;
    function mint(address to, uint256 value) external;
    function approve(address spender, uint256 value) external returns (bool);
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature) external;
}

/// Sends what no account of its own sends.
const ROOT: Address = Address::repeat_byte(0x40);

impl Sandbox {
    /// A signer with the buying account's key.
    #[must_use]
    pub fn payer_signer(&self) -> PrivateKeySigner {
        let [payer, ..] = &*self.accounts;
        payer.signer()
    }

    /// Puts code at an address; an EIP-7702 designator (`0xef0100` + address) makes the account delegate.
    ///
    /// # Errors
    /// When the code is a malformed delegation.
    pub fn set_code(&self, address: Address, code: impl Into<Bytes>) -> Result<(), SandboxError> {
        self.shared
            .node()
            .set_code(address, code.into())
            .map_err(SandboxError::new)
    }

    /// Makes a plain account delegate to `delegate` (EIP-7702), as if it had signed that.
    ///
    /// # Errors
    /// Never in practice; see [`Sandbox::set_code`].
    pub fn delegate(&self, account: Address, delegate: Address) -> Result<(), SandboxError> {
        self.set_code(account, [&[0xef, 0x01, 0x00], delegate.as_slice()].concat())
    }

    /// Puts a token with `TestUsd`'s `initialize` at an address. It has 6 decimals.
    ///
    /// # Errors
    /// When the code has no such function.
    pub fn place_token(
        &self,
        address: Address,
        code: impl Into<Bytes>,
        name: &str,
        symbol: &str,
        version: &str,
    ) -> Result<(), SandboxError> {
        let asset = Asset {
            address,
            symbol: symbol.to_owned().into(),
            eip712: Some(Eip712Name {
                name: name.to_owned().into(),
                version: version.to_owned().into(),
            }),
            ..self.second_asset()
        };
        self.place(address, code, &asset)
    }

    /// Puts a token at an address and initialises it as `asset` says.
    pub(super) fn place(
        &self,
        address: Address,
        code: impl Into<Bytes>,
        asset: &Asset,
    ) -> Result<(), SandboxError> {
        self.set_code(address, code)?;
        let domain = asset.eip712.as_ref();
        let call = initializeCall {
            name: domain
                .map(|domain| domain.name.to_string())
                .unwrap_or_default(),
            symbol: asset.symbol.to_string(),
            version: domain
                .map(|domain| domain.version.to_string())
                .unwrap_or_default(),
            decimals: asset.decimals,
        };
        self.transact_as(ROOT, address, call.abi_encode()).map(drop)
    }

    /// Deploys a contract from creation code (with constructor arguments appended) and returns its address.
    ///
    /// # Errors
    /// When the constructor reverts.
    pub fn deploy(&self, creation: impl Into<Bytes>) -> Result<Address, SandboxError> {
        let done = self.execute(ROOT, TxKind::Create, creation.into())?;
        done.created
            .ok_or_else(|| SandboxError::new("nothing was created"))
    }

    /// Runs a transaction as any sender, without signature or fee, in a block of its own.
    ///
    /// # Errors
    /// When the contract reverts.
    pub fn transact_as(
        &self,
        from: Address,
        to: Address,
        data: impl Into<Bytes>,
    ) -> Result<ReceiptInfo, SandboxError> {
        self.execute(from, TxKind::Call(to), data.into())
            .map(|done| done.receipt)
    }

    fn execute(&self, from: Address, kind: TxKind, data: Bytes) -> Result<Executed, SandboxError> {
        let now = self.shared.now();
        let done = self.shared.node().execute_free(now, from, kind, data);
        let done = done.ok_or_else(|| SandboxError::new("the transaction could not run"))?;
        if done.receipt.status {
            return Ok(done);
        }
        Err(SandboxError::new(
            revert_reason(&done.output).unwrap_or_else(|| "reverted".to_owned()),
        ))
    }

    /// Reads from a contract at the newest block.
    ///
    /// # Errors
    /// When the contract reverts.
    pub fn read(&self, to: Address, data: impl Into<Bytes>) -> Result<Bytes, SandboxError> {
        let request = CallRequest {
            from: ROOT,
            to,
            data: data.into(),
            gas: None,
        };
        let now = self.shared.now();
        let answer = self.shared.node().call(now, &request, BlockRef::Latest);
        answer.map_err(|error: CallError| SandboxError::new(error.to_string()))
    }

    /// Creates tokens out of nothing.
    ///
    /// # Errors
    /// When the token refuses.
    pub fn mint(&self, token: Address, to: Address, atomic: u64) -> Result<(), SandboxError> {
        self.mint_units(token, to, U256::from(atomic))
    }

    /// Creates tokens out of nothing, as many as no 64 bits can hold.
    ///
    /// # Errors
    /// When the token refuses.
    pub fn mint_units(
        &self,
        token: Address,
        to: Address,
        atomic: U256,
    ) -> Result<(), SandboxError> {
        let call = mintCall { to, value: atomic };
        self.transact_as(ROOT, token, call.abi_encode()).map(drop)
    }

    /// Lets Permit2 move up to so much of an account's tokens, as if the account had sent the approval itself.
    ///
    /// # Errors
    /// When the address is not a token.
    pub fn approve_permit2(
        &self,
        token: Address,
        owner: Address,
        atomic: U256,
    ) -> Result<(), SandboxError> {
        let call = approveCall {
            spender: PERMIT2,
            value: atomic,
        };
        self.transact_as(owner, token, call.abi_encode()).map(drop)
    }

    /// An account's balance of any token.
    ///
    /// # Errors
    /// When the address is not a token.
    pub fn balance_of(
        &self,
        token: Address,
        account: Address,
    ) -> Result<AtomicAmount, SandboxError> {
        let answer = self.read(token, balanceOfCall { account }.abi_encode())?;
        balanceOfCall::abi_decode_returns(&answer)
            .map(AtomicAmount::new)
            .map_err(|_| SandboxError::new("not a token"))
    }

    /// Has a development account cancel one of its authorizations, mined at once.
    ///
    /// # Errors
    /// When the nonce is used already.
    pub fn cancel_authorization(
        &self,
        token: Address,
        authorizer: &DevAccount,
        nonce: B256,
    ) -> Result<ReceiptInfo, SandboxError> {
        let text = |data: Vec<u8>| -> Result<String, SandboxError> {
            let answer = self.read(token, data)?;
            nameCall::abi_decode_returns(&answer).map_err(|_| SandboxError::new("not a token"))
        };
        let domain = Eip712Domain {
            name: text(nameCall {}.abi_encode())?,
            version: text(versionCall {}.abi_encode())?,
            chain_id: CHAIN_ID,
            verifying_contract: token,
        };
        let words = [
            CANCEL_AUTHORIZATION_TYPE_HASH,
            authorizer.address().into_word(),
            nonce,
        ];
        let struct_hash = keccak256(words.map(|word| word.0).concat());
        let signature = authorizer.sign(domain.separator().digest(struct_hash))?;
        let call = cancelAuthorizationCall {
            authorizer: authorizer.address(),
            nonce,
            signature: signature.to_vec().into(),
        };
        self.transact_as(ROOT, token, call.abi_encode())
    }

    /// Sets an account's native money in wei.
    pub fn set_native_balance(&self, account: Address, wei: U256) {
        self.shared.node().set_balance(account, wei);
    }

    /// An account's native money in wei.
    #[must_use]
    pub fn native_balance(&self, account: Address) -> U256 {
        self.shared.node().balance(account)
    }

    /// How many transactions an account has sent that were mined.
    #[must_use]
    pub fn transaction_count(&self, account: Address) -> u64 {
        self.shared.node().nonce(account)
    }

    /// The newest block.
    #[must_use]
    pub fn latest_block(&self) -> BlockInfo {
        self.shared.node().latest()
    }

    /// Whether a transaction is mined the moment it comes (the default). With `false` it waits for
    /// [`Sandbox::mine`], and no empty blocks appear either.
    pub fn set_automine(&self, automine: bool) {
        self.shared.node().automine = automine;
    }

    /// Mines one block with everything that waits and can be mined.
    pub fn mine(&self) {
        let now = self.shared.now();
        self.shared.node().mine(now, false);
    }

    /// Mines empty blocks until `blocks` more exist.
    pub fn mine_blocks(&self, blocks: u64) {
        for _ in 0..blocks {
            self.mine();
        }
    }

    /// Forgets every waiting transaction and says how many there were.
    pub fn drop_pending(&self) -> usize {
        self.shared.node().drop_pending()
    }

    /// Takes the newest `depth` blocks back; what they held never happened.
    pub fn reorg(&self, depth: u64) {
        self.shared.node().reorg(depth);
    }

    /// Sets the base fee of blocks from now on, in wei per gas.
    pub fn set_base_fee(&self, wei: u64) {
        self.shared.node().base_fee = wei;
    }

    /// Makes it now `seconds` after the epoch; time runs on from there.
    pub fn set_time(&self, seconds: u64) {
        self.shared.clock.set_ms(seconds.saturating_mul(1000));
    }

    /// Moves the time forwards.
    pub fn advance_seconds(&self, seconds: u64) {
        self.shared.clock.advance_ms(seconds.saturating_mul(1000));
    }

    /// Lets the next broadcast go wrong. Several faults queue up.
    pub fn fail_next_send(&self, fault: SendFault) {
        self.shared.add_fault(fault);
    }

    /// Makes the chain look dead to everything that settles on it, or alive again.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.shared.set_unreachable(unreachable);
    }
}
