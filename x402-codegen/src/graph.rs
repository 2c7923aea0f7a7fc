//! Which types lead back to themselves.

use crate::model::{Shape, TypeDef, TypeRef};

/// The strongly connected component of each node, without recursion: schemas may chain as long as they like.
pub(crate) fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    let order = finishing_order(edges);
    let mut reversed = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for to in targets {
            if let Some(back) = reversed.get_mut(*to) {
                back.push(from);
            }
        }
    }
    let mut component = vec![usize::MAX; edges.len()];
    for (number, root) in order.into_iter().rev().enumerate() {
        let mut left = vec![root];
        while let Some(node) = left.pop() {
            let Some(slot) = component.get_mut(node).filter(|slot| **slot == usize::MAX) else {
                continue;
            };
            *slot = number;
            left.extend(reversed.get(node).into_iter().flatten());
        }
    }
    component
}

/// The nodes in the order in which a search in depth is done with them.
fn finishing_order(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    for start in 0..edges.len() {
        let mut path = vec![(start, 0_usize)];
        while let Some((node, next)) = path.pop() {
            if next == 0 {
                match seen.get_mut(node) {
                    Some(seen) if !*seen => *seen = true,
                    _ => continue,
                }
            }
            match edges.get(node).and_then(|targets| targets.get(next)) {
                Some(target) => {
                    path.push((node, next.saturating_add(1)));
                    if seen.get(*target) == Some(&false) {
                        path.push((*target, 0));
                    }
                }
                None => order.push(node),
            }
        }
    }
    order
}

/// Whether each node lies on a cycle.
pub(crate) fn cyclic(edges: &[Vec<usize>], component: &[usize]) -> Vec<bool> {
    let mut size = vec![0_usize; component.len()];
    for number in component {
        if let Some(size) = size.get_mut(*number) {
            *size = size.saturating_add(1);
        }
    }
    let nodes = component.iter().enumerate();
    nodes
        .map(|(node, number)| {
            size.get(*number).is_some_and(|size| *size > 1)
                || edges
                    .get(node)
                    .is_some_and(|targets| targets.contains(&node))
        })
        .collect()
}

/// The types that an alias names anywhere, for aliases only: those that would have to be written out without end.
pub(crate) fn alias_edges(types: &[TypeDef]) -> Vec<Vec<usize>> {
    let is_alias = |id: &usize| {
        let def = types.get(*id);
        def.is_some_and(|def| matches!(def.shape, Shape::Alias(_)))
    };
    let all = types.iter().map(|def| match &def.shape {
        Shape::Alias(ty) => named(ty).into_iter().filter(is_alias).collect(),
        _ => Vec::new(),
    });
    all.collect()
}

/// The type that a type names, inside of lists and maps, too.
fn named(ty: &TypeRef) -> Option<usize> {
    match ty {
        TypeRef::Named(id) => Some(*id),
        TypeRef::Array(inner) | TypeRef::Map(inner) | TypeRef::Nullable(inner) => named(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_found() {
        let edges = vec![vec![1], vec![2], vec![0, 3], vec![], vec![4], vec![3]];
        let component = components(&edges);
        assert_eq!(
            cyclic(&edges, &component),
            [true, true, true, false, true, false]
        );
        assert_eq!(component.first(), component.get(2));
        assert_ne!(component.first(), component.get(3));
    }

    #[test]
    fn m07_a_long_chain_takes_no_stack() {
        let edges: Vec<Vec<usize>> = (1..=100_000).map(|next| vec![next % 100_000]).collect();
        let component = components(&edges);
        assert!(
            cyclic(&edges, &component)
                .into_iter()
                .all(|on_cycle| on_cycle)
        );
    }
}
