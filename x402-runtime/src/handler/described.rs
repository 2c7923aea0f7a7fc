//! What `#[paid]` finds out about a handler's types: the shape of what it takes and of what it answers, as JSON Schemas.
//!
//! The macro asks about every argument and about the answer. Types that say nothing about themselves (they have no
//! `schemars::JsonSchema`) stay unknown; they are found last, because their method has the fewest references.

use std::marker::PhantomData;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use crate::events::{EVENTS, Events};
use crate::extract::Headers;

/// Collects the shapes of one endpoint.
#[derive(Debug)]
pub struct Description<'g> {
    input: &'g mut SchemaGenerator,
    output: &'g mut SchemaGenerator,
    shapes: Shapes,
}

/// The shapes of what a handler takes and answers, each a JSON Schema or a reference to one that was collected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shapes {
    /// The captures of the route.
    pub path: Option<Value>,
    /// The query.
    pub query: Option<Value>,
    /// The headers.
    pub header: Option<Value>,
    /// The body, with its media type.
    pub body: Option<(&'static str, Option<Value>)>,
    /// The answer of a success, with its media type.
    pub answer: Option<(&'static str, Option<Value>)>,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

impl<'g> Description<'g> {
    /// Begins the description of an endpoint. Schemas of types that have names are collected in the two generators, one for what
    /// is read and one for what is written.
    pub fn new(input: &'g mut SchemaGenerator, output: &'g mut SchemaGenerator) -> Self {
        Self {
            input,
            output,
            shapes: Shapes::default(),
        }
    }

    /// What was described.
    #[must_use]
    pub fn shapes(self) -> Shapes {
        self.shapes
    }

    fn read<T: JsonSchema>(&mut self) -> Value {
        self.input.subschema_for::<T>().to_value()
    }

    fn written<T: JsonSchema>(&mut self) -> Value {
        self.output.subschema_for::<T>().to_value()
    }
}

/// An argument of a handler.
#[derive(Debug)]
pub struct Argument<T>(PhantomData<fn() -> T>);

/// The answer of a handler.
#[derive(Debug)]
pub struct Answer<T>(PhantomData<fn() -> T>);

impl<T> Argument<T> {
    /// The argument of this type.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Answer<T> {
    /// The answer of this type.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Argument<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// What is known of a type.
pub trait Known {
    /// Notes it.
    fn describe(&self, to: &mut Description<'_>);
}

/// What is known of a type by its outside only: that it takes JSON, but not which.
pub trait HalfKnown {
    /// Notes it.
    fn describe(&self, to: &mut Description<'_>);
}

/// All other types.
pub trait Unknown {
    /// Notes nothing.
    fn describe(&self, _to: &mut Description<'_>) {}
}

impl<T: JsonSchema> Known for &&Argument<Json<T>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.body = Some((JSON, Some(to.read::<T>())));
    }
}

impl<T: JsonSchema> Known for &&Argument<Query<T>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.query = Some(to.read::<T>());
    }
}

impl<T: JsonSchema> Known for &&Argument<Headers<T>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.header = Some(to.read::<T>());
    }
}

impl<T: JsonSchema> Known for &&Argument<Path<T>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.path = Some(to.read::<T>());
    }
}

impl Known for &&Argument<String> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.body = Some((TEXT, Some(to.read::<String>())));
    }
}

impl Known for &&Argument<bytes::Bytes> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.body = Some((BYTES, None));
    }
}

impl<T> HalfKnown for &Argument<Json<T>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.body = Some((JSON, None));
    }
}

impl<T> Unknown for Argument<T> {}

/// The answers whose media type and shape their type tells.
trait Told {
    fn tell(to: &mut Description<'_>) -> (&'static str, Option<Value>);
}

impl<T: JsonSchema> Told for Json<T> {
    fn tell(to: &mut Description<'_>) -> (&'static str, Option<Value>) {
        (JSON, Some(to.written::<T>()))
    }
}

impl<T: JsonSchema> Told for Events<T> {
    fn tell(to: &mut Description<'_>) -> (&'static str, Option<Value>) {
        (EVENTS, Some(to.written::<T>()))
    }
}

impl Told for String {
    fn tell(to: &mut Description<'_>) -> (&'static str, Option<Value>) {
        (TEXT, Some(to.written::<Self>()))
    }
}

impl Told for &'static str {
    fn tell(to: &mut Description<'_>) -> (&'static str, Option<Value>) {
        String::tell(to)
    }
}

impl Told for bytes::Bytes {
    fn tell(_: &mut Description<'_>) -> (&'static str, Option<Value>) {
        (BYTES, None)
    }
}

impl Told for Vec<u8> {
    fn tell(_: &mut Description<'_>) -> (&'static str, Option<Value>) {
        (BYTES, None)
    }
}

impl<T: Told> Told for (StatusCode, T) {
    fn tell(to: &mut Description<'_>) -> (&'static str, Option<Value>) {
        T::tell(to)
    }
}

impl<T: Told, E> Told for Result<T, E> {
    fn tell(to: &mut Description<'_>) -> (&'static str, Option<Value>) {
        T::tell(to)
    }
}

impl<T: Told> Known for &&Answer<T> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.answer = Some(T::tell(to));
    }
}

impl<T> HalfKnown for &Answer<Json<T>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.answer = Some((JSON, None));
    }
}

impl<T, E> HalfKnown for &Answer<Result<Json<T>, E>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.answer = Some((JSON, None));
    }
}

impl<T> HalfKnown for &Answer<Events<T>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.answer = Some((EVENTS, None));
    }
}

impl<T, E> HalfKnown for &Answer<Result<Events<T>, E>> {
    fn describe(&self, to: &mut Description<'_>) {
        to.shapes.answer = Some((EVENTS, None));
    }
}

impl<T> Unknown for Answer<T> {}
