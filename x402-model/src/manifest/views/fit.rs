//! How long a 402 gets with its `bazaar` block, and what is left out of a block that is too long.

use serde_json::{Map, Value};

use super::bazaar::{Parts, block};
use crate::manifest::Manifest;
use crate::wire::PaymentRequired;

/// The most bytes of a `PAYMENT-REQUIRED` header. Many servers and proxies take 8 KiB for a header line, and some clients
/// fail at 16 KiB for all of them.
pub const MAX_HEADER_BYTES: usize = 8 * 1024;

/// The key of the extension.
const KEY: &str = "bazaar";

/// What was left out of a block, in the order in which it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reduction {
    /// The example answer.
    OutputExample,
    /// All about the answer.
    OutputSchema,
    /// Titles, descriptions and examples inside of the schemas.
    Descriptions,
    /// The whole block: a 402 that cannot be read cannot be paid, and an endpoint that is not listed can.
    Block,
    /// The address of the service's picture, which is part of the terms. It goes before any part of the block does, and stays where
    /// that would save none.
    Icon,
}

/// A block that fits, if any does.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The block.
    pub block: Option<Value>,
    /// What it lacks.
    pub reductions: Vec<Reduction>,
    /// The length of the header with it, in bytes.
    pub header_bytes: usize,
}

/// The length of the `PAYMENT-REQUIRED` header of some terms: that of their JSON in base64.
///
/// ```
/// use x402_model::manifest::views::header_bytes;
/// use x402_model::wire::{PaymentRequired, ResourceInfo, headers};
/// let terms = PaymentRequired::new("Payment required", ResourceInfo::default(), vec![]);
/// assert_eq!(header_bytes(&terms), headers::encode(&terms).unwrap().len());
/// ```
#[must_use]
pub fn header_bytes(terms: &PaymentRequired) -> usize {
    // Terms are plain data, which always has a JSON text.
    let bytes = serde_json::to_vec(terms).map_or(usize::MAX, |text| text.len());
    bytes.div_ceil(3).saturating_mul(4)
}

/// How much of a block is left, and what that leaves out besides what was left out before.
const LEVELS: [(Option<Reduction>, Parts); 4] = [
    (None, Parts::ALL),
    (
        Some(Reduction::OutputExample),
        Parts {
            output_example: false,
            ..Parts::ALL
        },
    ),
    (
        Some(Reduction::OutputSchema),
        Parts {
            output_example: false,
            output_schema: false,
            descriptions: true,
        },
    ),
    (
        Some(Reduction::Descriptions),
        Parts {
            output_example: false,
            output_schema: false,
            descriptions: false,
        },
    ),
];

/// The fullest `bazaar` block of an endpoint with which the header of these terms has at most `most` bytes.
///
/// The terms are those of a 402 without the block: a `resource.url` and an amount as long as they get. Parts are left out in
/// the order of [`Reduction`], each on top of the ones before; the picture is, wherever one of them would be otherwise. Nothing for
/// an endpoint without a block.
#[must_use]
pub fn fit(manifest: &Manifest, id: &str, terms: &PaymentRequired, most: usize) -> Option<Fitted> {
    let mut attempts = vec![terms.clone()];
    if terms.resource.icon_url.is_some() {
        let mut bare = terms.clone();
        bare.resource.icon_url = None;
        attempts.push(bare);
    }
    let mut reductions = Vec::new();
    let icon = |attempt: usize| (attempt > 0).then_some(Reduction::Icon);
    for (reduction, parts) in LEVELS {
        reductions.extend(reduction);
        let block = block(manifest, id, parts)?;
        for (attempt, terms) in attempts.iter_mut().enumerate() {
            let extensions = terms.extensions.get_or_insert_with(Map::new);
            extensions.insert(KEY.to_owned(), block.clone());
            let header_bytes = header_bytes(terms);
            if header_bytes <= most {
                reductions.extend(icon(attempt));
                return Some(Fitted {
                    block: Some(block),
                    reductions,
                    header_bytes,
                });
            }
        }
    }
    reductions.push(Reduction::Block);
    let mut left = None;
    for (attempt, mut terms) in attempts.into_iter().enumerate() {
        if let Some(extensions) = &mut terms.extensions {
            extensions.remove(KEY);
        }
        terms.extensions = terms.extensions.filter(|map| !map.is_empty());
        let header_bytes = header_bytes(&terms);
        left = Some((attempt, header_bytes));
        if header_bytes <= most {
            break;
        }
    }
    let (attempt, header_bytes) = left?;
    reductions.extend(icon(attempt));
    Some(Fitted {
        block: None,
        reductions,
        header_bytes,
    })
}
