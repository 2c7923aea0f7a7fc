//! Keys and passwords: read from files, standard input or a terminal without echo, never from the command line.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use alloy_primitives::hex;
use alloy_signer_local::PrivateKeySigner;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use x402_client::WalletError;
use x402_client::wallet::read_secret_file;
use zeroize::Zeroizing;

use crate::{Exit, Failure, places};

/// Longest secret that is typed or piped, in bytes.
const MAX_TYPED: u64 = 1024;

/// Names the password file, where no option does.
pub(crate) const PASSWORD_FILE: &str = "X402_PASSWORD_FILE";

/// Options that people reach for and that do not exist, so that they are told why.
const KEY_OPTIONS: [&str; 3] = ["--key", "--private-key", "--secret-key"];
const PASSWORD_OPTIONS: [&str; 2] = ["--password", "--passphrase"];

/// The refusal of a command line that could not be read and that holds a key, or an option for one.
pub(crate) fn misplaced(
    error: &clap::Error,
    arguments: impl Iterator<Item = OsString>,
) -> Option<Failure> {
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) if is_unknown => argument.as_str(),
        _ => "",
    };
    if let Some(option) = KEY_OPTIONS.iter().find(|option| **option == argument) {
        return Some(on_command_line(option));
    }
    if PASSWORD_OPTIONS.contains(&argument) {
        let message = "passwords are not taken from the command line: others can read it";
        return Some(
            Failure::usage("password_on_command_line", message)
                .help("put it into a file with mode 0600 and name that with --password-file"),
        );
    }
    let said = error.render().to_string();
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    (holds_key(&said) || arguments.any(|argument| is_key(&argument)))
        .then(|| on_command_line("an argument"))
}

/// What is said to somebody who wrote a key where everybody can read it.
pub(crate) fn on_command_line(place: &str) -> Failure {
    let message =
        format!("{place} looks like a private key; keys are not taken from the command line");
    Failure::usage("key_on_command_line", message).help(
        "others can read command lines, and your shell remembers them: if money is on that key, move it. \
         Import a key with `x402 wallet import` (it asks for it), or use --key-file FILE with mode 0600",
    )
}

/// Refuses a path or a URL that is a key.
pub(crate) fn refuse_key(place: &str, text: &str) -> Result<(), Failure> {
    if holds_key(text) || is_phrase(text) {
        return Err(on_command_line(place));
    }
    Ok(())
}

/// Refuses a path that is a key.
pub(crate) fn refuse_key_path(place: &str, path: Option<&Path>) -> Result<(), Failure> {
    path.map_or(Ok(()), |path| refuse_key(place, &path.to_string_lossy()))
}

/// Whether one word of the text is 32 bytes of hex.
pub(crate) fn holds_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_key)
}

fn is_key(word: &str) -> bool {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether the text is as many plain words as a recovery phrase has.
fn is_phrase(text: &str) -> bool {
    let plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    matches!(text.split_whitespace().count(), 12 | 15 | 18 | 21 | 24)
        && text.split_whitespace().all(plain)
}

/// The password of an existing keystore: from the file named, else typed.
pub(crate) fn password(file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match from_file(file)? {
        Some(password) => Ok(password),
        None => typed("Password of the wallet: ").map(into_bytes),
    }
}

/// The password of a new keystore: from the file named, else typed twice.
pub(crate) fn new_password(file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match from_file(file)? {
        Some(password) => Ok(password),
        None => chosen(typed).map(into_bytes),
    }
}

fn chosen(
    ask: impl Fn(&str) -> Result<Zeroizing<String>, Failure>,
) -> Result<Zeroizing<String>, Failure> {
    let password = ask("Password for the new wallet: ")?;
    if password.is_empty() {
        return Err(empty_password("nothing was typed"));
    }
    if ask("The same password again: ")? == password {
        return Ok(password);
    }
    let message = "the two passwords differ; no wallet was made";
    Err(Failure::usage("passwords_differ", message))
}

fn empty_password(what: &str) -> Failure {
    let message = format!("the password is empty: {what}");
    Failure::usage("empty_password", message)
        .help("the password is all that protects a copied wallet file: take a long one")
}

fn from_file(file: Option<&Path>) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let named = file
        .map(Path::to_path_buf)
        .or_else(|| places::variable(PASSWORD_FILE).map(Into::into));
    let Some(path) = named else { return Ok(None) };
    refuse_key_path("--password-file", Some(&path))?;
    let bytes = read_secret_file(&path).map_err(|error| unreadable(&path, &error))?;
    let line = bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    if line.is_empty() {
        let what = format!("{} has nothing in its first line", path.display());
        return Err(empty_password(&what));
    }
    Ok(Some(Zeroizing::new(line.to_vec())))
}

fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() {
        let message = "a password is needed, and there is no terminal to ask for it";
        return Err(Failure::usage("no_password", message).help(format!(
            "put it into a file with mode 0600 and name that with --password-file or {PASSWORD_FILE}"
        )));
    }
    hidden(prompt)
}

fn hidden(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|error| {
            Failure::new(
                Exit::Failed,
                format!("cannot read from the terminal: {error}"),
            )
        })
}

fn into_bytes(mut text: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

/// A key to import: from a file that only its owner may read, piped in, or typed without echo.
pub(crate) fn key(file: Option<&Path>) -> Result<PrivateKeySigner, Failure> {
    let stdin = Path::new("-");
    let bytes = match file.filter(|file| *file != stdin) {
        Some(path) => read_secret_file(path).map_err(|error| unreadable(path, &error))?,
        None if io::stdin().is_terminal() => into_bytes(hidden("Private key (not shown): ")?),
        None => piped()?,
    };
    parse_key(&bytes).ok_or_else(|| {
        let message = "what was given is not a private key";
        Failure::usage("not_a_key", message)
            .help("a key is 64 hex digits, with or without 0x, and nothing else")
    })
}

fn piped() -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Reserved in full, so that no smaller buffer with a part of the key is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2048));
    io::stdin()
        .lock()
        .take(MAX_TYPED)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot read standard input: {error}"))
        })?;
    Ok(bytes)
}

fn parse_key(bytes: &[u8]) -> Option<PrivateKeySigner> {
    let text = bytes.trim_ascii();
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let mut key = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(text, key.as_mut_slice()).ok()?;
    PrivateKeySigner::from_slice(key.as_slice()).ok()
}

/// A secret or wallet file that cannot be used.
pub(crate) fn unreadable(path: &Path, error: &WalletError) -> Failure {
    let path = path.display();
    let failure = |code, help: &str| {
        let failure = Failure::usage(code, format!("{path}: {error}"));
        if help.is_empty() {
            failure
        } else {
            failure.help(help)
        }
    };
    match error {
        WalletError::Io(cause) if cause.kind() == io::ErrorKind::NotFound => {
            let message = format!("there is no file {path}");
            Failure::usage("file_missing", message)
        }
        WalletError::Shared { mode } => {
            let message = format!("{path} can be read by others than its owner (mode {mode:04o})");
            Failure::usage("file_shared", message).help(format!("run `chmod 600 {path}`"))
        }
        WalletError::EmptyPassword => empty_password("nothing was given"),
        WalletError::WrongPassword => failure(
            "wrong_password",
            "try again; a wallet whose password is lost cannot be opened by anybody",
        ),
        WalletError::NotAKeystore => failure(
            "not_a_keystore",
            "`x402 wallet new` and `x402 wallet import` make keystores; a bare key is named with --key-file",
        ),
        _ => failure("file_unusable", ""),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const PUBLIC: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    fn answers(texts: &[&str]) -> Result<String, &'static str> {
        let left = RefCell::new(texts.iter());
        chosen(|_| Ok(Zeroizing::new((*left.borrow_mut().next().unwrap()).into())))
            .map(|password| password.to_string())
            .map_err(|failure| failure.code)
    }

    #[test]
    fn k07_a_new_password_is_typed_twice_and_not_empty() {
        assert_eq!(answers(&["long one", "long one"]), Ok("long one".into()));
        assert_eq!(answers(&["long one", "long won"]), Err("passwords_differ"));
        assert_eq!(answers(&["", ""]), Err("empty_password"));
    }

    #[test]
    fn k01_keys_and_phrases_are_recognised_wherever_they_stand() {
        let bare = &PUBLIC[2..];
        for text in [
            PUBLIC.to_owned(),
            bare.to_uppercase(),
            format!("./{bare}"),
            format!("unexpected argument '{PUBLIC}' found"),
            "test test test test test test test test test test test junk".into(),
        ] {
            assert!(refuse_key("x", &text).is_err(), "{text}");
        }
        for text in [
            "https://api.example.com/weather/zurich",
            &bare[1..],
            "wallet.json",
            "twelve words that are no phrase: 1 2 3 4 5 6",
        ] {
            assert!(refuse_key("x", text).is_ok(), "{text}");
        }
        let failure = on_command_line("the URL");
        assert!(!format!("{failure:?}").contains(bare));
    }

    #[test]
    fn keys_are_64_hex_digits_and_nothing_else() {
        let key = parse_key(PUBLIC.as_bytes()).unwrap();
        let again = parse_key(format!(" {}\n", &PUBLIC[2..]).as_bytes()).unwrap();
        assert_eq!(key.address(), again.address());
        let zero = "0".repeat(64);
        for text in [
            "",
            "0x",
            &PUBLIC[..65],
            &format!("{PUBLIC}00"),
            &zero,
            "junk",
        ] {
            assert!(parse_key(text.as_bytes()).is_none(), "{text}");
        }
    }
}
