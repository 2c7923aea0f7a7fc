//! Servers: where a description says that its calls are answered.

use serde_json::Value;

/// Longest address.
const MAX_ADDRESS: usize = 500;

/// The address of the first server, with the defaults of its variables, and without a slash at its end.
pub(super) fn address(servers: Option<&Value>) -> Option<String> {
    let server = servers?.get(0)?;
    let mut left = server.get("url")?.as_str()?;
    let mut address = String::new();
    while let Some((before, rest)) = left.split_once('{') {
        let (name, after) = rest.split_once('}')?;
        let variable = server.get("variables")?.get(name)?;
        address.push_str(before);
        address.push_str(variable.get("default")?.as_str()?);
        if address.len() > MAX_ADDRESS {
            return None;
        }
        left = after;
    }
    address.push_str(left);
    (address.len() <= MAX_ADDRESS).then(|| address.trim_end_matches('/').to_owned())
}

/// Where the service is, if the description says so as a whole.
pub(super) fn base(document: &Value, warnings: &mut Vec<String>) -> String {
    let address = address(document.get("servers"));
    match address {
        Some(address) if is_absolute(&address) => return address,
        // Whoever tells a client where it is has to know that it is not the root.
        Some(path) if path.starts_with('/') => warnings.push(format!(
            "/servers: no absolute address; a client has to be told one, which ends with {path:?}"
        )),
        _ => {
            let warning = "/servers: no absolute address; a client has to be told one";
            warnings.push(warning.to_owned());
        }
    }
    String::new()
}

/// The address of its own that an operation, or else its path, has: where the client does not go.
pub(super) fn elsewhere(document: &Value, item: &Value, operation: &Value) -> Option<String> {
    let own = [operation, item]
        .into_iter()
        .find_map(|place| place.get("servers").filter(|all| all.get(0).is_some()))?;
    let usual = document.get("servers");
    let own = address(Some(own));
    (own.is_none() || own != address(usual)).then(|| own.unwrap_or_default())
}

fn is_absolute(address: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
    (address.starts_with("https://") || address.starts_with("http://"))
        && address.chars().all(plain)
}
