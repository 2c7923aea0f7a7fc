//! What all three languages say of a service and of its calls, before it is escaped for its place.

use x402_model::price::PriceModel;

use crate::model::{ClientModel, EndpointModel, ServiceModel};

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

    /// What the first example costs, if it has a cost: of a metered call, the most that it may.
    pub(crate) fn said_example(&self, currency: &str) -> Option<String> {
        let example = self.examples.first()?;
        let cost = example.cost?;
        let model = self.price.as_ref().and_then(|price| price.model.as_ref());
        let most = match model {
            Some(PriceModel::Usage { .. }) => "at most ",
            _ => "",
        };
        Some(format!(
            "Example {}: costs {most}{cost} {currency}.",
            example.name
        ))
    }

    /// What a call may be refused with, as a line that `escape` has made safe: the codes of every call by `reference`, which is
    /// where they stand, and those of its own by name.
    pub(crate) fn said_refusals(
        &self,
        shared: &[String],
        reference: &str,
        escape: fn(&str) -> Vec<String>,
    ) -> Option<String> {
        let is_like_others =
            !shared.is_empty() && shared.iter().all(|code| self.errors.contains(code));
        let own = |code: &&String| !is_like_others || !shared.contains(code);
        let own: Vec<&str> = self.errors.iter().filter(own).map(String::as_str).collect();
        let codes = escape(&own.join(", ")).join(" ");
        match (is_like_others, own.is_empty()) {
            (true, true) => Some(format!("Refusals: those of every call, {reference}.")),
            (true, false) => Some(format!(
                "Refusals: those of every call, {reference}, and {codes}."
            )),
            (false, true) => None,
            (false, false) => Some(format!("Refusals: {codes}.")),
        }
    }
}

/// What stands above the codes of every call, and those codes as literals, if there are any.
pub(crate) fn shared_refusals(
    model: &ClientModel,
    string: fn(&str) -> String,
) -> Option<(&'static str, String)> {
    let codes: Vec<String> = model
        .shared_errors
        .iter()
        .map(|code| string(code))
        .collect();
    let doc =
        "The codes of the refusals that every call may end with. A call that has others says so.";
    (!codes.is_empty()).then(|| (doc, codes.join(", ")))
}

/// Summary and description, and under them price, example, notes and refusals as lines that `escape` has made safe: the two
/// parts of a comment on a method.
pub(crate) fn method(
    endpoint: &EndpointModel,
    model: &ClientModel,
    reference: &str,
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
            .said_example(&model.currency)
            .iter()
            .flat_map(|said| escape(said)),
    );
    more.extend(endpoint.notes.iter().flat_map(|note| escape(note)));
    more.extend(endpoint.said_refusals(&model.shared_errors, reference, escape));
    (text, more)
}
