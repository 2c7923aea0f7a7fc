//! What all three languages say of a service and of its calls, before it is escaped for its place.

use crate::model::{EndpointModel, ServiceModel};

impl ServiceModel {
    /// Name, version and description.
    pub(crate) fn about(&self) -> String {
        format!("{} {}.\n\n{}", self.name, self.version, self.description)
    }

    /// What generated files keep of the document: the words about it, the name of the constant, and its value. Texts are made
    /// literals by `string`.
    pub(crate) fn constants(
        &self,
        string: fn(&str) -> String,
    ) -> [(&'static str, &'static str, String); 4] {
        [
            ("Where the service is.", "BASE", string(&self.base)),
            (
                "The hash of the document that this file was made of.",
                "CONTENT_HASH",
                string(&self.content_hash),
            ),
            (
                "The version of the service's contract.",
                "SERVICE_VERSION",
                string(&self.version),
            ),
            (
                "The revision of the document; 0 if it has none.",
                "REVISION",
                self.revision.unwrap_or_default().to_string(),
            ),
        ]
    }
}

impl EndpointModel {
    /// What a call costs.
    pub(crate) fn said_price(&self) -> &str {
        self.price.as_ref().map_or(
            "No price is documented: a request for payment ends the call.",
            |price| &price.sentence,
        )
    }

    /// What the first example costs, if it has a cost.
    pub(crate) fn said_example(&self, currency: &str) -> Option<String> {
        let example = self.examples.first()?;
        let cost = example.cost?;
        Some(format!(
            "Example {}: costs {cost} {currency}.",
            example.name
        ))
    }

    /// The codes that a call may be refused with.
    pub(crate) fn said_refusals(&self) -> Option<String> {
        let codes = self.errors.join(", ");
        (!codes.is_empty()).then(|| format!("Refusals: {codes}."))
    }
}

/// Summary and description, and under them price, example, notes and refusals as lines that `escape` has made safe: the two
/// parts of a comment on a method.
pub(crate) fn method(
    endpoint: &EndpointModel,
    currency: &str,
    escape: fn(&str) -> Vec<String>,
) -> (String, Vec<String>) {
    let mut text = endpoint.summary.clone();
    if let Some(description) = &endpoint.description {
        text.push_str("\n\n");
        text.push_str(description);
    }
    let mut more = vec![String::new()];
    more.extend(escape(endpoint.said_price()));
    more.extend(
        endpoint
            .said_example(currency)
            .iter()
            .flat_map(|said| escape(said)),
    );
    more.extend(endpoint.notes.iter().flat_map(|note| escape(note)));
    more.extend(
        endpoint
            .said_refusals()
            .iter()
            .flat_map(|said| escape(said)),
    );
    (text, more)
}
