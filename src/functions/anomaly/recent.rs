//! The last values of something.

/// The last `N` values, in order of arrival and of size.
#[derive(Debug, Clone)]
pub(super) struct Recent<const N: usize> {
    arrived: [f64; N],
    sorted: [f64; N],
    len: usize,
    next: usize,
}

impl<const N: usize> Default for Recent<N> {
    fn default() -> Self {
        Recent { arrived: [0.0; N], sorted: [0.0; N], len: 0, next: 0 }
    }
}

impl<const N: usize> Recent<N> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, value: f64) {
        let place = |sorted: &[f64], value: f64| sorted.partition_point(|s| s.total_cmp(&value).is_lt());
        if self.len == N {
            let oldest = place(&self.sorted, self.arrived[self.next]);
            self.sorted.copy_within(oldest + 1.., oldest);
            self.len -= 1;
        }
        let at = place(&self.sorted[..self.len], value);
        self.sorted.copy_within(at..self.len, at + 1);
        self.sorted[at] = value;
        self.arrived[self.next] = value;
        self.next = (self.next + 1) % N;
        self.len += 1;
    }

    /// The last `count` values, or fewer, the newest first.
    fn newest(&self, count: usize) -> impl Iterator<Item = f64> + '_ {
        (1..=count.min(self.len)).map(|back| self.arrived[(self.next + N - back) % N])
    }

    /// The mean of the last `count`, once there are as many.
    pub(super) fn mean(&self, count: usize) -> Option<f64> {
        (self.len >= count).then(|| self.newest(count).sum::<f64>() / count as f64)
    }

    /// The median of the last `count`, or of as many as there are.
    pub(super) fn median(&self, count: usize) -> Option<f64> {
        if self.len == 0 {
            return None;
        }
        if count >= self.len {
            return Some(middle(&self.sorted[..self.len]));
        }
        let mut last = [0.0; N];
        for (to, value) in last.iter_mut().zip(self.newest(count)) {
            *to = value;
        }
        let last = &mut last[..count];
        last.sort_unstable_by(f64::total_cmp);
        Some(middle(last))
    }
}

/// The median of sorted values, of which there is one at least. The halves are added, so that no sum overflows.
fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2] / 2.0 + sorted[(sorted.len() - 1) / 2] / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_neither_mean_nor_median() {
        let none = Recent::<4>::default();
        assert_eq!((none.mean(1), none.median(3), none.len()), (None, None, 0));
    }

    #[test]
    fn one_outlier_moves_the_mean_and_not_the_median() {
        let mut recent = Recent::<8>::default();
        [1.0, 2.0, 3.0, 90.0, 2.0].into_iter().for_each(|v| recent.push(v));
        assert_eq!((recent.median(5), recent.mean(5)), (Some(2.0), Some(19.6)));
        assert_eq!((recent.median(4), recent.median(8), recent.mean(8)), (Some(2.5), Some(2.0), None));
    }

    proptest! {
        #[test]
        fn it_is_as_if_all_values_were_kept(values in prop::collection::vec(-9..9, 1..40), count in 1_usize..8) {
            let mut recent = Recent::<7>::default();
            for (at, value) in values.iter().enumerate() {
                recent.push(f64::from(*value));
                let seen = &values[..=at];
                let mut last: Vec<i32> = seen[seen.len().saturating_sub(count.min(7))..].to_vec();
                last.sort_unstable();
                let median = f64::from(last[last.len() / 2] + last[(last.len() - 1) / 2]) / 2.0;
                prop_assert_eq!(recent.median(count), Some(median));
            }
        }
    }
}
