//! Everything that can be wrong with a paywall before it serves its first request.

mod error;
mod lifecycle;
mod signing;
mod token;

pub use error::BuildError;
pub use lifecycle::LifecycleMistake;
pub use signing::SigningMistake;
pub use token::TokenMistake;

/// One mistake. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// A setting could not be read.
    #[error("{0}")]
    Setting(String),
    /// No origin was given.
    #[error("no origin: call `.origin(\"https://api.example.com\")` with the address buyers use")]
    OriginMissing,
    /// The origin is not one.
    #[error("`{origin}` is not an origin: {reason}")]
    OriginInvalid {
        /// As given.
        origin: String,
        /// What is wrong and what to write.
        reason: &'static str,
    },
    /// Nobody would be paid.
    #[error(
        "{whose} has no pay-to address: call `.pay_to(\"0x…\")` with the address that receives the money"
    )]
    PayToMissing {
        /// The paywall or the endpoint.
        whose: String,
    },
    /// The pay-to address cannot be read.
    #[error("the pay-to address of {whose} is wrong: {reason}")]
    PayToInvalid {
        /// The paywall or the endpoint.
        whose: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The pay-to address is the zero address.
    #[error(
        "the pay-to address of {whose} is the zero address: money sent there is lost; give your own"
    )]
    PayToZero {
        /// The paywall or the endpoint.
        whose: String,
    },
    /// The private key of the pay-to address is published.
    #[error(
        "the pay-to address of {whose}, {address}, is a published development account: on {network} anybody can take \
         what it receives; give your own"
    )]
    PayToDevelopment {
        /// The paywall or the endpoint.
        whose: String,
        /// The address.
        address: String,
        /// The network with real money.
        network: String,
    },
    /// The private key of a settling account is published.
    #[error(
        "the settling account {address} is a published development account: on {network} anybody can empty it or get \
         in the way of its transactions; use a key of your own"
    )]
    SettlerDevelopment {
        /// The address.
        address: String,
        /// The network with real money.
        network: String,
    },
    /// No rail was accepted.
    #[error("no rail is accepted: call `.accept(Rail::new(Network::BASE, \"USDC\"))`")]
    NoRails,
    /// A rail's token is not known.
    #[error("rail `{rail}` is not known: {help}")]
    RailUnknown {
        /// The rail.
        rail: String,
        /// What to do.
        help: String,
    },
    /// A rail of an unusable token.
    #[error("rail `{rail}` cannot be used: {reason}")]
    RailInvalid {
        /// The rail.
        rail: String,
        /// What is wrong with its token.
        reason: String,
    },
    /// The same rail twice.
    #[error("rail `{rail}` is accepted twice: remove one")]
    RailTwice {
        /// The rail.
        rail: String,
    },
    /// A token is not what the settings say.
    #[error(transparent)]
    Token(#[from] TokenMistake),
    /// An endpoint names a rail that the paywall does not accept.
    #[error("`{endpoint}` wants rail `{rail}`, which the paywall does not accept: {help}")]
    RailNotAccepted {
        /// The endpoint.
        endpoint: String,
        /// The rail it names.
        rail: String,
        /// What to do.
        help: String,
    },
    /// The price model is not served by this version.
    #[error(
        "`{endpoint}` has a {model} price, which this version does not charge yet: give one amount, such as \"0.01 USDC\""
    )]
    PriceModel {
        /// The endpoint.
        endpoint: String,
        /// Name of the model.
        model: &'static str,
    },
    /// The price breaks a rule of its model.
    #[error("the price of `{endpoint}` is wrong: {reason}")]
    PriceInvalid {
        /// The endpoint.
        endpoint: String,
        /// The rule.
        reason: String,
    },
    /// The token cannot represent the price.
    #[error("the price of `{endpoint}`, {price}, cannot be paid on rail `{rail}`: {reason}")]
    PriceInexact {
        /// The endpoint.
        endpoint: String,
        /// The price.
        price: String,
        /// The rail.
        rail: String,
        /// Why.
        reason: String,
    },
    /// No accepted rail pays in the price's unit.
    #[error("no accepted rail can pay the price of `{endpoint}`, {price}: {help}")]
    NoRailForPrice {
        /// The endpoint.
        endpoint: String,
        /// The price.
        price: String,
        /// What to do.
        help: String,
    },
    /// `maxTimeoutSeconds` leaves no time to serve and settle, or keeps signatures valid for too long.
    #[error(
        "the timeout of `{endpoint}`, {seconds} s, is out of range: write {min} to {max} seconds"
    )]
    Timeout {
        /// The endpoint.
        endpoint: String,
        /// As given.
        seconds: u64,
        /// The least that leaves time to settle.
        min: u64,
        /// The most.
        max: u64,
    },
    /// The 402 header is longer than proxies let pass.
    #[error(
        "the payment terms of `{endpoint}` take {bytes} bytes of header, more than the {max} that proxies let pass: \
         accept fewer rails or shorten the description"
    )]
    HeaderTooLong {
        /// The endpoint.
        endpoint: String,
        /// Length of the encoded header.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A handler without a route was mounted without a path.
    #[error(
        "`{endpoint}` has no route: write `#[paid(GET \"/path\", …)]` or mount it with `mount_at(Method::Get, \"/path\", …)`"
    )]
    RouteMissing {
        /// The endpoint.
        endpoint: String,
    },
    /// The path of a route is wrong.
    #[error("the route of `{endpoint}`, `{path}`, is wrong: {reason}")]
    RouteInvalid {
        /// The endpoint.
        endpoint: String,
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two handlers on one route.
    #[error("`{first}` and `{second}` are both mounted at {route}: mount one of them elsewhere")]
    RouteTaken {
        /// Method and path.
        route: String,
        /// The one mounted first.
        first: String,
        /// The one mounted after it.
        second: String,
    },
    /// Two paths that the router cannot tell apart.
    #[error(
        "the paths `{first}` and `{second}` match the same requests: name their parameters alike, or change one"
    )]
    RouteConflict {
        /// The path mounted first.
        first: String,
        /// The path mounted after it.
        second: String,
    },
    /// Two endpoints with one id.
    #[error(
        "two endpoints have the id `{id}`: ids name payments in the ledger; give one of them `id = \"…\"`"
    )]
    IdTaken {
        /// The id.
        id: String,
    },
    /// A descriptive text breaks a rule.
    #[error("`{endpoint}` breaks a rule: {reason}")]
    TextInvalid {
        /// The endpoint.
        endpoint: String,
        /// The rule.
        reason: String,
    },
    /// Nothing to sell.
    #[error("no handler is mounted: call `.mount(handler)` with a `#[paid]` function")]
    NothingMounted,
    /// Nobody verifies and settles.
    #[error(
        "no facilitator: call `.facilitator(…)` with what verifies and settles payments; nothing is served without one"
    )]
    FacilitatorMissing,
    /// The facilitator does not say what it can do.
    #[error("the facilitator does not say what it supports: {reason}")]
    FacilitatorUnreachable {
        /// What went wrong.
        reason: String,
    },
    /// The facilitator cannot settle on a rail's network.
    #[error(
        "the facilitator does not settle scheme `{scheme}` (x402 version 2) on {network}, needed by rail `{rail}`: {help}"
    )]
    KindMissing {
        /// `exact`, or `upto` for a metered price.
        scheme: &'static str,
        /// The network.
        network: String,
        /// The rail.
        rail: String,
        /// What it does settle.
        help: String,
    },
    /// The manifest breaks a rule of its format.
    #[error("the price manifest cannot be published: {reason}")]
    Manifest {
        /// Which rule, and where.
        reason: String,
    },
    /// What an endpoint says will change is no use to agents.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleMistake),
    /// The manifest would be signed by the wrong one, or not at all.
    #[error(transparent)]
    Signing(#[from] SigningMistake),
    /// No ledger was given.
    #[error(
        "no ledger: call `.ledger(SqliteLedger::open(\"payments.sqlite\")?)`, or `MemoryLedger` for development"
    )]
    LedgerMissing,
    /// A ledger that forgets, with real money.
    #[error(
        "the ledger is kept in memory only, but rail `{rail}` takes real money: a restart would forget payments in \
         flight; use a durable ledger, or say `.allow_volatile_ledger()`"
    )]
    LedgerVolatile {
        /// The rail.
        rail: String,
    },
    /// The ledger does not work.
    #[error("the ledger does not work: {reason}")]
    LedgerFailed {
        /// What went wrong.
        reason: String,
    },
    /// An endpoint has a plan that is not sold.
    #[error(
        "`{endpoint}` has the subscription `{plan}`, which this version does not sell: sell credit with `prepaid`, or single calls"
    )]
    Subscription {
        /// The endpoint.
        endpoint: String,
        /// The plan.
        plan: String,
    },
    /// A plan that cannot be sold as it is.
    #[error("plan `{plan}` of `{endpoint}` cannot be sold: {reason}")]
    PlanInvalid {
        /// The endpoint.
        endpoint: String,
        /// The plan.
        plan: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system gives no random numbers, which quotes need.
    #[error("no key for quotes can be made, because there are no random numbers: {reason}")]
    NoRandomNumbers {
        /// What went wrong.
        reason: String,
    },
    /// A limit that cannot work.
    #[error("limit `{limit}` is wrong: {reason}")]
    Limit {
        /// Name of the builder method.
        limit: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Mistake {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Setting(_) => "setting_invalid",
            Self::OriginMissing => "origin_missing",
            Self::OriginInvalid { .. } => "origin_invalid",
            Self::PayToMissing { .. } => "pay_to_missing",
            Self::PayToInvalid { .. } => "pay_to_invalid",
            Self::PayToZero { .. } => "pay_to_zero",
            Self::PayToDevelopment { .. } => "pay_to_development_account",
            Self::SettlerDevelopment { .. } => "settler_development_account",
            Self::NoRails => "no_rails",
            Self::RailUnknown { .. } => "rail_unknown",
            Self::RailInvalid { .. } => "rail_invalid",
            Self::RailTwice { .. } => "rail_twice",
            Self::Token(mistake) => mistake.code(),
            Self::RailNotAccepted { .. } => "rail_not_accepted",
            Self::PriceModel { .. } => "price_model_unsupported",
            Self::PriceInvalid { .. } => "price_invalid",
            Self::PriceInexact { .. } => "price_inexact",
            Self::NoRailForPrice { .. } => "no_rail_for_price",
            Self::Timeout { .. } => "timeout_out_of_range",
            Self::HeaderTooLong { .. } => "header_too_long",
            Self::RouteMissing { .. } => "route_missing",
            Self::RouteInvalid { .. } => "route_invalid",
            Self::RouteTaken { .. } => "route_taken",
            Self::RouteConflict { .. } => "route_conflict",
            Self::IdTaken { .. } => "id_taken",
            Self::TextInvalid { .. } => "text_invalid",
            Self::NothingMounted => "nothing_mounted",
            Self::FacilitatorMissing => "facilitator_missing",
            Self::FacilitatorUnreachable { .. } => "facilitator_unreachable",
            Self::KindMissing { .. } => "facilitator_kind_missing",
            Self::Manifest { .. } => "manifest_invalid",
            Self::Lifecycle(mistake) => mistake.code(),
            Self::Signing(mistake) => mistake.code(),
            Self::LedgerMissing => "ledger_missing",
            Self::LedgerVolatile { .. } => "ledger_volatile",
            Self::LedgerFailed { .. } => "ledger_failed",
            Self::Subscription { .. } => "subscription_unsupported",
            Self::PlanInvalid { .. } => "plan_invalid",
            Self::NoRandomNumbers { .. } => "no_random_numbers",
            Self::Limit { .. } => "limit_invalid",
        }
    }
}
