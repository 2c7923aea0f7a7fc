//! Counts the connections of each address, so that one client cannot take all places.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of all addresses. Bounded by the places that connections hold.
#[derive(Debug)]
pub(super) struct Crowd {
    most: usize,
    present: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Guest {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Crowd {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            present: Mutex::default(),
        })
    }

    /// Lets one more connection of an address in; `None` when it has enough.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let count = present.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Guest {
            crowd: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut present = self
            .crowd
            .present
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = present.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                present.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f09_one_address_cannot_take_all_places() {
        let crowd = Crowd::new(2);
        let (a, b) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = crowd.enter(a);
        let second = crowd.enter(a);
        assert!(first.is_some() && second.is_some() && crowd.enter(a).is_none());
        assert!(crowd.enter(b).is_some());
        drop(first);
        assert!(crowd.enter(a).is_some());
        drop(second);
        assert!(
            crowd.present.lock().unwrap().is_empty(),
            "nobody is remembered"
        );
    }
}
