//! Tokens in, raw values with spans out. What they mean is not judged here.

pub(crate) mod attr;
pub(crate) mod item;
mod keys;
pub(crate) mod lifecycle;
mod parts;
pub(crate) mod price;
mod route;
mod values;

pub(crate) use keys::Key;
