//! A [`ChainReader`] over JSON-RPC, through the same door to the network as every call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, U256, hex};
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};
use url::Url;
use x402_model::network::Network;

use super::{ChainReadError, ChainReader, Fees};
use crate::error::RequestFault;
use crate::target;
use crate::transport::{ReplyBody, ReplyLimits, Transport};

/// Answers are numbers, and one is a block without its transactions.
const LIMITS: ReplyLimits = ReplyLimits {
    max_body: 256 * 1024,
    timeout: Duration::from_secs(10),
};

/// `allowance(address,address)`.
const ALLOWANCE: [u8; 4] = [0xdd, 0x62, 0xed, 0x3e];
/// `nonces(address)`.
const NONCES: [u8; 4] = [0x7e, 0xce, 0xbe, 0x00];

/// Reads chains over JSON-RPC, from one endpoint per network.
///
/// ```
/// # #[cfg(feature = "reqwest")] {
/// use x402_client::chain::JsonRpcReader;
/// use x402_model::network::Network;
/// let reader = JsonRpcReader::new().endpoint(Network::BASE, "https://mainnet.base.org")?;
/// # drop(reader); }
/// # Ok::<(), x402_client::error::RequestFault>(())
/// ```
#[derive(Clone)]
pub struct JsonRpcReader {
    transport: Arc<dyn Transport>,
    endpoints: Vec<(Network, Url)>,
}

#[cfg(feature = "reqwest")]
impl JsonRpcReader {
    /// A reader with the reqwest transport and no endpoints yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_transport(crate::transport::ReqwestTransport::new())
    }
}

#[cfg(feature = "reqwest")]
impl Default for JsonRpcReader {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonRpcReader {
    /// A reader with a transport of yours and no endpoints yet.
    pub fn with_transport(transport: impl Transport) -> Self {
        Self {
            transport: Arc::new(transport),
            endpoints: Vec::new(),
        }
    }

    /// Adds the endpoint of a network, in place of the one it had.
    ///
    /// # Errors
    /// [`RequestFault`] if the URL is none, holds a password, or is plain HTTP to another machine.
    pub fn endpoint(mut self, network: Network, url: &str) -> Result<Self, RequestFault> {
        let url = target::read(url, false)?;
        self.endpoints.retain(|(other, _)| *other != network);
        self.endpoints.push((network, url));
        Ok(self)
    }

    async fn call(
        &self,
        network: &Network,
        method: &str,
        params: Value,
    ) -> Result<Value, ChainReadError> {
        let mut endpoints = self.endpoints.iter();
        let (_, url) = endpoints
            .find(|(known, _)| known == network)
            .ok_or(ChainReadError::NoEndpoint)?;
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .body(body.to_string().into())
            .map_err(|_| ChainReadError::Unreachable)?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        request.extensions_mut().insert(LIMITS);
        let reply = self.transport.send(request).await;
        let reply = reply.map_err(|_| ChainReadError::Unreachable)?;
        match reply.body {
            ReplyBody::Whole(body)
                if reply.status.is_success() && body.len() <= LIMITS.max_body =>
            {
                result(&body).ok_or(ChainReadError::Answer)
            }
            _ => Err(ChainReadError::Answer),
        }
    }

    /// What a view function of a contract answers, which has to be one word.
    async fn view(
        &self,
        network: &Network,
        contract: Address,
        selector: [u8; 4],
        arguments: &[Address],
    ) -> Result<U256, ChainReadError> {
        let mut data = selector.to_vec();
        for argument in arguments {
            data.extend_from_slice(argument.into_word().as_slice());
        }
        let call = json!({"to": contract, "data": hex::encode_prefixed(data)});
        let word = self
            .call(network, "eth_call", json!([call, "latest"]))
            .await?;
        let word = word.as_str().filter(|word| word.len() == 2 + 64);
        word.and_then(quantity).ok_or(ChainReadError::Answer)
    }
}

impl fmt::Debug for JsonRpcReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Endpoints often carry a key in their URL.
        let networks: Vec<String> = self.endpoints.iter().map(|(n, _)| n.to_string()).collect();
        f.debug_struct("JsonRpcReader")
            .field("networks", &networks)
            .finish_non_exhaustive()
    }
}

/// The `result` of an answer; `None` for an error and for everything else.
fn result(body: &[u8]) -> Option<Value> {
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    let members = answer.as_object_mut()?;
    if members.get("error").is_some_and(|error| !error.is_null()) {
        return None;
    }
    members.remove("result")
}

/// A number as nodes write it: `0x` and hex digits.
fn quantity(text: &str) -> Option<U256> {
    let digits = text.strip_prefix("0x")?;
    let all_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all_hex
        .then(|| U256::from_str_radix(digits, 16).ok())
        .flatten()
}

fn small<T: TryFrom<U256>>(value: Option<&Value>) -> Result<T, ChainReadError> {
    value
        .and_then(Value::as_str)
        .and_then(quantity)
        .and_then(|number| T::try_from(number).ok())
        .ok_or(ChainReadError::Answer)
}

impl ChainReader for JsonRpcReader {
    fn allowance<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
        owner: Address,
        spender: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>> {
        Box::pin(async move {
            self.view(network, token, ALLOWANCE, &[owner, spender])
                .await
        })
    }

    fn permit_nonce<'a>(
        &'a self,
        network: &'a Network,
        token: Address,
        owner: Address,
    ) -> BoxFuture<'a, Result<U256, ChainReadError>> {
        Box::pin(async move { self.view(network, token, NONCES, &[owner]).await })
    }

    fn transaction_count<'a>(
        &'a self,
        network: &'a Network,
        account: Address,
    ) -> BoxFuture<'a, Result<u64, ChainReadError>> {
        Box::pin(async move {
            let params = json!([account, "pending"]);
            let count = self
                .call(network, "eth_getTransactionCount", params)
                .await?;
            small(Some(&count))
        })
    }

    fn fees<'a>(&'a self, network: &'a Network) -> BoxFuture<'a, Result<Fees, ChainReadError>> {
        Box::pin(async move {
            let block = self
                .call(network, "eth_getBlockByNumber", json!(["latest", false]))
                .await?;
            let base: u128 = small(block.get("baseFeePerGas"))?;
            let tip = self
                .call(network, "eth_maxPriorityFeePerGas", json!([]))
                .await?;
            let tip: u128 = small(Some(&tip))?;
            // Twice the base fee lasts for six full blocks, and what is not needed is not taken.
            let max = base.checked_mul(2).and_then(|base| base.checked_add(tip));
            Ok(Fees {
                max_fee_per_gas: max.ok_or(ChainReadError::Answer)?,
                max_priority_fee_per_gas: tip,
            })
        })
    }
}

#[cfg(test)]
mod tests;
