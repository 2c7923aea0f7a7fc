//! Doc comments, `cfg`, lints, visibility and other attributes of a paid function.

use x402_runtime::paid;

use crate::{get, serve, spec};

/// Old weather.
#[paid(GET "/old", price = "1 USDC")]
#[deprecated(note = "ask for new weather")]
async fn old() -> String {
    String::new()
}

/// Only one of the two exists.
#[paid(GET "/here", price = "1 USDC")]
#[cfg(test)]
async fn conditional() -> &'static str {
    "here"
}

/// Only one of the two exists.
#[paid(GET "/nowhere", price = "1 USDC")]
#[cfg(not(test))]
async fn conditional() -> &'static str {
    "nowhere"
}

/// Only one of the two exists; this time the condition stands first.
#[cfg(not(test))]
#[paid(GET "/nowhere", price = "1 USDC")]
async fn first() -> &'static str {
    "nowhere"
}

/// Only one of the two exists; this time the condition stands first.
#[cfg(test)]
#[paid(GET "/here", price = "1 USDC")]
async fn first() -> &'static str {
    "here"
}

/// A lint that is expected where it is.
#[paid(GET "/lint", price = "1 USDC")]
#[expect(
    unused_variables,
    clippy::no_effect_underscore_binding,
    reason = "to see that it works"
)]
#[cfg_attr(test, allow(clippy::unused_async), inline(never))]
async fn lint() -> &'static str {
    let nobody_reads_this = 1;
    let _or_this = 2;
    "lint"
}

/// An attribute above the macro, and one below it.
#[must_use]
#[paid(GET "/must", price = "1 USDC")]
#[doc(alias = "should")]
async fn must() -> String {
    "must".to_owned()
}

/// Another attribute macro, below.
#[paid(GET "/traced", price = "1 USDC")]
#[tracing::instrument(skip_all, ret)]
async fn traced() -> &'static str {
    "traced"
}

/// Another attribute macro, above.
#[tracing::instrument(skip_all)]
#[paid(GET "/traced", price = "1 USDC")]
async fn traced_above() -> Result<&'static str, String> {
    Ok(std::future::ready("traced").await)
}

/// A module whose functions are seen from outside.
pub(crate) mod nested {
    use x402_runtime::paid;

    /// Seen in the whole crate.
    #[paid(GET "/crate", price = "1 USDC")]
    pub(crate) async fn in_crate() -> &'static str {
        "crate"
    }

    /// Seen in the module above.
    #[paid(GET "/super", price = "1 USDC")]
    pub(super) async fn in_super() -> &'static str {
        "super"
    }
}

/// An object with a function that takes no `self`.
struct Service;

impl Service {
    /// A function in an impl block.
    #[paid(GET "/associated", price = "1 USDC")]
    async fn associated() -> &'static str {
        "associated"
    }
}

/// A word of the language as name.
#[paid(GET "/type", price = "1 USDC")]
async fn r#type() -> &'static str {
    "type"
}

/// Makes paid functions by a macro.
macro_rules! endpoints {
    ($($name:ident $method:ident $path:literal $price:literal $answer:ty;)*) => {$(
        /// Made by a macro.
        #[paid($method $path, price = $price)]
        async fn $name() -> $answer {
            stringify!($name)
        }
    )*};
}

endpoints! {
    one GET "/one" "1 USDC" &'static str;
    two POST "/two" "2.50 USD" &'static str;
}

#[tokio::test]
async fn other_attributes_keep_working() {
    #[expect(deprecated, reason = "it is")]
    let answer = old().await;
    assert_eq!(answer, "");
    assert_eq!(conditional().await, "here");
    assert_eq!(first().await, "here");
    assert_eq!(lint().await, "lint");
    assert_eq!(must().await, "must");
    assert_eq!(traced().await, "traced");
    assert_eq!(traced_above().await, Ok("traced"));
}

#[tokio::test]
async fn names_and_places_keep_working() {
    assert_eq!(nested::in_crate().await, "crate");
    assert_eq!(nested::in_super().await, "super");
    assert_eq!(
        serve(Service::associated, (), get("/associated")).await.1,
        "associated"
    );
    assert_eq!(r#type().await, "type");
    assert_eq!(spec(r#type).id, "type");
    assert_eq!((one().await, two().await), ("one", "two"));
    assert_eq!(spec(two).price.bounds().max.to_string(), "2.50 USD");

    /// A function inside a function.
    #[paid(GET "/local", price = "1 USDC")]
    async fn local() -> &'static str {
        "local"
    }
    assert_eq!(local().await, "local");
}
