//! The keys of `#[paid(…)]`: names, examples and what people write instead of them.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;

use crate::diag::{Diagnostics, nearest};

/// A key of `#[paid(…)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Price,
    Rebate,
    Free,
    Plans,
    Probe,
    Id,
    Summary,
    Description,
    Tags,
    MimeType,
    Timeout,
    PayTo,
    Rails,
    PaymentIds,
    Scheduled,
    Deprecated,
    Crate,
}

impl Key {
    const ALL: [Self; 17] = [
        Self::Price,
        Self::Rebate,
        Self::Free,
        Self::Plans,
        Self::Probe,
        Self::Id,
        Self::Summary,
        Self::Description,
        Self::Tags,
        Self::MimeType,
        Self::Timeout,
        Self::PayTo,
        Self::Rails,
        Self::PaymentIds,
        Self::Scheduled,
        Self::Deprecated,
        Self::Crate,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Rebate => "rebate",
            Self::Free => "free",
            Self::Plans => "plans",
            Self::Probe => "probe",
            Self::Id => "id",
            Self::Summary => "summary",
            Self::Description => "description",
            Self::Tags => "tags",
            Self::MimeType => "mime_type",
            Self::Timeout => "timeout",
            Self::PayTo => "pay_to",
            Self::Rails => "rails",
            Self::PaymentIds => "payment_ids",
            Self::Scheduled => "scheduled",
            Self::Deprecated => "deprecated",
            Self::Crate => "crate",
        }
    }

    /// A whole entry as it is written right.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Price => r#"price = "0.01 USDC""#,
            Self::Rebate => r#"rebate = volume("30d", 1_000 => "x0.5")"#,
            Self::Free => r#"free = "100/day per payer""#,
            Self::Plans => r#"plans = [prepaid("10 USDC", credit = "11 USDC")]"#,
            Self::Probe => r##"probe = r#"{"query": {"units": "metric"}}"#"##,
            Self::Id => r#"id = "weather""#,
            Self::Summary => r#"summary = "Current weather for a city""#,
            Self::Description => r#"description = "Measured every ten minutes""#,
            Self::Tags => r#"tags = ["weather"]"#,
            Self::MimeType => r#"mime_type = "application/json""#,
            Self::Timeout => r#"timeout = "90s""#,
            Self::PayTo => r#"pay_to = "0x<40 hex digits>""#,
            Self::Rails => r#"rails = ["base:USDC"]"#,
            Self::PaymentIds => r#"payment_ids = "required""#,
            Self::Scheduled => r#"scheduled = [price("0.02 USDC", from = "2027-01-15")]"#,
            Self::Deprecated => r#"deprecated = since("2026-12-01", sunset = "2027-03-01")"#,
            Self::Crate => "crate = my_crate::x402_runtime",
        }
    }

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// The key a word means. An unknown word is reported with the likeliest key, or with all there are.
    pub(crate) fn read(word: &Ident, diagnostics: &mut Diagnostics) -> Word {
        let name = word.unraw().to_string();
        if let Some(key) = Self::find(&name) {
            return Word::Key(key);
        }
        let error = diagnostics.error(word.span(), format!("unknown key `{name}`"));
        if is_route_word(&name) {
            error.help(r#"the route is written first and without a key: `GET "/weather/{city}"`"#);
            return Word::Unknown;
        }
        let near = || nearest(&name, Self::ALL.into_iter().map(Self::name)).and_then(Self::find);
        if let Some(key) = instead_of(&name).or_else(near) {
            error.help(format!("did you mean `{}`?", key.name()));
            return Word::Slip(key);
        }
        error.help(format!("the keys are {}", list_of_keys()));
        Word::Unknown
    }

    /// The key with exactly this name; nothing is reported.
    pub(crate) fn peek(word: &Ident) -> Option<Self> {
        Self::find(&word.unraw().to_string())
    }
}

fn list_of_keys() -> String {
    let quoted = Key::ALL.map(|key| format!("`{}`", key.name()));
    quoted.join(", ")
}

/// What a word before an equals sign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Key(Key),
    /// Reported; most likely this key is meant, so it is not missing too.
    Slip(Key),
    /// Reported.
    Unknown,
}

/// Words for the parts of a route.
fn is_route_word(name: &str) -> bool {
    ["path", "route", "method", "url", "uri"].contains(&name)
}

/// What to write instead of a word from another framework or another spelling of the same idea.
fn instead_of(name: &str) -> Option<Key> {
    let key = match name.to_ascii_lowercase().as_str() {
        "amount" | "cost" | "fee" | "charge" => Key::Price,
        "discount" | "volume" => Key::Rebate,
        "trial" | "quota" | "allowance" => Key::Free,
        "plan" | "prepaid" | "credits" => Key::Plans,
        "example" | "sample" => Key::Probe,
        "name" | "operation_id" | "endpoint" => Key::Id,
        "title" => Key::Summary,
        "desc" | "doc" | "docs" => Key::Description,
        "content_type" | "produces" | "mimetype" | "mime" => Key::MimeType,
        "max_timeout_seconds" | "timeout_seconds" | "maxtimeoutseconds" => Key::Timeout,
        "payto" | "recipient" | "receiver" | "wallet" | "address" => Key::PayTo,
        "network" | "networks" | "asset" | "accepts" | "accept" | "chain" => Key::Rails,
        "idempotency" | "idempotency_key" | "payment_identifier" => Key::PaymentIds,
        "schedule" | "from" | "effective_from" | "later" => Key::Scheduled,
        "sunset" | "deprecation" | "deprecate" | "replacement" | "since" => Key::Deprecated,
        _ => return None,
    };
    Some(key)
}
