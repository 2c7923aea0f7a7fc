use std::collections::HashSet;

use alloy_primitives::address;

use super::super::builtin::{self, ROWS};
use super::{AssetError, AssetTable};
use crate::asset::{Asset, Eip712Name, TransferMethod, checksum, parse_address};
use crate::network::Network;
use crate::price::{PriceUnit, is_symbol};

#[test]
fn every_row_keeps_the_table_rules() {
    let mut seen = HashSet::new();
    for row in ROWS {
        assert_eq!(parse_address(row.text), Ok(row.address), "{}", row.text);
        assert_eq!(checksum(row.address), row.text);
        assert!(is_symbol(row.symbol), "{}", row.symbol);
        assert!(
            seen.insert((row.chain_id, row.symbol)),
            "{} twice on {}",
            row.symbol,
            row.chain_id
        );
        assert!(
            Network::evm(row.chain_id).is_testnet().is_some(),
            "{} has no name",
            row.chain_id
        );
        assert!(matches!(row.decimals, 6 | 18));
        if row.decimals == 18 {
            assert_eq!(row.takes.transfer, TransferMethod::Permit2, "{}", row.text);
        }
        let signed = row.takes.transfer == TransferMethod::Eip3009 || row.takes.eip2612;
        match row.domain {
            Some((name, version)) => assert!(["1", "2"].contains(&version) && !name.is_empty()),
            None => assert!(!signed, "{}", row.text),
        }
    }
    let chains: HashSet<_> = ROWS.iter().map(|row| row.chain_id).collect();
    assert_eq!((ROWS.len(), chains.len()), (31, 26));
}

#[test]
fn builtin_rows_pass_the_rules_for_custom_assets() {
    let again = AssetTable::builtin()
        .iter()
        .cloned()
        .try_fold(AssetTable::empty(), AssetTable::with_asset);
    assert_eq!(again.as_ref(), Ok(&AssetTable::builtin()));
    assert_eq!(
        AssetTable::builtin().known_symbols(),
        builtin::known_symbols()
    );
}

#[test]
fn look_ups_find_the_right_token() {
    let table = AssetTable::builtin();
    let celo: Vec<_> = table
        .on(&Network::CELO)
        .map(|asset| asset.symbol.as_ref())
        .collect();
    assert_eq!(celo, ["USDC", "USDT", "USAT"]);
    let usdc = table.by_symbol(&Network::BASE_SEPOLIA, "usdC").unwrap();
    assert_eq!(table.get(&Network::BASE_SEPOLIA, usdc.address), Some(usdc));
    assert_eq!(
        table.get(&Network::BASE, usdc.address),
        None,
        "the same address on another chain is another token"
    );
    assert_eq!(
        table.for_unit(&Network::BASE_SEPOLIA, &PriceUnit::Usd),
        Some(usdc)
    );
    let flare = table.default_for(&Network::evm(14)).unwrap();
    assert_eq!(flare.signing_domain().unwrap().name, "USD₮0");
    let igra = table.default_for(&Network::evm(38_833)).unwrap();
    assert_eq!((igra.signing_domain(), igra.eip712.is_some()), (None, true));
}

#[test]
fn every_token_says_what_it_takes() {
    let table = AssetTable::builtin();
    let takes = |network: &Network, symbol: &str| {
        let asset = table.by_symbol(network, symbol).unwrap();
        let domain = asset.signing_domain().is_some();
        (asset.takes(TransferMethod::Eip3009), asset.eip2612, domain)
    };
    assert_eq!(takes(&Network::BASE, "USDC"), (true, true, true));
    assert_eq!(takes(&Network::CELO, "USDT"), (true, false, true));
    assert_eq!(takes(&Network::evm(4326), "USDM"), (false, true, true));
    assert_eq!(takes(&Network::evm(38_833), "USDC"), (false, false, false));
    for (network, symbol) in [
        (&Network::ETHEREUM, "DAI"),
        (&Network::ETHEREUM, "WETH"),
        (&Network::BASE, "WETH"),
    ] {
        assert_eq!(takes(network, symbol), (false, false, false), "{symbol}");
    }
    assert!(
        table
            .iter()
            .all(|asset| asset.takes(TransferMethod::Permit2))
    );
}

#[test]
fn ether_is_no_dollar_and_a_dollar_price_takes_the_first_dollar_token() {
    let table = AssetTable::builtin();
    let weth = table.by_symbol(&Network::BASE, "weth").unwrap();
    assert!(!weth.usd_pegged && weth.decimals == 18);
    assert_eq!(
        weth.to_atomic("0.000000000000000001".parse().unwrap())
            .unwrap()
            .to_string(),
        "1"
    );
    let dollars = table.for_unit(&Network::ETHEREUM, &PriceUnit::Usd).unwrap();
    assert_eq!(dollars.symbol, "USDC");
}

fn custom() -> Asset {
    Asset {
        network: Network::BASE,
        address: address!("0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42"),
        symbol: "EURC".into(),
        decimals: 6,
        eip712: Some(Eip712Name {
            name: "EURC".into(),
            version: "2".into(),
        }),
        transfer: TransferMethod::Eip3009,
        eip2612: true,
        usd_pegged: false,
    }
}

#[test]
fn custom_assets_are_checked() {
    let table = AssetTable::builtin().with_asset(custom()).unwrap();
    assert!(table.by_symbol(&Network::BASE, "eurc").is_some());
    assert!(matches!(
        table.with_asset(custom()),
        Err(AssetError::Duplicate { .. })
    ));
    let refused = |change: fn(&mut Asset)| {
        let mut asset = custom();
        change(&mut asset);
        AssetTable::builtin().with_asset(asset).unwrap_err()
    };
    assert!(matches!(
        refused(|asset| asset.symbol = "usdc".into()),
        AssetError::Duplicate { .. }
    ));
    assert!(matches!(
        refused(|asset| asset.symbol = "1INCH".into()),
        AssetError::Symbol { .. }
    ));
    assert!(matches!(
        refused(|asset| asset.symbol = "usd".into()),
        AssetError::ReservedSymbol
    ));
    assert!(matches!(
        refused(|asset| asset.network = Network::Other("solana:x".into())),
        AssetError::NotEvm { .. }
    ));
    assert!(matches!(
        refused(|asset| asset.decimals = 78),
        AssetError::Decimals { .. }
    ));
    assert!(matches!(
        refused(|asset| asset.address = alloy_primitives::Address::ZERO),
        AssetError::ZeroAddress
    ));
    assert!(matches!(
        refused(|asset| asset.eip712 = None),
        AssetError::MissingDomain { .. }
    ));
}
