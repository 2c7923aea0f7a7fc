//! What a request is made of.

use super::{Field, TypeRef};

/// A part of a path, between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// Fixed text, percent-encoded.
    Fixed(String),
    /// One segment, by the wire name of its parameter.
    Capture(String),
    /// All that is left, by the wire name of its parameter.
    Rest(String),
    /// One segment of several pieces.
    Mixed(Vec<Piece>),
}

/// A piece of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Fixed text, percent-encoded.
    Fixed(String),
    /// The wire name of a parameter.
    Capture(String),
}

/// A parameter that is not the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Where it goes.
    pub place: ParamPlace,
    /// What it is.
    pub field: Field,
    /// How a list or an object becomes text.
    pub style: Style,
}

/// How a list or an object becomes the text of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// A parameter for each item of a list.
    #[default]
    Plain,
    /// All in one text.
    Joined {
        /// What stands between two parts.
        between: &'static str,
        /// Whether a member is `name=value`; else its name and its value are two parts.
        named: bool,
    },
    /// Each member of an object is a parameter of its own.
    Members,
    /// Each member is a parameter named `name[member]`.
    Brackets,
    /// JSON.
    Json,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParamPlace {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// Into a header.
    Header,
}

impl ParamPlace {
    /// The name in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A request body.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Its media type.
    pub content_type: String,
    /// Its type, if it is JSON or a form.
    pub json: Option<TypeRef>,
    /// How it becomes bytes.
    pub encoding: Encoding,
    /// Whether it must be there.
    pub required: bool,
    /// The longest that is taken.
    pub max_bytes: Option<u64>,
}

impl Body {
    /// The media type of JSON that has one of its own.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        let own = self.encoding == Encoding::Json && self.content_type != "application/json";
        own.then_some(self.content_type.as_str())
    }
}

/// How a body becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JSON.
    Json,
    /// Names and values, `application/x-www-form-urlencoded`.
    Form,
    /// Parts of text and files, `multipart/…`.
    Parts,
    /// It is bytes already.
    Bytes,
}
