//! What a fit of the weights needs to see: the marks, and the clusters of them that a text holds. Only `xtask` asks.

use super::hits::hits_of;
use super::{Kind, clusters, is_quoted, table::TABLE, weigh};
use crate::normal::Normal;

pub use super::Kind as ConceptKind;

/// Ids of all marks, in the order of their numbers.
pub fn marks() -> Vec<String> {
    TABLE.marks.iter().map(|mark| mark.id.clone()).collect()
}

/// Marks that stand together in a text, and whether the text around quotes them.
pub struct Cluster {
    pub marks: Vec<usize>,
    pub quoted: bool,
}

/// All clusters of a text, whatever the marks weigh now, and what its length takes off.
pub fn clusters_of(text: &str, kind: Kind) -> (Vec<Cluster>, u32) {
    let normal = Normal::of(text);
    let text = &normal.text;
    let hits = hits_of(&normal, &[(&|_| 1, 0)]);
    let found = clusters(&hits, kind).map(|cluster| {
        let mut marks: Vec<usize> = cluster.iter().map(|hit| hit.mark).collect();
        marks.sort_unstable();
        marks.dedup();
        Cluster { marks, quoted: is_quoted(text, cluster, kind) }
    });
    (found.collect(), kind.discount(text.len()))
}

/// The sum of the heaviest cluster, after what quotation and length take off (below zero: nothing).
pub fn score(found: &(Vec<Cluster>, u32), weights: &[u32]) -> i64 {
    let of = |cluster: &Cluster| {
        let sum = weigh(cluster.marks.iter().copied(), &|mark| weights[mark]);
        i64::from(sum) - if cluster.quoted { i64::from(super::QUOTED_DISCOUNT) } else { 0 }
    };
    found.0.iter().map(of).max().unwrap_or(0) - i64::from(found.1)
}
