//! Types that consist of themselves and of nothing else.

use crate::model::{Shape, TypeDef, TypeRef};

/// The first type that consists of itself, through nothing but other names and unions.
pub(super) fn empty_cycle(types: &[TypeDef]) -> Option<&TypeDef> {
    let mut done = vec![false; types.len()];
    for start in 0..types.len() {
        // Types on the way from the start, each with the part that is looked at next.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((at, part)) = path.last().copied() {
            let finished = done.get(at).copied().unwrap_or(true);
            let next = types.get(at).and_then(|def| transparent(&def.shape, part));
            match next {
                Some(_) if finished => {
                    path.pop();
                }
                Some(next) => {
                    if let Some(last) = path.last_mut() {
                        last.1 = part.saturating_add(1);
                    }
                    let Some(next) = next else { continue };
                    if path.iter().any(|(on_path, _)| *on_path == next) {
                        return types.get(next);
                    }
                    path.push((next, 0));
                }
                None => {
                    if let Some(done) = done.get_mut(at) {
                        *done = true;
                    }
                    path.pop();
                }
            }
        }
    }
    None
}

/// The `part`th part of a shape that puts no object or list around: the type it names, if it names one.
fn transparent(shape: &Shape, part: usize) -> Option<Option<usize>> {
    let ty = match shape {
        Shape::Alias(ty) if part == 0 => ty,
        Shape::Untagged { variants } => variants.get(part)?,
        Shape::Tagged { variants, .. } => &variants.get(part)?.1,
        _ => return None,
    };
    let ty = match ty {
        TypeRef::Nullable(inner) => inner,
        ty => ty,
    };
    Some(match ty {
        TypeRef::Named(id) => Some(*id),
        _ => None,
    })
}
