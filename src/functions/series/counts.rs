//! The bytes of requests counted by slots of time.
//!
//! | part | bytes |
//! |---|---|
//! | version, 2 | 1 |
//! | for each slot: its number − the number before, zigzag | varint |
//! | requests, errors, durations, zigzag | 3 varints |
//! | bytes of the sketch of latencies, plus 1; 0 without one | varint |
//! | the sketch | |
//!
//! While they are gathered slots stand in the order in which they came, some of them several times; a series holds
//! each once, in the order of time.

use super::codec::{NotASeries, read_varint, write_varint};

/// The only version so far; another one than that of intervals.
const VERSION: u8 = 2;

/// Bytes of a slot with one request and its latency, about.
const USUAL: usize = 20;

/// What was counted of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts<'a> {
    /// Its number.
    pub slot: u32,
    /// How many requests there were.
    pub requests: i64,
    /// How many of them failed.
    pub errors: i64,
    /// How many of them have a duration.
    pub durations: i64,
    /// The sketch of their latencies.
    pub latency: Option<&'a [u8]>,
}

/// Counts as they come.
#[derive(Debug, Clone, Default)]
pub struct CountLog {
    bytes: Vec<u8>,
    last: u32,
    /// Whether a slot came again, or after a later one.
    is_mixed: bool,
}

impl CountLog {
    /// Adds counts of a slot.
    pub fn push(&mut self, counts: Counts<'_>) {
        let needed = 2 * USUAL + counts.latency.map_or(0, <[u8]>::len);
        // Doubling would leave half of many buffers empty.
        if self.bytes.capacity() - self.bytes.len() < needed {
            self.bytes.reserve_exact(needed.max(self.bytes.len() / 2));
        }
        if self.bytes.is_empty() {
            self.bytes.push(VERSION);
        } else {
            self.is_mixed |= counts.slot <= self.last;
        }
        write_signed(&mut self.bytes, i64::from(counts.slot) - i64::from(self.last));
        self.last = counts.slot;
        for count in [counts.requests, counts.errors, counts.durations] {
            write_signed(&mut self.bytes, count);
        }
        write_varint(&mut self.bytes, counts.latency.map_or(0, |sketch| sketch.len() as u64 + 1));
        self.bytes.extend_from_slice(counts.latency.unwrap_or_default());
    }

    /// Adds what another log holds.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), NotASeries> {
        self.bytes.reserve_exact(bytes.len());
        each(bytes, |counts| self.push(counts))
    }

    /// Whether each slot stands once, in the order of time: its bytes are a series then.
    pub fn is_series(&self) -> bool {
        !self.is_mixed
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of heap in use.
    pub fn heap_size(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Reads all counts, in the order in which they stand.
pub fn each<'a>(bytes: &'a [u8], mut take: impl FnMut(Counts<'a>)) -> Result<(), NotASeries> {
    let broken = |what| NotASeries { length: bytes.len(), what };
    let (version, mut rest) = bytes.split_first().ok_or_else(|| broken("there are none"))?;
    if *version != VERSION {
        return Err(broken("the first is not the version 2"));
    }
    let mut last = 0u32;
    while !rest.is_empty() {
        let counts = read(&mut rest, last).map_err(broken)?;
        last = counts.slot;
        take(counts);
    }
    Ok(())
}

fn read<'a>(rest: &mut &'a [u8], last: u32) -> Result<Counts<'a>, &'static str> {
    let gap = read_signed(rest).ok_or("a slot is cut off or too large")?;
    let slot = i64::from(last).checked_add(gap).and_then(|slot| u32::try_from(slot).ok());
    let mut count = || read_signed(rest).ok_or("a count is cut off or too large");
    let (requests, errors, durations) = (count()?, count()?, count()?);
    let length = read_varint(rest).ok_or("the length of a sketch is cut off or too large")?;
    let latency = match length.checked_sub(1) {
        None => None,
        Some(length) => {
            let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
            let (sketch, after) = rest.split_at(length.ok_or("a sketch is cut off")?);
            *rest = after;
            Some(sketch)
        }
    };
    Ok(Counts { slot: slot.ok_or("a slot is too large")?, requests, errors, durations, latency })
}

fn write_signed(out: &mut Vec<u8>, number: i64) {
    write_varint(out, ((number << 1) ^ (number >> 63)) as u64);
}

fn read_signed(bytes: &mut &[u8]) -> Option<i64> {
    let word = read_varint(bytes)?;
    Some((word >> 1) as i64 ^ -((word & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned() -> impl Strategy<Value = (u32, [i64; 3], Option<Vec<u8>>)> {
        let count = || prop_oneof![0i64..300, any::<i64>()];
        let sketch = prop::option::of(prop::collection::vec(any::<u8>(), 0..200));
        (any::<u32>(), [count(), count(), count()], sketch)
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_the_order_in_which_it_came(
            all in prop::collection::vec(owned(), 0..30), cut in any::<prop::sample::Index>()
        ) {
            let all: Vec<Counts<'_>> = all
                .iter()
                .map(|(slot, [requests, errors, durations], latency)| Counts {
                    slot: *slot,
                    requests: *requests,
                    errors: *errors,
                    durations: *durations,
                    latency: latency.as_deref(),
                })
                .collect();
            let (mut one, mut other) = (CountLog::default(), CountLog::default());
            let cut = cut.index(all.len() + 1);
            all[..cut].iter().for_each(|counts| one.push(*counts));
            all[cut..].iter().for_each(|counts| other.push(*counts));
            if !other.is_empty() {
                one.append(other.bytes()).unwrap();
            }
            let mut read = Vec::new();
            if !one.is_empty() {
                each(one.bytes(), |counts| read.push(counts)).unwrap();
                // Bytes that are cut off are no shorter series, but where a slot ends.
                let cut_off = &one.bytes()[..one.bytes().len() - 1];
                let mut fewer = 0;
                prop_assert!(each(cut_off, |_| fewer += 1).is_err() || fewer < all.len());
            }
            prop_assert_eq!(&read, &all);
            prop_assert_eq!(one.is_series(), all.windows(2).all(|pair| pair[0].slot < pair[1].slot));
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [&b""[..], b"\x01", b"garbage", b"\x02\x80", b"\x02\x02\x02\x02\x02\x09abc"] {
            each(bytes, |_| {}).unwrap_err();
        }
    }
}
