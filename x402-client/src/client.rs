//! The client: a wallet, a budget and a policy behind plain HTTP calls.

use std::fmt;
use std::sync::Arc;

use http::Method;

use crate::budget::Budget;
use crate::error::Error;
use crate::payment::PendingPayment;
use crate::response::Response;
use crate::wallet::Wallet;

mod builder;
mod credits;
mod drive;
mod open;
mod priced;
mod request;

pub use builder::{ClientBuilder, Missing, SetupError};
pub use credits::{Bought, CreditBalance, CreditError, Credits};
pub use drive::{Opened, ResponseStream};
pub use priced::{Asked, OfferedOption, PricedCall};
pub use request::RequestBuilder;

use builder::{Io, Settings};
use drive::Drive;
use open::OpenPayments;
pub(crate) use request::Call;

/// Pays x402 APIs within a budget, once per call. Cloning shares wallet, budget and connections.
///
/// A call goes out unpaid first. If the seller answers 402, one option is chosen under the [`crate::Policy`], room is
/// taken in the [`Budget`], **one** authorization is signed, and the same request is sent with it. As long as the
/// outcome is open the very same payment is presented again, a bounded number of times; it is never signed again.
///
/// Redirects are not followed, with or without payment.
///
/// Dropping the future of a call at any point is safe: before signing nothing is lost, and a payment that was signed
/// is kept in [`Client::open_payments`], its money charged to the budget.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) wallet: Wallet,
    pub(crate) budget: Budget,
    pub(crate) io: Io,
    pub(crate) settings: Settings,
    pub(crate) open: OpenPayments,
    pub(crate) credit: credits::KnownCredit,
}

impl Client {
    /// A client with the reqwest transport, the tokio timer and default settings.
    #[cfg(feature = "reqwest")]
    pub fn new(wallet: Wallet, budget: Budget) -> Self {
        Self::from_parts(
            wallet,
            budget,
            Io::standard(None, None),
            Settings::standard(),
        )
    }

    /// A builder. It cannot build before it has a wallet and a budget:
    ///
    /// ```compile_fail
    /// use alloy_signer_local::PrivateKeySigner;
    /// use x402_client::{Client, Wallet};
    ///
    /// let unbounded = Client::builder().wallet(Wallet::from_local_key(PrivateKeySigner::random())).build();
    /// ```
    pub fn builder() -> ClientBuilder<Missing, Missing> {
        ClientBuilder::new()
    }

    pub(crate) fn from_parts(wallet: Wallet, budget: Budget, io: Io, settings: Settings) -> Self {
        Self {
            shared: Arc::new(Shared {
                wallet,
                budget,
                io,
                settings,
                open: OpenPayments::default(),
                credit: credits::KnownCredit::default(),
            }),
        }
    }

    /// A GET call. `url` is absolute and includes the query.
    pub fn get(&self, url: &str) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A POST call.
    pub fn post(&self, url: &str) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A call with any method.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        RequestBuilder::new(Arc::clone(&self.shared), method, url)
    }

    /// Presents a payment again whose outcome was left open, under the same rules as the call that made it. Nothing
    /// is signed and the budget is not charged again.
    ///
    /// # Errors
    /// As for a call; [`Error::OutcomeUnknown`] if the outcome stays open.
    pub async fn resume(&self, pending: PendingPayment) -> Result<Response, Error> {
        Box::pin(Drive::resume(&self.shared, pending).run()).await
    }

    /// Signed payments of calls that are in progress or whose future was dropped, oldest first (at most
    /// 1024 are kept). Hand them to [`Client::resume`] or store them before shutting down.
    ///
    /// A payment that a call reported in its error is not listed: it belongs to the caller then.
    pub fn open_payments(&self) -> Vec<PendingPayment> {
        self.shared.open.list()
    }

    /// The budget, as a handle on the same money.
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// The wallet.
    pub fn wallet(&self) -> &Wallet {
        &self.shared.wallet
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("wallet", &self.shared.wallet)
            .field("budget", &self.shared.budget)
            .finish_non_exhaustive()
    }
}
