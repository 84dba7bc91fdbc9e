//! Where the rows of each leaf lie while a tree grows.
//!
//! Reading rows that lie scattered over a big table costs more than adding up what they hold. So a leaf that is read
//! while few of the rows around it are its own gets a copy of them, in one piece; its descendants refer to that copy.

use super::binning::Binned;
use super::histogram::{self, Bins};

/// A leaf is copied when it has at most this share of the rows it lies among.
const COPY_BELOW: usize = 2;

/// Rows that are brought together before they are added up: they stay in the cache nearest to the processor.
const BLOCK_ROWS: usize = 256;

/// Leaves of more rows than this are shared between threads.
const SHARED_ROWS: usize = 1 << 14;

/// A leaf's stretch of the list of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    start: usize,
    end: usize,
    /// Whether its rows are numbers of copies, or of rows of the table.
    copied: bool,
    /// Among how many rows its own lie.
    span: usize,
}

impl Place {
    /// How many rows the leaf has.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Two leaves in the place of one.
    pub(super) fn split(self, left: usize) -> (Place, Place) {
        let middle = self.start + left;
        (Place { end: middle, ..self }, Place { start: middle, ..self })
    }
}

/// Memory that trees use one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffers {
    list: Vec<u32>,
    moved: Vec<u32>,
    bins: Vec<u64>,
    packed: Vec<i64>,
    rows: Vec<u32>,
    pub(super) histograms: Vec<Vec<Bins>>,
}

/// The rows of one tree.
pub(super) struct LeafRows<'a> {
    binned: &'a Binned,
    packed: &'a [i64],
    buffers: &'a mut Buffers,
    /// Copies so far.
    copies: usize,
}

/// Rows, as words of bins, packed derivatives, and their numbers in the table.
struct Copies<'a> {
    bins: &'a mut [u64],
    packed: &'a mut [i64],
    rows: &'a mut [u32],
}

impl<'a> Copies<'a> {
    fn split(self, at: usize, words: usize) -> (Copies<'a>, Copies<'a>) {
        let (bins, other_bins) = self.bins.split_at_mut(at * words);
        let (packed, other_packed) = self.packed.split_at_mut(at);
        let (rows, other_rows) = self.rows.split_at_mut(at);
        let other = Copies { bins: other_bins, packed: other_packed, rows: other_rows };
        (Copies { bins, packed, rows }, other)
    }
}

/// What a list of rows refers to.
#[derive(Clone, Copy)]
struct Source<'a> {
    bins: &'a [u64],
    packed: &'a [i64],
    /// Numbers in the table; nothing for the table itself.
    rows: &'a [u32],
    words: usize,
    per_word: usize,
}

impl<'a> LeafRows<'a> {
    /// Starts with the rows of the root, ascending.
    pub(super) fn new(
        binned: &'a Binned,
        packed: &'a [i64],
        chosen: &[u32],
        buffers: &'a mut Buffers,
    ) -> (LeafRows<'a>, Place) {
        buffers.list.clear();
        buffers.list.extend_from_slice(chosen);
        let most = chosen.len() * 2;
        // Zeros from the system take no memory until they are written.
        if buffers.rows.len() < most {
            buffers.bins = vec![0; most * binned.words];
            buffers.packed = vec![0; most];
            buffers.rows = vec![0; most];
        }
        let root = Place { start: 0, end: chosen.len(), copied: false, span: binned.len };
        (LeafRows { binned, packed, buffers, copies: 0 }, root)
    }

    /// Histograms that may hold anything.
    pub(super) fn histograms(&mut self) -> Vec<Bins> {
        self.buffers.histograms.pop().unwrap_or_else(|| vec![[0; 256]; self.binned.width()])
    }

    /// Takes histograms back.
    pub(super) fn give_back(&mut self, histograms: Vec<Bins>) {
        self.buffers.histograms.push(histograms);
    }

    /// Adds up the rows of a leaf for each bin of each feature.
    pub(super) fn fill(&mut self, place: &mut Place, histograms: &mut [Bins]) {
        let Buffers { list, bins, packed, rows, .. } = &mut *self.buffers;
        let (binned, words, count) = (self.binned, self.binned.words, place.len());
        let (old_bins, new_bins) = bins.split_at_mut(self.copies * words);
        let (old_packed, new_packed) = packed.split_at_mut(self.copies);
        let (old_rows, new_rows) = rows.split_at_mut(self.copies);
        let mut source =
            Source { bins: &binned.rows, packed: self.packed, rows: &[], words, per_word: binned.per_word };
        if place.copied {
            source = Source { bins: old_bins, packed: old_packed, rows: old_rows, ..source };
        }
        let list = &mut list[place.start..place.end];
        histograms.as_flattened_mut().fill(0);
        if count == binned.len {
            return source.add_all(histograms, 0..count);
        }
        let copy = count * COPY_BELOW <= place.span && new_rows.len() >= count;
        let copies = copy.then(|| Copies {
            bins: &mut new_bins[..count * words],
            packed: &mut new_packed[..count],
            rows: &mut new_rows[..count],
        });
        source.add_listed(histograms, list, copies);
        if copy {
            let first = self.copies as u32;
            list.iter_mut().zip(first..).for_each(|(row, at)| *row = at);
            (place.copied, place.span) = (true, count);
            self.copies += count;
        }
    }

    /// Puts the rows that go left before the others, keeping their order; says how many.
    pub(super) fn partition(&mut self, place: Place, feature: usize, table: &[bool; 256]) -> usize {
        let Buffers { list, moved, bins, .. } = &mut *self.buffers;
        let bins = if place.copied { &bins[..] } else { &self.binned.rows };
        let list = &mut list[place.start..place.end];
        moved.resize(moved.len().max(list.len()), 0);
        let (word, shift) = self.binned.slot(feature);
        let goes_left = |row: u32| {
            let bin = bins[row as usize * self.binned.words + word] >> shift;
            table[bin as u8 as usize]
        };
        partition(list, moved, &goes_left)
    }

    /// How many rows of a leaf each bin of each feature has, in one pass over the rows: where weights make the estimates
    /// of counts wrong, as those of rare classes do, many leaves ask for it.
    pub(super) fn counts(&self, place: Place) -> Vec<[u32; 256]> {
        let bins = if place.copied { &self.buffers.bins } else { &self.binned.rows };
        let mut counts = vec![[0; 256]; self.binned.width()];
        for row in &self.buffers.list[place.start..place.end] {
            let words = &bins[*row as usize * self.binned.words..][..self.binned.words];
            for (word, features) in words.iter().zip(counts.chunks_mut(self.binned.per_word)) {
                for (counts, bin) in features.iter_mut().zip(word.to_le_bytes()) {
                    counts[bin as usize] += 1;
                }
            }
        }
        counts
    }

    /// The numbers of a leaf's rows in the table.
    pub(super) fn rows(&self, place: Place) -> impl Iterator<Item = usize> {
        let list = &self.buffers.list[place.start..place.end];
        list.iter().map(
            move |row| {
                if place.copied { self.buffers.rows[*row as usize] as usize } else { *row as usize }
            },
        )
    }
}

impl Source<'_> {
    /// Adds up rows that lie together.
    fn add_all(self, histograms: &mut [Bins], range: std::ops::Range<usize>) {
        if let Some(middle) = shared(range.len()) {
            let middle = range.start + middle;
            let mut others = vec![[0; 256]; histograms.len()];
            rayon::join(
                || self.add_all(histograms, range.start..middle),
                || self.add_all(&mut others, middle..range.end),
            );
            return histogram::merge(histograms, &others);
        }
        for start in range.clone().step_by(BLOCK_ROWS) {
            let end = range.end.min(start + BLOCK_ROWS);
            let (bins, packed) = (&self.bins[start * self.words..end * self.words], &self.packed[start..end]);
            histogram::add_rows(histograms, self.per_word, self.words, bins, packed);
        }
    }

    /// Adds up listed rows, and copies them if that is wanted.
    fn add_listed(self, histograms: &mut [Bins], list: &[u32], copies: Option<Copies<'_>>) {
        if let Some(middle) = shared(list.len()) {
            let mut others = vec![[0; 256]; histograms.len()];
            let (low, high) = list.split_at(middle);
            let (low_copies, high_copies) = copies.map(|c| c.split(middle, self.words)).unzip();
            rayon::join(
                || self.add_listed(histograms, low, low_copies),
                || self.add_listed(&mut others, high, high_copies),
            );
            return histogram::merge(histograms, &others);
        }
        let words = self.words;
        let (mut bins, mut packed) = (vec![0; BLOCK_ROWS * words], [0; BLOCK_ROWS]);
        let mut copies = copies;
        for (block, list) in list.chunks(BLOCK_ROWS).enumerate() {
            let (bins, packed) = (&mut bins[..list.len() * words], &mut packed[..list.len()]);
            // Nothing but reads: the memory works on many at a time.
            for (to, row) in packed.iter_mut().zip(list) {
                *to = self.packed[*row as usize];
            }
            gather(bins, self.bins, words, list);
            histogram::add_rows(histograms, self.per_word, words, bins, packed);
            if let Some(copies) = &mut copies {
                let first = block * BLOCK_ROWS;
                copies.bins[first * words..][..bins.len()].copy_from_slice(bins);
                copies.packed[first..][..list.len()].copy_from_slice(packed);
                let rows = &mut copies.rows[first..][..list.len()];
                if self.rows.is_empty() {
                    rows.copy_from_slice(list);
                } else {
                    rows.iter_mut().zip(list).for_each(|(to, row)| *to = self.rows[*row as usize]);
                }
            }
        }
    }
}

/// The bins of listed rows.
fn gather(to: &mut [u64], from: &[u64], words: usize, list: &[u32]) {
    match words {
        1 => gather_fixed::<1>(to, from, list),
        2 => gather_fixed::<2>(to, from, list),
        3 => gather_fixed::<3>(to, from, list),
        4 => gather_fixed::<4>(to, from, list),
        5 => gather_fixed::<5>(to, from, list),
        6 => gather_fixed::<6>(to, from, list),
        _ => {
            for (to, row) in to.chunks_exact_mut(words).zip(list) {
                to.copy_from_slice(&from[*row as usize * words..][..words]);
            }
        }
    }
}

/// A copy of a length that the compiler knows is a few moves instead of a call.
fn gather_fixed<const WORDS: usize>(to: &mut [u64], from: &[u64], list: &[u32]) {
    let from = from.as_chunks::<WORDS>().0;
    to.as_chunks_mut::<WORDS>().0.iter_mut().zip(list).for_each(|(to, row)| *to = from[*row as usize]);
}

/// Where to divide work on so many rows between threads, if at all.
fn shared(rows: usize) -> Option<usize> {
    (rows > SHARED_ROWS && rayon::current_num_threads() > 1).then_some(rows / 2)
}

fn partition(list: &mut [u32], moved: &mut [u32], goes_left: &(impl Fn(u32) -> bool + Sync)) -> usize {
    if let Some(middle) = shared(list.len()) {
        let (low, high) = list.split_at_mut(middle);
        let (low_moved, high_moved) = moved.split_at_mut(middle);
        let (low_left, high_left) =
            rayon::join(|| partition(low, low_moved, goes_left), || partition(high, high_moved, goes_left));
        // What goes right of the lower half and what goes left of the upper half change places.
        list[low_left..middle + high_left].rotate_left(middle - low_left);
        return low_left + high_left;
    }
    let (mut left, mut right) = (0, 0);
    for at in 0..list.len() {
        let row = list[at];
        let is_left = goes_left(row);
        // Written on both sides, kept on one: no branch that could be mispredicted.
        list[left] = row;
        moved[right] = row;
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    list[left..].copy_from_slice(&moved[..right]);
    left
}
