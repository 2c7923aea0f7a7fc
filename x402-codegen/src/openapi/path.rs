//! Paths: segments, captures anywhere in them, and what every call has in its query.

use crate::escape::path_segment;
use crate::model::{Field, Param, ParamPlace, PathPart, Piece, Style, TypeRef};

/// A path template, read.
pub(super) struct Template {
    pub(super) parts: Vec<PathPart>,
    pub(super) query: Vec<(String, String)>,
}

impl Template {
    /// Reads a path; `None` if it does not begin with a slash or has braces that do not match.
    ///
    /// Some write a query or a fragment behind it, to tell two operations of one path apart.
    pub(super) fn read(path: &str) -> Option<Self> {
        let path = path.split('#').next().unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Option<Vec<PathPart>> = path.strip_prefix('/')?.split('/').map(part).collect();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query: Vec<(String, String)> = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if query
            .iter()
            .any(|(name, value)| braced(name) || braced(value))
        {
            return None;
        }
        Some(Self {
            parts: parts?,
            query,
        })
    }

    /// The parameters with one for each capture, in their order; without those that the path has not, and without those that
    /// every call has.
    pub(super) fn with_captures(&self, params: Vec<Param>) -> Vec<Param> {
        let mut all: Vec<Param> = Vec::with_capacity(params.len());
        for name in self.captures() {
            if all.iter().any(|param| param.field.wire == name) {
                continue;
            }
            let mut known = params.iter();
            let known = known.find(|p| p.place == ParamPlace::Path && p.field.wire == name);
            all.push(known.cloned().unwrap_or_else(|| unsaid(name)));
        }
        let fixed = |param: &Param| {
            param.place == ParamPlace::Query
                && self.query.iter().any(|(name, _)| *name == param.field.wire)
        };
        let others = params.into_iter();
        all.extend(others.filter(|param| param.place != ParamPlace::Path && !fixed(param)));
        all
    }

    fn captures(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| match part {
            PathPart::Fixed(_) => Vec::new(),
            PathPart::Capture(name) | PathPart::Rest(name) => vec![name.as_str()],
            PathPart::Mixed(pieces) => {
                let names = pieces.iter().filter_map(|piece| match piece {
                    Piece::Capture(name) => Some(name.as_str()),
                    Piece::Fixed(_) => None,
                });
                names.collect()
            }
        })
    }
}

fn braced(text: &str) -> bool {
    text.contains(['{', '}'])
}

/// A capture of which no parameter speaks.
fn unsaid(name: &str) -> Param {
    Param {
        place: ParamPlace::Path,
        field: Field {
            wire: name.to_owned(),
            docs: None,
            ty: TypeRef::Text,
            required: true,
            deprecated: false,
        },
        style: Style::Plain,
    }
}

fn part(segment: &str) -> Option<PathPart> {
    let mut pieces = Vec::new();
    let mut left = segment;
    while let Some((before, rest)) = left.split_once('{') {
        let (name, after) = rest.split_once('}')?;
        if before.contains('}') || name.contains('{') || name.is_empty() {
            return None;
        }
        if !before.is_empty() {
            pieces.push(Piece::Fixed(path_segment(before)));
        }
        pieces.push(Piece::Capture(name.to_owned()));
        left = after;
    }
    if left.contains('}') {
        return None;
    }
    if pieces.is_empty() {
        return Some(PathPart::Fixed(path_segment(left)));
    }
    if !left.is_empty() {
        pieces.push(Piece::Fixed(path_segment(left)));
    }
    Some(match pieces.as_slice() {
        [Piece::Capture(name)] => match name.strip_prefix('*') {
            Some(rest) => PathPart::Rest(rest.to_owned()),
            None => PathPart::Capture(name.clone()),
        },
        _ => PathPart::Mixed(pieces),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_may_stand_anywhere_in_a_segment() {
        let read = |path: &str| {
            Template::read(path).map(|template| {
                let names: Vec<String> = template.captures().map(str::to_owned).collect();
                (template.parts.len(), names.join(" "), template.query.len())
            })
        };
        let is = |segments, names: &str, query| Some((segments, names.to_owned(), query));
        assert_eq!(read("/a/{b}/c"), is(3, "b", 0));
        assert_eq!(
            read("/{base}...{head}/{id}:cancel"),
            is(2, "base head id", 0)
        );
        assert_eq!(read("/a/{id}?beta=true&x#y"), is(2, "id", 2));
        assert_eq!(read("/"), is(1, "", 0));
        for broken in ["a", "/{a", "/a}", "/{a{b}}", "/{}", "/a?b={c}"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
