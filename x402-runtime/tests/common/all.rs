//! What the gate's tests share: a buyer that signs, a facilitator that does as it is told, and a shop to sell from.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "every test program uses a part of it"
)]

#[path = "buyer.rs"]
pub mod buyer;
#[path = "double.rs"]
pub mod double;
#[path = "shop.rs"]
pub mod shop;

pub use buyer::{Buyer, Change};
pub use double::{Double, Script};
pub use shop::{Answer, NOW, PAY_TO, Shop, Stand};
