//! Types that consist of themselves and of nothing else.

use crate::graph::{components, cyclic};
use crate::model::{Shape, TypeDef, TypeRef};

/// The first type that consists of itself, through nothing but other names and unions.
pub(super) fn empty_cycle(types: &[TypeDef]) -> Option<&TypeDef> {
    let edges: Vec<Vec<usize>> = types.iter().map(|def| transparent(&def.shape)).collect();
    let on_cycle = cyclic(&edges, &components(&edges));
    let mut all = types.iter().zip(on_cycle);
    all.find_map(|(def, on_cycle)| on_cycle.then_some(def))
}

/// The types that a shape names without an object or a list around them.
fn transparent(shape: &Shape) -> Vec<usize> {
    let parts: Vec<&TypeRef> = match shape {
        Shape::Alias(ty) => vec![ty],
        Shape::Untagged { variants } => variants.iter().collect(),
        Shape::Tagged { variants, .. } => variants.iter().map(|(_, ty)| ty).collect(),
        Shape::Object { .. } | Shape::Enum { .. } => Vec::new(),
    };
    let named = |ty: &TypeRef| match ty {
        TypeRef::Named(id) => Some(*id),
        TypeRef::Nullable(inner) => match **inner {
            TypeRef::Named(id) => Some(id),
            _ => None,
        },
        _ => None,
    };
    parts.into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(name: &str, ty: TypeRef) -> TypeDef {
        TypeDef {
            name: name.to_owned(),
            docs: None,
            shape: Shape::Alias(ty),
        }
    }

    #[test]
    fn m07_a_type_of_nothing_but_itself_is_found() {
        let through = |ty| vec![alias("A", ty), alias("B", TypeRef::Named(0))];
        let found = |types: &[TypeDef]| empty_cycle(types).map(|def| def.name.clone());
        let back = TypeRef::Named(1);
        assert_eq!(found(&through(back.clone())).as_deref(), Some("A"));
        let nullable = TypeRef::Nullable(Box::new(back.clone()));
        assert_eq!(found(&through(nullable)).as_deref(), Some("A"));
        assert_eq!(found(&through(TypeRef::Array(Box::new(back)))), None);
        assert_eq!(found(&through(TypeRef::Text)), None);
    }

    #[test]
    fn m07_unions_of_unions_take_no_time() {
        // Each union names all that follow: there are more ways through them than anybody could walk.
        let union = |number: usize| TypeDef {
            name: format!("U{number}"),
            docs: None,
            shape: Shape::Untagged {
                variants: (number.saturating_add(1)..400)
                    .map(TypeRef::Named)
                    .collect(),
            },
        };
        let types: Vec<TypeDef> = (0..400).map(union).collect();
        assert_eq!(empty_cycle(&types), None);
    }
}
