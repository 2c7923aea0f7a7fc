//! One call being put together.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;
use x402_model::asset::parse_address;
use x402_model::extension::PaymentIdentifier;
use x402_model::wire::headers::{PAYMENT_SIGNATURE, X_PAYMENT};

use super::Shared;
use super::drive::{Drive, Opened};
use super::priced::Asked;
use crate::error::{Error, RequestFault};
use crate::payment::PlainRequest;
use crate::response::Response;
use crate::select::{Buyer, CallCap, Pin};
use crate::target;

use alloy_primitives::Address;

const MAX_IDEMPOTENCY_KEY: usize = 256;

/// Headers that the payment or the connection sets.
const RESERVED: [&str; 6] = [
    PAYMENT_SIGNATURE,
    X_PAYMENT,
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
];

/// What a caller wants from one call.
pub(crate) struct Call {
    pub(crate) request: PlainRequest,
    pub(crate) cap: Option<CallCap>,
    pub(crate) pay_to: Option<Address>,
    pub(crate) pins: Option<Vec<Pin>>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) payment_id: Option<PaymentIdentifier>,
    pub(crate) sign_in: bool,
}

impl Call {
    pub(crate) fn buyer<'a>(&'a self, shared: &'a Shared) -> Buyer<'a> {
        Buyer {
            policy: &shared.settings.policy,
            budget: &shared.budget,
            cap: self.cap.as_ref(),
            payer: shared.wallet.address(),
            pay_to: self.pay_to,
            pins: self.pins.as_deref(),
            called: &self.request.url,
        }
    }
}

/// One call, sent by [`RequestBuilder::send`]. A mistake in any part is reported there, before anything is sent.
#[must_use = "a call does nothing until `send` is awaited"]
pub struct RequestBuilder {
    shared: Arc<Shared>,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    cap: Option<CallCap>,
    pay_to: Option<Address>,
    pins: Option<Vec<Pin>>,
    idempotency_key: Option<String>,
    payment_id: Option<PaymentIdentifier>,
    sign_in: bool,
    fault: Option<RequestFault>,
}

impl RequestBuilder {
    pub(super) fn new(shared: Arc<Shared>, method: Method, url: &str) -> Self {
        Self {
            shared,
            method,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            cap: None,
            pay_to: None,
            pins: None,
            idempotency_key: None,
            payment_id: None,
            sign_in: false,
            fault: None,
        }
    }

    /// Adds a header. It goes out with the unpaid and with the paid request.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            (Ok(name), Ok(_))
                if RESERVED
                    .iter()
                    .any(|reserved| name.as_str().eq_ignore_ascii_case(reserved)) =>
            {
                self.fail(RequestFault::ReservedHeader {
                    name: name.as_str().to_owned(),
                });
            }
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.fail(RequestFault::Header),
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to JSON, and `Content-Type` unless it is set already.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => {
                self.body = body.into();
                let json = HeaderValue::from_static("application/json");
                self.headers.entry(header::CONTENT_TYPE).or_insert(json);
            }
            Err(_) => self.fail(RequestFault::Json),
        }
        self
    }

    /// The most that this call may cost, for example `"0.05 USD"`; the budget's own limits apply as well.
    pub fn max(mut self, amount: &str) -> Self {
        match CallCap::new(amount) {
            Ok(cap) => self.cap = Some(cap),
            Err(error) => self.fail(RequestFault::Max(Box::new(error))),
        }
        self
    }

    /// The only address to pay, as published by the seller elsewhere. Other payees are refused.
    pub fn pay_to(mut self, address: &str) -> Self {
        match parse_address(address) {
            Ok(address) => self.pay_to = Some(address),
            Err(_) => self.fail(RequestFault::PayTo),
        }
        self
    }

    /// The only ways to pay, each with its own payee, as published by the seller elsewhere. Others are refused, and all of
    /// them if there are none.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use x402_client::{Budget, Client, Wallet, select::Pin};
    /// # let wallet = Wallet::view_only([1; 20].into());
    /// let client = Client::new(wallet, Budget::new("5 USD", "1 USD")?);
    /// let token = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    /// let payee = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    /// let pin = Pin::parse("exact", "eip155:84532", token, Some(payee));
    /// let call = client.get("https://api.example.com/weather").only(pin);
    /// # drop(call);
    /// # Ok(()) }
    /// ```
    pub fn only(mut self, pins: impl IntoIterator<Item = Pin>) -> Self {
        self.pins = Some(pins.into_iter().collect());
        self
    }

    /// Derives the payment's nonce from this key, the call and the terms, so that making the same call again, even
    /// after a crash, cannot pay twice: a token takes one authorization per nonce. While this client still holds the
    /// open payment, that one is presented again; a new process signs another with the same nonce. Use one key per
    /// thing to be bought.
    ///
    /// Needs a wallet with a salt: one from a key file, a keystore or a local key has it.
    pub fn idempotency_key(mut self, key: &str) -> Self {
        if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY {
            self.fail(RequestFault::IdempotencyKey);
        } else {
            self.idempotency_key = Some(key.to_owned());
        }
        self
    }

    /// The id of the purchase: 16 to 128 of `A-Z`, `a-z`, `0-9`, `_` and `-`. Sellers that ask for ids (`payment-identifier`)
    /// charge a purchase once and show its first answer again, whatever other payment comes with the same id. Others never
    /// see it.
    ///
    /// A call gets an id by itself; give one to pay again for a call whose outcome is unknown
    /// ([`crate::Receipt::payment_id`]). An [`idempotency_key`](Self::idempotency_key) yields the same id each time.
    pub fn payment_id(mut self, id: &str) -> Self {
        match PaymentIdentifier::parse(id) {
            Some(id) => self.payment_id = Some(id),
            None => self.fail(RequestFault::PaymentId),
        }
        self
    }

    /// Signs in before it pays, where the seller lets known wallets in or sells for less to those that bought much
    /// (`sign-in-with-x`): the wallet signs a message that names the seller's origin, and the request goes out once more with
    /// it. If the seller asks for payment all the same, the call is paid, at the price that it is told then unless that is
    /// higher than before. Tells the seller which address calls, before and without a payment.
    ///
    /// A message that is about any other origin than the one called is not signed.
    pub const fn sign_in(mut self) -> Self {
        self.sign_in = true;
        self
    }

    /// Makes the call: unpaid first, then, if the seller asks for payment and policy and budget allow it, paid.
    ///
    /// `Ok` is the answer of the seller's handler, whatever its status; [`Response::receipt`] tells whether and what
    /// was paid for it.
    ///
    /// # Errors
    /// [`Error`] says what happened, what it cost ([`Error::charged`]) and what to do next ([`Error::action`]).
    pub async fn send(self) -> Result<Response, Error> {
        let (shared, call) = self.finish()?;
        Box::pin(Drive::start(&shared, call).run()).await
    }

    /// Sends the unpaid request only and shows what the call costs. Nothing is signed or reserved; go on with
    /// [`super::PricedCall::pay`], for example when a person has agreed.
    ///
    /// # Errors
    /// As for [`RequestBuilder::send`], as far as that gets without paying.
    pub async fn ask(self) -> Result<Asked, Error> {
        let (shared, call) = self.finish()?;
        Box::pin(Drive::start(&shared, call).price()).await
    }

    /// As [`RequestBuilder::send`], but a success is handed over as soon as its headers are there, and its body as it comes, of
    /// any length: for answers of many events. The time of one attempt is then the longest that nothing may come.
    ///
    /// ```no_run
    /// # async fn listen(client: &x402_client::Client) -> Result<(), x402_client::Error> {
    /// match client.get("https://api.example.com/prices").open().await? {
    ///     x402_client::Opened::Stream(mut answer) => {
    ///         while let Some(part) = answer.part().await {
    ///             println!("{} bytes", part?.len());
    ///         }
    ///         println!("cost: {:?}", answer.receipt().and_then(|receipt| receipt.charged));
    ///     }
    ///     x402_client::Opened::Whole(answer) => println!("{}", answer.status()),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`RequestBuilder::send`]. What goes wrong later is told by [`ResponseStream::part`](super::ResponseStream::part).
    pub async fn open(self) -> Result<Opened, Error> {
        let (shared, call) = self.finish()?;
        Box::pin(Drive::start(&shared, call).open()).await
    }

    fn finish(self) -> Result<(Arc<Shared>, Call), RequestFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.idempotency_key.is_some() && !self.shared.wallet.has_salt() {
            return Err(RequestFault::WalletWithoutSalt);
        }
        let url = target::read(&self.url, self.shared.settings.allow_http)?;
        let request = PlainRequest {
            method: self.method,
            url,
            headers: self.headers,
            body: self.body,
        };
        let call = Call {
            request,
            cap: self.cap,
            pay_to: self.pay_to,
            pins: self.pins,
            idempotency_key: self.idempotency_key,
            payment_id: self.payment_id,
            sign_in: self.sign_in,
        };
        Ok((self.shared, call))
    }

    fn fail(&mut self, fault: RequestFault) {
        // The first mistake is the one to mend first.
        self.fault.get_or_insert(fault);
    }
}

// The URL's query, headers and body can hold secrets of the caller.
impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
