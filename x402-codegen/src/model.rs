//! What a client is, whatever language it is written in.

mod request;

use serde_json::Value;
use x402_model::money::Decimal;
use x402_model::price::PriceModel;
use x402_model::problem::Charged;

pub use request::{Body, Encoding, Param, ParamPlace, PathPart, Piece, Style};

/// A client before it is text.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientModel {
    /// The service it calls.
    pub service: ServiceModel,
    /// Unit of all amounts, such as `USD`.
    pub currency: String,
    /// Types that have a name, in the order of [`TypeRef::Named`].
    pub types: Vec<TypeDef>,
    /// What can be called.
    pub endpoints: Vec<EndpointModel>,
    /// Refusals that the service names.
    pub errors: Vec<ErrorModel>,
    /// The codes of those that every call may be refused with, unless it has others.
    pub shared_errors: Vec<String>,
    /// What may be paid, and to whom. Empty if the document does not say.
    pub pins: Vec<Pin>,
    /// What is less than it could be, in words.
    pub warnings: Vec<String>,
}

/// The service that a client calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceModel {
    /// Name for people.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Version of its contract.
    pub version: String,
    /// Revision of the document, if it has one.
    pub revision: Option<u64>,
    /// Scheme, host and port, and for `OpenAPI` also a base path.
    pub base: String,
    /// `sha-256:` and the hash of the canonical document.
    pub content_hash: String,
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDef {
    /// `PascalCase`, unique.
    pub name: String,
    /// What it is, untrusted.
    pub docs: Option<String>,
    /// What it is made of.
    pub shape: Shape,
}

/// What a named type is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// An object with known members.
    Object {
        /// Its members, sorted.
        fields: Vec<Field>,
        /// The type of all other members, if they are kept.
        rest: Option<TypeRef>,
    },
    /// One of some strings. Unknown ones are kept: a new value must not break an old client.
    Enum {
        /// The known values, in the order of the schema.
        values: Vec<String>,
    },
    /// One of several objects, told apart by a member.
    Tagged {
        /// The member.
        tag: String,
        /// Value of the member and type of the object.
        variants: Vec<(String, TypeRef)>,
    },
    /// One of several types, told apart by trying.
    Untagged {
        /// The types, in the order in which they are tried.
        variants: Vec<TypeRef>,
    },
    /// Another name for a type.
    Alias(TypeRef),
}

/// A member of an object, or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name on the wire.
    pub wire: String,
    /// What it is, untrusted.
    pub docs: Option<String>,
    /// Its type.
    pub ty: TypeRef,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it should no longer be used.
    pub deprecated: bool,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeRef {
    /// Any JSON.
    Any,
    /// Only null.
    Null,
    /// A truth value.
    Bool,
    /// An integer.
    Int {
        /// Whether it is never negative.
        unsigned: bool,
    },
    /// A number.
    Float,
    /// A string.
    Text,
    /// One string and no other.
    Const(String),
    /// A list.
    Array(Box<Self>),
    /// An object with any members of one type.
    Map(Box<Self>),
    /// The type, or null.
    Nullable(Box<Self>),
    /// A type with a name, by its place in [`ClientModel::types`].
    Named(usize),
}

/// Something that can be called.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointModel {
    /// Its id.
    pub id: String,
    /// What it does, in a line, untrusted.
    pub summary: String,
    /// What it does, untrusted.
    pub description: Option<String>,
    /// HTTP method.
    pub method: String,
    /// The path.
    pub path: Vec<PathPart>,
    /// What every call has in its query, whatever else is in there.
    pub query: Vec<(String, String)>,
    /// Parameters.
    pub params: Vec<Param>,
    /// The body.
    pub body: Option<Body>,
    /// The answer.
    pub output: Output,
    /// How more pages are asked for.
    pub pagination: Option<Pagination>,
    /// What it costs; `None` for a call that nobody said a price of.
    pub price: Option<Pricing>,
    /// Codes of refusals to expect.
    pub errors: Vec<String>,
    /// Keys of [`Pin`]s that are good for it.
    pub rails: Vec<String>,
    /// Longest time a payment is valid, in seconds.
    pub max_timeout_seconds: Option<u64>,
    /// Why it should no longer be used.
    pub deprecated: Option<String>,
    /// Sentences about limits, free calls and plans, of our own words.
    pub notes: Vec<String>,
    /// Calls and their answers.
    pub examples: Vec<Example>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// JSON.
    Json(TypeRef),
    /// JSON, or nothing.
    Maybe(TypeRef),
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Nothing.
    Empty,
    /// Server-sent events, or lines, of JSON.
    Stream {
        /// Type of one event.
        item: TypeRef,
        /// Whether it is one JSON text per line, not `text/event-stream`.
        lines: bool,
    },
}

/// How more pages are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pagination {
    /// Where the answer names the next page, a JSON pointer.
    pub next: String,
    /// Where the items are, a JSON pointer.
    pub items: String,
    /// The query parameter that takes that name.
    pub parameter: String,
}

/// What a call costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pricing {
    /// The least.
    pub min: Decimal,
    /// The most.
    pub max: Decimal,
    /// The rule, if it can be evaluated.
    pub model: Option<PriceModel>,
    /// In a sentence of our own words.
    pub sentence: String,
}

/// A refusal that the service names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorModel {
    /// Its code.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// Whether sending the call again can help.
    pub retryable: bool,
    /// Whether it cost money.
    pub charged: Charged,
    /// What to do next.
    pub action: String,
    /// What it means, untrusted.
    pub description: Option<String>,
}

/// One way to pay that the document names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its key.
    pub rail: String,
    /// Payment scheme.
    pub scheme: String,
    /// Network in CAIP-2 form.
    pub network: String,
    /// Token contract.
    pub asset: String,
    /// Symbol for people.
    pub symbol: String,
    /// Decimals of the smallest unit.
    pub decimals: u8,
    /// How much of the currency one token stands for, if that is known.
    pub peg: Option<Decimal>,
    /// Who is paid.
    pub pay_to: String,
}

/// A call and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its name, untrusted.
    pub name: String,
    /// The parts of the request.
    pub input: Value,
    /// What it costs.
    pub cost: Option<Decimal>,
    /// The answer.
    pub output: Option<Value>,
}

impl ClientModel {
    /// What the document leaves open, in words: schemas and prices that it does not give. The client has any JSON in their
    /// place, and calls without a price are not paid.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for endpoint in &self.endpoints {
            let mut gap = |what: &str| gaps.push(format!("{}: {what}", endpoint.id));
            let open = |ty: &TypeRef| matches!(ty, TypeRef::Any);
            if endpoint
                .body
                .as_ref()
                .and_then(|body| body.json.as_ref())
                .is_some_and(open)
            {
                gap("no schema of the body, which can be any JSON");
            }
            if matches!(&endpoint.output, Output::Json(ty) | Output::Stream { item: ty, .. } if open(ty))
            {
                gap("no schema of the answer, which can be any JSON");
            }
            if endpoint.price.is_none() {
                gap("no price, so a request for payment ends the call");
            }
        }
        gaps
    }
}

impl EndpointModel {
    /// Whether its request or its answer has a shape that only some documents have.
    pub(crate) fn is_shaped(&self) -> bool {
        let mixed = |part: &PathPart| matches!(part, PathPart::Mixed(_));
        let body = self.body.as_ref().is_some_and(|body| match body.encoding {
            Encoding::Json => body.media_type().is_some(),
            Encoding::Form | Encoding::Parts => true,
            Encoding::Bytes => false,
        });
        let styled = self.params.iter().any(|param| param.style != Style::Plain);
        body || styled
            || !self.query.is_empty()
            || self.path.iter().any(mixed)
            || matches!(self.output, Output::Maybe(_))
    }

    /// The path as it is documented.
    #[must_use]
    pub fn path_text(&self) -> String {
        let parts = self.path.iter().map(|part| match part {
            PathPart::Fixed(text) => format!("/{text}"),
            PathPart::Capture(name) => format!("/{{{name}}}"),
            PathPart::Rest(name) => format!("/{{*{name}}}"),
            PathPart::Mixed(pieces) => {
                let pieces = pieces.iter().map(|piece| match piece {
                    Piece::Fixed(text) => text.clone(),
                    Piece::Capture(name) => format!("{{{name}}}"),
                });
                format!("/{}", pieces.collect::<String>())
            }
        });
        let text: String = parts.collect();
        if text.is_empty() {
            "/".to_owned()
        } else {
            text
        }
    }

    /// Whether nothing is given with a call.
    #[must_use]
    pub const fn takes_nothing(&self) -> bool {
        self.params.is_empty() && self.body.is_none()
    }
}
