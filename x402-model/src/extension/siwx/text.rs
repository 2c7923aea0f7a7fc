//! The text that a wallet signs: EIP-4361 for EVM accounts, the same with Solana's words for Solana.

use super::error::Unreadable;
use super::message::{SignInMessage, SignatureType};
use crate::asset::checksum;
use crate::evm::address::read_address;

const EVM: (&str, &str) = ("Ethereum", "eip155");
const SOLANA: (&str, &str) = ("Solana", "solana");

const ASKS: &str = " wants you to sign in with your ";
const ACCOUNT: &str = " account:";

/// The lines between the statement and the resources, in their order; from `Expiration Time` on they may be missing.
const LABELS: [&str; 8] = [
    "URI: ",
    "Version: ",
    "Chain ID: ",
    "Nonce: ",
    "Issued At: ",
    "Expiration Time: ",
    "Not Before: ",
    "Request ID: ",
];

const RESOURCES: &str = "Resources:";

const fn names(kind: SignatureType) -> (&'static str, &'static str) {
    match kind {
        SignatureType::Eip191 => EVM,
        SignatureType::Ed25519 => SOLANA,
    }
}

impl SignInMessage {
    /// The text to sign. An EVM address is written with its checksum, however the member spells it.
    ///
    /// # Errors
    /// [`Unreadable::Invalid`] for a member that its line cannot hold, an address that is none, and a chain that does not go
    /// with the kind of signature.
    ///
    /// ```
    /// use x402_model::extension::SignInMessage;
    /// let text = "api.example.com wants you to sign in with your Ethereum account:\n\
    ///     0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n\n\n\
    ///     URI: https://api.example.com/\nVersion: 1\nChain ID: 8453\nNonce: 646b727980878e95\nIssued At: 2026-09-21T14:13:20.000Z";
    /// let message = SignInMessage::parse(text)?;
    /// assert_eq!(message.chain_id, "eip155:8453");
    /// assert_eq!(message.text()?, text);
    /// # Ok::<(), x402_model::extension::siwx::Unreadable>(())
    /// ```
    pub fn text(&self) -> Result<String, Unreadable> {
        self.validate()?;
        let (chain, namespace) = names(self.kind);
        let reference = reference(&self.chain_id, namespace)?;
        let address = match self.kind {
            SignatureType::Eip191 => {
                checksum(read_address(&self.address).ok_or(Unreadable::Invalid("address"))?)
            }
            SignatureType::Ed25519 => self.address.clone(),
        };
        let mut lines = vec![
            format!("{}{ASKS}{chain}{ACCOUNT}", self.domain),
            address,
            String::new(),
        ];
        match &self.statement {
            Some(statement) => lines.extend([statement.clone(), String::new()]),
            // EIP-4361 keeps the empty line of a statement that is not there; Solana's form does not.
            None if self.kind == SignatureType::Eip191 => lines.push(String::new()),
            None => {}
        }
        let values = [
            Some(self.uri.as_str()),
            Some(&self.version),
            Some(reference),
            Some(&self.nonce),
            Some(&self.issued_at),
            self.expiration_time.as_deref(),
            self.not_before.as_deref(),
            self.request_id.as_deref(),
        ];
        let present = LABELS.into_iter().zip(values);
        lines.extend(present.filter_map(|(label, value)| Some(format!("{label}{}", value?))));
        if let Some(resources) = &self.resources {
            lines.push(RESOURCES.to_owned());
            lines.extend(resources.iter().map(|uri| format!("- {uri}")));
        }
        Ok(lines.join("\n"))
    }

    /// Reads a text that [`SignInMessage::text`] could have written, and nothing else: the two are each other's inverse.
    ///
    /// # Errors
    /// [`Unreadable`] that names the line.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut lines = text.split('\n').peekable();
        let first = lines.next().unwrap_or_default();
        let (domain, account) = first
            .split_once(ASKS)
            .ok_or(Unreadable::Missing("domain"))?;
        let kind = match account.strip_suffix(ACCOUNT) {
            Some(chain) if chain == EVM.0 => SignatureType::Eip191,
            Some(chain) if chain == SOLANA.0 => SignatureType::Ed25519,
            _ => return Err(Unreadable::Invalid("domain")),
        };
        let address = lines.next().ok_or(Unreadable::Missing("address"))?;
        let statement = statement(&mut lines, kind)?;
        let mut values = [None; LABELS.len()];
        for (label, value) in LABELS.into_iter().zip(&mut values) {
            *value = lines
                .next_if(|line| line.starts_with(label))
                .and_then(|line| line.strip_prefix(label));
        }
        let [
            uri,
            version,
            chain,
            nonce,
            issued_at,
            expiration_time,
            not_before,
            request_id,
        ] = values;
        let resources = resources(&mut lines);
        if lines.next().is_some() {
            return Err(Unreadable::Surplus);
        }
        let needed =
            |value: Option<&str>, name| value.map(str::to_owned).ok_or(Unreadable::Missing(name));
        let message = Self {
            domain: domain.to_owned(),
            address: address.to_owned(),
            statement,
            uri: needed(uri, "uri")?,
            version: needed(version, "version")?,
            chain_id: format!("{}:{}", names(kind).1, needed(chain, "chainId")?),
            kind,
            nonce: needed(nonce, "nonce")?,
            issued_at: needed(issued_at, "issuedAt")?,
            expiration_time: expiration_time.map(str::to_owned),
            not_before: not_before.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
            resources,
        };
        // One text per message: a missing checksum, say, would make two.
        if message.text()? != text {
            return Err(Unreadable::Invalid("address"));
        }
        Ok(message)
    }
}

/// The rest of a text, by lines.
type Lines<'a> = core::iter::Peekable<core::str::Split<'a, char>>;

/// The statement between its empty lines, if there is one.
fn statement(lines: &mut Lines<'_>, kind: SignatureType) -> Result<Option<String>, Unreadable> {
    if lines.next() != Some("") {
        return Err(Unreadable::Invalid("statement"));
    }
    let mut ahead = lines.clone();
    let (one, two) = (ahead.next(), ahead.next());
    if one == Some("") && kind == SignatureType::Eip191 {
        lines.next();
        return Ok(None);
    }
    // What an empty line follows is a statement, even if it reads like a line of the fields.
    let found = lines.next_if(|_| two == Some("")).map(str::to_owned);
    if found.is_some() {
        lines.next();
    }
    Ok(found)
}

fn resources(lines: &mut Lines<'_>) -> Option<Vec<String>> {
    lines.next_if_eq(&RESOURCES)?;
    let items = core::iter::from_fn(|| lines.next_if(|line| line.starts_with("- ")));
    Some(
        items
            .filter_map(|line| line.strip_prefix("- ").map(str::to_owned))
            .collect(),
    )
}

/// The chain within its namespace.
fn reference<'a>(chain_id: &'a str, namespace: &str) -> Result<&'a str, Unreadable> {
    chain_id
        .strip_prefix(namespace)
        .and_then(|rest| rest.strip_prefix(':'))
        .filter(|reference| super::message::word(reference))
        .ok_or(Unreadable::Invalid("chainId"))
}
