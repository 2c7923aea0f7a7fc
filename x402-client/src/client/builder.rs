//! Settings of a client, with a wallet and a budget required by type.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use x402_model::wire::headers::DEFAULT_CAP;

use super::Client;
use crate::budget::Budget;
use crate::chain::ChainReader;
use crate::flow::RetryPolicy;
use crate::hook::PaymentHook;
use crate::payment::PendingPayment;
use crate::select::Policy;
use crate::time::{Clock, SystemClock, Timer};
use crate::transport::{ReplyLimits, Transport};
use crate::wallet::{NonceSource, OsNonces, Wallet};

/// Longest answer body kept unless configured otherwise.
const DEFAULT_MAX_BODY: usize = 16 * 1024 * 1024;
/// Deadline of one send unless configured otherwise. Sellers that hold the answer until settlement need seconds.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Deadline of a hook unless configured otherwise: long enough for a person to answer.
const DEFAULT_HOOK_TIMEOUT: Duration = Duration::from_secs(300);

/// Marks a required part that a [`ClientBuilder`] does not have yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Missing;

/// A client that cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Without the feature `reqwest` a transport must be given.
    #[error("no transport: enable the feature `reqwest` or call ClientBuilder::transport")]
    NoTransport,
    /// Without the feature `reqwest` a timer must be given.
    #[error("no timer: enable the feature `reqwest` or call ClientBuilder::timer")]
    NoTimer,
    /// The operating system gives no room for a runtime to wait in (feature `blocking`).
    #[error("no runtime to wait in: {0}")]
    NoRuntime(std::io::ErrorKind),
}

/// The doors to the outside.
pub(crate) struct Io {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) timer: Arc<dyn Timer>,
}

impl Io {
    /// The given doors, with reqwest and tokio for those that are missing.
    #[cfg(feature = "reqwest")]
    #[expect(
        clippy::unnecessary_wraps,
        reason = "without the feature `reqwest` it can fail"
    )]
    pub(super) fn new(
        transport: Option<Arc<dyn Transport>>,
        timer: Option<Arc<dyn Timer>>,
    ) -> Result<Self, SetupError> {
        Ok(Self::standard(transport, timer))
    }

    #[cfg(feature = "reqwest")]
    pub(super) fn standard(
        transport: Option<Arc<dyn Transport>>,
        timer: Option<Arc<dyn Timer>>,
    ) -> Self {
        Self {
            transport: transport
                .unwrap_or_else(|| Arc::new(crate::transport::ReqwestTransport::new())),
            timer: timer.unwrap_or_else(|| Arc::new(crate::time::TokioTimer)),
        }
    }

    /// The given doors; none may be missing.
    #[cfg(not(feature = "reqwest"))]
    pub(super) fn new(
        transport: Option<Arc<dyn Transport>>,
        timer: Option<Arc<dyn Timer>>,
    ) -> Result<Self, SetupError> {
        Ok(Self {
            transport: transport.ok_or(SetupError::NoTransport)?,
            timer: timer.ok_or(SetupError::NoTimer)?,
        })
    }
}

/// Writes a signed payment down before it is sent.
pub(crate) type Record = dyn Fn(&PendingPayment) -> io::Result<()> + Send + Sync;

/// Everything but money, key and network.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) nonces: Arc<dyn NonceSource>,
    pub(crate) policy: Policy,
    pub(crate) retry: RetryPolicy,
    pub(crate) limits: ReplyLimits,
    pub(crate) terms_cap: usize,
    pub(crate) allow_http: bool,
    pub(crate) record: Option<Arc<Record>>,
    pub(crate) chain: Option<Arc<dyn ChainReader>>,
    pub(crate) hook: Option<Arc<dyn PaymentHook>>,
    pub(crate) hook_timeout: Duration,
    pub(crate) sign_in: bool,
}

impl Settings {
    pub(crate) fn standard() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            nonces: Arc::new(OsNonces),
            policy: Policy::default(),
            retry: RetryPolicy::default(),
            limits: ReplyLimits {
                max_body: DEFAULT_MAX_BODY,
                timeout: DEFAULT_TIMEOUT,
            },
            terms_cap: DEFAULT_CAP,
            allow_http: false,
            record: None,
            chain: None,
            hook: None,
            hook_timeout: DEFAULT_HOOK_TIMEOUT,
            sign_in: false,
        }
    }
}

/// Builds a [`Client`]. `build` exists only once a wallet and a budget are given.
#[must_use]
pub struct ClientBuilder<W, B> {
    wallet: W,
    budget: B,
    transport: Option<Arc<dyn Transport>>,
    timer: Option<Arc<dyn Timer>>,
    settings: Settings,
}

impl ClientBuilder<Missing, Missing> {
    pub(crate) fn new() -> Self {
        Self {
            wallet: Missing,
            budget: Missing,
            transport: None,
            timer: None,
            settings: Settings::standard(),
        }
    }
}

impl<W, B> ClientBuilder<W, B> {
    /// Who pays.
    pub fn wallet(self, wallet: Wallet) -> ClientBuilder<Wallet, B> {
        let Self {
            budget,
            transport,
            timer,
            settings,
            ..
        } = self;
        ClientBuilder {
            wallet,
            budget,
            transport,
            timer,
            settings,
        }
    }

    /// How much may be spent.
    pub fn budget(self, budget: Budget) -> ClientBuilder<W, Budget> {
        let Self {
            wallet,
            transport,
            timer,
            settings,
            ..
        } = self;
        ClientBuilder {
            wallet,
            budget,
            transport,
            timer,
            settings,
        }
    }

    /// Which options may be signed.
    pub fn policy(self, policy: Policy) -> Self {
        self.with(|settings| settings.policy = policy)
    }

    /// How often one payment is presented while its outcome is open.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.with(|settings| settings.retry = retry)
    }

    /// How requests travel. Read the duties on [`Transport`].
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// How pauses are made.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// The clock for expiry and receipts.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.with(|settings| settings.clock = Arc::new(clock))
    }

    /// Where random nonces come from.
    pub fn nonces(self, nonces: impl NonceSource) -> Self {
        self.with(|settings| settings.nonces = Arc::new(nonces))
    }

    /// Largest answer body that is kept, in bytes (16 MiB by default).
    pub fn max_body(self, bytes: usize) -> Self {
        self.with(|settings| settings.limits.max_body = bytes)
    }

    /// Longest `PAYMENT-REQUIRED` or `PAYMENT-RESPONSE` header that is read, in bytes (16 KiB by default). The terms
    /// go back with the payment, so sellers see a header of about this size.
    pub fn terms_cap(self, bytes: usize) -> Self {
        self.with(|settings| settings.terms_cap = bytes)
    }

    /// Deadline of one send with its whole answer, and of the signer (60 s by default).
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.limits.timeout = timeout)
    }

    /// Allows `http` to other machines. Whoever is on the way can then change terms and payee, and read the paid
    /// content: for closed networks only.
    pub fn allow_http(self, allow: bool) -> Self {
        self.with(|settings| settings.allow_http = allow)
    }

    /// Signs in at every seller that lets known wallets in or sells to them for less: see [`crate::RequestBuilder::sign_in`]. Off unless set.
    pub fn sign_in(self, sign_in: bool) -> Self {
        self.with(|settings| settings.sign_in = sign_in)
    }

    /// Calls `record` with every payment after it was signed and before it is sent for the first time, so that not even
    /// `kill -9` can lose one: write it down, as securely as a key, and hand it to [`Client::resume`] after a restart.
    /// If `record` fails the payment is not sent and the call ends with [`crate::Error::NotRecorded`].
    ///
    /// It runs on the task of the call; keep it as short as one small file takes.
    ///
    /// ```no_run
    /// use std::io::Write as _;
    /// use x402_client::{Budget, Client, Wallet};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder()
    ///     .wallet(Wallet::from_key_file("agent.key")?)
    ///     .budget(Budget::new("5 USD", "0.10 USD")?)
    ///     .record(|payment| {
    ///         let mut file = tempfile::Builder::new().prefix("payment-").tempfile_in("payments")?;
    ///         serde_json::to_writer(&mut file, payment)?;
    ///         file.as_file().sync_all()?;
    ///         file.keep().map(drop).map_err(|error| error.error)
    ///     })
    ///     .build()?;
    /// # drop(client); Ok(()) }
    /// ```
    pub fn record(
        self,
        record: impl Fn(&PendingPayment) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.record = Some(Arc::new(record)))
    }

    /// Where to look whether Permit2 is approved. With it, the client signs a missing approval along with a payment where the
    /// seller pays the gas: see [`Approvals`](crate::select::Approvals). Without it, payments go out as if Permit2 were
    /// approved, and a seller that finds otherwise ends the call with [`crate::Error::ApprovalRequired`].
    pub fn chain(self, chain: impl ChainReader) -> Self {
        self.with(|settings| settings.chain = Some(Arc::new(chain)))
    }

    /// Asks `hook` before each payment which option to take and whether to sign, within what policy and budget allow.
    pub fn hook(self, hook: impl PaymentHook) -> Self {
        self.with(|settings| settings.hook = Some(Arc::new(hook)))
    }

    /// How long a hook may take for one answer (five minutes by default); afterwards it has said no.
    pub fn hook_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.hook_timeout = timeout)
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }
}

impl ClientBuilder<Wallet, Budget> {
    /// The client.
    ///
    /// # Errors
    /// [`SetupError`] if a transport or a timer is missing, which the feature `reqwest` brings.
    pub fn build(self) -> Result<Client, SetupError> {
        let io = Io::new(self.transport, self.timer)?;
        Ok(Client::from_parts(
            self.wallet,
            self.budget,
            io,
            self.settings,
        ))
    }
}

impl<W, B> fmt::Debug for ClientBuilder<W, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("policy", &self.settings.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(feature = "reqwest")))]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;

    struct Never;

    impl Timer for Never {
        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn without_reqwest_transport_and_timer_must_be_given() {
        let key = alloy_signer_local::PrivateKeySigner::random();
        let builder = || {
            let budget = Budget::new("1 USD", "1 USD").unwrap();
            Client::builder()
                .wallet(Wallet::from_local_key(key.clone()))
                .budget(budget)
        };
        assert_eq!(builder().build().unwrap_err(), SetupError::NoTransport);
        assert_eq!(
            builder().timer(Never).build().unwrap_err(),
            SetupError::NoTransport
        );
    }
}
