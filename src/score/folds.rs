//! Blocked cross-validation: what belongs together is held out together.

use std::collections::BTreeMap;

use super::Error;
use super::frame::{Block, Frame};
use crate::domain::Verdict;

/// The fewest blocks of a class: with one, it is either never learned or never tested.
const MIN_BLOCKS: usize = 2;

/// The fewest windows of a class.
const MIN_WINDOWS: usize = 5;

/// The fold of each window. Blocks of each class are dealt out in the order of time, so that every fold holds about
/// as many of each; a model is never tested on an incident, or an hour, of which it has seen a part.
pub fn folds(frame: &Frame, most: usize) -> Result<(Vec<usize>, usize), Error> {
    let mut blocks: BTreeMap<Verdict, BTreeMap<Block, usize>> = BTreeMap::new();
    for (verdict, block) in frame.verdicts.iter().zip(&frame.blocks) {
        *blocks.entry(*verdict).or_default().entry(*block).or_default() += 1;
    }
    let refuse = |reason: String, hint| Err(Error::Labels { reason, hint });
    let more = "label more incidents (tars ingest --table incidents), or widen --from and --to";
    if frame.windows.is_empty() {
        let hint = "check that the incidents name regions and services as the telemetry does, and times that it covers";
        return refuse("no window with telemetry is labelled by them".into(), hint);
    }
    if blocks.len() < 2 {
        let only = blocks.keys().map(|v| v.as_str()).collect::<Vec<_>>().join(", ");
        return refuse(format!("expected windows of at least two classes, got only {only}"), more);
    }
    for (verdict, blocks) in &blocks {
        let windows: usize = blocks.values().sum();
        if blocks.len() < MIN_BLOCKS || windows < MIN_WINDOWS {
            let reason = format!(
                "{verdict}: expected at least {MIN_WINDOWS} windows in {MIN_BLOCKS} incidents (or hours), got \
                 {windows} in {}",
                blocks.len()
            );
            return refuse(reason, more);
        }
    }
    let count = blocks.values().map(BTreeMap::len).min().unwrap_or(MIN_BLOCKS).min(most).max(MIN_BLOCKS);
    let mut fold_of: BTreeMap<Block, usize> = BTreeMap::new();
    for blocks in blocks.values() {
        for (at, block) in blocks.keys().enumerate() {
            fold_of.entry(*block).or_insert(at % count);
        }
    }
    Ok((frame.blocks.iter().map(|block| fold_of[block]).collect(), count))
}
