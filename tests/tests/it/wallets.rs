//! Payers that are contracts: served when the token takes their payment, and never otherwise (G16).

use alloy_primitives::Address;
use x402_tests::accounts::{self, OTHER, PAYER};
use x402_tests::buyer::Answer;
use x402_tests::contracts;
use x402_tests::seller::{PRICE, Seller, Setup};
use x402_tests::token::USDC;
use x402_tests::world::World;

/// A wallet contract of the payer's, with tokens.
fn wallet(world: &World) -> Address {
    let sandbox = world.as_sandbox();
    let creation = contracts::creation("ERC1271Wallet", accounts::address(PAYER));
    let wallet = sandbox
        .deploy(creation)
        .expect("the wallet can be deployed");
    sandbox
        .mint(USDC, wallet, 10 * PRICE)
        .expect("tokens can be minted");
    wallet
}

/// Pays from this address with the signature of a development account.
async fn pay_from(world: &World, seller: &Seller, from: Address, signer: usize) -> Answer {
    let buyer = seller.buyer();
    let mut payment = buyer.payment(signer, "/news/oslo", world.now()).await;
    payment.from = from;
    buyer.pay("/news/oslo", &payment.header()).await
}

#[tokio::test]
async fn g16_a_contract_wallet_pays_through_its_owner() {
    let world = World::sandbox();
    let wallet = wallet(&world);
    let seller = Seller::start(Setup::on(&world)).await;
    let answer = pay_from(&world, &seller, wallet, PAYER).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.balance(wallet).await, 9 * PRICE);
    let stranger = pay_from(&world, &seller, wallet, OTHER).await;
    assert_eq!(stranger.status, 402, "{stranger:?}");
    assert_eq!(seller.desk.runs("news"), 1);
    assert_eq!(world.balance(wallet).await, 9 * PRICE);
}

#[tokio::test]
async fn g16_a_wallet_that_the_token_does_not_know_is_never_served() {
    let world = World::sandbox();
    let wallet = wallet(&world);
    world
        .as_sandbox()
        .set_code(USDC, contracts::runtime("EcrecoverOnlyToken"))
        .expect("code can be placed");
    let seller = Seller::start(Setup::on(&world)).await;
    let answer = pay_from(&world, &seller, wallet, PAYER).await;
    assert_eq!(answer.status, 402, "{answer:?}");
    assert_eq!(seller.desk.runs("news"), 0);
    assert_eq!(world.balance(wallet).await, 10 * PRICE);
}

#[tokio::test]
async fn g16_a_delegated_account_pays_if_its_delegate_agrees() {
    let world = World::sandbox();
    let sandbox = world.as_sandbox();
    let seller = Seller::start(Setup::on(&world)).await;
    for (name, status) in [("SelfSignerDelegate", 200), ("MuteDelegate", 402)] {
        let delegate = Address::repeat_byte(0xd0);
        sandbox
            .set_code(delegate, contracts::runtime(name))
            .expect("code can be placed");
        sandbox
            .delegate(accounts::address(OTHER), delegate)
            .expect("an account can delegate");
        let answer = pay_from(&world, &seller, accounts::address(OTHER), OTHER).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
    assert_eq!(seller.desk.runs("news"), 1);
}
