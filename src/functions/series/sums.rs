//! Samples on their way into a series, in any order.

use super::codec::{Interval, NotASeries, Packed, USUAL, intervals};
use crate::functions::ExactSum;

/// Late samples that wait at least before they are put among the others.
const WAITING: usize = 64;

/// The exact sums of samples by interval: the same whatever the order of samples, and of merging.
///
/// What comes in the order of time, as telemetry mostly does, is packed as it comes. What comes late waits until there
/// is half as much of it as is packed, so that putting it in its place costs a bounded share of all.
#[derive(Debug, Default)]
pub struct IntervalSums {
    packed: Packed,
    /// The interval that samples are being added to, after all that are packed.
    open: Option<Open>,
    /// What came after its interval was packed, in no order.
    late: Vec<Interval>,
}

/// An interval whose exact sum is a few doubles, none of which overlap: `rest`, ascending, and `total`.
#[derive(Debug)]
struct Open {
    slot: u32,
    samples: u64,
    total: f64,
    rest: Vec<f64>,
}

impl Open {
    fn new(interval: Interval) -> Open {
        Open { slot: interval.slot, samples: interval.samples, total: interval.total, rest: Vec::new() }
    }

    /// Adds samples exactly; false when their sum may leave the range of doubles.
    ///
    /// Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates", Discrete &
    /// Computational Geometry 1997, theorem 10 (grow expansion, zeros left out).
    #[inline]
    fn add(&mut self, samples: u64, value: f64) -> bool {
        let fits = self.total.abs() + value.abs() < f64::MAX / 4.0;
        if !fits {
            return false;
        }
        let (mut sum, mut kept) = (value, 0);
        for i in 0..self.rest.len() {
            let (rounded, lost) = two_sum(sum, self.rest[i]);
            sum = rounded;
            if lost != 0.0 {
                self.rest[kept] = lost;
                kept += 1;
            }
        }
        self.rest.truncate(kept);
        let (total, lost) = two_sum(sum, self.total);
        if lost != 0.0 {
            self.rest.push(lost);
        }
        self.total = total + 0.0;
        self.samples = self.samples.saturating_add(samples);
        true
    }

    /// As parts of one interval: the largest comes last and carries the samples.
    fn close(self, packed: &mut Packed) {
        let slot = self.slot;
        self.rest.into_iter().for_each(|total| packed.push(Interval { slot, samples: 0, total }));
        packed.push(Interval { slot, samples: self.samples, total: self.total });
    }
}

impl IntervalSums {
    /// Adds a sample; one that is not finite is none.
    #[inline]
    pub fn add(&mut self, slot: u32, value: f64) -> Result<(), NotASeries> {
        if !value.is_finite() {
            return Ok(());
        }
        self.put(Interval { slot, samples: 1, total: value })
    }

    /// Adds so many events out of so many trials; events that are not finite, or of no trial, are none.
    #[inline]
    pub fn add_counts(&mut self, slot: u32, events: f64, trials: u64) -> Result<(), NotASeries> {
        if trials == 0 || !events.is_finite() {
            return Ok(());
        }
        self.put(Interval { slot, samples: trials, total: events })
    }

    #[inline]
    fn put(&mut self, interval: Interval) -> Result<(), NotASeries> {
        if let Some(open) = &mut self.open {
            if interval.slot == open.slot && open.add(interval.samples, interval.total) {
                return Ok(());
            }
            if interval.slot > open.slot {
                self.close();
            }
        }
        if self.open.is_none() && self.packed.last().is_none_or(|last| interval.slot > last) {
            self.open = Some(Open::new(interval));
            return Ok(());
        }
        self.late.push(interval);
        if self.late.len() >= WAITING.max(self.packed.len() / 2) { self.settle() } else { Ok(()) }
    }

    /// Adds all that a series holds, or what [`IntervalSums::to_bytes`] gave.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<(), NotASeries> {
        self.close();
        if self.is_empty() {
            self.packed = Packed::of(bytes)?;
            return Ok(());
        }
        let mut more = intervals(bytes)?.peekable();
        let first = match more.peek() {
            Some(Ok(first)) => first.slot,
            Some(Err(broken)) => return Err(*broken),
            None => return Ok(()),
        };
        if self.packed.last().is_none_or(|last| first > last) {
            self.packed.reserve(bytes.len());
            for interval in more {
                self.packed.push(interval?);
            }
            return Ok(());
        }
        if bytes.len() < self.packed.size() / 2 {
            for interval in more {
                self.put(interval?)?;
            }
            return Ok(());
        }
        self.settle()?;
        self.packed = merged(self.packed.intervals()?, more, self.packed.size() + bytes.len())?;
        Ok(())
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.close(&mut self.packed);
        }
    }

    /// Packs everything.
    fn settle(&mut self) -> Result<(), NotASeries> {
        self.close();
        if self.late.is_empty() {
            return Ok(());
        }
        let mut late = std::mem::take(&mut self.late);
        late.sort_by_key(|interval| interval.slot);
        let size = self.packed.size() + late.len() * USUAL;
        self.packed = merged(self.packed.intervals()?, late.into_iter().map(Ok), size)?;
        Ok(())
    }

    /// All of it, to be merged elsewhere in the same query.
    pub fn to_bytes(mut self) -> Result<Option<Vec<u8>>, NotASeries> {
        self.settle()?;
        Ok((self.packed.len() > 0).then(|| self.packed.into_bytes()))
    }

    /// The series: one interval for each slot, its total rounded once. `None` where nothing was added.
    pub fn finish(mut self) -> Result<Option<Vec<u8>>, NotASeries> {
        self.settle()?;
        if self.packed.len() == 0 {
            return Ok(None);
        }
        if !self.packed.has_parts() {
            return Ok(Some(self.packed.into_bytes()));
        }
        let mut whole = Packed::default();
        whole.reserve(self.packed.size());
        let mut parts: Vec<Interval> = Vec::new();
        for interval in self.packed.intervals()? {
            let interval = interval?;
            if parts.first().is_some_and(|first| first.slot != interval.slot) {
                whole.push(rounded(&parts));
                parts.clear();
            }
            parts.push(interval);
        }
        whole.push(rounded(&parts));
        Ok(Some(whole.into_bytes()))
    }

    fn is_empty(&self) -> bool {
        self.packed.len() == 0 && self.open.is_none() && self.late.is_empty()
    }

    /// Bytes of heap in use.
    #[inline]
    pub fn heap_size(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| open.rest.capacity() * size_of::<f64>());
        self.packed.heap_size() + self.late.capacity() * size_of::<Interval>() + open
    }
}

/// The parts of one interval as one, rounded once.
fn rounded(parts: &[Interval]) -> Interval {
    if let [whole] = parts {
        return *whole;
    }
    let mut sum = ExactSum::new();
    parts.iter().for_each(|part| sum.add(part.total));
    let samples = parts.iter().fold(0, |all: u64, part| all.saturating_add(part.samples));
    let slot = parts.first().map_or(0, |part| part.slot);
    Interval { slot, samples, total: sum.sum().unwrap_or_default() }
}

/// Two runs in the order of slots as one, about `size` bytes long; what both have of an interval is added exactly.
fn merged(
    left: impl Iterator<Item = Result<Interval, NotASeries>>,
    right: impl Iterator<Item = Result<Interval, NotASeries>>,
    size: usize,
) -> Result<Packed, NotASeries> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    let mut packed = Packed::default();
    packed.reserve(size);
    let mut open: Option<Open> = None;
    loop {
        let from_left = match (left.peek(), right.peek()) {
            (Some(Ok(l)), Some(Ok(r))) => l.slot <= r.slot,
            (Some(_), None) | (Some(Err(_)), _) => true,
            (None, Some(_)) | (_, Some(Err(_))) => false,
            (None, None) => break,
        };
        let next = if from_left { left.next() } else { right.next() };
        let Some(interval) = next.transpose()? else { break };
        match &mut open {
            Some(sum) if sum.slot == interval.slot => {
                // What a sum cannot take stands beside it as a part.
                if !sum.add(interval.samples, interval.total) {
                    packed.push(interval);
                }
            }
            _ => {
                if let Some(sum) = open.replace(Open::new(interval)) {
                    sum.close(&mut packed);
                }
            }
        }
    }
    if let Some(sum) = open {
        sum.close(&mut packed);
    }
    Ok(packed)
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
    use super::super::codec::unpack;
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
