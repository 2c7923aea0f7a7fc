//! The one signature of a call: asked for, charged, made and written down, in this order.

use std::pin::pin;

use alloy_primitives::B256;
use futures_util::future::{Either, select as race};
use x402_model::extension::PaymentIdentifier;

use super::{Drive, trace};
use crate::approval::{self, Approval};
use crate::client::Shared;
use crate::client::request::Call;
use crate::error::Error;
use crate::flow::CallEvent;
use crate::payment::purchase::{id_of, with_id};
use crate::payment::{Bearer, PendingPayment, encode_payment};
use crate::receipt::{Receipt, Settlement};
use crate::select::Choice;
use crate::terms::Terms;
use crate::wallet::{CallFingerprint, SigningError, valid_before};

impl Drive<'_> {
    pub(super) async fn sign(&mut self) -> CallEvent {
        let signed = self.sign_once().await;
        match signed.and_then(|payment| self.record(payment)) {
            Ok(payment) => {
                let valid_before_ms = payment.valid_before().saturating_mul(1000);
                self.shared.open.add(payment.clone());
                trace::signed(&self.span, &payment);
                self.payment = Some(payment);
                CallEvent::Signed {
                    valid_before_ms,
                    retry: self.shared.settings.retry,
                }
            }
            Err(error) => {
                let declined = matches!(error, Error::Declined(_));
                self.error = Some(error);
                if declined {
                    CallEvent::Declined
                } else {
                    CallEvent::SignFailed
                }
            }
        }
    }

    /// Charges the budget, then asks the signer. If this future is dropped in between, the charge stays: a signer in
    /// another process may have signed.
    async fn sign_once(&mut self) -> Result<PendingPayment, Error> {
        let reservation = self.reservation.take();
        let parts = (
            self.call.as_ref(),
            self.terms.as_ref(),
            self.choice.as_ref(),
            reservation,
        );
        let (Some(call), Some(terms), Some(choice), Some(reservation)) = parts else {
            return Err(Error::Internal("nothing reserved"));
        };
        let Shared {
            budget, settings, ..
        } = self.shared.as_ref();
        let nonce = self.nonce(call, choice).map_err(Error::NotSigned)?;
        let now = settings.clock.now_ms() / 1000;
        if let Some(open) = self.shared.open.usable(&nonce, now) {
            reservation.charge(nonce, open.valid_before());
            return Ok(open.for_request(&call.request));
        }
        let id = id_of(call, terms, &self.shared.wallet, nonce).map_err(Error::NotSigned)?;
        // Until here dropping the reservation gives its room back; from the charge on only proof does.
        self.ask_whether(call, choice)
            .await
            .map_err(Error::Declined)?;
        let approval = self.approval(terms, choice).await;
        // The validity counts from the signature, not from the moment at which somebody was asked.
        let now_ms = settings.clock.now_ms();
        let now = now_ms / 1000;
        reservation.charge(nonce, valid_before(choice, now));
        let signing = self.make(terms, choice, (nonce, id.as_ref()), now, approval);
        let deadline = self.shared.io.timer.sleep(settings.limits.timeout);
        let signed = match race(pin!(signing), deadline).await {
            Either::Left((signed, _)) => signed,
            // Unlike a signer that failed, one that is silent may still sign: the charge stays.
            Either::Right(_) => return Err(Error::NotSigned(SigningError::Timeout)),
        };
        let (header, bearer) = signed.map_err(|error| {
            budget.never_sent(&nonce);
            Error::NotSigned(error)
        })?;
        let receipt = Receipt {
            payment_id: id.map(|id| id.to_string()),
            ..self.receipt(call, choice, nonce, now_ms)
        };
        Ok(PendingPayment::new(&call.request, header, bearer, receipt))
    }

    /// Signs the payment, and the approval that goes along with it.
    async fn make(
        &self,
        terms: &Terms,
        choice: &Choice,
        (nonce, id): (B256, Option<&PaymentIdentifier>),
        now: u64,
        approval: Option<Approval>,
    ) -> Result<(&'static str, Bearer), SigningError> {
        let wallet = &self.shared.wallet;
        let payload = wallet.sign(wallet.unsigned(choice, nonce, now)).await?;
        let added = match approval {
            None => None,
            Some(approval) => Some(approval.sign(wallet, choice, now).await?),
        };
        let extensions = with_id(approval::extensions(terms, added), id);
        encode_payment(terms, choice, &payload, extensions).map_err(|_| SigningError::Encoding)
    }

    /// The approval that the payment needs and the seller sponsors, as far as the chain can be read in time.
    async fn approval(&self, terms: &Terms, choice: &Choice) -> Option<Approval> {
        let settings = &self.shared.settings;
        let reader = settings.chain.as_ref()?;
        let payer = self.shared.wallet.address();
        let allowed = settings.policy.approvals;
        let needed = approval::needed(reader.as_ref(), terms, choice, allowed, payer);
        let deadline = self.shared.io.timer.sleep(settings.limits.timeout);
        match race(pin!(needed), deadline).await {
            Either::Left((approval, _)) => approval,
            Either::Right(_) => None,
        }
    }

    fn receipt(&self, call: &Call, choice: &Choice, nonce: B256, now_ms: u64) -> Receipt {
        Receipt {
            url: call.request.url.as_str().to_owned(),
            method: call.request.method.as_str().to_owned(),
            payer: self.shared.wallet.address(),
            pay_to: choice.pay_to,
            kind: choice.kind(),
            amount: choice.amount,
            charged: None,
            asset: choice.asset.address,
            symbol: choice.asset.symbol.to_string(),
            decimals: choice.asset.decimals,
            network: choice.asset.network.clone(),
            nonce,
            valid_before: valid_before(choice, now_ms / 1000),
            transaction: None,
            settlement: Settlement::Unreported,
            payment_id: None,
            signed_at_ms: now_ms,
        }
    }

    /// Has the payment written down. It left nobody's hands if that fails.
    fn record(&self, payment: PendingPayment) -> Result<PendingPayment, Error> {
        let Some(record) = &self.shared.settings.record else {
            return Ok(payment);
        };
        match record(&payment) {
            Ok(()) => Ok(payment),
            Err(failure) => {
                self.shared.budget.never_sent(&payment.nonce());
                Err(Error::NotRecorded(failure))
            }
        }
    }

    fn nonce(&self, call: &Call, choice: &Choice) -> Result<B256, SigningError> {
        let Some(key) = &call.idempotency_key else {
            return self.shared.settings.nonces.nonce();
        };
        let plain = &call.request;
        let fingerprint =
            CallFingerprint::new(plain.method.as_str(), plain.url.as_str(), &plain.body);
        self.shared.wallet.derive_nonce(key, &fingerprint, choice)
    }
}
