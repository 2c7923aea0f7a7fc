//! What the seller said of the service as a whole, as far as every 402 repeats it.

/// Name, picture and search words of the service; nothing of what was not said. Its rules are held against it with the manifest,
/// which has the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) name: Option<String>,
    pub(crate) icon: Option<String>,
    pub(crate) tags: Vec<String>,
}
