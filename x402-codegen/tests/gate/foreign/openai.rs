//! Calls without a price are plain typed calls; what is uploaded has parts.
use crate::client::{Call, Client, ModelIdsShared, OpenAiFile, Parts, RetrieveModelRequest};

/// Each call takes what its name says, and gives what the document says.
pub fn calls(client: &Client) -> Call<'_, OpenAiFile> {
    let _ = client.retrieve_model(&RetrieveModelRequest::new("model".into()));
    let _ = ModelIdsShared::Text("model".into());
    client.create_file(&Parts::new().text("purpose", "batch").file("file", "a.jsonl", "application/jsonl", b"{}".to_vec()))
}
