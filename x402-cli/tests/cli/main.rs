//! The program as its users run it: the built binary against a real paywall that settles on a chain in this process.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod by_id;
mod calls;
mod clients;
mod diffs;
mod docs;
mod documents;
mod home;
mod manifests;
mod mistakes;
mod open;
mod secrets;
mod seller;
mod shell;
mod wallets;

/// Keys that every development tool prints: account 0 buys, 3 is the canary.
const KEYS: [&str; 4] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
];
const BUYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const PAYEE: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
