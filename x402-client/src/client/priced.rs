//! A call whose price is known and that nobody has paid yet: look at it, then pay it or let it be.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::Address;
use x402_model::asset::{Asset, parse_address};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use super::Shared;
use super::drive::Drive;
use super::request::Call;
use crate::error::Error;
use crate::response::Response;
use crate::select::{Choice, Refusal, Refusals, judge, select};
use crate::seller::clean_code;
use crate::terms::{OfferView, Terms, Version};

/// What became of an unpaid request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Asked {
    /// The seller answered without asking for money.
    Answered(Response),
    /// The seller asks for payment.
    Priced(PricedCall),
}

/// A call that the seller wants to be paid for. Nothing was signed, nothing is reserved; dropping it costs nothing.
///
/// ```no_run
/// use x402_client::{Asked, Client};
///
/// # async fn buy(client: &Client) -> Result<(), x402_client::Error> {
/// match client.get("https://api.example.com/weather/zurich").ask().await? {
///     Asked::Answered(answer) => println!("free: {}", answer.status()),
///     Asked::Priced(call) => {
///         for option in call.options() {
///             println!("{} on {}", option.amount_text(), option.network_text);
///         }
///         let answer = call.pay().await?; // asks a person first, perhaps
///         println!("{}", answer.status());
///     }
///     _ => {}
/// }
/// # Ok(()) }
/// ```
#[must_use = "it is not paid until `pay` is awaited"]
pub struct PricedCall {
    shared: Arc<Shared>,
    call: Call,
    terms: Terms,
}

/// One way to pay, as the seller offers it, and what this client thinks of it.
///
/// Texts of the seller are bounded visible ASCII. Amount, network and payee are `None` where the seller wrote something
/// that is none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OfferedOption {
    /// Position in the terms.
    pub index: usize,
    /// The payment scheme.
    pub scheme: String,
    /// The network.
    pub network: Option<Network>,
    /// The network as the seller writes it.
    pub network_text: String,
    /// The token, if the policy knows it: symbol and decimals are the policy's.
    pub asset: Option<Asset>,
    /// The token as the seller writes it.
    pub asset_text: String,
    /// The amount in atomic units of the token.
    pub amount: Option<AtomicAmount>,
    /// The amount as the seller writes it.
    pub amount_atomic: String,
    /// Who is paid.
    pub pay_to: Option<Address>,
    /// How long the payment would be valid, in seconds.
    pub valid_seconds: u64,
    /// Why it would not be paid; `None` if it may be.
    pub refusal: Option<Refusal>,
}

impl OfferedOption {
    fn new(index: usize, view: Option<&OfferView>, shared: &Shared) -> Self {
        let text = |text: fn(&OfferView) -> &str| clean_code(view.map_or("", text));
        let network = view.and_then(|view| view.network.clone());
        let token = view.and_then(|view| parse_address(&view.asset).ok());
        let assets = &shared.settings.policy.assets;
        let asset = network
            .as_ref()
            .zip(token)
            .and_then(|(network, token)| assets.get(network, token).cloned());
        Self {
            index,
            scheme: text(|view| &view.scheme),
            network,
            network_text: text(|view| &view.network_text),
            asset,
            asset_text: text(|view| &view.asset),
            amount: view.and_then(|view| view.amount.parse().ok()),
            amount_atomic: text(|view| &view.amount),
            pay_to: view.and_then(|view| parse_address(&view.pay_to).ok()),
            valid_seconds: view.map_or(0, |view| view.max_timeout_seconds),
            refusal: None,
        }
    }

    /// The amount for people: `0.01 USDC`, or atomic units of a token that the policy does not know.
    pub fn amount_text(&self) -> String {
        match (&self.asset, self.amount) {
            (Some(asset), Some(amount)) => {
                format!("{} {}", amount.to_decimal(asset.decimals), asset.symbol)
            }
            _ => format!("{} atomic units of {}", self.amount_atomic, self.asset_text),
        }
    }
}

impl PricedCall {
    pub(crate) const fn new(shared: Arc<Shared>, call: Call, terms: Terms) -> Self {
        Self {
            shared,
            call,
            terms,
        }
    }

    /// The protocol version of the terms.
    pub const fn version(&self) -> Version {
        self.terms.version()
    }

    /// Every option that was read (at most 32), in the seller's order, judged by policy and budget as they are now.
    pub fn options(&self) -> Vec<OfferedOption> {
        let verdicts = judge(&self.terms, &self.call.buyer(&self.shared));
        let offers = self.terms.options.iter().zip(verdicts).enumerate();
        offers
            .map(|(index, (offer, verdict))| OfferedOption {
                refusal: verdict.err(),
                ..OfferedOption::new(index, offer.view.as_ref(), &self.shared)
            })
            .collect()
    }

    /// The option that [`PricedCall::pay`] would sign now.
    ///
    /// # Errors
    /// [`Refusals`] if there is none, with one reason per option.
    pub fn choice(&self) -> Result<Choice, Refusals> {
        select(&self.terms, &self.call.buyer(&self.shared))
    }

    /// Pays, by the rules of [`super::RequestBuilder::send`]. The terms are not asked for again: if the seller has
    /// other ones by now it refuses the payment.
    ///
    /// # Errors
    /// As for [`super::RequestBuilder::send`].
    pub async fn pay(self) -> Result<Response, Error> {
        let Self {
            shared,
            call,
            terms,
        } = self;
        Box::pin(Drive::priced(&shared, call, terms).run()).await
    }
}

impl fmt::Debug for PricedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PricedCall")
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}
