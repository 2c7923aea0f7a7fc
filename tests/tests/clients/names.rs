//! The names that generated clients have for endpoints and their arguments, read from their text as a user reads them.

/// The method of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) name: String,
    /// What stands between its brackets, without `self`.
    pub(crate) takes: String,
    /// The struct of its arguments, and its members in their order.
    pub(crate) request: Option<(String, Vec<String>)>,
    /// The method for all pages.
    pub(crate) pages: Option<String>,
}

/// The methods of a Rust client, in the order of its endpoints.
pub(crate) fn rust(text: &str) -> Vec<Method> {
    let mut methods: Vec<Method> = Vec::new();
    for line in text.lines() {
        let Some((name, rest)) = between(line, "    pub fn ", "(&self") else {
            continue;
        };
        // The way to what has no method.
        if name == "raw" {
            continue;
        }
        if let Some((takes, _)) = rest.split_once(") -> Call<'_, ") {
            let takes = takes.trim_start_matches(", ");
            let request = takes.strip_prefix("request: &");
            let members = |ty: &str| members(text, &format!("pub struct {ty} {{"), "    pub ");
            methods.push(Method {
                name: name.to_owned(),
                takes: takes.to_owned(),
                request: request.map(|ty| (ty.to_owned(), members(ty))),
                pages: None,
            });
        } else if rest.contains(" -> Result<Pages<'_, ") {
            let method = methods.last_mut().expect("pages come after their method");
            method.pages = Some(name.to_owned());
        }
    }
    methods
}

/// The methods of a TypeScript client, in the order of its endpoints.
pub(crate) fn typescript(text: &str) -> Vec<Method> {
    let mut methods: Vec<Method> = Vec::new();
    let lines = text
        .lines()
        .skip_while(|line| *line != "export class Client {");
    for line in lines.take_while(|line| *line != "}") {
        if let Some((name, rest)) = between(line, "  async ", "(") {
            // The way to what has no method.
            if name == "raw" {
                continue;
            }
            let takes = rest.split_once("options?: CallOptions)");
            let takes = takes.expect("options come last").0.trim_end_matches(", ");
            let ty = takes.strip_prefix("request: ");
            let ty = ty.map(|ty| ty.trim_end_matches(" = {}"));
            let members = |ty: &str| members(text, &format!("export interface {ty} {{"), "  ");
            methods.push(Method {
                name: name.to_owned(),
                takes: takes.to_owned(),
                request: ty.map(|ty| (ty.to_owned(), members(ty))),
                pages: None,
            });
        } else if let Some((name, _)) = between(line, "  ", "(request: ")
            && !name.starts_with(' ')
        {
            let method = methods.last_mut().expect("pages come after their method");
            method.pages = Some(name.to_owned());
        }
    }
    methods
}

/// What stands behind `start` up to `end`, and what is behind that.
fn between<'t>(line: &'t str, start: &str, end: &str) -> Option<(&'t str, &'t str)> {
    line.strip_prefix(start)?.split_once(end)
}

/// The members of a type, which stand one to a line behind `start`.
fn members(text: &str, open: &str, start: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != open).skip(1);
    lines
        .take_while(|line| *line != "}")
        .filter_map(|line| Some(line.strip_prefix(start)?.split_once(": ")?.0))
        .map(|name| name.trim_end_matches('?'))
        // Other lines are comments.
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .map(str::to_owned)
        .collect()
}
