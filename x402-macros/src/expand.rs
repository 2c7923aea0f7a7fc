//! Writes the code: the function that callers see, around the endpoint's data and the function as written.

mod checks;
mod price;
mod shapes;
mod spec;
mod wrapper;

use proc_macro2::TokenStream;

use crate::model::ValidPaidFn;
pub(crate) use spec::placeholder;
pub(crate) use wrapper::function;

/// The whole expansion of a valid function.
pub(crate) fn paid_fn(valid: &ValidPaidFn) -> TokenStream {
    let spec = spec::endpoint_spec(&valid.spec, &valid.runtime);
    wrapper::function(&valid.handler, &valid.runtime, &spec, Some(&valid.spec))
}
