//! A distribution as counted places: from values, each its own place, or from a quantile sketch, each bucket a place.

use crate::functions::QuantileSketch;

/// A place on the axis and how many values lie there.
pub type Atom = (f64, u64);

/// Counted places, ascending, each once and with a count above 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    atoms: Vec<Atom>,
    total: u64,
}

impl Distribution {
    /// From atoms in ascending order; `None` when there are none.
    fn new(sorted: impl IntoIterator<Item = Atom>) -> Option<Distribution> {
        let mut atoms: Vec<Atom> = Vec::new();
        for (at, count) in sorted {
            match atoms.last_mut() {
                Some(last) if last.0 == at => last.1 += count,
                _ => atoms.push((at, count)),
            }
        }
        let total = atoms.iter().map(|(_, count)| count).sum();
        (total > 0).then_some(Distribution { atoms, total })
    }

    /// The values of a sorted sample.
    pub fn of_sample(sample: &[f64]) -> Option<Distribution> {
        Distribution::new(sample.iter().map(|value| (*value, 1)))
    }

    /// The buckets of a sketch, at the same places in every sketch: shares of values in and below a bucket are exact.
    pub fn of_buckets(sketch: &QuantileSketch) -> Option<Distribution> {
        Distribution::new(sketch.atoms())
    }

    /// The values of a sketch, each within 1 % and never outside its smallest and largest value: for distances along
    /// the axis.
    pub fn of_values(sketch: &QuantileSketch) -> Option<Distribution> {
        let (min, max) = (sketch.min()?, sketch.max()?);
        Distribution::new(sketch.atoms().into_iter().map(|(at, count)| (at.clamp(min, max), count)))
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Every place of either, ascending, with the values of each up to and including it.
    pub(super) fn cumulated<'a>(
        &'a self,
        other: &'a Distribution,
    ) -> impl Iterator<Item = (f64, u64, u64)> + 'a {
        let (mut i, mut j) = (0, 0);
        let (mut ours, mut theirs) = (0, 0);
        std::iter::from_fn(move || {
            let at = match (self.atoms.get(i), other.atoms.get(j)) {
                (Some((a, _)), Some((b, _))) => a.min(*b),
                (Some((a, _)), None) => *a,
                (None, Some((b, _))) => *b,
                (None, None) => return None,
            };
            if let Some((_, count)) = self.atoms.get(i).filter(|(a, _)| *a == at) {
                ours += count;
                i += 1;
            }
            if let Some((_, count)) = other.atoms.get(j).filter(|(b, _)| *b == at) {
                theirs += count;
                j += 1;
            }
            Some((at, ours, theirs))
        })
    }
}
