//! What `#[paid]` asks the compiler about fields that a price looks at: never called, only type-checked.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// A field whose values are numbers in JSON.
#[diagnostic::on_unimplemented(
    message = "a price cannot compare `{Self}` with numbers",
    label = "no number",
    note = "for a type of your own that is a number in JSON, write the place as a string, as in `body(\"/field\")`"
)]
pub trait Number {}

/// A field whose values are `true` and `false`.
#[diagnostic::on_unimplemented(
    message = "a price cannot compare `{Self}` with `true` and `false`",
    label = "no truth value",
    note = "for a type of your own that is one in JSON, write the place as a string, as in `body(\"/field\")`"
)]
pub trait Truth {}

/// A field whose values are strings, which have a length.
#[diagnostic::on_unimplemented(
    message = "a price cannot count the characters or bytes of `{Self}`",
    label = "no string",
    note = "`items(…)` counts the elements of a list; for a type of your own that is a string in JSON, write the place \
            as a string, as in `body(\"/field\")`"
)]
pub trait Length {}

/// A field whose values are lists.
#[diagnostic::on_unimplemented(
    message = "a price cannot count the items of `{Self}`",
    label = "no list",
    note = "`chars(…)` and `bytes(…)` measure a string; for a type of your own that is an array in JSON, write the place \
            as a string, as in `body(\"/field\")`"
)]
pub trait Items {}

/// A field that is never a string in JSON.
pub trait Textless {}

macro_rules! implement {
    ($name:ident: $($ty:ty),+) => { $(impl $name for $ty {})+ };
}

implement!(Number: u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64);
implement!(Textless: u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool);
implement!(Truth: bool);
implement!(Length: str, String, char);

impl<T: Textless> Textless for Option<T> {}
impl<T> Textless for Vec<T> {}
impl<T: Number> Number for Option<T> {}
impl<T: Truth> Truth for Option<T> {}
impl<T: Length> Length for Option<T> {}
impl<T: Length + ?Sized> Length for &T {}
impl<T: Length + ?Sized> Length for Box<T> {}
impl<T: Length + ?Sized> Length for Rc<T> {}
impl<T: Length + ?Sized> Length for Arc<T> {}
impl<T: Length + ToOwned + ?Sized> Length for Cow<'_, T> {}
impl<T: Items> Items for Option<T> {}
impl<T: Items + ?Sized> Items for Box<T> {}
impl<T> Items for Vec<T> {}
impl<T> Items for [T] {}
impl<T, const N: usize> Items for [T; N] {}
impl<T> Items for VecDeque<T> {}
impl<T> Items for BTreeSet<T> {}
impl<T, S> Items for HashSet<T, S> {}

/// Asks for a number.
pub const fn number<T: Number + ?Sized>(_: &T) {}

/// Asks for a truth value.
pub const fn truth<T: Truth + ?Sized>(_: &T) {}

/// Asks for a string.
pub const fn length<T: Length + ?Sized>(_: &T) {}

/// Asks for a list.
pub const fn items<T: Items + ?Sized>(_: &T) {}

/// A field that is compared with strings: a string, or a type of the author's, most often an enum without data.
///
/// What is a string in JSON only its own reader knows, so the question is turned round: types that never are one are
/// found first, because their method needs one reference less.
#[derive(Debug)]
pub struct Field<'f, T: ?Sized>(pub &'f T);

/// What may be a string.
#[derive(Debug)]
pub struct SomeText;

/// What never is one.
#[derive(Debug)]
pub struct Never<T>(PhantomData<T>);

/// Fields that are no strings.
pub trait NoText: Sized {
    /// It is none.
    fn kind(&self) -> Never<Self> {
        Never(PhantomData)
    }
}

impl<T: Textless + ?Sized> NoText for Field<'_, T> {}

/// All fields.
pub trait MayBeText {
    /// It may be one.
    fn kind(&self) -> SomeText {
        SomeText
    }
}

impl<T: ?Sized> MayBeText for &Field<'_, T> {}

/// Asks for what may be a string.
pub fn text<T: Comparable>(_: T) {}

/// The answer to the question.
pub trait Comparable {}

/// A field whose values are strings. Nothing implements it: it is asked for only where the field never is one.
#[diagnostic::on_unimplemented(
    message = "a price cannot compare `{Self}` with strings",
    label = "no string",
    note = "numbers are compared with numbers, as in `1 => \"0.01 USDC\"`, or with bands, as in `..=1_000 => \"0.01 USDC\"`"
)]
pub trait Text {}

impl Comparable for SomeText {}
impl<T: Text + ?Sized> Comparable for Never<Field<'_, T>> {}
