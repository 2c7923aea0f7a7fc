//! The recorded verdicts of the reference facilitator, to be replayed against ours in whatever dress it comes.
//!
//! The cases are replayed in order, each from the state that recording had: a payer with 5,000,000 units, and
//! everything that earlier cases had settled. Where we answer differently on purpose, a rule says so.

use std::collections::HashSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};
use x402_model::evm::address::{read_address, read_word};
use x402_model::network::Network;
use x402_runtime::clock::ManualClock;
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest, SettleOutcome};
use x402_runtime::sandbox::{Sandbox, USDC};

use super::support;

const BASE_SEPOLIA: &str = "eip155:84532";
const PAYER_UNITS: u64 = 5_000_000;

struct Vectors {
    clock: u64,
    cases: Vec<Value>,
}

fn load(name: &str) -> Vectors {
    let path = format!(
        "{}/../x402-runtime/tests/data/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Vectors {
        clock: file["clockUnixSeconds"].as_u64().unwrap(),
        cases: file["cases"].as_array().unwrap().clone(),
    }
}

/// A chain in the state that the recording of one case had.
fn chain_of(clock: u64, case: &Value) -> Sandbox {
    let sandbox = Sandbox::with_clock(Arc::new(ManualClock::at_seconds(clock))).unwrap();
    for account in sandbox.accounts() {
        let have = support::balance(&sandbox, USDC, account.address());
        let keep = if account.address() == sandbox.payer() {
            PAYER_UNITS
        } else {
            0
        };
        let sink = Address::repeat_byte(0xdd);
        // transfer(sink, have - keep)
        let units = U256::from(have - keep);
        let data = [
            &[0xa9, 0x05, 0x9c, 0xbb][..],
            sink.into_word().as_slice(),
            &units.to_be_bytes::<32>(),
        ]
        .concat();
        sandbox.transact_as(account.address(), USDC, data).unwrap();
    }
    // The recording's payer had approved Permit2 before every case but the one that wants to be told to.
    let unapproved = case["expected"]["invalidReason"] == "permit2_allowance_required";
    if !unapproved {
        sandbox
            .approve_permit2(USDC, sandbox.payer(), U256::MAX)
            .unwrap();
    }
    // The file cannot say which code the payer had; the note of such a case does.
    let note = format!("{} {}", case["name"], case["note"]);
    if note.contains("7702") {
        let delegate = Address::repeat_byte(0x77);
        sandbox
            .set_code(delegate, support::artifact("MuteDelegate").runtime)
            .unwrap();
        sandbox.delegate(sandbox.payer(), delegate).unwrap();
    }
    sandbox
}

fn request_of(case: &Value) -> FacilitatorRequest {
    let payload = case["input"]["paymentPayload"].clone();
    let version = payload["x402Version"]
        .as_u64()
        .and_then(|version| u8::try_from(version).ok())
        .unwrap_or(0);
    FacilitatorRequest {
        x402_version: version,
        payload: payload.into(),
        requirements: case["input"]["paymentRequirements"].clone().into(),
    }
}

/// Which payment a case is about.
fn id_of(case: &Value) -> Option<(Address, B256)> {
    let payload = &case["input"]["paymentPayload"]["payload"];
    if let Some(authorization) = payload.get("permit2Authorization") {
        let nonce: U256 = authorization["nonce"].as_str()?.parse().ok()?;
        return Some((read_address(authorization["from"].as_str()?)?, nonce.into()));
    }
    let authorization = payload.get("authorization")?;
    Some((
        read_address(authorization["from"].as_str()?)?,
        read_word(authorization["nonce"].as_str()?)?,
    ))
}

/// The rules by which our answer may differ.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Difference {
    /// The reference throws; we answer a code.
    CodeInsteadOfError,
    /// The payment was settled before and the money is where it should be: settling it again is success, with the
    /// first transaction, because a lost answer must not make a buyer pay twice.
    RepeatedSettleIsSuccess,
    /// The reference puts free text of its node into `errorReason`; we answer a code.
    CodeInsteadOfText,
    /// The reference only says that the simulation failed; we say that the nonce is used for something else.
    CauseInsteadOfSymptom,
    /// The reference answers an empty payer when it refuses the shape of a payload; we repeat the one that it names.
    PayerInsteadOfNone,
}

fn verify_difference(expected: &Value, valid: bool) -> Option<Difference> {
    (expected["threw"] == true && !valid).then_some(Difference::CodeInsteadOfError)
}

fn settle_difference(expected: &Value, outcome: &SettleOutcome, spent: bool) -> Option<Difference> {
    let reason = expected["errorReason"].as_str().unwrap_or_default();
    match outcome {
        SettleOutcome::Settled(_)
            if reason.ends_with("nonce_already_used")
                || (spent && reason == "permit2_simulation_failed")
                || reason.contains(' ') =>
        {
            Some(Difference::RepeatedSettleIsSuccess)
        }
        SettleOutcome::Refused(_) if expected["threw"] == true => {
            Some(Difference::CodeInsteadOfError)
        }
        SettleOutcome::Refused(_) if reason.contains(' ') => Some(Difference::CodeInsteadOfText),
        SettleOutcome::Refused(response)
            if spent
                && reason == "permit2_simulation_failed"
                && response.error_reason.as_deref() == Some("permit2_invalid_nonce") =>
        {
            Some(Difference::CauseInsteadOfSymptom)
        }
        _ => None,
    }
}

async fn replay_verify(facilitator: &dyn Facilitator, case: &Value) -> Option<Difference> {
    let name = &case["name"];
    let expected = &case["expected"];
    let answer = facilitator.verify(&request_of(case)).await.unwrap();
    if let Some(difference) = verify_difference(expected, answer.is_valid) {
        assert!(answer.invalid_reason.is_some(), "{name}");
        return Some(difference);
    }
    assert_eq!(
        json!(answer.is_valid),
        expected["isValid"],
        "{name}: {answer:?}"
    );
    assert_eq!(
        json!(answer.invalid_reason),
        expected["invalidReason"],
        "{name}: {answer:?}"
    );
    payer_difference(expected, answer.payer.as_deref(), name)
}

/// The payer must be the recorded one, or be named where the recording names none.
fn payer_difference(expected: &Value, payer: Option<&str>, name: &Value) -> Option<Difference> {
    if expected["payer"] == "" {
        assert!(payer.is_some_and(|payer| read_address(payer).is_some()));
        return Some(Difference::PayerInsteadOfNone);
    }
    assert_eq!(json!(payer), expected["payer"], "{name}");
    None
}

async fn replay_settle(
    facilitator: &dyn Facilitator,
    case: &Value,
    spent: bool,
) -> Option<Difference> {
    let name = &case["name"];
    let expected = &case["expected"];
    let outcome = facilitator.settle(&request_of(case)).await;
    let difference = settle_difference(expected, &outcome, spent);
    let (SettleOutcome::Settled(response) | SettleOutcome::Refused(response)) = outcome else {
        panic!("{name}: no clear outcome: {outcome:?}");
    };
    if difference.is_none() {
        assert_eq!(
            json!(response.success),
            expected["success"],
            "{name}: {response:?}"
        );
        assert_eq!(
            json!(response.error_reason),
            expected["errorReason"],
            "{name}: {response:?}"
        );
        assert_eq!(
            response.transaction.is_empty(),
            expected["transaction"] == "",
            "{name}"
        );
    }
    if difference.is_none() {
        assert_eq!(json!(response.amount), expected["amount"], "{name}");
    }
    let payer = payer_difference(expected, response.payer.as_deref(), name);
    assert_eq!(json!(response.network), expected["network"], "{name}");
    difference.or(payer)
}

async fn check_supported(facilitator: &dyn Facilitator, case: &Value) {
    let ours = facilitator.supported().await.unwrap();
    let kinds = case["expected"]["kinds"].as_array().unwrap();
    for kind in &ours.kinds {
        let kind = serde_json::to_value(kind).unwrap();
        assert!(
            kinds.contains(&kind),
            "{kind} is not a kind of the reference"
        );
    }
    assert!(ours.supports(2, "exact", BASE_SEPOLIA) && ours.supports(1, "exact", "base-sepolia"));
    // The reference serves every EVM chain and says `eip155:*`; ours serves one and names it.
    for (pattern, signers) in case["expected"]["signers"].as_object().unwrap() {
        assert!(BASE_SEPOLIA.parse::<Network>().unwrap().matches(pattern));
        assert_eq!(json!(ours.signers[BASE_SEPOLIA]), *signers);
    }
}

/// Whether the recording's chain had seen this very payment already, in another file's run.
fn spent_before_recording(case: &Value) -> bool {
    let expected = &case["expected"];
    let reason = expected["invalidReason"]
        .as_str()
        .or_else(|| expected["errorReason"].as_str());
    reason.is_some_and(|reason| {
        reason.ends_with("nonce_already_used") || reason.contains("reverted with")
    })
}

/// Replays a file's cases, each against the facilitator that `face` puts before the case's chain.
pub(crate) async fn replay<F, A>(file: &str, face: F) -> HashSet<Difference>
where
    F: Fn(Sandbox) -> A,
    A: Future<Output = Arc<dyn Facilitator>>,
{
    let vectors = load(file);
    let mut differences = HashSet::new();
    // Payments whose authorization the recording used up, in order: (payer, nonce) and the case that did it.
    let mut spent: Vec<Value> = Vec::new();
    for case in &vectors.cases {
        let sandbox = chain_of(vectors.clock, case);
        let id = id_of(case);
        if spent_before_recording(case) && !spent.iter().any(|earlier| id_of(earlier) == id) {
            spent.push(case.clone());
        }
        for earlier in spent
            .iter()
            .filter(|earlier| id.is_some() && id_of(earlier) == id)
        {
            support::settled(sandbox.facilitator().settle(&request_of(earlier)).await);
        }
        let again = spent
            .iter()
            .any(|earlier| id.is_some() && id_of(earlier) == id);
        let facilitator = face(sandbox.clone()).await;
        let difference = match case["op"].as_str().unwrap() {
            "supported" => {
                check_supported(&*facilitator, case).await;
                None
            }
            "settle" => replay_settle(&*facilitator, case, again).await,
            "verify" => replay_verify(&*facilitator, case).await,
            op => panic!("unknown operation {op}"),
        };
        differences.extend(difference);
        // A charge of nothing uses nothing up.
        let sent = case["expected"]["transaction"] != "";
        if case["expected"]["success"] == true && id.is_some() && sent {
            spent.push(case.clone());
        }
    }
    assert!(!vectors.cases.is_empty());
    differences
}
