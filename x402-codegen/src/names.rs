//! Identifiers from foreign names: ASCII words in the case of the language, no keyword, no two alike.

mod words;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use words::TYPE_WORDS;
use words::{PYTHON_WORDS, RUST_WORDS};

/// Most characters of an identifier before it is numbered.
const MAX_CHARS: usize = 60;

/// The ASCII words of a name: `getWeather2`, `get-weather 2` and `GET_WEATHER2` are `get weather2`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    let mut chars = name.chars().take(400).peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_alphanumeric() {
            let next_is_lower = chars.peek().is_some_and(char::is_ascii_lowercase);
            let upper_after_lower =
                c.is_ascii_uppercase() && (last.is_ascii_lowercase() || last.is_ascii_digit());
            let last_capital = c.is_ascii_uppercase() && last.is_ascii_uppercase() && next_is_lower;
            match words.last_mut() {
                Some(word)
                    if last.is_ascii_alphanumeric() && !upper_after_lower && !last_capital =>
                {
                    word.push(c.to_ascii_lowercase());
                }
                _ => words.push(c.to_ascii_lowercase().to_string()),
            }
        }
        last = c;
    }
    words
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

/// Cut to a length, and never beginning with a digit or empty.
fn presentable(name: &str, instead: &str, before_digit: char) -> String {
    let mut name: String = name.chars().take(MAX_CHARS).collect();
    while name.ends_with('_') {
        name.pop();
    }
    if name.is_empty() {
        return instead.to_owned();
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, before_digit);
    }
    name
}

/// `GetWeather`; `instead` if there is no letter or digit.
pub(crate) fn pascal(name: &str, instead: &str) -> String {
    let name: String = words(name).iter().map(|word| capital(word)).collect();
    presentable(&name, instead, 'N')
}

/// `get_weather`.
pub(crate) fn snake(name: &str, instead: &str) -> String {
    presentable(&words(name).join("_"), instead, 'n')
}

/// `getWeather`.
pub(crate) fn camel(name: &str, instead: &str) -> String {
    let pascal = pascal(name, instead);
    let mut chars = pascal.chars();
    chars
        .next()
        .map(|first| first.to_ascii_lowercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

/// `GET_WEATHER`.
pub(crate) fn screaming(name: &str, instead: &str) -> String {
    snake(name, instead).to_ascii_uppercase()
}

/// What is behind the name of an endpoint in the constants about what it costs.
const COSTS: &[&str] = &["_PRICE", "_MIN_COST", "_MAX_COST"];

/// Identifiers of one scope. Two that differ in case only are alike: some file systems and readers think so.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    taken: BTreeSet<String>,
    /// Identifiers of another kind in the same module: only one that is written the same is alike.
    beside: BTreeSet<String>,
    next: BTreeMap<String, usize>,
}

impl Scope {
    /// A scope in which some identifiers exist already.
    pub(crate) fn with(reserved: &[&str]) -> Self {
        Self {
            taken: reserved
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            ..Self::default()
        }
    }

    /// The same scope in a module that has types of these names, too.
    pub(crate) fn beside<'t>(mut self, types: impl Iterator<Item = &'t str>) -> Self {
        self.beside = types.map(str::to_owned).collect();
        self.beside
            .extend(TYPE_WORDS.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Whether a name is taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.taken.contains(&name.to_ascii_lowercase())
    }

    /// The name if it is free, else the name with the next free number.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        self.unique_with(name, &[])
    }

    /// The name for the constants of an endpoint: none of them is one of another endpoint.
    pub(crate) fn constants(&mut self, id: &str) -> String {
        self.unique_with(&screaming(id, "CALL"), COSTS)
    }

    /// The name if it is free with all that is derived from it, else the name with the next number for which that is so.
    fn unique_with(&mut self, name: &str, suffixes: &[&str]) -> String {
        let free = |this: &Self, name: &str| {
            !this.has(name)
                && !this.beside.contains(name)
                && !suffixes
                    .iter()
                    .any(|suffix| this.has(&format!("{name}{suffix}")))
        };
        let mut found = name.to_owned();
        while !free(self, &found) {
            let number = self.next.entry(name.to_ascii_lowercase()).or_insert(2);
            found = format!("{name}{number}");
            *number = number.saturating_add(1);
        }
        self.taken.insert(found.to_ascii_lowercase());
        let derived = suffixes.iter().map(|suffix| format!("{found}{suffix}"));
        self.taken
            .extend(derived.map(|name| name.to_ascii_lowercase()));
        found
    }
}

/// A Rust field, method or parameter.
pub(crate) fn rust_value(name: &str, instead: &str) -> String {
    guarded(snake(name, instead), RUST_WORDS)
}

/// A Python field, method or parameter.
pub(crate) fn python_value(name: &str, instead: &str) -> String {
    let name = guarded(snake(name, instead), PYTHON_WORDS);
    // pydantic keeps this prefix for itself.
    if name.starts_with("model_") {
        return format!("{name}_");
    }
    name
}

/// A TypeScript method. Keywords may be methods; these names have a meaning of their own.
pub(crate) fn typescript_method(name: &str, instead: &str) -> String {
    const TAKEN: &[&str] = &[
        "constructor",
        "then",
        "prototype",
        "tostring",
        "valueof",
        "tojson",
        "core",
    ];
    guarded(camel(name, instead), TAKEN)
}

/// A TypeScript member that may be left out: every object has these already, from its prototype.
pub(crate) fn typescript_member(name: &str, instead: &str) -> String {
    const TAKEN: &[&str] = &[
        "constructor",
        "hasownproperty",
        "isprototypeof",
        "propertyisenumerable",
        "tolocalestring",
        "tostring",
        "valueof",
    ];
    guarded(camel(name, instead), TAKEN)
}

fn guarded(name: String, words: &[&str]) -> String {
    if words.contains(&name.to_ascii_lowercase().as_str()) {
        return name + "_";
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_found_whatever_the_spelling() {
        for name in [
            "getWeather",
            "get-weather",
            "GET_WEATHER",
            "get weather",
            "GetWeather",
        ] {
            assert_eq!(snake(name, "x"), "get_weather");
            assert_eq!(pascal(name, "X"), "GetWeather");
            assert_eq!(camel(name, "x"), "getWeather");
        }
        assert_eq!(snake("HTTPServer2URL", "x"), "http_server2_url");
        assert_eq!(snake("../../etc/cron.d/x", "x"), "etc_cron_d_x");
        assert_eq!(snake("__class__", "x"), "class");
        assert_eq!(snake("\u{ff37}eather", "x"), "eather");
        assert_eq!(snake("2nd", "x"), "n2nd");
        assert_eq!(snake("気温", "field"), "field");
    }

    #[test]
    fn m04_keywords_are_no_identifiers() {
        assert_eq!(rust_value("fn", "x"), "fn_");
        assert_eq!(rust_value("self", "x"), "self_");
        assert_eq!(python_value("class", "x"), "class_");
        assert_eq!(python_value("model_config", "x"), "model_config_");
        assert_eq!(typescript_method("constructor", "x"), "constructor_");
        for name in ["constructor", "to_string", "valueOf", "hasOwnProperty"] {
            assert!(typescript_member(name, "x").ends_with('_'), "{name}");
        }
        let mut scope = Scope::with(&["Box"]);
        let names: Vec<String> = ["box", "a", "A", "a", "a2"]
            .iter()
            .map(|n| scope.unique(n))
            .collect();
        assert_eq!(names, ["box2", "a", "A2", "a3", "a22"]);
    }

    #[test]
    fn m04_constants_of_endpoints_are_never_those_of_another() {
        let types = ["A", "Price", "AB"];
        let fresh = || Scope::with(&["BASE"]).beside(types.into_iter());
        let named = |ids: &[&str]| {
            let mut scope = fresh();
            let names = ids.iter().map(|id| scope.constants(id));
            names.collect::<Vec<_>>()
        };
        assert_eq!(
            named(&["a", "price", "ab", "a_b", "base"]),
            ["A2", "PRICE", "AB2", "A_B", "BASE2"]
        );
        assert_eq!(
            named(&["x", "x_min_cost", "xPrice", "x2"]),
            ["X", "X_MIN_COST2", "X_PRICE2", "X2"]
        );
        assert_eq!(named(&["x_max_cost", "x"]), ["X_MAX_COST", "X2"]);
    }

    proptest! {
        #[test]
        fn m04_any_text_becomes_an_identifier(text in "\\PC{0,80}|[\\x00-\\u{10ffff}]{0,80}") {
            for name in [rust_value(&text, "value"), python_value(&text, "value"), typescript_method(&text, "value"), pascal(&text, "Value"), screaming(&text, "VALUE")] {
                let mut chars = name.chars();
                prop_assert!(chars.next().is_some_and(|c| c.is_ascii_alphabetic()), "{name}");
                prop_assert!(chars.all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
                prop_assert!(name.len() <= 63);
            }
            prop_assert!(syn::parse_str::<syn::Ident>(&rust_value(&text, "value")).is_ok());
        }
    }
}
