//! The well-known tokens, in the order in which chains prefer them.

use std::borrow::Cow;

use alloy_primitives::{Address, address};

use super::{Asset, Eip712Name, TransferMethod};
use crate::network::Network;

/// One token as written down in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) chain_id: u64,
    /// The address with its checksum, as it is published.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the tests compare it with the address")
    )]
    pub(super) text: &'static str,
    pub(super) address: Address,
    pub(super) symbol: &'static str,
    pub(super) decimals: u8,
    /// Name and version of the EIP-712 domain, where something is signed against the token.
    pub(super) domain: Option<(&'static str, &'static str)>,
    pub(super) takes: Takes,
    pub(super) usd_pegged: bool,
}

/// What a token takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Takes {
    pub(super) transfer: TransferMethod,
    pub(super) eip2612: bool,
}

impl Row {
    pub(super) const fn asset(&self) -> Asset {
        Asset {
            network: Network::evm(self.chain_id),
            address: self.address,
            symbol: Cow::Borrowed(self.symbol),
            decimals: self.decimals,
            eip712: match self.domain {
                Some((name, version)) => Some(Eip712Name {
                    name: Cow::Borrowed(name),
                    version: Cow::Borrowed(version),
                }),
                None => None,
            },
            transfer: self.takes.transfer,
            eip2612: self.takes.eip2612,
            usd_pegged: self.usd_pegged,
        }
    }
}

/// Symbols of the table, each once, in table order.
pub(crate) fn known_symbols() -> Vec<&'static str> {
    let mut symbols: Vec<&'static str> = Vec::new();
    for row in ROWS {
        if !symbols
            .iter()
            .any(|symbol| symbol.eq_ignore_ascii_case(row.symbol))
        {
            symbols.push(row.symbol);
        }
    }
    symbols
}

const EIP3009: Takes = Takes {
    transfer: TransferMethod::Eip3009,
    eip2612: false,
};
/// USDC contracts of version 2, bridged ones included, take permits as well.
const USDC_2: Takes = Takes {
    eip2612: true,
    ..EIP3009
};
const PERMIT2: Takes = Takes {
    transfer: TransferMethod::Permit2,
    eip2612: false,
};
const PERMIT2_2612: Takes = Takes {
    eip2612: true,
    ..PERMIT2
};

macro_rules! row {
    ($chain_id:literal, $symbol:literal, $address:literal, $decimals:literal, $domain:expr, $takes:ident, $usd_pegged:literal) => {
        Row {
            chain_id: $chain_id,
            text: $address,
            address: address!($address),
            symbol: $symbol,
            decimals: $decimals,
            domain: $domain,
            takes: $takes,
            usd_pegged: $usd_pegged,
        }
    };
    ($chain_id:literal, $symbol:literal, $address:literal, $decimals:literal, $name:literal, $version:literal, $takes:ident) => {
        row!(
            $chain_id,
            $symbol,
            $address,
            $decimals,
            Some(($name, $version)),
            $takes,
            true
        )
    };
}

/// The default assets of the x402 ecosystem, and a few more. The first row of a chain is its default.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row!(8453, "USDC", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 6, "USD Coin", "2", USDC_2),
    row!(84_532, "USDC", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", 6, "USDC", "2", USDC_2),
    row!(1, "USDC", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", 6, "USD Coin", "2", USDC_2),
    row!(43_114, "USDC", "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", 6, "USD Coin", "2", USDC_2),
    row!(137, "USDC", "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", 6, "USD Coin", "2", USDC_2),
    row!(42_161, "USDC", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", 6, "USD Coin", "2", USDC_2),
    row!(421_614, "USDC", "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d", 6, "USD Coin", "2", USDC_2),
    row!(143, "USDC", "0x754704Bc059F8C67012fEd69BC8A327a5aafb603", 6, "USDC", "2", USDC_2),
    row!(42_220, "USDC", "0xcebA9300f2b948710d2653dD7B07f33A8B32118C", 6, "USDC", "2", USDC_2),
    row!(42_220, "USDT", "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e", 6, "Tether USD", "1", EIP3009),
    row!(42_220, "USAT", "0xD2ab3C9A02DBBAB236BfEC45D1d755DF4267F771", 6, "Tether America USD", "1", EIP3009),
    row!(11_142_220, "USDC", "0x01C5C0122039549AD1493B8220cABEdD739BC44E", 6, "USDC", "2", USDC_2),
    row!(1329, "USDC", "0xe15fC38F6D8c56aF07bbCBe3BAf5708A2Bf42392", 6, "USDC", "2", USDC_2),
    row!(1328, "USDC", "0x4fCF1784B31630811181f670Aea7A7bEF803eaED", 6, "USDC", "2", USDC_2),
    row!(988, "USDT0", "0x779Ded0c9e1022225f8E0630b35a9b54bE713736", 6, "USDT0", "1", EIP3009),
    row!(2201, "USDT0", "0x78Cf24370174180738C5B8E352B6D14c83a6c9A9", 6, "USDT0", "1", EIP3009),
    row!(14, "USDT0", "0xe7cd86e13AC4309349F30B3435a9d337750fC82D", 6, "USD\u{20AE}0", "1", EIP3009),
    row!(36_900, "USDC.e", "0x9cb8142aEBBcdc60AF7c97Af897A67A8f3CA71C2", 6, "USDC.e", "2", USDC_2),
    row!(190_415, "USDC.e", "0x401eCb1D350407f13ba348573E5630B83638E30D", 6, "Bridged USDC", "2", USDC_2),
    row!(181_228, "USDC.e", "0x401eCb1D350407f13ba348573E5630B83638E30D", 6, "Bridged USDC", "2", USDC_2),
    row!(50, "USDC", "0xfA2958CB79b0491CC627c1557F441eF849Ca8eb1", 6, "USDC", "2", USDC_2),
    row!(51, "USDC", "0xb5AB69F7bBada22B28e79C8FFAECe55eF1c771D4", 6, "USDC", "2", USDC_2),
    row!(4326, "USDM", "0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7", 18, "MegaUSD", "1", PERMIT2_2612),
    row!(31_612, "mUSD", "0xdD468A1DDc392dcdbEf6db6e34E89AA338F9F186", 18, "Mezo USD", "1", PERMIT2_2612),
    row!(31_611, "mUSD", "0x118917a40FAF1CD7a13dB0Ef56C86De7973Ac503", 18, "Mezo USD", "1", PERMIT2_2612),
    row!(723_487, "SBC", "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", 6, "Stable Coin", "1", PERMIT2_2612),
    row!(72_344, "SBC", "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", 6, "Stable Coin", "1", PERMIT2_2612),
    row!(38_833, "USDC", "0xA5b8BF902b2844dA17d4506cc827F7F1681735E7", 6, "USDC", "1", PERMIT2),
    // No signed transfers, and none of them a standard permit: approved by a transaction.
    row!(1, "DAI", "0x6B175474E89094C44Da98b954EedeAC495271d0F", 18, None, PERMIT2, true),
    row!(1, "WETH", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", 18, None, PERMIT2, false),
    row!(8453, "WETH", "0x4200000000000000000000000000000000000006", 18, None, PERMIT2, false),
];
