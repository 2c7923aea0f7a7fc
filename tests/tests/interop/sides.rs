//! The matrix: who buys from whom, and who settles.

use crate::buyers::{
    AXIOS, Buyer, FETCH, HTTPX, LEGACY_FETCH, LEGACY_HTTPX, LEGACY_REQUESTS, OUR_CLIENT,
    OUR_PROGRAM, REQUESTS, REQWEST,
};
use crate::facilitators::Facilitator;
use crate::install::Tools;
use crate::means::Means;
use crate::sellers::{self, Seller, Stall};
use crate::stage::{Call, SETTLERS, Stage};
use crate::table::Row;

/// Lets a buyer buy everything that a seller has, and notes what happened.
async fn pair(tools: &Tools, stage: &Stage, buyer: Buyer, seller: &Seller<'_>) -> Row {
    let version = if buyer.speaks_only_v1() {
        1
    } else {
        seller.version
    };
    Row {
        buyer: buyer.name.to_owned(),
        seller: seller.name.to_owned(),
        facilitator: seller.settled_by().to_owned(),
        version,
        payment: Means::Signed.name(),
        result: buy_all(tools, stage, buyer, seller, version).await,
    }
}

async fn buy_all(
    tools: &Tools,
    stage: &Stage,
    buyer: Buyer,
    seller: &Seller<'_>,
    version: u8,
) -> Result<(u64, usize), String> {
    let mut paid = 0;
    for call in seller.calls {
        paid += buy(tools, stage, buyer, seller, call, version).await?;
    }
    Ok((paid, seller.calls.len()))
}

/// Lets a buyer make one call and checks that it was paid exactly once; what it cost.
pub(crate) async fn buy(
    tools: &Tools,
    stage: &Stage,
    buyer: Buyer,
    seller: &Seller<'_>,
    call: &Call,
    version: u8,
) -> Result<u64, String> {
    // A chain of the real world makes blocks by itself; payments count from the last block's time.
    stage.chain.mine(1).await;
    let before = stage.books(seller.settler, call.means.token()).await;
    let answer = buyer.buy(tools, stage, &seller.origin, call).await;
    let answer = answer.map_err(|why| seller.quoted(call, &why))?;
    let expected = seller.receipt(version);
    let checked = stage.check(&before, seller.settler, call, expected, &answer);
    checked.await.map_err(|why| seller.quoted(call, &why))?;
    Ok(call.price)
}

/// Other people's buyers at our marketplace, which settles with its own key.
pub(crate) async fn marketplace(tools: &Tools) -> Vec<Row> {
    let stage = Stage::set().await;
    let seller = sellers::market(&stage, SETTLERS[0]).await;
    let mut rows = Vec::new();
    for buyer in [
        FETCH,
        AXIOS,
        HTTPX,
        REQUESTS,
        REQWEST,
        LEGACY_FETCH,
        LEGACY_HTTPX,
        LEGACY_REQUESTS,
    ] {
        rows.push(pair(tools, &stage, buyer, &seller).await);
    }
    rows
}

/// Our buyers and other people's at other people's sellers.
pub(crate) async fn stalls(tools: &Tools) -> Vec<Row> {
    let stage = Stage::set().await;
    let facilitator = match Facilitator::ours(&stage, SETTLERS[3]).await {
        Ok(facilitator) => facilitator,
        Err(why) => return vec![Row::closed("others'", "x402 facilitator (ours)", 2, why)],
    };
    let mut rows = Vec::new();
    for (stall, theirs) in [
        (Stall::Express, [FETCH, AXIOS].as_slice()),
        (
            Stall::LegacyExpress,
            &[LEGACY_FETCH, FETCH, LEGACY_REQUESTS],
        ),
        (Stall::FastApi, &[HTTPX, REQUESTS]),
        (Stall::Axum, &[REQWEST]),
        (Stall::AxumV1, &[REQWEST, LEGACY_FETCH]),
    ] {
        let seller = match stall.open(tools, &facilitator).await {
            Ok(seller) => seller,
            Err(why) => {
                rows.push(Row::closed(
                    stall.name(),
                    facilitator.name,
                    stall.version(),
                    why,
                ));
                continue;
            }
        };
        for buyer in [OUR_CLIENT, OUR_PROGRAM].iter().chain(theirs) {
            rows.push(pair(tools, &stage, *buyer, &seller).await);
        }
    }
    rows
}

/// Our marketplace with other people's facilitators.
pub(crate) async fn providers(tools: &Tools) -> Vec<Row> {
    let stage = Stage::set().await;
    let mut rows = Vec::new();
    for facilitator in [
        Facilitator::npm(&tools.js, &stage, SETTLERS[1]).await,
        Facilitator::pypi(tools, &stage, SETTLERS[2]).await,
    ] {
        let facilitator = match facilitator {
            Ok(facilitator) => facilitator,
            Err(why) => {
                rows.push(Row::closed("marketplace (ours)", "a provider", 2, why));
                continue;
            }
        };
        let seller = sellers::market_with(&facilitator).await;
        for buyer in [
            OUR_CLIENT,
            OUR_PROGRAM,
            FETCH,
            HTTPX,
            REQWEST,
            LEGACY_FETCH,
            LEGACY_HTTPX,
        ] {
            rows.push(pair(tools, &stage, buyer, &seller).await);
        }
    }
    rows
}
