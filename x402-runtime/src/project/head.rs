//! The part of the header before the path: the same at every price and in every answer, so it is encoded once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::json;
use crate::bind::BoundEndpoint;

/// `{"x402Version":2,"resource":{…,"url":"<origin>`, open for the path.
#[derive(Debug)]
pub(super) struct Head {
    /// Base64 of the first whole 3-byte groups.
    pub(super) groups: String,
    /// The 0 to 2 bytes that make no whole group.
    pub(super) rest: Vec<u8>,
    /// All of it as JSON text, for answers with another `error`.
    pub(super) json: String,
}

impl Head {
    pub(super) fn of(endpoint: &BoundEndpoint) -> Self {
        let mut resource = whose(endpoint);
        let (description, mime_type) = (endpoint.description(), endpoint.mime_type());
        resource.insert("description".to_owned(), description.into());
        resource.insert("mimeType".to_owned(), mime_type.into());
        let mut resource = json(&resource);
        // It has members, so it goes on with a comma.
        resource.pop();
        // Origins hold no byte that JSON escapes, so the open string can go on with the path.
        let json = format!(
            r#"{{"x402Version":2,"resource":{resource},"url":"{}"#,
            endpoint.origin(),
        );
        let whole = json.len() - json.len() % 3;
        let (groups, rest) = json.as_bytes().split_at_checked(whole).unwrap_or_default();
        Self {
            groups: STANDARD.encode(groups),
            rest: rest.to_vec(),
            json,
        }
    }
}

/// The members of a resource that say whose it is and where to list it.
pub(super) fn whose(endpoint: &BoundEndpoint) -> Map<String, Value> {
    let (shown, tags) = (endpoint.shown(), endpoint.tags());
    let name = shown.name.as_deref().map(Value::from);
    let icon = shown.icon.as_deref().map(Value::from);
    let tags = (!tags.is_empty()).then(|| Value::from(tags));
    let members = [("serviceName", name), ("iconUrl", icon), ("tags", tags)];
    let said = members.into_iter();
    said.filter_map(|(member, value)| Some((member.to_owned(), value?)))
        .collect()
}
