//! Finding an order statistic without listing what is ordered: bisection over the doubles themselves.
//!
//! Doubles sort as integers do once the negative ones are mirrored, so at most 64 halvings single out the smallest
//! double that a monotone question holds for. Nothing is left to tolerance.

/// The place of a double among all doubles.
fn place(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
}

/// The double of a place.
fn at(place: i64) -> f64 {
    let bits = if place < 0 { i64::MIN.wrapping_sub(place) } else { place };
    f64::from_bits(bits as u64)
}

/// The double half-way between two, by their places.
pub(super) fn between(low: f64, high: f64) -> f64 {
    at(halfway(place(low), place(high)))
}

fn halfway(low: i64, high: i64) -> i64 {
    low + ((i128::from(high) - i128::from(low)) / 2) as i64
}

/// The smallest double from `low` to `high` that `holds` is true for; once true it stays true, and it is true for
/// `high`.
pub(super) fn smallest(low: f64, high: f64, mut holds: impl FnMut(f64) -> bool) -> f64 {
    let (mut low, mut high) = (place(low), place(high));
    while low < high {
        let middle = halfway(low, high);
        if holds(at(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    at(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_smallest_double_that_reaches_a_limit_is_the_limit(limit in -1e300..1e300) {
            prop_assert_eq!(smallest(f64::MIN, f64::MAX, |x| x >= limit), limit);
        }
    }

    #[test]
    fn zero_has_one_place_and_neighbours_are_next_to_it() {
        assert_eq!(place(0.0), 0);
        assert_eq!(place(-0.0), 0);
        assert_eq!(at(1), f64::from_bits(1));
        assert_eq!(at(-1), -f64::from_bits(1));
    }
}
