//! Credit at sellers that sell it in advance: buying it, and looking at what is left. Calls spend it by themselves.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::Client;
use crate::error::Error;
use crate::receipt::Receipt;
use crate::response::{BodyError, Response};

/// Origins remembered. More than one agent deals with; beyond it calls are paid one by one until credit is bought again.
const MAX_ORIGINS: usize = 1024;

/// Where this client has credit, as far as it knows.
#[derive(Debug, Default)]
pub(crate) struct KnownCredit(Mutex<HashSet<String>>);

impl KnownCredit {
    fn with<T>(&self, work: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn is_at(&self, url: &Url) -> bool {
        self.with(|origins| origins.contains(&url.origin().ascii_serialization()))
    }

    /// Notes whether there is credit at the origin of a URL.
    pub(crate) fn note(&self, url: &Url, some: bool) {
        let origin = url.origin().ascii_serialization();
        self.with(|origins| {
            if !some {
                origins.remove(&origin);
            } else if origins.len() < MAX_ORIGINS {
                origins.insert(origin);
            }
        });
    }
}

/// Credit at sellers, by [`Client::credits`].
///
/// Buying a plan is an ordinary paid call: policy, budget and receipt are those of any other. What is spent of the credit
/// afterwards is **not** charged to the budget again, and the most for one call
/// ([`RequestBuilder::max`](crate::RequestBuilder::max)) does not bound it: the seller's prices do.
///
/// Once credit was bought or seen here, calls to that origin spend it: where the terms of a call say that credit is taken, the
/// wallet signs a message instead of a payment. A lost answer is asked for again with the same message, which takes the price
/// once. When the credit does not suffice, the call is paid as ever.
///
/// ```no_run
/// # async fn run(client: x402_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let bought = client.credits().buy("https://api.example.com/x402/credits", Some("prepaid-10-usdc")).await?;
/// println!("{} {} to spend", bought.balance, bought.unit);
/// let answer = client.get("https://api.example.com/weather").send().await?;
/// println!("{:?}", answer.headers().get("x402-credit"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Credits<'a> {
    client: &'a Client,
}

/// Credit that was bought.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Bought {
    /// The plan.
    pub plan: String,
    /// How much credit it gave, as a decimal number of `unit`.
    pub credit: String,
    /// How much there was with it when it was sold.
    pub balance: String,
    /// The unit.
    pub unit: String,
    /// When what is left of it is lost, RFC 3339, if ever.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// The record of the payment.
    #[serde(skip)]
    pub receipt: Option<Receipt>,
}

/// What a seller says is left of credit in one unit. Amounts are decimal numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreditBalance {
    /// The unit.
    pub unit: String,
    /// What may be spent.
    pub balance: String,
    /// What is held for calls that are under way.
    pub held: String,
    /// What calls took.
    pub spent: String,
}

#[derive(Deserialize)]
struct Balances {
    balances: Vec<CreditBalance>,
}

/// Credit that could not be bought or seen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreditError {
    /// The call did not end with an answer.
    #[error(transparent)]
    Call(#[from] Error),
    /// The seller answered with an error of its own.
    #[error("the seller answered {status}")]
    Status {
        /// The status.
        status: StatusCode,
        /// The record of a payment, if one was made.
        receipt: Option<Box<Receipt>>,
    },
    /// The answer is not what sellers of credit answer.
    #[error("{error}")]
    Body {
        /// What is wrong with it.
        error: BodyError,
        /// The record of a payment, if one was made.
        receipt: Option<Box<Receipt>>,
    },
}

impl Client {
    /// Buys credit in advance and shows what is left.
    pub const fn credits(&self) -> Credits<'_> {
        Credits { client: self }
    }
}

impl Credits<'_> {
    /// Buys a plan at the place where it is sold, or the first one that is sold there. One payment, made as for any call.
    ///
    /// # Errors
    /// [`CreditError`]; the call in it says what it cost and what to do.
    pub async fn buy(&self, url: &str, plan: Option<&str>) -> Result<Bought, CreditError> {
        let mut url = url.to_owned();
        if let Some(plan) = plan {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str("plan=");
            url.extend(url::form_urlencoded::byte_serialize(plan.as_bytes()));
        }
        let response = success(self.client.post(&url).send().await?)?;
        let bought: Bought = read(&response)?;
        self.note(&url, true);
        Ok(Bought {
            receipt: response.receipt().cloned(),
            ..bought
        })
    }

    /// Signs in where credit is sold, and reads what is left. Costs nothing.
    ///
    /// # Errors
    /// [`CreditError`].
    pub async fn balances(&self, url: &str) -> Result<Vec<CreditBalance>, CreditError> {
        let response = success(self.client.get(url).sign_in().send().await?)?;
        let Balances { balances } = read(&response)?;
        let some = balances.iter().any(|one| {
            one.balance
                .bytes()
                .any(|byte| (b'1'..=b'9').contains(&byte))
        });
        self.note(url, some);
        Ok(balances)
    }

    fn note(&self, url: &str, some: bool) {
        if let Ok(url) = Url::parse(url) {
            self.client.shared.credit.note(&url, some);
        }
    }
}

fn success(response: Response) -> Result<Response, CreditError> {
    if response.is_success() {
        return Ok(response);
    }
    Err(CreditError::Status {
        status: response.status(),
        receipt: response.receipt().cloned().map(Box::new),
    })
}

fn read<T: serde::de::DeserializeOwned>(response: &Response) -> Result<T, CreditError> {
    response.json().map_err(|error| CreditError::Body {
        error,
        receipt: response.receipt().cloned().map(Box::new),
    })
}
