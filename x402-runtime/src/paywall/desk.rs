//! The routes at which plans are sold and credit is shown. They are part of the paywall's router, so nobody can forget them.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodFilter, on};

use crate::allowance::Allowances;
use crate::bind::plans::Sold;
use crate::credit::Purse;
use crate::credit::sale::{Sale, SaleHandler};
use crate::gate::desk::{Desk, Statement};
use crate::gate::{Gate, GateHandler, Sold as Gates};

/// Adds the routes of all plans; `sales` are their gates, in the same order.
pub(super) fn add<S>(
    mut router: Router<S>,
    sales: Vec<Gates>,
    plans: &[Sold],
    allowances: &Arc<Allowances>,
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut paths: Vec<Path<S>> = Vec::new();
    for (gates, sold) in sales.into_iter().zip(plans) {
        let gate = Arc::clone(&gates.gate);
        let path = sold.plan.purchase.path;
        let place = match paths.iter().position(|one| one.path == path) {
            Some(place) => place,
            None => {
                let desk = Path {
                    path,
                    gate: Arc::clone(&gate),
                    plans: Vec::new(),
                    purses: Vec::new(),
                };
                paths.push(desk);
                paths.len().saturating_sub(1)
            }
        };
        let Some(desk) = paths.get_mut(place) else {
            continue;
        };
        if !desk.purses.contains(&sold.purse) {
            desk.purses.push(sold.purse.clone());
        }
        let sale = Sale {
            core: Arc::clone(&gate.core),
            purse: sold.purse.clone(),
        };
        let handler = Arc::new(SaleHandler(Arc::new(sale)));
        desk.plans
            .push((&*sold.plan.id, GateHandler::new(gates, handler)));
    }
    for desk in paths {
        let statement = Statement {
            gate: desk.gate,
            allowances: Arc::clone(allowances),
            purses: desk.purses.into(),
        };
        let sells = Desk {
            plans: desk.plans.into(),
        };
        let methods = on(MethodFilter::POST, sells).on(MethodFilter::GET, statement);
        router = router.route(desk.path, methods);
    }
    router
}

/// What is at one path.
struct Path<S> {
    path: &'static str,
    gate: Arc<Gate>,
    plans: Vec<(&'static str, GateHandler<S>)>,
    purses: Vec<Purse>,
}
