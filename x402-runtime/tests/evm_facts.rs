//! What tokens can do and what settlements cost, asked from the contracts themselves.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/permit2.rs"]
mod permit2;
#[path = "evm_support/support.rs"]
mod support;

use alloy_primitives::{Address, B256, Bytes, U256};
use permit2::{Permit2Payment, approval, approve_all};
use support::{Payment, artifact, sandbox, settled};
use x402_model::evm::permit2::UPTO_PERMIT2_PROXY;
use x402_runtime::evm::{SettlePath, TokenFacts, token_facts};
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest};
use x402_runtime::sandbox::{PERMIT_TOKEN, SECOND_TOKEN, Sandbox, USDC};

async fn facts(sandbox: &Sandbox, token: Address) -> TokenFacts {
    token_facts(&*sandbox.chain(), token)
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn the_sandboxes_tokens_are_what_its_assets_say() {
    let (sandbox, _) = sandbox();
    for asset in [sandbox.second_asset(), sandbox.permit_asset()] {
        let facts = facts(&sandbox, asset.address).await;
        assert_eq!(facts.symbol.as_deref(), Some(&*asset.symbol));
        assert_eq!(facts.decimals, Some(asset.decimals));
        assert_eq!(facts.eip712, asset.eip712);
        assert_eq!(facts.eip2612, asset.eip2612);
        let eip3009 = x402_model::asset::TransferMethod::Eip3009;
        assert_eq!(facts.eip3009, asset.takes(eip3009));
        assert!(facts.permit2_exact && facts.permit2_upto);
    }
    assert_eq!(facts(&sandbox, USDC).await.name.as_deref(), Some("USDC"));
    assert!(facts(&sandbox, SECOND_TOKEN).await.eip3009);
    assert!(!facts(&sandbox, PERMIT_TOKEN).await.eip3009);
}

#[tokio::test]
async fn odd_permits_and_silent_fallbacks_are_not_taken_for_eip2612() {
    let (sandbox, _) = sandbox();
    for (name, domain) in [("DaiLikeToken", true), ("WethLikeToken", false)] {
        let token = Address::repeat_byte(0xda);
        sandbox.set_code(token, Bytes::new()).unwrap();
        let placed = sandbox.place_token(token, artifact(name).runtime, "Odd", "ODD", "1");
        // The second one finds itself named already.
        assert!(placed.is_ok() || !domain);
        let facts = facts(&sandbox, token).await;
        assert_eq!((facts.eip3009, facts.eip2612), (false, false), "{name}");
        assert_eq!(facts.eip712.is_some(), domain, "{name}");
        assert!(facts.permit2_exact, "{name}");
    }
    let none = token_facts(&*sandbox.chain(), Address::repeat_byte(0x99)).await;
    assert_eq!(none.unwrap(), None);
    sandbox.set_code(UPTO_PERMIT2_PROXY, Bytes::new()).unwrap();
    let facts = facts(&sandbox, USDC).await;
    assert!(facts.permit2_exact && !facts.permit2_upto);
}

/// What the settling account used for one settlement, whatever it sent before it.
async fn gas(sandbox: &Sandbox, request: FacilitatorRequest) -> u64 {
    let response = settled(sandbox.facilitator().settle(&request).await);
    let hash: B256 = response.transaction.parse().unwrap();
    let receipt = sandbox.chain().receipt(hash).await.unwrap().unwrap();
    let before = sandbox.transaction_count(sandbox.settler()) - 1;
    receipt.gas_used + 21_000 * before
}

#[tokio::test]
async fn the_gas_of_every_path_is_what_the_constants_say() {
    let mut measured = Vec::new();
    for path in SettlePath::ALL {
        let (sandbox, _) = sandbox();
        let approved = Permit2Payment::exact(&sandbox);
        let request = match path {
            SettlePath::Eip3009 => Payment::new(&sandbox).request(),
            SettlePath::Permit2WithPermit => approved.with_permit(&sandbox, "USDC", "2").request(),
            SettlePath::Permit2WithApproval => {
                sandbox.set_native_balance(sandbox.payer(), U256::ZERO);
                let transaction = approval(&sandbox, sandbox.payer(), USDC);
                approved.with_transaction(&transaction).request()
            }
            SettlePath::Permit2Upto => {
                approve_all(&sandbox);
                Permit2Payment::upto(&sandbox).charging(777)
            }
            _ => {
                approve_all(&sandbox);
                approved.request()
            }
        };
        measured.push((path, gas(&sandbox, request).await));
    }
    println!("{measured:?}");
    for (path, gas) in measured {
        let constant = path.gas();
        let near = gas.abs_diff(constant) <= constant / 20;
        assert!(
            near,
            "{path:?} took {gas}, and the constant says {constant}"
        );
    }
}
