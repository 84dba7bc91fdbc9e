//! The spans of many traces at once, in few pieces of memory: a day has millions of spans in hundreds of thousands of
//! traces, of about five spans each, and a list of its own for each trace would take twice the memory.

use super::trace::{Id, Span};

/// Spans in a piece of memory. Pieces do not move, so growing never holds two copies.
const PIECE: usize = 1 << 14;

/// Stands for no span.
const NONE: u32 = u32::MAX;

/// A span in 32 bytes, and which one came before it in the same list.
#[derive(Debug, Clone, Copy)]
struct Packed {
    id: u64,
    parent: u64,
    region: u32,
    peer_region: u32,
    before: u32,
    /// Two bits for what each identifier is, then the two truths.
    kinds: u8,
}

fn pack(id: Id) -> (u8, u64) {
    match id {
        Id::Absent => (0, 0),
        Id::Text(place) => (1, u64::from(place)),
        Id::Hex(number) => (2, number),
    }
}

fn unpack(kind: u8, number: u64) -> Id {
    match kind & 3 {
        0 => Id::Absent,
        1 => Id::Text(u32::try_from(number).unwrap_or(u32::MAX)),
        _ => Id::Hex(number),
    }
}

impl Packed {
    fn new(span: &Span, before: u32) -> Self {
        let ((id_kind, id), (parent_kind, parent)) = (pack(span.id), pack(span.parent));
        let kinds = id_kind | parent_kind << 2 | u8::from(span.is_error) << 4 | u8::from(span.is_judged) << 5;
        Packed { id, parent, region: span.region, peer_region: span.peer_region, before, kinds }
    }

    fn span(&self) -> Span {
        Span {
            id: unpack(self.kinds, self.id),
            parent: unpack(self.kinds >> 2, self.parent),
            region: self.region,
            peer_region: self.peer_region,
            is_error: self.kinds & 1 << 4 != 0,
            is_judged: self.kinds & 1 << 5 != 0,
        }
    }
}

/// A list of spans for each trace.
#[derive(Debug, Default)]
pub(super) struct SpanLists {
    pieces: Vec<Vec<Packed>>,
    /// The newest span of each list.
    newest: Vec<u32>,
}

impl SpanLists {
    /// How many lists there are.
    pub(super) fn len(&self) -> usize {
        self.newest.len()
    }

    /// Makes room for so many lists.
    pub(super) fn resize(&mut self, lists: usize) {
        self.newest.resize(lists, NONE);
    }

    /// Adds a span to a list. `None` when there are more than four billion spans.
    pub(super) fn push(&mut self, list: usize, span: &Span) -> Option<()> {
        let is_full = self.pieces.last().is_none_or(|piece| piece.len() == PIECE);
        if is_full {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let pieces = self.pieces.len() - 1;
        let piece = self.pieces.last_mut()?;
        let place = u32::try_from(pieces * PIECE + piece.len()).ok().filter(|place| *place != NONE)?;
        piece.push(Packed::new(span, self.newest[list]));
        self.newest[list] = place;
        Some(())
    }

    /// The spans of a list, the newest first.
    pub(super) fn list(&self, list: usize) -> impl Iterator<Item = Span> + '_ {
        let mut place = self.newest.get(list).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let packed = self.pieces.get(place as usize / PIECE)?.get(place as usize % PIECE)?;
            place = packed.before;
            Some(packed.span())
        })
    }

    /// Takes the first lists away; those that follow become the first ones.
    pub(super) fn take_first(&mut self, lists: usize) -> Self {
        let mut rest = SpanLists::default();
        rest.resize(self.len().saturating_sub(lists));
        for list in lists..self.len() {
            // As many as there were cannot be too many.
            let _ = self.list(list).try_for_each(|span| rest.push(list - lists, &span));
        }
        let mut taken = std::mem::replace(self, rest);
        taken.newest.truncate(lists);
        taken
    }

    /// Memory that they take, about.
    pub(super) fn heap_size(&self) -> usize {
        self.pieces.len() * PIECE * size_of::<Packed>() + self.newest.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(number: u64) -> Span {
        Span {
            id: Id::Hex(u64::MAX - number),
            parent: if number.is_multiple_of(3) { Id::Absent } else { Id::Text(number as u32) },
            region: number as u32,
            peer_region: 7,
            is_error: number.is_multiple_of(2),
            is_judged: number.is_multiple_of(5),
        }
    }

    fn check(lists: &SpanLists, first: usize, all: usize, spans: u64) {
        for list in 0..lists.len() {
            let expected = (0..spans).filter(|n| *n as usize % all == list + first).map(span).rev();
            assert!(lists.list(list).eq(expected), "list {list}");
        }
    }

    #[test]
    fn lists_give_back_their_spans_over_pieces_and_after_some_were_taken() {
        let (all, spans) = (1_000, 3 * PIECE as u64 + 5);
        let mut lists = SpanLists::default();
        lists.resize(all + 1);
        (0..spans).for_each(|n| lists.push(n as usize % all, &span(n)).unwrap());
        assert_eq!(lists.list(all).count(), 0, "a list without spans is empty");
        lists.newest.truncate(all);
        check(&lists, 0, all, spans);
        let taken = lists.take_first(300);
        assert_eq!((taken.len(), lists.len()), (300, 700));
        check(&taken, 0, all, spans);
        // What is left was read from the newest on, and stands the other way round.
        let expected: Vec<_> = (0..spans).filter(|n| *n as usize % all == 300).map(span).collect();
        assert!(lists.list(0).eq(expected));
        assert_eq!(lists.take_first(700).len(), 700);
        assert_eq!((lists.len(), lists.heap_size()), (0, 0));
    }

    #[test]
    fn a_span_takes_32_bytes() {
        assert_eq!(size_of::<Packed>(), 32);
    }
}
