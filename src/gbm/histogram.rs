//! Histograms: the derivatives of a leaf's rows, added up for each bin of each feature.

use super::binning::Binned;

/// Sums of packed derivatives for each bin of one feature.
pub(super) type Bins = [i64; 256];

/// Features that are filled together: their histograms fit into the cache nearest to the processor.
const GROUP: usize = 8;

/// Rows that are read group by group, so that they come from memory once.
const BLOCK_ROWS: usize = 512;

/// Adds the derivatives of some rows to the histograms of the features from `first` on.
pub(super) fn add_rows(histograms: &mut [Bins], binned: &Binned, first: usize, rows: &[u32], packed: &[i64]) {
    let (groups, rest) = histograms.as_chunks_mut::<GROUP>();
    let width = binned.width();
    let mut derivatives = [0_i64; BLOCK_ROWS];
    for rows in rows.chunks(BLOCK_ROWS) {
        // Rows lie scattered: one byte of each is asked for first, so that the memory works on many at a time.
        let mut touched = 0;
        for (slot, row) in derivatives.iter_mut().zip(rows) {
            *slot = packed[*row as usize];
            touched ^= binned.rows[*row as usize * width + first];
        }
        std::hint::black_box(touched);
        for (number, group) in groups.iter_mut().enumerate() {
            let from = first + number * GROUP;
            for (row, derivatives) in rows.iter().zip(&derivatives) {
                let bins = &binned.rows[*row as usize * width + from..];
                let Some((bins, _)) = bins.split_first_chunk::<GROUP>() else { continue };
                for feature in 0..GROUP {
                    group[feature][bins[feature] as usize] += derivatives;
                }
            }
        }
        let from = first + groups.len() * GROUP;
        for (row, derivatives) in rows.iter().zip(&derivatives) {
            let start = *row as usize * width + from;
            let bins = &binned.rows[start..start + rest.len()];
            for feature in 0..rest.len().min(bins.len()) {
                rest[feature][bins[feature] as usize] += derivatives;
            }
        }
    }
}

/// The histograms of the other child: the parent's without this child's.
pub(super) fn subtract(parent: &mut Bins, child: &Bins, bins: usize) {
    for (parent, child) in parent[..bins].iter_mut().zip(&child[..bins]) {
        *parent -= child;
    }
}
