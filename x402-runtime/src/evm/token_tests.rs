use super::*;

const ASSET: Address = Address::repeat_byte(0xaa);
const PAYER: Address = Address::repeat_byte(1);
const SELLER: Address = Address::repeat_byte(2);
const OTHER: Address = Address::repeat_byte(3);
const AMOUNT: u64 = 10_000;

fn wanted(nonce: u8) -> Wanted {
    Wanted {
        id: PaymentId {
            asset: ASSET,
            payer: PAYER,
            nonce: B256::repeat_byte(nonce),
        },
        rail: Rail::Eip3009,
        pay_to: SELLER,
        amount: U256::from(AMOUNT),
        dead_at: 0,
    }
}

fn log(address: Address, topics: Vec<B256>, data: Bytes) -> LogInfo {
    LogInfo {
        address,
        topics,
        data,
        transaction: B256::ZERO,
        block_number: 1,
    }
}

fn used(payer: Address, nonce: u8) -> LogInfo {
    let topics = vec![
        AuthorizationUsed::SIGNATURE_HASH,
        payer.into_word(),
        B256::repeat_byte(nonce),
    ];
    log(ASSET, topics, Bytes::new())
}

fn transfer(from: Address, to: Address, value: u64) -> LogInfo {
    let topics = vec![Transfer::SIGNATURE_HASH, from.into_word(), to.into_word()];
    log(ASSET, topics, U256::from(value).to_be_bytes_vec().into())
}

/// Says which of the nonces 1 and 2 are paid in a transaction with these logs.
fn paid(logs: &[LogInfo]) -> [bool; 2] {
    [1, 2].map(|nonce| wanted(nonce).paid_in(logs))
}

/// T4: the payer spends two nonces on itself and sends the price once. Both authorizations are used, a right transfer is in
/// the transaction, and still it pays for at most one answer.
#[test]
fn t4_one_transfer_does_not_pay_for_two_authorizations() {
    let (to_seller, to_self) = (transfer(PAYER, SELLER, AMOUNT), transfer(PAYER, PAYER, 0));
    let (one, two) = (used(PAYER, 1), used(PAYER, 2));
    for logs in [
        vec![
            one.clone(),
            to_self.clone(),
            two.clone(),
            to_self.clone(),
            to_seller.clone(),
        ],
        vec![
            to_seller.clone(),
            one.clone(),
            to_self.clone(),
            two.clone(),
            to_self.clone(),
        ],
        vec![
            one.clone(),
            to_self.clone(),
            to_seller.clone(),
            two.clone(),
            to_self.clone(),
        ],
        vec![one.clone(), two.clone(), to_self.clone(), to_seller.clone()],
    ] {
        assert_eq!(paid(&logs), [false, false], "{logs:?}");
    }
    let logs = [one, to_seller, two, to_self];
    assert_eq!(paid(&logs), [true, false]);
}

#[test]
fn honest_transactions_pay() {
    let to_seller = transfer(PAYER, SELLER, AMOUNT);
    let (one, two) = (used(PAYER, 1), used(PAYER, 2));
    // Alone, in either order, among other people's and other contracts' events.
    assert_eq!(paid(&[one.clone(), to_seller.clone()]), [true, false]);
    assert_eq!(paid(&[to_seller.clone(), one.clone()]), [true, false]);
    let foreign = log(OTHER, to_seller.topics.clone(), Bytes::new());
    let odd = log(ASSET, vec![], Bytes::new());
    assert_eq!(
        paid(&[
            used(OTHER, 9),
            transfer(OTHER, SELLER, 5),
            one.clone(),
            foreign,
            odd,
            to_seller.clone()
        ]),
        [true, false]
    );
    // Two payments in one transaction, as an aggregator sends them.
    assert_eq!(
        paid(&[
            one.clone(),
            to_seller.clone(),
            two.clone(),
            to_seller.clone()
        ]),
        [true, true]
    );
    // One of them to somebody else.
    assert_eq!(
        paid(&[two, transfer(PAYER, OTHER, AMOUNT), one, to_seller]),
        [true, false]
    );
}

#[test]
fn what_is_not_the_payment_does_not_pay() {
    let one = used(PAYER, 1);
    for logs in [
        vec![one.clone()],
        vec![transfer(PAYER, SELLER, AMOUNT)],
        vec![one.clone(), transfer(PAYER, SELLER, AMOUNT - 1)],
        vec![one.clone(), transfer(PAYER, OTHER, AMOUNT)],
        vec![one, transfer(OTHER, SELLER, AMOUNT)],
        vec![used(OTHER, 1), transfer(PAYER, SELLER, AMOUNT)],
        vec![],
    ] {
        assert_eq!(paid(&logs), [false, false], "{logs:?}");
    }
}
