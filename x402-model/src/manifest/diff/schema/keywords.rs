//! What the keywords of schemas mean for a comparison.

use super::super::super::views::keyword::is_annotation;

/// Constraints that allow less the smaller they are.
pub(super) const CEILINGS: &[&str] = &[
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
/// Constraints that allow less the larger they are.
pub(super) const FLOORS: &[&str] = &[
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];
/// Constraints that can only be compared as a whole.
pub(super) const WHOLE: &[&str] = &[
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "not",
    "patternProperties",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that are compared by what they mean.
const COMPARED: &[&str] = &[
    "$ref",
    "type",
    "const",
    "enum",
    "required",
    "properties",
    "items",
    "additionalProperties",
    "oneOf",
    "anyOf",
    "allOf",
];
/// Keywords that say nothing about values.
const NOTES: &[&str] = &[
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "$defs",
    "definitions",
];

/// Whether a keyword says nothing about values.
pub(super) fn is_note(keyword: &str) -> bool {
    NOTES.contains(&keyword) || is_annotation(keyword)
}

/// Whether a keyword says something about values, but nothing that can be compared by what it means.
pub(super) fn is_opaque(keyword: &str) -> bool {
    let by_meaning = [CEILINGS, FLOORS, COMPARED];
    !is_note(keyword) && !by_meaning.iter().any(|all| all.contains(&keyword))
}
