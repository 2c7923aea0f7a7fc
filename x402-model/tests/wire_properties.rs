//! Properties of the codec, the matcher and the payload reader over generated input.
#![allow(
    clippy::expect_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use alloy_primitives::{Address, B256, U256};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use x402_model::evm::permit2::{TokenPermissions, Witness};
use x402_model::evm::{
    Authorization, CallTransaction, EcdsaParts, Eip2612Info, Erc20ApprovalInfo, Erc6492,
    EvmPayload, ExactEvmPayload, GasSponsoring, Permit, Permit2Authorization, Permit2Payload,
    Signature, SignedCall,
};
use x402_model::wire::headers::{self, DEFAULT_CAP};
use x402_model::wire::{
    Offered, PaymentPayload, PaymentRequired, PaymentRequirements, ResourceInfo, SettleResponse,
    check_echo, find_match, json as wire_json, parse_402, v1,
};

const CAP: usize = 1 << 20;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,8}",
        Just("💸\u{0}\"\\\u{2028}ü".to_owned())
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    btree_map(text(), value(), 0..4).prop_map(|map| map.into_iter().collect())
}

fn resource() -> impl Strategy<Value = ResourceInfo> {
    (
        text(),
        option::of(text()),
        option::of(text()),
        option::of(text()),
        option::of(vec(text(), 0..3)),
        option::of(text()),
    )
        .prop_map(
            |(url, description, mime_type, service_name, tags, icon_url)| ResourceInfo {
                url,
                description,
                mime_type,
                service_name,
                tags,
                icon_url,
            },
        )
}

fn terms() -> impl Strategy<Value = PaymentRequirements> {
    (
        text(),
        text(),
        text(),
        text(),
        text(),
        any::<u64>(),
        object(),
    )
        .prop_map(
            |(scheme, network, amount, asset, pay_to, max_timeout_seconds, extra)| {
                PaymentRequirements {
                    scheme,
                    network,
                    amount,
                    asset,
                    pay_to,
                    max_timeout_seconds,
                    extra,
                }
            },
        )
}

fn required() -> impl Strategy<Value = PaymentRequired> {
    (
        option::of(text()),
        resource(),
        vec(terms(), 0..3),
        option::of(object()),
    )
        .prop_map(|(error, resource, terms, extensions)| PaymentRequired {
            x402_version: 2,
            error,
            resource,
            accepts: terms.into_iter().map(Offered::new).collect(),
            extensions,
        })
}

fn v1_terms() -> impl Strategy<Value = v1::PaymentRequirements> {
    (
        text(),
        text(),
        text(),
        text(),
        any::<u64>(),
        option::of(object()),
        option::of(object()),
    )
        .prop_map(
            |(
                scheme,
                resource,
                description,
                mime_type,
                max_timeout_seconds,
                output_schema,
                extra,
            )| {
                v1::PaymentRequirements {
                    scheme,
                    network: "base".into(),
                    max_amount_required: "1".into(),
                    resource,
                    description,
                    mime_type,
                    output_schema,
                    pay_to: "0x1".into(),
                    max_timeout_seconds,
                    asset: "0x2".into(),
                    extra,
                }
            },
        )
}

fn settlement() -> impl Strategy<Value = SettleResponse> {
    (
        any::<bool>(),
        option::of(text()),
        option::of(text()),
        text(),
        text(),
        option::of(text()),
        option::of(object()),
        option::of(object()),
    )
        .prop_map(
            |(success, error_reason, payer, transaction, network, amount, extensions, extra)| {
                SettleResponse {
                    success,
                    error_reason,
                    error_message: None,
                    payer,
                    transaction,
                    network,
                    amount,
                    extensions,
                    extra,
                }
            },
        )
}

fn signature() -> impl Strategy<Value = Signature> {
    vec(any::<u8>(), 1..200).prop_map(|bytes| Signature::new(bytes).expect("length is in bounds"))
}

fn payload() -> impl Strategy<Value = ExactEvmPayload> {
    (
        signature(),
        any::<[u8; 20]>(),
        any::<[u8; 20]>(),
        any::<[u8; 32]>(),
        any::<u64>(),
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
    )
        .prop_map(
            |(signature, from, to, value, after, before, nonce)| ExactEvmPayload {
                signature,
                authorization: Authorization {
                    from: Address::from(from),
                    to: Address::from(to),
                    value: U256::from_be_bytes(value),
                    valid_after: U256::from(after),
                    valid_before: U256::from_be_bytes(before),
                    nonce: B256::from(nonce),
                },
            },
        )
}

fn account() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from)
}

fn word() -> impl Strategy<Value = U256> {
    prop_oneof![
        any::<u64>().prop_map(U256::from),
        any::<[u8; 32]>().prop_map(U256::from_be_bytes)
    ]
}

fn witness() -> impl Strategy<Value = Witness> {
    (account(), option::of(account()), word()).prop_map(|(to, facilitator, valid_after)| {
        match facilitator {
            None => Witness::Exact { to, valid_after },
            Some(facilitator) => Witness::Upto {
                to,
                facilitator,
                valid_after,
            },
        }
    })
}

fn permit2() -> impl Strategy<Value = Permit2Payload> {
    let numbers = (word(), word(), word());
    let accounts = (account(), account(), account());
    (signature(), accounts, numbers, witness()).prop_map(
        |(signature, (from, token, spender), (amount, nonce, deadline), witness)| Permit2Payload {
            signature,
            authorization: Permit2Authorization {
                from,
                permitted: TokenPermissions { token, amount },
                spender,
                nonce,
                deadline,
                witness,
            },
        },
    )
}

/// ECDSA parts that a chain takes as far as their form goes.
fn parts() -> impl Strategy<Value = EcdsaParts> {
    (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<bool>()).prop_map(|(r, s, y_parity)| {
        let word =
            |bytes: [u8; 32]| B256::from((U256::from_be_bytes(bytes) >> 2_usize) + U256::from(1));
        EcdsaParts {
            r: word(r),
            s: word(s),
            y_parity,
        }
    })
}

fn call() -> impl Strategy<Value = CallTransaction> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>());
    let fees = (any::<u128>(), any::<u128>());
    (numbers, fees, account(), vec(any::<u8>(), 0..300)).prop_map(
        |((chain_id, nonce, gas_limit), (priority, fee), to, data)| CallTransaction {
            chain_id,
            nonce,
            max_priority_fee_per_gas: priority,
            max_fee_per_gas: fee,
            gas_limit,
            to,
            data: data.into(),
        },
    )
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

proptest! {
    #[test]
    fn terms_round_trip(required in required()) {
        let header = headers::encode(&required).expect("encodes");
        prop_assert!(header.is_ascii());
        let read: PaymentRequired = headers::decode(header.as_bytes(), CAP).expect("decodes");
        prop_assert_eq!(&read.error, &required.error);
        prop_assert_eq!(&read.resource, &required.resource);
        prop_assert_eq!(&read.accepts, &required.accepts);
        prop_assert_eq!(&read.extensions, &required.extensions);
        for (ours, theirs) in required.accepts.iter().zip(&read.accepts) {
            prop_assert_eq!(ours.view(), theirs.view());
            prop_assert_eq!(ours.raw().get(), theirs.raw().get());
        }
        let detected = parse_402(Some(header.as_bytes()), b"", CAP).expect("detects");
        prop_assert_eq!(detected.version(), 2);
    }

    #[test]
    fn version_1_terms_round_trip(entry in v1_terms(), error in option::of(text())) {
        let required = v1::PaymentRequired { x402_version: 1, error, accepts: vec![v1::Offered::new(entry.clone())], payer: None };
        let body = serde_json::to_vec(&required).expect("writes");
        match parse_402(None, &body, CAP) {
            Ok(x402_model::wire::Required402::V1(read)) => {
                prop_assert_eq!(read.error, required.error);
                prop_assert_eq!(read.accepts.first().and_then(|entry| entry.view()), Some(&entry));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn payments_round_trip(accepted in object(), scheme_data in object(), resource in option::of(value()), extensions in option::of(object())) {
        let payment = PaymentPayload {
            x402_version: 2,
            accepted: wire_json::to_raw(&accepted).expect("writes"),
            payload: wire_json::to_raw(&scheme_data).expect("writes"),
            resource: resource.filter(|value| !value.is_null()),
            extensions,
        };
        let header = headers::encode(&payment).expect("encodes");
        let read = PaymentPayload::from_header(header.as_bytes(), CAP).expect("decodes");
        prop_assert_eq!(read.accepted.get(), payment.accepted.get());
        prop_assert_eq!(read.payload.get(), payment.payload.get());
        prop_assert_eq!(&read.resource, &payment.resource);
        prop_assert_eq!(&read.extensions, &payment.extensions);
        prop_assert_eq!(read.accepted_value(), Value::Object(accepted));
        prop_assert_eq!(read.to_value().expect("is JSON"), payment.to_value().expect("is JSON"));
    }

    #[test]
    fn version_1_payments_round_trip(scheme in text(), network in text(), scheme_data in object()) {
        let payment = v1::PaymentPayload { x402_version: 1, scheme, network, payload: wire_json::to_raw(&scheme_data).expect("writes") };
        let header = headers::encode_v1(&payment).expect("encodes");
        let read = v1::PaymentPayload::from_header(header.as_bytes(), CAP).expect("decodes");
        prop_assert_eq!(&read.scheme, &payment.scheme);
        prop_assert_eq!(&read.network, &payment.network);
        prop_assert_eq!(read.payload_value(), Value::Object(scheme_data));
    }

    #[test]
    fn settlements_round_trip(settlement in settlement()) {
        let header = headers::encode(&settlement).expect("encodes");
        prop_assert_eq!(headers::decode::<SettleResponse>(header.as_bytes(), CAP), Ok(settlement.clone()));
        let header = headers::encode_v1(&settlement).expect("encodes");
        prop_assert_eq!(headers::decode_v1::<SettleResponse>(header.as_bytes(), CAP), Ok(settlement));
    }

    #[test]
    fn padding_is_optional_and_nothing_else_is(value in value()) {
        let header = headers::encode(&value).expect("encodes");
        prop_assert_eq!(headers::decode_value(header.trim_end_matches('=').as_bytes(), CAP), Ok(value));
        let spaced = format!("{header} ");
        prop_assert_eq!(headers::decode_value(spaced.as_bytes(), CAP), Err(headers::CodecError::Base64));
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        for header in [bytes.clone(), base64(&bytes).into_bytes()] {
            let _ = headers::decode_value(&header, DEFAULT_CAP);
            let _ = headers::decode_v1::<Value>(&header, DEFAULT_CAP);
            let _ = PaymentPayload::from_header(&header, DEFAULT_CAP);
            let _ = v1::PaymentPayload::from_header(&header, DEFAULT_CAP);
            let _ = parse_402(Some(&header), &bytes, DEFAULT_CAP);
            let _ = parse_402(None, &header, DEFAULT_CAP);
        }
        if let Ok(signature) = Signature::new(bytes) {
            let _ = (signature.split(), signature.unwrap_erc6492());
        }
    }

    #[test]
    fn foreign_json_never_panics(value in value()) {
        let header = headers::encode(&value).expect("encodes");
        let _ = PaymentPayload::from_header(header.as_bytes(), DEFAULT_CAP);
        let _ = parse_402(Some(header.as_bytes()), b"", DEFAULT_CAP);
        let _ = ExactEvmPayload::parse(&value);
        let _ = ExactEvmPayload::parse(&json!({"signature": value, "authorization": value}));
        let _ = EvmPayload::parse(&json!({"signature": "0x01", "permit2Authorization": value}));
        let sent = json!({"eip2612GasSponsoring": value, "erc20ApprovalGasSponsoring": {"info": value}});
        let _ = GasSponsoring::find(sent.as_object());
        let _ = ExactEvmPayload::parse(&json!({"signature": "0x01", "authorization": {"from": value}}));
    }

    #[test]
    fn an_offer_matches_itself_and_survives_more_extra(terms in terms(), more in object()) {
        let offer = Offered::new(terms);
        let mut accepted = offer.value().clone();
        prop_assert_eq!(find_match(&[&offer], &accepted, &[]), Some(0));
        if let Some(extra) = accepted.get_mut("extra").and_then(Value::as_object_mut) {
            for (key, value) in more {
                extra.entry(key).or_insert(value);
            }
        }
        prop_assert_eq!(find_match(&[&offer], &accepted, &[]), Some(0));
        if let Some(map) = accepted.as_object_mut() {
            map.insert("one more member".to_owned(), Value::Null);
        }
        prop_assert_eq!(find_match(&[&offer], &accepted, &[]), None);
    }

    #[test]
    fn an_exact_echo_fits(extensions in object()) {
        let advertised: Map<String, Value> =
            extensions.into_iter().map(|(key, info)| (key, json!({"info": info}))).collect();
        prop_assert_eq!(check_echo(Some(&advertised), Some(&advertised), &|_| &[]), Ok(()));
    }

    #[test]
    fn payloads_read_back(payload in payload()) {
        let json = payload.to_json();
        prop_assert_eq!(ExactEvmPayload::parse(&json), Ok(payload.clone()));
        // Upper-case hex names the same payment.
        let shout = |text: &str| format!("0x{}", text.trim_start_matches("0x").to_uppercase());
        let mut loud = json;
        for path in ["/signature", "/authorization/from", "/authorization/to", "/authorization/nonce"] {
            if let Some(member) = loud.pointer_mut(path) {
                *member = Value::from(shout(member.as_str().unwrap_or_default()));
            }
        }
        prop_assert_eq!(ExactEvmPayload::parse(&loud), Ok(payload));
    }

    #[test]
    fn permit2_payloads_read_back(payload in permit2()) {
        let json = payload.to_json();
        prop_assert_eq!(Permit2Payload::parse(&json), Ok(payload.clone()));
        prop_assert_eq!(EvmPayload::parse(&json), Ok(EvmPayload::Permit2(payload.clone())));
        prop_assert!(ExactEvmPayload::parse(&json).is_err());
        let hash = payload.authorization.struct_hash();
        let mut other = payload.authorization;
        other.nonce ^= U256::from(1);
        prop_assert_ne!(other.struct_hash(), hash);
    }

    #[test]
    fn every_kind_of_payload_is_told_by_its_authorization(exact in payload(), through in permit2()) {
        let exact_json = exact.to_json();
        prop_assert_eq!(EvmPayload::parse(&exact_json), Ok(EvmPayload::Eip3009(exact)));
        let mut both = exact_json;
        both["permit2Authorization"] = through.to_json()["permit2Authorization"].clone();
        prop_assert!(EvmPayload::parse(&both).is_err());
    }

    #[test]
    fn signed_calls_read_back_and_truncations_do_not(call in call(), parts in parts(), cut in 0_usize..400) {
        let bytes = call.encode_signed(&parts);
        let read = SignedCall::decode(&bytes);
        prop_assert_eq!(read, Ok(SignedCall { transaction: call, signature: parts }));
        let cut = cut % bytes.len();
        prop_assert!(SignedCall::decode(bytes.get(..cut).unwrap_or_default()).is_err());
    }

    #[test]
    fn gas_sponsoring_reads_back(
        accounts in (account(), account(), account()),
        numbers in (word(), word(), word()),
        parts in parts(),
        call in call(),
        more in object(),
    ) {
        let ((owner, spender, asset), (value, nonce, deadline)) = (accounts, numbers);
        let permit = Permit { owner, spender, value, nonce, deadline };
        let permit = Eip2612Info { asset, permit, signature: Signature::from_parts(&parts) };
        let signed_transaction = call.encode_signed(&parts).into();
        let approval = Erc20ApprovalInfo { from: owner, asset, spender, amount: value, signed_transaction };
        let beside = |members: Map<String, Value>| {
            let mut info = more.clone();
            info.extend(members);
            json!({"info": info})
        };
        let sent = |key: &str, members| Map::from_iter([(key.to_owned(), beside(members))]);
        let found = GasSponsoring::find(Some(&sent("eip2612GasSponsoring", permit.to_json())));
        prop_assert_eq!(found, Ok(Some(GasSponsoring::Eip2612(permit))));
        let found = GasSponsoring::find(Some(&sent("erc20ApprovalGasSponsoring", approval.to_json())));
        prop_assert_eq!(found, Ok(Some(GasSponsoring::Erc20Approval(approval))));
    }

    #[test]
    fn wrapped_signatures_unwrap(factory in any::<[u8; 20]>(), calldata in vec(any::<u8>(), 0..100), signature in signature()) {
        let parts = Erc6492 { factory: Address::from(factory), calldata: calldata.into(), signature };
        let wrapped = parts.wrap().expect("is short enough");
        prop_assert_eq!(wrapped.unwrap_erc6492(), Ok(Some(parts)));
    }

    #[test]
    fn damaged_wrappers_never_panic(calldata in vec(any::<u8>(), 0..40), damage in vec((0_usize..400, any::<u8>()), 1..6)) {
        let parts = Erc6492 {
            factory: Address::ZERO,
            calldata: calldata.into(),
            signature: Signature::new(vec![1; 65]).expect("length is in bounds"),
        };
        let mut bytes = parts.wrap().expect("is short enough").as_bytes().to_vec();
        let body = bytes.len() - 32;
        for (at, byte) in damage {
            if let Some(target) = bytes.get_mut(at % body) {
                *target = byte;
            }
        }
        let _ = Signature::new(bytes).expect("same length").unwrap_erc6492();
    }
}
