//! The sandbox chain itself: blocks, receipts, the pool of waiting transactions.

use std::collections::{BTreeMap, HashMap, VecDeque};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, TxKind, U256, keccak256};
use revm::bytecode::Bytecode;
use revm::context::TxEnv;
use revm::context::result::ExecutionResult;

use super::engine::{self, BLOCK_GAS, Place};
use super::tx::PoolTx;
use super::world::{Undo, World};
use crate::evm::chain::{BlockInfo, LogInfo, ReceiptInfo, TransactionInfo};

/// Blocks kept; older ones and their receipts are forgotten.
const MAX_BLOCKS: usize = 16_384;
/// Blocks whose state can still be asked for.
pub(super) const MAX_HISTORY: u64 = 256;
/// Seconds between the empty blocks that stand for the rest of the world's transactions.
const BLOCK_SECONDS: u64 = 2;
/// Empty blocks made at once after a long sleep.
const MAX_CATCH_UP: u64 = 64;

#[derive(Debug)]
pub(super) struct Block {
    pub(super) info: BlockInfo,
    pub(super) transactions: Vec<B256>,
    pub(super) undo: Vec<Undo>,
}

/// The whole chain. Everything here is synchronous; callers hold a lock.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) chain_id: u64,
    pub(super) base_fee: u64,
    pub(super) automine: bool,
    pub(super) world: World,
    pub(super) blocks: VecDeque<Block>,
    pub(super) receipts: HashMap<B256, ReceiptInfo>,
    /// The transactions that the receipts are of.
    pub(super) sent: HashMap<B256, TransactionInfo>,
    pub(super) pool: BTreeMap<Address, BTreeMap<u64, PoolTx>>,
    /// Changes made by hand since the last block.
    pub(super) loose: Vec<Undo>,
}

/// How a transaction made by the sandbox's owner ended.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) receipt: ReceiptInfo,
    pub(super) output: Bytes,
    pub(super) created: Option<Address>,
}

impl Node {
    pub(super) fn new(chain_id: u64, base_fee: u64, now: u64) -> Self {
        let info = BlockInfo {
            number: 0,
            hash: B256::repeat_byte(0x42),
            timestamp: now,
            base_fee: Some(base_fee.into()),
        };
        Self {
            chain_id,
            base_fee,
            automine: true,
            world: World::default(),
            blocks: VecDeque::from([Block {
                info,
                transactions: Vec::new(),
                undo: Vec::new(),
            }]),
            receipts: HashMap::new(),
            sent: HashMap::new(),
            pool: BTreeMap::new(),
            loose: Vec::new(),
        }
    }

    /// The newest block.
    pub(super) fn latest(&self) -> BlockInfo {
        self.blocks.back().map_or(
            BlockInfo {
                number: 0,
                hash: B256::ZERO,
                timestamp: 0,
                base_fee: None,
            },
            |block| block.info,
        )
    }

    pub(super) fn block(&self, number: u64) -> Option<BlockInfo> {
        self.find(number).map(|block| block.info)
    }

    fn find(&self, number: u64) -> Option<&Block> {
        let first = self.blocks.front()?.info.number;
        self.blocks
            .get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// The block that would be mined now.
    pub(super) fn next_place(&self, now: u64) -> Place {
        let latest = self.latest();
        Place {
            chain_id: self.chain_id,
            number: latest.number.saturating_add(1),
            timestamp: now.max(latest.timestamp),
            base_fee: self.base_fee,
        }
    }

    /// Mines the empty blocks that a busy chain would have mined since the last one.
    pub(super) fn catch_up(&mut self, now: u64) {
        if !self.automine {
            return;
        }
        let missing = now.saturating_sub(self.latest().timestamp) / BLOCK_SECONDS;
        for back in (0..missing.min(MAX_CATCH_UP)).rev() {
            self.seal(
                now.saturating_sub(back.saturating_mul(BLOCK_SECONDS)),
                Vec::new(),
                Vec::new(),
            );
        }
    }

    fn seal(&mut self, timestamp: u64, transactions: Vec<B256>, undo: Vec<Undo>) {
        let parent = self.latest();
        let number = parent.number.saturating_add(1);
        let mut seed = parent.hash.to_vec();
        seed.extend_from_slice(&number.to_be_bytes());
        seed.extend_from_slice(&timestamp.to_be_bytes());
        transactions
            .iter()
            .for_each(|hash| seed.extend_from_slice(hash.as_slice()));
        let info = BlockInfo {
            number,
            hash: keccak256(&seed),
            timestamp: timestamp.max(parent.timestamp),
            base_fee: Some(self.base_fee.into()),
        };
        for hash in &transactions {
            if let Some(receipt) = self.receipts.get_mut(hash) {
                receipt.block_hash = info.hash;
            }
        }
        let mut all = std::mem::take(&mut self.loose);
        all.extend(undo);
        self.blocks.push_back(Block {
            info,
            transactions,
            undo: all,
        });
        self.forget();
    }

    fn forget(&mut self) {
        let too_old = self
            .blocks
            .len()
            .checked_sub(usize::try_from(MAX_HISTORY).unwrap_or(usize::MAX));
        if let Some(block) = too_old.and_then(|index| self.blocks.get_mut(index)) {
            block.undo = Vec::new();
        }
        while self.blocks.len() > MAX_BLOCKS {
            for hash in self
                .blocks
                .pop_front()
                .map(|block| block.transactions)
                .unwrap_or_default()
            {
                self.receipts.remove(&hash);
                self.sent.remove(&hash);
            }
        }
    }

    /// Mines every waiting transaction that can be mined, in one block (or one each when `each_its_own`).
    pub(super) fn mine(&mut self, now: u64, each_its_own: bool) {
        let (mut hashes, mut undo) = (Vec::new(), Vec::new());
        while let Some(tx) = self.next_ready() {
            let place = self.next_place(now);
            let price = tx.price(self.base_fee);
            if let Some(done) = self.execute(place, tx.env, false, tx.hash, price) {
                hashes.push(tx.hash);
                undo.push(done.1);
            }
            if each_its_own {
                self.seal(now, std::mem::take(&mut hashes), std::mem::take(&mut undo));
            }
        }
        if !each_its_own {
            self.seal(now, hashes, undo);
        }
    }

    /// Runs and commits one transaction; `None` when it could not start (its sender ran out of money meanwhile).
    fn execute(
        &mut self,
        place: Place,
        env: TxEnv,
        free: bool,
        hash: B256,
        price: u128,
    ) -> Option<(Executed, Undo)> {
        let sent = TransactionInfo {
            hash,
            from: env.caller,
            to: env.kind.to().copied(),
            input: env.data.clone(),
        };
        let done = engine::run(&self.world, place, env, free).ok()?;
        self.sent.insert(hash, sent);
        let undo = self.world.commit(done.state);
        let (status, gas_used) = (done.result.is_success(), done.result.tx_gas_used());
        let created = done.result.created_address();
        let output = done.result.output().cloned().unwrap_or_default();
        let logs = match done.result {
            ExecutionResult::Success { logs, .. } => logs,
            _ => Vec::new(),
        };
        let logs = logs.into_iter().map(|log| LogInfo {
            address: log.address,
            topics: log.data.topics().to_vec(),
            data: log.data.data,
            transaction: hash,
            block_number: place.number,
        });
        let receipt = ReceiptInfo {
            transaction: hash,
            status,
            block_number: place.number,
            block_hash: B256::ZERO,
            gas_used,
            effective_gas_price: price,
            logs: logs.collect(),
        };
        self.receipts.insert(hash, receipt.clone());
        Some((
            Executed {
                receipt,
                output,
                created,
            },
            undo,
        ))
    }

    /// Runs a transaction of any sender without a signature or a fee, in a block of its own.
    pub(super) fn execute_free(
        &mut self,
        now: u64,
        from: Address,
        kind: TxKind,
        data: Bytes,
    ) -> Option<Executed> {
        let nonce = self.nonce(from);
        let mut seed = from.to_vec();
        seed.extend_from_slice(&self.latest().hash[..]);
        seed.extend_from_slice(&nonce.to_be_bytes());
        let hash = keccak256(&seed);
        let env = engine::free_tx(from, kind, data, BLOCK_GAS, nonce);
        let (done, undo) = self.execute(self.next_place(now), env, true, hash, 0)?;
        self.seal(now, vec![hash], vec![undo]);
        Some(done)
    }

    /// Sets an account's native balance; takes effect at once and belongs to the next block.
    pub(super) fn set_balance(&mut self, address: Address, wei: U256) {
        let undo = self.world.edit(address, |info| info.balance = wei);
        self.loose.push(undo);
    }

    /// Sets an account's code; an EIP-7702 designator (`0xef0100` + address) delegates. Empty takes the code away.
    pub(super) fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), String> {
        let (hash, code) = if code.is_empty() {
            (KECCAK256_EMPTY, Bytecode::default())
        } else {
            (
                keccak256(&code),
                Bytecode::new_raw_checked(code).map_err(|error| error.to_string())?,
            )
        };
        let undo = self.world.edit(address, |info| {
            info.code_hash = hash;
            info.code = Some(code);
        });
        self.loose.push(undo);
        Ok(())
    }

    pub(super) fn nonce(&self, address: Address) -> u64 {
        self.world.account(address).map_or(0, |info| info.nonce)
    }

    pub(super) fn balance(&self, address: Address) -> U256 {
        self.world
            .account(address)
            .map(|info| info.balance)
            .unwrap_or_default()
    }

    pub(super) fn code(&self, address: Address) -> Bytes {
        let code = self
            .world
            .account(address)
            .and_then(|info| info.code.as_ref());
        code.map(Bytecode::original_bytes).unwrap_or_default()
    }

    /// Takes the newest blocks back with all they held; their transactions do not return to the pool.
    pub(super) fn reorg(&mut self, depth: u64) {
        for undo in std::mem::take(&mut self.loose).into_iter().rev() {
            self.world.take_back(undo);
        }
        for _ in 0..depth.min(MAX_HISTORY.saturating_sub(1)) {
            if self.blocks.len() <= 1 {
                return;
            }
            let Some(block) = self.blocks.pop_back() else {
                return;
            };
            block
                .undo
                .into_iter()
                .rev()
                .for_each(|undo| self.world.take_back(undo));
            block.transactions.iter().for_each(|hash| {
                self.receipts.remove(hash);
                self.sent.remove(hash);
            });
        }
    }
}
