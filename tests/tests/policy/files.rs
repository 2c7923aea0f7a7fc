//! What may stand in a file of the repository: no machine's paths, no secrets, no files too long to read.

use std::path::{Path, PathBuf};

use crate::{assert_none, root};

/// Folders that hold what was made here, not what was written.
const MADE: &[&str] = &[".git", "target", "node_modules"];

/// Lines of code in one product file; tests may be longer.
const PRODUCT_LINES: usize = 400;
const TEST_LINES: usize = 600;

/// Keys that everybody knows and nobody may fund: those that anvil prints, and one of a specification.
const PUBLIC_KEYS: &[&str] = &[
    // The example of the Web3 Secret Storage definition.
    "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d",
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
];

/// Every file that was written by hand, with its text if it is text.
fn texts() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("its type");
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() && !MADE.contains(&name.as_str()) {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Ok(text) = std::fs::read_to_string(entry.path())
            {
                found.push((
                    entry
                        .path()
                        .strip_prefix(root())
                        .expect("inside")
                        .to_path_buf(),
                    text,
                ));
            }
        }
    }
    found.sort();
    found
}

/// The Rust sources among them.
fn sources() -> Vec<(PathBuf, String)> {
    texts()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// Every line that holds one of the needles where a word starts.
fn lines_with(needles: &[String]) -> Vec<String> {
    let mut offenders = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            let starts_word = |at: usize| {
                line[..at]
                    .chars()
                    .next_back()
                    .is_none_or(|c| !(c.is_alphanumeric() || "._-/~".contains(c)))
            };
            if needles.iter().any(|n| {
                line.match_indices(n.as_str())
                    .any(|(at, _)| starts_word(at))
            }) {
                offenders.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    offenders
}

#[test]
fn no_file_names_a_machine() {
    let needles = ["work", "root", "Users"].map(|folder| format!("/{folder}/"));
    assert_none(
        "a path of one machine stands in a file",
        &lines_with(&needles),
    );
}

#[test]
fn no_file_names_a_registry_host() {
    let hosts: &[&[&str]] = &[
        &["registry", "npmjs", "org"],
        &["registry", "yarnpkg", "com"],
        &["index", "crates", "io"],
        &["static", "crates", "io"],
        &["pypi", "org"],
        &["files", "pythonhosted", "org"],
        &["deb", "debian", "org"],
    ];
    let needles: Vec<String> = hosts.iter().map(|parts| parts.join(".")).collect();
    // A host also follows a scheme's slashes, where no word starts.
    let with_scheme = needles.iter().map(|host| format!("https://{host}"));
    let all: Vec<String> = needles.iter().cloned().chain(with_scheme).collect();
    assert_none(
        "a registry's host stands in a file: name packages, not hosts",
        &lines_with(&all),
    );
}

#[test]
fn no_file_holds_a_private_key() {
    let mut offenders = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            let lower = line.to_ascii_lowercase();
            let named = [
                "private", "secret", "signing", "settler", "wallet", "mnemonic",
            ]
            .iter()
            .any(|word| {
                lower.match_indices(word).any(|(at, _)| {
                    lower[at..]
                        .chars()
                        .take(24)
                        .collect::<String>()
                        .contains("key")
                })
            });
            for key in hex_words(&lower) {
                let one_byte = key
                    .as_bytes()
                    .chunks(2)
                    .all(|pair| pair == &key.as_bytes()[..2]);
                let small = key.trim_start_matches('0').len() <= 4;
                if named && !PUBLIC_KEYS.contains(&key) && !one_byte && !small {
                    offenders.push(format!("{}:{}", path.display(), number + 1));
                }
            }
            if lower.contains(concat!("begin ", "private key"))
                || lower.contains(concat!("begin ec ", "private key"))
            {
                offenders.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert_none(
        "something that looks like a private key stands in a file",
        &offenders,
    );
}

/// The words of exactly 64 hex digits in a line.
fn hex_words(line: &str) -> Vec<&str> {
    line.split(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| word.strip_prefix("0x").unwrap_or(word))
        .filter(|word| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit()))
        .collect()
}

/// Compile-fail fixtures and golden files show what users write, or what a program wrote.
fn is_fixture(path: &Path) -> bool {
    path.components().any(|part| {
        ["ui", "golden", "fixtures", "cases"]
            .iter()
            .any(|f| part.as_os_str() == *f)
    })
}

fn is_test(path: &Path) -> bool {
    let unit_tests = path.to_string_lossy().ends_with("tests.rs");
    unit_tests || path.components().any(|part| part.as_os_str() == "tests")
}

/// Lines that are neither blank nor comment, up to the unit tests at the end of the file.
fn code_lines(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let tests_follow = lines
            .peek()
            .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if line.starts_with("#[cfg(test)]") && tests_follow {
            break;
        }
        let line = line.trim();
        count += usize::from(!line.is_empty() && !line.starts_with("//"));
    }
    count
}

#[test]
fn no_source_file_is_too_long_to_read() {
    let offenders: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !is_fixture(path))
        .map(|(path, text)| {
            (
                path,
                code_lines(text),
                if is_test(path) {
                    TEST_LINES
                } else {
                    PRODUCT_LINES
                },
            )
        })
        .filter(|(_, lines, limit)| lines > limit)
        .map(|(path, lines, limit)| {
            format!("{}: {lines} lines of code, limit {limit}", path.display())
        })
        .collect();
    assert_none("a source file is too long", &offenders);
}

#[test]
fn every_module_says_what_it_is_for() {
    let offenders: Vec<String> = sources()
        .iter()
        .filter(|(path, text)| {
            let mut lines = text.lines().skip_while(|line| line.starts_with("#!["));
            !is_fixture(path)
                && !is_test(path)
                && !lines.next().is_some_and(|line| line.starts_with("//! "))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("a module does not begin with its purpose", &offenders);
}

#[test]
fn no_product_source_is_left_open() {
    let words = ["TODO", "FIXME", "XXX"];
    let offenders: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !is_test(path) && !is_fixture(path))
        .flat_map(|(path, text)| {
            text.lines().enumerate().filter_map(|(number, line)| {
                let comment = line.split_once("//")?.1;
                words
                    .iter()
                    .any(|word| comment.contains(word))
                    .then(|| format!("{}:{}", path.display(), number + 1))
            })
        })
        .collect();
    assert_none("a comment leaves work for later", &offenders);
}
