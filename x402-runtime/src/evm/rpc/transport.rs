//! One HTTP request per JSON-RPC call, with a deadline over all of it and a cap on what is read.

use std::task::{Context, Poll};

use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use tower_service::Service;
use url::Url;

use super::RpcLimits;
use crate::evm::chain::ChainError;

/// The transport under the JSON-RPC client.
#[derive(Clone)]
pub(super) struct Bounded {
    client: reqwest::Client,
    url: Url,
    limits: RpcLimits,
}

impl Bounded {
    pub(super) fn new(url: Url, limits: RpcLimits) -> Result<Self, ChainError> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(limits.deadline)
            .timeout(limits.deadline)
            .build()
            .map_err(|_| ChainError::Unreachable("no HTTP client could be made".to_owned()))?;
        Ok(Self {
            client,
            url,
            limits,
        })
    }

    async fn exchange(self, packet: RequestPacket) -> Result<ResponsePacket, ChainError> {
        let bad = |what: &str| ChainError::BadAnswer(what.to_owned());
        let request = packet
            .as_single()
            .ok_or_else(|| bad("batches are not used"))?;
        let id = request.id().clone();
        let body = request.serialized().get().to_owned();
        let response = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body)
            .send()
            .await
            .map_err(|error| describe(&error))?;
        if !response.status().is_success() {
            return Err(ChainError::Unreachable(format!(
                "HTTP status {}",
                response.status().as_u16()
            )));
        }
        let body = read_body(response, self.limits.max_answer).await?;
        let answer: ResponsePacket =
            serde_json::from_slice(&body).map_err(|_| bad("not a JSON-RPC answer"))?;
        match &answer {
            ResponsePacket::Single(single) if single.id == id => Ok(answer),
            _ => Err(bad("an answer to another request")),
        }
    }
}

async fn read_body(mut response: reqwest::Response, cap: usize) -> Result<Vec<u8>, ChainError> {
    let too_large = || ChainError::BadAnswer(format!("longer than {cap} bytes"));
    if response
        .content_length()
        .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > cap))
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error))? {
        if body.len().saturating_add(chunk.len()) > cap {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Says what went wrong without the URL, which may hold a key.
fn describe(error: &reqwest::Error) -> ChainError {
    if error.is_timeout() {
        return ChainError::Timeout;
    }
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "the connection broke within the answer"
    } else {
        "the connection broke"
    };
    ChainError::Unreachable(what.to_owned())
}

impl Service<RequestPacket> for Bounded {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let deadline = self.limits.deadline;
        let exchange = self.clone().exchange(packet);
        Box::pin(async move {
            let answer = tokio::time::timeout(deadline, exchange)
                .await
                .unwrap_or(Err(ChainError::Timeout));
            answer.map_err(TransportErrorKind::custom)
        })
    }
}
