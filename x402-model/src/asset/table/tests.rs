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
            assert_ne!(row.transfer, TransferMethod::Eip3009, "{}", row.text);
        }
        assert!(["1", "2"].contains(&row.version) && !row.name.is_empty());
    }
    let chains: HashSet<_> = ROWS.iter().map(|row| row.chain_id).collect();
    assert_eq!((ROWS.len(), chains.len()), (28, 26));
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
