//! The matrix of payments through Permit2: scheme `exact` in tokens that are approved there, and scheme `upto`.

use x402_tests::permit2::Rails as _;

use crate::buyers::{Buyer, FETCH, HTTPX, OUR_CLIENT, OUR_PROGRAM, REQUESTS, REQWEST};
use crate::facilitators::Facilitator;
use crate::install::Tools;
use crate::means::{self, Means};
use crate::sellers::{self, Seller, Stall};
use crate::sides::buy;
use crate::stage::{Call, SETTLERS, Stage};
use crate::table::Row;

/// A chain with Permit2.
async fn stage() -> Stage {
    let stage = Stage::set().await;
    stage.chain.place_permit2().await;
    stage
}

/// Lets a buyer make every call of a seller, a row for each.
async fn rows(tools: &Tools, stage: &Stage, buyer: Buyer, seller: &Seller<'_>, to: &mut Vec<Row>) {
    for call in seller.calls {
        let paid = match buyer.cannot_pay(call.means) {
            Some(why) => refused(tools, stage, buyer, seller, call, why).await,
            None => paid(tools, stage, buyer, seller, call).await,
        };
        to.push(Row {
            buyer: buyer.name.to_owned(),
            seller: seller.name.to_owned(),
            facilitator: seller.settled_by().to_owned(),
            version: 2,
            payment: call.means.name(),
            result: paid,
        });
    }
}

async fn paid(
    tools: &Tools,
    stage: &Stage,
    buyer: Buyer,
    seller: &Seller<'_>,
    call: &Call,
) -> Result<(u64, usize), String> {
    // Whoever signs permits pays without an allowance.
    let permits = buyer.signs_permits(call.means) && seller.takes_permits();
    let allowance = if permits { 0 } else { u64::MAX };
    let token = call.means.token();
    stage.chain.allow_permit2(token, allowance).await;
    let offered = means::check_offer(&seller.origin, call).await;
    offered.map_err(|why| seller.quoted(call, &why))?;
    let units = buy(tools, stage, buyer, seller, call, 2).await?;
    Ok((units, 1))
}

/// A buyer that cannot pay says so, and nothing moves.
async fn refused(
    tools: &Tools,
    stage: &Stage,
    buyer: Buyer,
    seller: &Seller<'_>,
    call: &Call,
    why: &str,
) -> Result<(u64, usize), String> {
    let offered = means::check_offer(&seller.origin, call).await;
    offered.map_err(|why| seller.quoted(call, &why))?;
    let token = call.means.token();
    let before = stage.books(seller.settler, token).await;
    let said = match buyer.buy(tools, stage, &seller.origin, call).await {
        Ok(answer) => format!("it pays: {answer:?}"),
        Err(said) if said.contains(why) => String::new(),
        Err(said) => said,
    };
    if said.is_empty() && stage.books(seller.settler, token).await == before {
        return Ok((0, 0));
    }
    Err(format!("instead of `{why}`: {said}"))
}

/// Other people's buyers at our marketplace, which settles with its own key; with either kind of second token.
pub(crate) async fn marketplace(tools: &Tools) -> Vec<Row> {
    let stage = stage().await;
    let sellers = [
        sellers::market_in(&stage, SETTLERS[0], Means::Wrapped).await,
        sellers::market_in(&stage, SETTLERS[1], Means::Permitting).await,
    ];
    let mut table = Vec::new();
    for buyer in [FETCH, HTTPX, REQUESTS, REQWEST] {
        for seller in &sellers {
            rows(tools, &stage, buyer, seller, &mut table).await;
        }
    }
    table
}

/// Our buyers, and one of theirs, at other people's sellers.
pub(crate) async fn stalls(tools: &Tools) -> Vec<Row> {
    let stage = stage().await;
    let mut table = Vec::new();
    match sellers::express_permit2(tools, &stage, SETTLERS[0]).await {
        Err(why) => table.push(Row::closed(Stall::Express.name(), "own key", 2, why)),
        Ok(seller) => {
            for buyer in [OUR_CLIENT, OUR_PROGRAM, FETCH] {
                rows(tools, &stage, buyer, &seller, &mut table).await;
            }
        }
    }
    let facilitator = match Facilitator::ours(&stage, SETTLERS[3]).await {
        Ok(facilitator) => facilitator,
        Err(why) => {
            table.push(Row::closed("others'", "x402 facilitator (ours)", 2, why));
            return table;
        }
    };
    match sellers::fastapi_permit2(tools, &facilitator).await {
        Err(why) => table.push(Row::closed(Stall::FastApi.name(), facilitator.name, 2, why)),
        Ok(seller) => {
            for buyer in [OUR_CLIENT, OUR_PROGRAM, HTTPX] {
                rows(tools, &stage, buyer, &seller, &mut table).await;
            }
        }
    }
    table
}

/// Other people's facilitators settle what our marketplace sells by the meter.
pub(crate) async fn providers(tools: &Tools) -> Vec<Row> {
    let stage = stage().await;
    let mut table = Vec::new();
    for facilitator in [
        Facilitator::npm(&tools.js, &stage, SETTLERS[1]).await,
        Facilitator::pypi(tools, &stage, SETTLERS[2]).await,
    ] {
        let facilitator = match facilitator {
            Ok(facilitator) => facilitator,
            Err(why) => {
                table.push(Row::closed("marketplace (ours)", "a provider", 2, why));
                continue;
            }
        };
        let seller = sellers::metered_market_with(&facilitator).await;
        for buyer in [OUR_CLIENT, OUR_PROGRAM, FETCH, HTTPX, REQWEST] {
            rows(tools, &stage, buyer, &seller, &mut table).await;
        }
    }
    table
}

/// Says what it does not sell where nobody settles that, and sells the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_marketplace_says_that_it_sells_nothing_by_the_meter_where_that_is_not_settled() {
    let tools = Tools::fetch();
    let stage = Stage::set().await;
    let facilitator = Facilitator::pypi_exact(&tools, &stage, SETTLERS[2]).await;
    let facilitator = facilitator.unwrap_or_else(|said| panic!("{said}"));
    let (seller, line) = sellers::market_saying(&facilitator).await;
    assert!(
        line.ends_with("without /complete, because metered payments are not settled there"),
        "{line}"
    );
    let client = reqwest::Client::builder().no_proxy().build();
    let complete = client.expect("a client");
    let complete = complete.post(format!("{}/complete", seller.origin)).send();
    assert_eq!(complete.await.expect("an answer").status(), 404);
    for call in sellers::MARKET {
        let paid = buy(&tools, &stage, OUR_CLIENT, &seller, call, 2).await;
        assert_eq!(paid, Ok(call.price));
    }
}
