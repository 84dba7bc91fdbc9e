//! Events in time, kept small: what comes five minutes after its neighbour and counts little takes ten bytes, not 32.

/// How much of how many was bad at a time, in a period that began some time ago; times in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) since: i64,
    pub(super) bad: i64,
    pub(super) total: i64,
}

/// Events in the order in which they came, each as differences from the one before it: zigzag numbers of seven bits
/// a byte, low ones first.
#[derive(Debug, Clone, Default)]
pub(super) struct EventLog {
    bytes: Vec<u8>,
    last: Event,
}

impl EventLog {
    pub(super) fn push(&mut self, event: Event) {
        let last = std::mem::replace(&mut self.last, event);
        write(&mut self.bytes, event.at.wrapping_sub(last.at));
        write(&mut self.bytes, event.since.wrapping_sub(last.since));
        write(&mut self.bytes, event.bad);
        write(&mut self.bytes, event.total);
    }

    /// The bytes, for [`append`](Self::append).
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds the events of another log.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        self.bytes.reserve(bytes.len());
        each(bytes, |event| self.push(event))
    }

    /// In the order of time; events at one time are one.
    pub(super) fn sorted(&self) -> Result<Vec<Event>, &'static str> {
        let mut events: Vec<Event> = Vec::new();
        each(&self.bytes, |event| events.push(event))?;
        events.sort_unstable();
        let mut is_too_large = false;
        events.dedup_by(|next, kept| {
            let is_same = next.at == kept.at;
            if is_same {
                kept.since = next.since;
                match (kept.bad.checked_add(next.bad), kept.total.checked_add(next.total)) {
                    (Some(bad), Some(total)) => (kept.bad, kept.total) = (bad, total),
                    _ => is_too_large = true,
                }
            }
            is_same
        });
        if is_too_large { Err("a sum is too large for bigint") } else { Ok(events) }
    }

    pub(super) fn heap_size(&self) -> usize {
        self.bytes.capacity()
    }
}

fn each(bytes: &[u8], mut take: impl FnMut(Event)) -> Result<(), &'static str> {
    let mut rest = bytes.iter();
    let mut last = Event::default();
    while !rest.as_slice().is_empty() {
        let mut next = || read(&mut rest).ok_or("the events between the stages of a query end too early");
        last = Event {
            at: last.at.wrapping_add(next()?),
            since: last.since.wrapping_add(next()?),
            bad: next()?,
            total: next()?,
        };
        take(last);
    }
    Ok(())
}

fn write(bytes: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn read(bytes: &mut std::slice::Iter<'_, u8>) -> Option<i64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.next()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((number >> 1) as i64 ^ -((number & 1) as i64));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = Event> {
        let number = prop_oneof![0i64..1000, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
        (number.clone(), number.clone(), number.clone(), number).prop_map(|(at, since, bad, total)| Event {
            at,
            since,
            bad,
            total,
        })
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_the_order_of_time(
            events in prop::collection::vec(event(), 0..40), cut in any::<prop::sample::Index>()
        ) {
            let (mut one, mut other) = (EventLog::default(), EventLog::default());
            let cut = cut.index(events.len() + 1);
            events[..cut].iter().for_each(|e| one.push(*e));
            events[cut..].iter().for_each(|e| other.push(*e));
            one.append(other.bytes()).unwrap();
            let mut listed = Vec::new();
            each(one.bytes(), |e| listed.push(e)).unwrap();
            prop_assert_eq!(&listed, &events);
            let mut times: Vec<i64> = events.iter().map(|e| e.at).collect();
            times.sort_unstable();
            times.dedup();
            if let Ok(sorted) = one.sorted() {
                prop_assert_eq!(sorted.iter().map(|e| e.at).collect::<Vec<_>>(), times);
            }
        }
    }

    #[test]
    fn a_usual_event_takes_ten_bytes_and_events_at_one_time_are_one() {
        let mut log = EventLog::default();
        for i in 0..100 {
            let at = 1_736_899_200_000_000 + i / 2 * 300_000_000;
            log.push(Event { at, since: 1_736_899_200_000_000, bad: i % 2, total: 5_000_000 });
        }
        assert!(log.bytes().len() <= 100 * 10 + 20, "{}", log.bytes().len());
        let events = log.sorted().unwrap();
        assert_eq!(events.len(), 50);
        assert!(events.iter().all(|e| e.bad == 1 && e.total == 10_000_000));
        log.append(&[0x80]).unwrap_err();
    }
}
