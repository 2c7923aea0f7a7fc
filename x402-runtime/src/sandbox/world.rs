//! The accounts of the sandbox chain, and how to take changes back.

use std::collections::HashMap;
use std::convert::Infallible;

use alloy_primitives::{Address, B256, U256, keccak256};
use revm::DatabaseRef;
use revm::state::{AccountInfo, Bytecode, EvmState};

/// All accounts as of the newest block.
#[derive(Debug, Default)]
pub(super) struct World {
    accounts: HashMap<Address, Entry>,
}

#[derive(Debug, Default, Clone)]
struct Entry {
    info: AccountInfo,
    storage: HashMap<U256, U256>,
}

/// What one set of changes has overwritten.
#[derive(Debug, Default)]
pub(super) struct Undo {
    accounts: Vec<Overwritten>,
}

#[derive(Debug)]
struct Overwritten {
    address: Address,
    /// `None`: the account was not there.
    info: Option<AccountInfo>,
    slots: Vec<(U256, U256)>,
}

impl World {
    /// Writes what an execution changed and returns how to take it back.
    pub(super) fn commit(&mut self, changes: EvmState) -> Undo {
        let mut undo = Undo::default();
        for (address, account) in changes {
            if !account.is_touched() {
                continue;
            }
            let slots: Vec<(U256, U256)> = account
                .storage
                .iter()
                .filter(|(_, slot)| slot.is_changed())
                .map(|(key, slot)| (*key, slot.present_value))
                .collect();
            undo.accounts
                .push(self.write(address, account.info, &slots));
        }
        undo
    }

    /// Changes one account by hand and returns how to take it back.
    pub(super) fn edit(&mut self, address: Address, change: impl FnOnce(&mut AccountInfo)) -> Undo {
        let mut info = self.account(address).cloned().unwrap_or_default();
        change(&mut info);
        Undo {
            accounts: vec![self.write(address, info, &[])],
        }
    }

    fn write(
        &mut self,
        address: Address,
        info: AccountInfo,
        slots: &[(U256, U256)],
    ) -> Overwritten {
        let before = self.accounts.get(&address).map(|entry| entry.info.clone());
        let entry = self.accounts.entry(address).or_default();
        entry.info = info;
        let slots = slots
            .iter()
            .map(|(key, value)| (*key, entry.storage.insert(*key, *value).unwrap_or_default()))
            .collect();
        Overwritten {
            address,
            info: before,
            slots,
        }
    }

    /// Takes the newest changes back.
    pub(super) fn take_back(&mut self, undo: Undo) {
        for Overwritten {
            address,
            info,
            slots,
        } in undo.accounts.into_iter().rev()
        {
            let Some(info) = info else {
                self.accounts.remove(&address);
                continue;
            };
            let entry = self.accounts.entry(address).or_default();
            entry.info = info;
            entry.storage.extend(slots);
        }
    }

    /// The accounts as they were before `undos`, which must be given newest first.
    pub(super) fn before<'a>(&'a self, undos: impl Iterator<Item = &'a Undo>) -> Past<'a> {
        let mut past = Past {
            now: self,
            accounts: HashMap::new(),
            slots: HashMap::new(),
        };
        for overwritten in undos.flat_map(|undo| undo.accounts.iter().rev()) {
            past.accounts
                .insert(overwritten.address, overwritten.info.as_ref());
            for (key, value) in &overwritten.slots {
                past.slots.insert((overwritten.address, *key), *value);
            }
        }
        past
    }

    /// An account, if it was ever touched.
    pub(super) fn account(&self, address: Address) -> Option<&AccountInfo> {
        self.accounts.get(&address).map(|entry| &entry.info)
    }
}

/// The world at an earlier block.
#[derive(Debug)]
pub(super) struct Past<'a> {
    now: &'a World,
    accounts: HashMap<Address, Option<&'a AccountInfo>>,
    slots: HashMap<(Address, U256), U256>,
}

impl DatabaseRef for World {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.account(address).cloned())
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Infallible> {
        // Accounts are kept with their code, so this is asked for nothing but accounts without any.
        let found = self
            .accounts
            .values()
            .find(|entry| entry.info.code_hash == code_hash);
        Ok(found
            .and_then(|entry| entry.info.code.clone())
            .unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, Infallible> {
        let entry = self.accounts.get(&address);
        Ok(entry
            .and_then(|entry| entry.storage.get(&index))
            .copied()
            .unwrap_or_default())
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        // No contract of the sandbox depends on it; a fixed function of the number keeps runs reproducible.
        Ok(keccak256(number.to_be_bytes()))
    }
}

impl DatabaseRef for Past<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        match self.accounts.get(&address) {
            Some(then) => Ok(then.cloned()),
            None => self.now.basic_ref(address),
        }
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Infallible> {
        self.now.code_by_hash_ref(code_hash)
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, Infallible> {
        match self.slots.get(&(address, index)) {
            Some(then) => Ok(*then),
            None => self.now.storage_ref(address, index),
        }
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        self.now.block_hash_ref(number)
    }
}
