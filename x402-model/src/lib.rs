//! What a paid API call is: money, prices, endpoints and the x402 messages, as plain data without IO.

pub mod asset;
pub mod endpoint;
pub mod evm;
pub mod extension;
pub mod manifest;
pub mod money;
pub mod network;
pub mod pointer;
pub mod price;
pub mod problem;
pub mod text;
pub mod wire;
