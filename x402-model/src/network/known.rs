//! The networks this crate knows by name.

use super::Network;

/// Where a known network is found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Id {
    /// EIP-155 chain id.
    Evm(u64),
    /// Full CAIP-2 name.
    Name(&'static str),
}

/// One known network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Short name; the wire name of x402 version 1 if `v1`.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) id: Id,
    pub(super) testnet: bool,
    /// Whether version 1 of the protocol knows `name`.
    pub(super) v1: bool,
}

impl Known {
    pub(super) fn network(&self) -> Network {
        match self.id {
            Id::Evm(chain_id) => Network::Eip155(chain_id),
            Id::Name(name) => Network::Other(name.into()),
        }
    }
}

/// The entry of a network.
pub(super) fn find(network: &Network) -> Option<&'static Known> {
    ALL.iter().find(|known| match (known.id, network) {
        (Id::Evm(known_id), Network::Eip155(chain_id)) => known_id == *chain_id,
        (Id::Name(known_name), Network::Other(name)) => known_name == &**name,
        _ => false,
    })
}

const fn main(name: &'static str, title: &'static str, chain_id: u64) -> Known {
    Known {
        name,
        title,
        id: Id::Evm(chain_id),
        testnet: false,
        v1: true,
    }
}

const fn test(name: &'static str, title: &'static str, chain_id: u64) -> Known {
    Known {
        name,
        title,
        id: Id::Evm(chain_id),
        testnet: true,
        v1: true,
    }
}

const fn solana(name: &'static str, title: &'static str, id: &'static str, testnet: bool) -> Known {
    Known {
        name,
        title,
        id: Id::Name(id),
        testnet,
        v1: true,
    }
}

/// The same network for settings and messages only: version 1 never named it.
const fn unnamed(known: Known) -> Known {
    Known { v1: false, ..known }
}

/// Every known network; names and ids are unique.
pub(super) const ALL: &[Known] = &[
    main("base", "Base", 8453),
    test("base-sepolia", "Base Sepolia", 84_532),
    main("ethereum", "Ethereum", 1),
    test("sepolia", "Sepolia", 11_155_111),
    main("avalanche", "Avalanche", 43_114),
    test("avalanche-fuji", "Avalanche Fuji", 43_113),
    main("polygon", "Polygon", 137),
    test("polygon-amoy", "Polygon Amoy", 80_002),
    main("abstract", "Abstract", 2741),
    test("abstract-testnet", "Abstract Testnet", 11_124),
    main("iotex", "IoTeX", 4689),
    main("sei", "Sei", 1329),
    test("sei-testnet", "Sei Testnet", 1328),
    main("peaq", "peaq", 3338),
    main("story", "Story", 1514),
    main("educhain", "EDU Chain", 41_923),
    test("skale-base-sepolia", "SKALE Base Sepolia", 324_705_682),
    main("megaeth", "MegaETH", 4326),
    main("monad", "Monad", 143),
    main("stable", "Stable", 988),
    test("stable-testnet", "Stable Testnet", 2201),
    main("celo", "Celo", 42_220),
    main("flare", "Flare", 14),
    solana(
        "solana",
        "Solana",
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
        false,
    ),
    solana(
        "solana-devnet",
        "Solana Devnet",
        "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
        true,
    ),
    solana(
        "solana-testnet",
        "Solana Testnet",
        "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z",
        true,
    ),
    unnamed(main("arbitrum", "Arbitrum One", 42_161)),
    unnamed(test("arbitrum-sepolia", "Arbitrum Sepolia", 421_614)),
    unnamed(test("celo-sepolia", "Celo Sepolia", 11_142_220)),
    unnamed(main("adi", "ADI", 36_900)),
    unnamed(main("hpp", "HPP", 190_415)),
    unnamed(test("hpp-sepolia", "HPP Sepolia", 181_228)),
    unnamed(main("xdc", "XDC", 50)),
    unnamed(test("xdc-apothem", "XDC Apothem", 51)),
    unnamed(main("mezo", "Mezo", 31_612)),
    unnamed(test("mezo-testnet", "Mezo Testnet", 31_611)),
    unnamed(main("radius", "Radius", 723_487)),
    unnamed(test("radius-testnet", "Radius Testnet", 72_344)),
    unnamed(main("igra", "Igra", 38_833)),
    unnamed(test("anvil", "Anvil", 31_337)),
];
