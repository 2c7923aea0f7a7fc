//! Puts a paywall together, one setting at a time.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use x402_model::endpoint::{Method, PaymentIds};
use x402_model::network::Network;

use super::limits::Limits;
use super::mistake::{BuildError, Mistake};
use super::mount::Mount;
use super::rail::Rail;
use super::{Paywall, native_price, publish, start};
use crate::bind::{Given, Mounted};
use crate::clock::{Clock, SystemClock};
use crate::config::PaywallSettings;
use crate::facilitator::Facilitator;
use crate::gate::Erased;
use crate::handler::{Endpoint, PaidHandler};
use crate::hooks::SellerHooks;
use crate::ledger::Ledger;
use crate::manifest::{Discovery, ManifestKey, ManifestSigner, Published, Service};

/// Collects everything a [`Paywall`] needs. Nothing is checked before [`build`](Self::build), which reports all mistakes at
/// once.
#[must_use = "a paywall is made by `build`"]
pub struct PaywallBuilder<S = ()> {
    pub(super) given: Given,
    pub(super) facilitator: Option<Arc<dyn Facilitator>>,
    pub(super) ledger: Option<Arc<dyn Ledger>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hooks: Option<Arc<dyn SellerHooks>>,
    pub(super) limits: Limits,
    pub(super) factories: Vec<Address>,
    pub(super) volatile_allowed: bool,
    pub(super) service: Option<Service>,
    pub(super) signer: Option<Arc<dyn ManifestSigner>>,
    pub(super) signatures: Option<Arc<str>>,
    pub(super) discovery: Discovery,
    pub(super) mounts: Vec<Mount<S>>,
    pub(super) mistakes: Vec<Mistake>,
}

/// Makes a method that sets one limit.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)+) => {
        $(
            $(#[$doc])*
            pub const fn $name(mut self, $name: $type) -> Self {
                self.limits.$name = $name;
                self
            }
        )+
    };
}

impl<S> PaywallBuilder<S>
where
    S: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self {
            given: Given::default(),
            facilitator: None,
            ledger: None,
            clock: Arc::new(SystemClock),
            hooks: None,
            limits: Limits::default(),
            factories: Vec::new(),
            volatile_allowed: false,
            service: None,
            signer: None,
            signatures: None,
            discovery: Discovery::all(),
            mounts: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// The public address of this server, such as `https://api.example.com`: the beginning of every `resource.url`. It is
    /// never taken from a request.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.given.origin = Some(origin.into());
        self
    }

    /// The address that receives the money of every endpoint that names none itself. Mixed case must be an EIP-55 checksum.
    pub fn pay_to(mut self, address: impl Into<String>) -> Self {
        self.given.pay_to = Some(address.into());
        self
    }

    /// Accepts money on one more rail. Rails are offered in this order.
    pub fn accept(mut self, rail: Rail) -> Self {
        self.given.rails.push(rail);
        self
    }

    /// What a network's coin is worth, such as `3000 USD` for ether: with it the start looks whether each price earns what its
    /// settlement costs, and warns where it does not (see [`Paywall::warnings`]). Nothing else depends on it.
    pub fn native_price(mut self, network: Network, price: &str) -> Self {
        match native_price(price) {
            Ok(price) => {
                self.given
                    .native_prices
                    .retain(|(known, _)| *known != network);
                self.given.native_prices.push((network, price.amount));
            }
            Err(reason) => self.mistakes.push(Mistake::Setting(format!(
                "the price of the coin of {network}: {reason}"
            ))),
        }
        self
    }

    /// Whether buyers may or must give purchases ids of their own; not unless set. An endpoint whose attribute says otherwise
    /// (`payment_ids = "required"`) goes its own way.
    pub const fn payment_ids(mut self, ids: PaymentIds) -> Self {
        self.given.payment_ids = ids;
        self
    }

    /// What verifies and settles payments.
    pub fn facilitator(self, facilitator: impl Facilitator) -> Self {
        self.facilitator_arc(Arc::new(facilitator))
    }

    /// As [`facilitator`](Self::facilitator), for one that is shared.
    pub fn facilitator_arc(mut self, facilitator: Arc<dyn Facilitator>) -> Self {
        self.facilitator = Some(facilitator);
        self
    }

    /// Where payments are recorded.
    pub fn ledger(self, ledger: impl Ledger) -> Self {
        self.ledger_arc(Arc::new(ledger))
    }

    /// As [`ledger`](Self::ledger), for one that is shared.
    pub fn ledger_arc(mut self, ledger: Arc<dyn Ledger>) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Permits a ledger that forgets everything on a restart although rails take real money. Payments in flight at that
    /// moment are then lost sight of: the money may have moved without an answer to show for it.
    pub const fn allow_volatile_ledger(mut self) -> Self {
        self.volatile_allowed = true;
        self
    }

    /// Where "now" comes from; the system's clock unless set.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.clock_arc(Arc::new(clock))
    }

    /// As [`clock`](Self::clock), for one that is shared.
    pub fn clock_arc(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The seller's own word on payments: whether to take one, and what became of it. Nobody is asked unless set.
    pub fn hooks(self, hooks: impl SellerHooks) -> Self {
        self.hooks_arc(Arc::new(hooks))
    }

    /// As [`hooks`](Self::hooks), for ones that are shared.
    pub fn hooks_arc(mut self, hooks: Arc<dyn SellerHooks>) -> Self {
        self.hooks = Some(hooks);
        self
    }

    /// Passes ERC-6492 signatures of wallets that this factory deploys on to the facilitator. All others are refused.
    pub fn allow_wallet_factory(mut self, factory: Address) -> Self {
        self.factories.push(factory);
        self
    }

    /// Says what the manifest tells of the service as a whole, and each 402 of its name, its picture and its tags. Without it the
    /// manifest names the service after the host of its origin, and the 402s do not name it.
    pub fn service(mut self, service: Service) -> Self {
        self.given.shown = Arc::new(service.shown());
        self.service = Some(service);
        self
    }

    /// Signs the manifest (EIP-712), so that whoever reads it from a cache or a catalogue knows that the account which is paid
    /// stands for it. The signer is that account, or one that the service [declares](Service::signer); any other is refused by
    /// [`build`](Self::build). A signer that is paid also proves that it stands for the origin (EIP-191), which indexers look for in
    /// OpenAPI.
    ///
    /// It is asked once for each content, not by the request, and not kept.
    pub fn sign_manifest(self, signer: impl ManifestSigner) -> Self {
        self.sign_manifest_arc(Arc::new(signer))
    }

    /// As [`sign_manifest`](Self::sign_manifest), for a signer that is shared.
    pub fn sign_manifest_arc(mut self, signer: Arc<dyn ManifestSigner>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Signatures over the manifest that were made where the key is, for a server that has none: what
    /// [`signatures_by`](Self::signatures_by) makes, or a program that is started with `--manifest-signatures`. They are as in
    /// `integrity.signatures` (`0x` and 130 hex digits), with blanks or line feeds between them.
    ///
    /// Each content that will be served needs one, by an account that is paid or [declared](Service::signer): that of now, and one for
    /// each price that is scheduled. A signature of the origin among them proves it, as an [ownership
    /// proof](Service::ownership_proof) does. Those over something else do not count, so they may stay when a release comes after a
    /// change of price. What is missing stops the start. The service says when the manifest is [issued](Service::issued), because that
    /// is signed, too.
    ///
    /// Where a [signer](Self::sign_manifest) is at hand, it signs, and these do not count.
    pub fn manifest_signatures(mut self, signatures: impl AsRef<str>) -> Self {
        self.signatures = Some(signatures.as_ref().into());
        self
    }

    /// Which documents the router serves about what is sold; [`Discovery::all`] unless set.
    pub const fn discovery(mut self, discovery: Discovery) -> Self {
        self.discovery = discovery;
        self
    }

    /// The manifest of what is mounted, without a facilitator, a ledger or a network.
    ///
    /// # Errors
    /// [`BuildError`] with every mistake that [`build`](Self::build) would find before it asks anybody.
    pub fn manifest(&self) -> Result<Published, BuildError> {
        publish::manifest(self, self.signer.clone())
    }

    /// The same, signed by this signer, whoever else was named.
    pub(crate) fn manifest_signed_by(
        &self,
        signer: Arc<dyn ManifestSigner>,
    ) -> Result<Published, BuildError> {
        publish::manifest(self, Some(signer))
    }

    /// The signatures by this signer over every manifest that will be served, and over the origin if the signer is paid, a line for each:
    /// what [`manifest_signatures`](Self::manifest_signatures) takes on a server without the key.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest); also if the service does not say when the manifest is issued.
    pub fn signatures_by(&self, signer: impl ManifestSigner) -> Result<String, BuildError> {
        publish::signatures(self, Arc::new(signer))
    }

    /// Takes over what an operator configured. It replaces what was set before; what is set after it wins.
    pub fn settings(mut self, settings: PaywallSettings) -> Self {
        if let Some(file) = &settings.manifest_key_file {
            match ManifestKey::from_file(file) {
                Ok(key) => self.signer = Some(Arc::new(key)),
                Err(error) => self
                    .mistakes
                    .push(Mistake::Setting(format!("the manifest's key: {error}"))),
            }
        }
        settings.apply(&mut self.given, &mut self.limits);
        self
    }

    /// Sells a handler at the route that its `#[paid]` attribute names.
    pub fn mount<H, T>(self, handler: H) -> Self
    where
        H: PaidHandler<T, S>,
        T: 'static,
    {
        self.push(handler, None)
    }

    /// Sells a handler at another route, or one whose attribute names none. The path is in axum's syntax.
    pub fn mount_at<H, T>(
        self,
        method: Method,
        path: impl Into<Cow<'static, str>>,
        handler: H,
    ) -> Self
    where
        H: PaidHandler<T, S>,
        T: 'static,
    {
        self.push(handler, Some((method, path.into())))
    }

    fn push<H, T>(mut self, handler: H, at: Option<(Method, Cow<'static, str>)>) -> Self
    where
        H: PaidHandler<T, S>,
        T: 'static,
    {
        let mounted = Mounted {
            spec: <H::Endpoint as Endpoint>::SPEC,
            at,
        };
        self.mounts.push(Mount {
            mounted,
            describe: <H::Endpoint as Endpoint>::describe,
            handler: Arc::new(Erased::new(handler)),
        });
        self
    }

    limits! {
        /// Longest payment header in bytes; 16 KiB unless set. Longer ones are refused before they are decoded.
        header_cap: usize,
        /// Longest body of a paid request in bytes; 2 MiB unless set.
        body_cap: usize,
        /// Longest time to wait for that body; 30 s unless set.
        body_timeout: Duration,
        /// Longest answer of a handler in bytes; 8 MiB unless set. Longer ones are not charged.
        answer_cap: usize,
        /// Longest time a handler may take; 60 s unless set. A handler that takes longer is not charged.
        handler_timeout: Duration,
        /// Longest time for the facilitator to verify; 10 s unless set.
        verify_timeout: Duration,
        /// Longest time a [hook](Self::hooks) may take; 2 s unless set. One that is asked and takes longer has the request refused.
        hook_timeout: Duration,
        /// Longest time for the facilitator to settle; 30 s unless set. After it the outcome is unknown and the chain is asked.
        settle_timeout: Duration,
        /// How long a buyer waits for a settlement before the answer is 503 `settlement_pending`; 30 s unless set.
        settle_wait: Duration,
        /// Validity a payment must have left on arrival, on top of the protocol's 6 s; 4 s unless set.
        settle_budget: Duration,
        /// How many seconds buyers' clocks may be ahead; 60 unless set.
        clock_skew_seconds: u64,
        /// Payments in flight at the same time; 1024 unless set. More are answered 503 `overloaded`.
        max_in_flight: usize,
        /// Blocks after which a settlement is final; 12 unless set.
        confirmations: u64,
        /// How long closed payments are remembered after they expired; 7 days unless set.
        retention: Duration,
        /// Pause between two looks at unresolved payments; 2 s unless set.
        resolve_every: Duration,
        /// Longest time that [`Paywall::shutdown`] waits; 30 s unless set.
        drain_timeout: Duration,
    }

    /// Checks everything, recovers what an earlier process left, and starts the background work.
    ///
    /// # Errors
    /// [`BuildError`] with every mistake that could be found.
    ///
    /// # Panics
    /// Outside a Tokio runtime, as everything that spawns a task.
    pub async fn build(self) -> Result<Paywall<S>, BuildError> {
        start::build(self).await
    }
}

impl<S> fmt::Debug for PaywallBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self
            .mounts
            .iter()
            .map(|mount| mount.mounted.spec.id)
            .collect();
        f.debug_struct("PaywallBuilder")
            .field("given", &self.given)
            .field("limits", &self.limits)
            .field("mounts", &ids)
            .finish_non_exhaustive()
    }
}
