//! Counted keys: a short list while few are in use, an array of counts once they are close together.
//!
//! The list costs eight bytes for each key in use. Values are appended and sorted only when the list is full,
//! which suits the hundreds of thousands of groups of a rollup by minute and route. The array costs eight bytes
//! for each key between the lowest and the highest and one addition for each value, which suits totals over many
//! values. Which of the two holds the counts cannot be seen from outside.

use super::buckets::MAX_KEY;
use std::borrow::Cow;

/// Bits of a bucket that count; the 18 above them hold the key.
const COUNT_BITS: u32 = 46;

/// The most that one bucket counts, 7·10^13; it stays there, so the order of merges cannot matter.
pub(super) const MAX_COUNT: u64 = (1 << COUNT_BITS) - 1;

/// Keys in use from which on an array is tried.
const MIN_ARRAY: usize = 128;

/// A list becomes an array when at least one key in two is in use ...
const SPREAD_TO_ARRAY: usize = 2;

/// ... and an array becomes a list again when fewer than one in sixteen would be.
const SPREAD_TO_LIST: usize = 16;

/// A key and its count in one word that sorts by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket(u64);

impl Bucket {
    pub(super) fn new(key: i32, count: u64) -> Bucket {
        Bucket((((key + MAX_KEY) as u64) << COUNT_BITS) | count.min(MAX_COUNT))
    }

    pub(super) fn key(self) -> i32 {
        (self.0 >> COUNT_BITS) as i32 - MAX_KEY
    }

    pub(super) fn count(self) -> u64 {
        self.0 & MAX_COUNT
    }

    fn add(&mut self, n: u64) {
        self.0 = (self.0 & !MAX_COUNT) | add(self.count(), n);
    }
}

fn add(count: u64, n: u64) -> u64 {
    count.saturating_add(n).min(MAX_COUNT)
}

/// Counts by key.
#[derive(Debug, Clone)]
pub(super) enum Store {
    /// The keys in use.
    List(List),
    /// Counts of all keys from `first` on.
    Array { first: i32, counts: Vec<u64> },
}

/// Buckets in the order they came since the list was last full; a key may occur several times.
#[derive(Debug, Clone)]
pub(super) struct List {
    buckets: Vec<Bucket>,
    /// Whether keys ascend, each once.
    is_sorted: bool,
}

impl List {
    /// Adds up what has the same key.
    fn compact(&mut self) {
        if !self.is_sorted {
            self.buckets.sort_unstable();
            self.buckets.dedup_by(|next, kept| {
                let is_same = next.key() == kept.key();
                if is_same {
                    kept.add(next.count());
                }
                is_same
            });
            self.is_sorted = true;
        }
    }

    #[inline]
    fn push(&mut self, key: i32, n: u64) {
        if let Some(last) = self.buckets.last_mut() {
            if last.key() == key {
                last.add(n);
                return;
            }
            self.is_sorted &= last.key() < key;
        }
        self.buckets.push(Bucket::new(key, n));
    }

    fn is_full(&self) -> bool {
        self.buckets.len() == self.buckets.capacity()
    }
}

impl Default for Store {
    fn default() -> Self {
        Store::sorted(Vec::new())
    }
}

impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        self.buckets() == other.buckets()
    }
}

impl Store {
    /// From buckets with ascending keys.
    pub(super) fn sorted(buckets: Vec<Bucket>) -> Store {
        Store::List(List { buckets, is_sorted: true })
    }

    #[inline]
    pub(super) fn insert(&mut self, key: i32, n: u64) {
        match self {
            Store::Array { first, counts } => {
                match counts.get_mut(key.wrapping_sub(*first) as u32 as usize) {
                    Some(count) => *count = add(*count, n),
                    None => self.insert_outside(key, n),
                }
            }
            Store::List(list) if list.is_full() => self.insert_full(key, n),
            Store::List(list) => list.push(key, n),
        }
    }

    /// Makes room in a full list by adding up, and only if that is not enough by growing.
    #[cold]
    fn insert_full(&mut self, key: i32, n: u64) {
        if let Store::List(list) = self {
            list.compact();
            if list.buckets.len() * 4 >= list.buckets.capacity() * 3 {
                list.buckets.reserve_exact(list.buckets.len().max(4));
            }
            list.push(key, n);
            if list.buckets.len() > MIN_ARRAY {
                self.try_array();
            }
        }
    }

    /// A key that the array does not reach.
    #[cold]
    fn insert_outside(&mut self, key: i32, n: u64) {
        let Store::Array { first, counts } = self else { return };
        let used = counts.iter().filter(|count| **count > 0).count() + 1;
        let last = *first + counts.len() as i32 - 1;
        let (low, high) = (key.min(*first), key.max(last));
        if (high - low) as usize >= used * SPREAD_TO_LIST {
            *self = Store::sorted(self.buckets().into_owned());
            self.insert(key, n);
            return;
        }
        // Room for a few more on the side that grows, so that growing stays rare.
        let spare = (high - low) / 8;
        let low = if low < *first { (low - spare).max(-MAX_KEY) } else { low };
        let high = if high > last { (high + spare).min(MAX_KEY) } else { high };
        let mut wider = vec![0; (high - low) as usize + 1];
        let from = (*first - low) as usize;
        wider[from..from + counts.len()].copy_from_slice(counts);
        wider[(key - low) as usize] = n.min(MAX_COUNT);
        *self = Store::Array { first: low, counts: wider };
    }

    fn try_array(&mut self) {
        let Store::List(list) = self else { return };
        list.compact();
        let buckets = &list.buckets;
        let (Some(low), Some(high)) = (buckets.first(), buckets.last()) else { return };
        let (first, span) = (low.key(), (high.key() - low.key()) as usize + 1);
        if buckets.len() < MIN_ARRAY || span > buckets.len() * SPREAD_TO_ARRAY {
            return;
        }
        let mut counts = vec![0; span];
        buckets.iter().for_each(|b| counts[(b.key() - first) as usize] = b.count());
        *self = Store::Array { first, counts };
    }

    pub(super) fn merge(&mut self, other: &Store) {
        self.merge_sorted(&other.buckets());
    }

    /// Adds buckets with ascending keys, each once.
    pub(super) fn merge_sorted(&mut self, theirs: &[Bucket]) {
        match self {
            Store::List(ours) => {
                ours.compact();
                *self = Store::sorted(merge_lists(&ours.buckets, theirs));
                self.try_array();
            }
            Store::Array { .. } => theirs.iter().for_each(|b| self.insert(b.key(), b.count())),
        }
    }

    /// The buckets in use, ascending, each key once.
    pub(super) fn buckets(&self) -> Cow<'_, [Bucket]> {
        match self {
            Store::List(list) if list.is_sorted => Cow::Borrowed(&list.buckets),
            Store::List(list) => {
                let mut list = list.clone();
                list.compact();
                Cow::Owned(list.buckets)
            }
            Store::Array { first, counts } => {
                let used = counts.iter().zip(*first..).filter(|(count, _)| **count > 0);
                Cow::Owned(used.map(|(count, key)| Bucket::new(key, *count)).collect())
            }
        }
    }

    /// How much all keys count.
    pub(super) fn count(&self) -> u64 {
        self.buckets().iter().map(|b| b.count()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Store::List(list) => list.buckets.is_empty(),
            Store::Array { .. } => false,
        }
    }

    pub(super) fn heap_size(&self) -> usize {
        match self {
            Store::List(list) => list.buckets.capacity() * size_of::<Bucket>(),
            Store::Array { counts, .. } => counts.capacity() * size_of::<u64>(),
        }
    }
}

fn merge_lists(ours: &[Bucket], theirs: &[Bucket]) -> Vec<Bucket> {
    let mut merged = Vec::with_capacity(ours.len() + theirs.len());
    let (mut i, mut j) = (0, 0);
    // Which of the two comes next is as good as random, so nothing branches on it.
    while let (Some(our), Some(their)) = (ours.get(i), theirs.get(j)) {
        let (is_ours, is_theirs) = (our.key() <= their.key(), their.key() <= our.key());
        let of_ours = our.count() * u64::from(is_ours);
        let of_theirs = their.count() * u64::from(is_theirs);
        merged.push(Bucket::new(our.key().min(their.key()), of_ours + of_theirs));
        i += usize::from(is_ours);
        j += usize::from(is_theirs);
    }
    merged.extend_from_slice(&ours[i..]);
    merged.extend_from_slice(&theirs[j..]);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn list_and_array_count_as_a_map_does(
            keys in prop::collection::vec(prop_oneof![8 => 0i32..300, 2 => -200i32..2000, 1 => -MAX_KEY..=MAX_KEY], 0..1500)
        ) {
            let mut store = Store::default();
            let mut map = BTreeMap::new();
            for (n, key) in keys.iter().enumerate() {
                store.insert(*key, n as u64 + 1);
                *map.entry(*key).or_insert(0) += n as u64 + 1;
            }
            let got: Vec<_> = store.buckets().iter().map(|b| (b.key(), b.count())).collect();
            prop_assert_eq!(got, map.into_iter().collect::<Vec<_>>());
            prop_assert!(store.heap_size() <= 8 * 32 * keys.len().max(4));
        }
    }

    #[test]
    fn keys_close_together_become_an_array_and_an_outlier_a_list_again() {
        let mut store = Store::default();
        (0..300).for_each(|key| store.insert(key * 7919 % 300, 1));
        assert!(matches!(store, Store::Array { .. }));
        store.insert(310, 2);
        assert!(matches!(store, Store::Array { .. }));
        store.insert(MAX_KEY, 3);
        assert!(matches!(store, Store::List(_)));
        assert_eq!(store.count(), 300 + 2 + 3);
    }
}
