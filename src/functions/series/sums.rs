//! Samples on their way into a series, in any order.

use super::codec::{Interval, NotASeries, Packed, USUAL, pack, unpack};
use crate::functions::ExactSum;

/// Samples that wait before they are packed.
const WAITING: usize = 64;

/// The exact sums of samples by interval: the same whatever the order of samples, and of merging.
///
/// What has been added in the order of time, as telemetry mostly is, is packed at once. What comes late waits until there
/// is half as much of it as is packed, so that unpacking costs a bounded share of all.
#[derive(Debug, Default)]
pub struct IntervalSums {
    packed: Packed,
    /// By slot only after they were settled. An interval may stand for a part of one: parts that do not fit one double.
    waiting: Vec<Interval>,
    /// How many may wait.
    room: usize,
}

impl IntervalSums {
    /// Adds a sample; one that is not finite is none.
    #[inline]
    pub fn add(&mut self, slot: u32, value: f64) -> Result<(), NotASeries> {
        if !value.is_finite() {
            return Ok(());
        }
        self.waiting.push(Interval { slot, samples: 1, total: value });
        if self.waiting.len() >= self.room.max(WAITING) { self.settle() } else { Ok(()) }
    }

    /// Adds all that a series holds, or what [`IntervalSums::to_bytes`] gave.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<(), NotASeries> {
        if self.is_empty() {
            self.packed = Packed::of(bytes)?;
            return Ok(());
        }
        self.waiting.append(&mut unpack(bytes)?);
        self.settle()
    }

    /// Packs what waits, if it comes after all that is packed, or is much.
    fn settle(&mut self) -> Result<(), NotASeries> {
        let mut waiting = summed(std::mem::take(&mut self.waiting));
        let follows = match (self.packed.last(), waiting.first()) {
            (Some(last), Some(first)) => first.slot > last,
            _ => true,
        };
        if follows {
            // More of the last interval may come.
            let last = waiting.last().map_or(0, |interval| interval.slot);
            let open = waiting.partition_point(|interval| interval.slot < last);
            waiting.drain(..open).for_each(|interval| self.packed.push(interval));
            self.waiting = waiting;
            self.room = WAITING;
        } else if waiting.len() >= self.packed.len() / 2 {
            self.waiting = waiting;
            self.repack()?;
            self.room = WAITING;
        } else {
            self.room = (2 * waiting.len()).max(self.packed.len() / 2);
            self.waiting = waiting;
        }
        Ok(())
    }

    /// Packs everything.
    fn repack(&mut self) -> Result<(), NotASeries> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut all = self.packed.unpack()?;
        all.append(&mut self.waiting);
        self.packed = Packed::default();
        summed(all).into_iter().for_each(|interval| self.packed.push(interval));
        Ok(())
    }

    /// All of it, to be merged elsewhere in the same query.
    pub fn to_bytes(mut self) -> Result<Option<Vec<u8>>, NotASeries> {
        self.repack()?;
        Ok((self.packed.len() > 0).then(|| self.packed.into_bytes()))
    }

    /// The series: one interval for each slot, its total rounded once. `None` where nothing was added.
    pub fn finish(mut self) -> Result<Option<Vec<u8>>, NotASeries> {
        self.repack()?;
        if self.packed.len() == 0 {
            return Ok(None);
        }
        let all = self.packed.unpack()?;
        if all.windows(2).all(|pair| pair[0].slot < pair[1].slot) {
            return Ok(Some(self.packed.into_bytes()));
        }
        Ok(Some(pack(all.chunk_by(|a, b| a.slot == b.slot).map(rounded))))
    }

    fn is_empty(&self) -> bool {
        self.packed.len() == 0 && self.waiting.is_empty()
    }

    /// About as many bytes as it packs into.
    pub fn packed_size(&self) -> usize {
        self.packed.size() + self.waiting.len() * USUAL
    }

    /// Bytes of heap in use.
    #[inline]
    pub fn heap_size(&self) -> usize {
        self.packed.heap_size() + self.waiting.capacity() * size_of::<Interval>()
    }
}

/// The parts of one interval as one, rounded once.
fn rounded(parts: &[Interval]) -> Interval {
    let mut sum = ExactSum::new();
    parts.iter().for_each(|part| sum.add(part.total));
    let samples = parts.iter().fold(0, |all: u64, part| all.saturating_add(part.samples));
    Interval { slot: parts[0].slot, samples, total: sum.sum().unwrap_or_default() }
}

/// Intervals by slot, each with as few parts as hold its exact sum.
fn summed(mut intervals: Vec<Interval>) -> Vec<Interval> {
    // Parts of one interval are added exactly, so that their order does not matter. A stable sort takes what is in order
    // already as it is, and merges two such runs in one pass.
    intervals.sort_by_key(|interval| interval.slot);
    if intervals.windows(2).all(|pair| pair[0].slot < pair[1].slot) {
        return intervals;
    }
    let mut all = Vec::with_capacity(intervals.len());
    let mut parts = Vec::new();
    for same in intervals.chunk_by(|a, b| a.slot == b.slot) {
        parts.clear();
        if same.len() == 1 || !same.iter().all(|interval| grow(&mut parts, interval.total)) {
            all.extend_from_slice(same);
            continue;
        }
        let slot = same[0].slot;
        let samples = same.iter().fold(0, |all: u64, interval| all.saturating_add(interval.samples));
        // The largest part comes last and carries the samples.
        let rest = parts.len().saturating_sub(1);
        all.extend(parts.iter().take(rest).map(|&total| Interval { slot, samples: 0, total }));
        all.push(Interval { slot, samples, total: parts.last().copied().unwrap_or_default() });
    }
    all
}

/// Adds a double to an exact sum that is a few doubles, none of which overlap, ascending. False when the sum leaves
/// the range of doubles.
///
/// Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates", Discrete & Computational
/// Geometry 1997, theorem 10 (grow expansion, zeros left out).
fn grow(parts: &mut Vec<f64>, value: f64) -> bool {
    let (mut sum, mut kept) = (value, 0);
    for i in 0..parts.len() {
        let (rounded, rest) = two_sum(sum, parts[i]);
        sum = rounded;
        if rest != 0.0 {
            parts[kept] = rest;
            kept += 1;
        }
    }
    parts.truncate(kept);
    parts.push(sum + 0.0);
    sum.is_finite()
}

/// A sum rounded, and exactly what rounding lost (Knuth, "The Art of Computer Programming", vol. 2, 4.2.2, theorem B).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn series(samples: &[(u32, f64)]) -> Vec<Interval> {
        let mut sums = IntervalSums::default();
        samples.iter().for_each(|(slot, value)| sums.add(*slot, *value).unwrap());
        sums.finish().unwrap().map_or_else(Vec::new, |bytes| unpack(&bytes).unwrap())
    }

    fn sample() -> impl Strategy<Value = (u32, f64)> {
        let value = prop_oneof![
            8 => -1e3..1e3,
            1 => Just(1e100),
            1 => Just(-1e100),
            1 => Just(f64::MAX),
            1 => Just(f64::MIN),
            1 => Just(f64::NAN),
            1 => Just(0.1)
        ];
        (0u32..90, value)
    }

    proptest! {
        #[test]
        fn every_interval_has_the_exact_sum_of_its_samples_in_any_order_and_however_split(
            samples in prop::collection::vec(sample(), 0..600), cut in any::<prop::sample::Index>()
        ) {
            let mut expected: BTreeMap<u32, (u64, ExactSum)> = BTreeMap::new();
            for (slot, value) in samples.iter().filter(|(_, value)| value.is_finite()) {
                let (count, sum) = expected.entry(*slot).or_default();
                *count += 1;
                sum.add(*value);
            }
            let expected: Vec<_> = expected
                .iter()
                .map(|(slot, (samples, sum))| Interval { slot: *slot, samples: *samples, total: sum.sum().unwrap() })
                .collect();
            prop_assert_eq!(&series(&samples), &expected);
            let mut ordered = samples.clone();
            ordered.sort_by_key(|(slot, _)| *slot);
            prop_assert_eq!(&series(&ordered), &expected);
            let (left, right) = samples.split_at(cut.index(samples.len() + 1));
            let mut merged = IntervalSums::default();
            for part in [right, left] {
                let mut sums = IntervalSums::default();
                part.iter().for_each(|(slot, value)| sums.add(*slot, *value).unwrap());
                if let Some(bytes) = sums.to_bytes().unwrap() {
                    merged.merge(&bytes).unwrap();
                }
            }
            let merged = merged.finish().unwrap().map_or_else(Vec::new, |bytes| unpack(&bytes).unwrap());
            prop_assert_eq!(&merged, &expected);
        }
    }

    #[test]
    fn a_long_series_takes_ten_bytes_an_interval() {
        let mut sums = IntervalSums::default();
        (0..8640).for_each(|slot| sums.add(slot, f64::from(slot) * 0.37).unwrap());
        assert!(sums.heap_size() < 8640 * 12, "{}", sums.heap_size());
        assert_eq!(sums.finish().unwrap().unwrap().len(), 1 + 8640 * 9);
    }
}
