//! What a token can do, read from the chain: for the check of a seller's settings at the start.

use alloy_primitives::{Address, B256, Bytes, U256, b256};
use alloy_sol_types::{SolCall, sol};
use x402_model::asset::Eip712Name;
use x402_model::evm::Eip712Domain;
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, UPTO_PERMIT2_PROXY};

use crate::evm::abi::Approvable::{
    DOMAIN_SEPARATORCall, allowanceCall, decimalsCall, noncesCall, permitCall,
};
use crate::evm::chain::{BlockRef, CallError, CallRequest, Chain, ChainError};
use crate::evm::payment::PaymentId;
use crate::evm::permit2;
use crate::evm::token::{self, Read, read};
use crate::facilitator::TokenFacts;

sol! {
    function symbol() external view returns (string);
    function PERMIT_TYPEHASH() external view returns (bytes32);
}

/// EIP-2612's own type; a token that names another one has a permit of its own kind.
const PERMIT_TYPE_HASH: B256 =
    b256!("0x6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9");
/// An account that nobody has: questions about it are answered by every token.
const NOBODY: Address = Address::repeat_byte(0x01);
/// Texts of a token that are longer say nothing worth keeping.
const MAX_TEXT: usize = 256;

/// Reads what a token can do; `None` when there is no contract at the address.
///
/// The contract is asked, not trusted: a malicious one can claim anything. It is meant for finding mistakes in settings.
///
/// ```no_run
/// use x402_runtime::evm::{RpcChain, token_facts};
/// use x402_runtime::model::asset::AssetTable;
/// use x402_runtime::model::network::Network;
///
/// # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
/// let chain = RpcChain::connect("https://sepolia.base.org").await?;
/// let table = AssetTable::builtin();
/// let usdc = table.default_for(&Network::BASE_SEPOLIA).ok_or("no USDC")?;
/// let facts = token_facts(&chain, usdc.address).await?.ok_or("no contract")?;
/// assert_eq!(facts.decimals, Some(usdc.decimals));
/// assert!(facts.eip3009);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`ChainError`] when the node gave no clear answer.
pub async fn token_facts(
    chain: &dyn Chain,
    token: Address,
) -> Result<Option<TokenFacts>, ChainError> {
    if chain.code(token).await?.is_empty() {
        return Ok(None);
    }
    let at = BlockRef::Latest;
    let nothing = PaymentId {
        asset: token,
        payer: NOBODY,
        nonce: B256::ZERO,
    };
    let (symbol_call, decimals_call) = (symbolCall {}, decimalsCall {});
    let allowance_call = allowanceCall {
        owner: NOBODY,
        spender: NOBODY,
    };
    let (name, version, symbol, decimals, state, allowance) = tokio::join!(
        token::name(chain, token),
        token::version(chain, token),
        read(chain, token, &symbol_call, at),
        read(chain, token, &decimals_call, at),
        token::authorization_state(chain, nothing, at),
        read(chain, token, &allowance_call, at),
    );
    let (exact, upto, eip2612) = tokio::join!(
        permit2::has_proxy(chain, EXACT_PERMIT2_PROXY),
        permit2::has_proxy(chain, UPTO_PERMIT2_PROXY),
        takes_permits(chain, token),
    );
    let (name, version) = (short(name?), short(version?));
    let approvable = matches!(allowance?, Read::Value(_));
    let (separator, eip712) = domain(chain, token, name.as_deref(), version.as_deref()).await?;
    Ok(Some(TokenFacts {
        separator,
        eip712,
        name,
        symbol: short(symbol?),
        decimals: match decimals? {
            Read::Value(decimals) => Some(decimals),
            Read::Unsupported => None,
        },
        eip3009: matches!(state?, Read::Value(_)),
        eip2612: eip2612?,
        permit2_exact: approvable && exact?,
        permit2_upto: approvable && upto?,
    }))
}

fn short(read: Read<String>) -> Option<String> {
    match read {
        Read::Value(text) if text.len() <= MAX_TEXT => Some(text),
        _ => None,
    }
}

/// The hash of the domain that the contract uses, and the domain with the token's name if that is its hash. Tokens that say no
/// version have 1.
async fn domain(
    chain: &dyn Chain,
    token: Address,
    name: Option<&str>,
    version: Option<&str>,
) -> Result<(Option<B256>, Option<Eip712Name>), ChainError> {
    let call = DOMAIN_SEPARATORCall {};
    let found = read(chain, token, &call, BlockRef::Latest).await?;
    let Read::Value(separator) = found else {
        return Ok((None, None));
    };
    let Some(name) = name else {
        return Ok((Some(separator), None));
    };
    let domain = Eip712Domain {
        name: name.to_owned(),
        version: version.unwrap_or("1").to_owned(),
        chain_id: chain.chain_id().await?,
        verifying_contract: token,
    };
    let named = (domain.separator().0 == separator).then(|| Eip712Name {
        name: domain.name.into(),
        version: domain.version.into(),
    });
    Ok((Some(separator), named))
}

/// Whether a permit of EIP-2612 is refused for a reason, which only a contract that knows the function gives.
async fn takes_permits(chain: &dyn Chain, token: Address) -> Result<bool, ChainError> {
    let at = BlockRef::Latest;
    let (type_call, nonces_call) = (PERMIT_TYPEHASHCall {}, noncesCall { owner: NOBODY });
    let (kind, nonces) = tokio::join!(
        read(chain, token, &type_call, at),
        read(chain, token, &nonces_call, at),
    );
    if nonces? == Read::Unsupported
        || matches!(kind?, Read::Value(kind) if kind != PERMIT_TYPE_HASH)
    {
        return Ok(false);
    }
    let forged = permitCall {
        owner: NOBODY,
        spender: NOBODY,
        value: U256::ONE,
        deadline: U256::MAX,
        v: 27,
        r: B256::repeat_byte(1),
        s: B256::repeat_byte(1),
    };
    let request = CallRequest {
        from: NOBODY,
        to: token,
        data: Bytes::from(forged.abi_encode()),
        gas: Some(300_000),
    };
    match chain.call(request, at).await {
        Ok(_) => Ok(false),
        Err(CallError::Revert { data, .. }) => Ok(!data.is_empty()),
        Err(CallError::Chain(error)) => Err(error),
    }
}
