//! What went wrong and what to do about it, in words.

use http::{HeaderMap, StatusCode, header};
use x402_client::error::{ApprovalRequired, Refused};
use x402_client::select::Refusal;
use x402_client::transport::TransportErrorKind;
use x402_client::{Action, BudgetRefusal, Charged, Error, OfferedOption};
use x402_runtime::model::asset::checksum;
use x402_runtime::model::problem::ProblemCode;

use super::contract::Breach;
use super::network_text;
use super::outcome::{Asking, Trouble};

/// An answer with a status that is not a success.
pub(super) fn status(status: StatusCode, headers: &HeaderMap) -> Trouble {
    let message = format!("the seller answered {status}");
    if status.is_redirection() {
        let trouble = Trouble::new("redirected", message, Action::AskHuman);
        let place = headers
            .get(header::LOCATION)
            .and_then(|place| place.to_str().ok());
        return match place {
            Some(place) => {
                trouble.help(format!("redirects are not followed; it points to {place}"))
            }
            None => trouble,
        };
    }
    let action = if status.is_server_error() {
        Action::Wait
    } else {
        Action::FixRequest
    };
    Trouble::new("http_status", message, action)
}

/// A call without an answer.
pub(super) fn error(error: &Error) -> Trouble {
    let trouble = Trouble::new(error.code(), error.to_string(), error.action());
    match error {
        // The only hook of this program: see `contract::Guard`.
        Error::Declined(_) => {
            let message = "contract breach: the seller asked for something else than before, and its manifest does not promise it";
            Trouble::new(Breach::OverBound.code(), message, Action::Stop)
        }
        Error::Unreachable(cause) if cause.kind() == TransportErrorKind::Connect => {
            trouble.help("is the server running? check host and port of the URL, and the network")
        }
        Error::Unreachable(cause) if cause.kind() == TransportErrorKind::Timeout => {
            trouble.help("allow more time with --timeout SECONDS")
        }
        Error::NeverSent(_) => trouble.help("nothing was paid; call again"),
        Error::NotRecorded(_) => trouble.help(
            "payments are written to a file before they are sent; mend that folder or name another with XDG_STATE_HOME",
        ),
        Error::Refused(refused) => refusal(refused),
        Error::ApprovalRequired(required) => trouble.help(approval(required)),
        _ => trouble,
    }
}

/// How to make a payment good that lacks an approval.
fn approval(required: &ApprovalRequired) -> String {
    let receipt = &required.receipt;
    format!(
        "call approve({}, {}) of the token {} on {} from {}, for more if you mean to pay again, and then present the payment with --resume before it expires",
        checksum(required.spender()),
        receipt.amount,
        checksum(required.token()),
        network_text(&receipt.network),
        checksum(receipt.payer),
    )
}

/// A payment that the seller refused.
fn refusal(refused: &Refused) -> Trouble {
    let receipt = &refused.receipt;
    let ours = |known: &&ProblemCode| known.as_str() == refused.code;
    let known = ProblemCode::ALL.iter().find(ours).copied();
    let known = known.or_else(|| ProblemCode::from_reason(&refused.code));
    let code = known.map_or_else(|| refused.code.clone(), |known| known.as_str().to_owned());
    let amount = receipt.amount_text();
    let network = network_text(&receipt.network);
    let mut message = format!("the seller refused the payment of {amount}: {code}");
    if let Some(detail) = refused
        .problem
        .as_ref()
        .and_then(|problem| problem.detail())
    {
        message = format!("{message} ({detail})");
    }
    let trouble = Trouble::new(&code, message, refused.action());
    match known {
        Some(ProblemCode::InsufficientBalance) => trouble.help(format!(
            "send at least {amount} on {network} to your address {}; the token's contract is {}",
            checksum(receipt.payer),
            checksum(receipt.asset),
        )),
        _ if refused.charged() == Charged::No => trouble,
        _ => {
            trouble.help("the seller does not say that it took no money: do not simply call again")
        }
    }
}

/// Why an option is not paid.
pub(super) fn reason(refusal: Refusal) -> String {
    let words = match refusal {
        Refusal::NetworkNotAllowed => "--network does not allow its network",
        Refusal::Network => "its network is none that this program pays on",
        Refusal::AssetUnknown => "its token is unknown to this program",
        Refusal::Domain => "the seller names the token otherwise than its contract does",
        Refusal::Scheme => "its payment scheme is not supported",
        Refusal::TransferMethod => {
            "its token would be moved in a way that it does not take, or that is unknown here"
        }
        Refusal::Facilitator => "the seller does not say who may take the money",
        Refusal::CapUnit | Refusal::Budget(BudgetRefusal::OtherUnit) => "--max is in another unit",
        Refusal::OverMax | Refusal::Budget(_) => "it costs more than --max",
        Refusal::PayeeUnexpected => "it does not pay the address of --pay-to",
        Refusal::OtherResource => "it is for another place than the one called",
        Refusal::PublicKey => {
            "the wallet's key is a public development key, and the money would be real"
        }
        Refusal::ValidityTooLong => "the payment would be valid for too long",
        _ => "it cannot be paid",
    };
    format!("{words} ({})", refusal.code())
}

/// What an option costs: under scheme `upto` the seller says afterwards how much of it.
pub(super) fn price(option: &OfferedOption) -> String {
    match option.scheme.as_str() {
        "upto" => format!("at most {}", option.amount_text()),
        _ => option.amount_text(),
    }
}

/// Why a call is not paid for, given what the seller asks for; `None` if it may be.
pub(super) fn not_paid(asking: &Asking) -> Option<Trouble> {
    if let Some(contract) = &asking.contract
        && let Some(trouble) = contract.trouble(asking)
    {
        return Some(trouble);
    }
    let ask = |code: &str, message: String| Trouble::new(code, message, Action::AskHuman);
    let Some(max) = &asking.max else {
        let priced = asking.choice.as_ref().map(|choice| choice.index());
        let option = priced.and_then(|index| asking.options.get(index));
        return Some(match option {
            None => unacceptable(asking, ask),
            Some(option) => {
                let message = format!(
                    "the call costs {}, and nothing is paid without --max",
                    price(option)
                );
                ask("max_missing", message).help(format!(
                    "allow it with --max \"{}\"",
                    ceiling(option, "USD")
                ))
            }
        });
    };
    if asking.choice.is_some() {
        return None;
    }
    let too_dear = |option: &&OfferedOption| match option.refusal {
        Some(Refusal::Budget(refusal)) => refusal != BudgetRefusal::OtherUnit,
        refusal => refusal == Some(Refusal::OverMax),
    };
    if let Some(option) = asking.options.iter().find(too_dear) {
        let unit = max.split(' ').nth(1).unwrap_or("USD");
        let price = price(option);
        let message = format!("the call costs {price}, which is more than --max {max}");
        return Some(
            ask("over_max", message)
                .help(format!("allow it with --max \"{}\"", ceiling(option, unit))),
        );
    }
    Some(unacceptable(asking, ask))
}

/// The lowest ceiling that admits an option, in the unit that was used where that is possible.
fn ceiling(option: &OfferedOption, unit: &str) -> String {
    match (&option.asset, option.amount) {
        (Some(asset), Some(amount)) => {
            let dollars = asset.usd_pegged && unit.eq_ignore_ascii_case("USD");
            let unit = if dollars { "USD" } else { &asset.symbol };
            format!("{} {unit}", amount.to_decimal(asset.decimals))
        }
        _ => option.amount_text(),
    }
}

fn unacceptable(asking: &Asking, ask: impl Fn(&str, String) -> Trouble) -> Trouble {
    let refusals: Vec<Refusal> = asking
        .options
        .iter()
        .filter_map(|option| option.refusal)
        .collect();
    let Some((first, others)) = refusals.split_first() else {
        return ask(
            "nothing_acceptable",
            "the seller offers no way to pay".into(),
        );
    };
    if others.iter().any(|other| other != first) {
        return ask(
            "nothing_acceptable",
            "no way to pay that the seller offers is acceptable".into(),
        )
        .help("the reason stands beside each of them");
    }
    let trouble = ask(
        first.code(),
        format!("the call is not paid: {}", reason(*first)),
    );
    match first {
        Refusal::NetworkNotAllowed => {
            let networks: Vec<String> = asking
                .options
                .iter()
                .map(|option| {
                    option
                        .network
                        .as_ref()
                        .map_or_else(|| option.network_text.clone(), network_text)
                })
                .collect();
            trouble.help(format!("the seller is paid on {}", networks.join(" or ")))
        }
        Refusal::Budget(BudgetRefusal::OtherUnit) => match asking.options.first() {
            Some(option) => {
                let most = ceiling(option, "USD");
                trouble.help(format!("allow it with --max \"{most}\""))
            }
            None => trouble,
        },
        Refusal::PublicKey => {
            trouble.help("pay from a wallet of your own: `x402 wallet new` makes one")
        }
        Refusal::PayeeUnexpected => {
            trouble.help("ask the seller which address is right; do not pay another one")
        }
        _ => trouble,
    }
}
