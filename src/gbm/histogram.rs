//! Histograms: the derivatives of a leaf's rows, added up for each bin of each feature.

use super::binning::Binned;

/// Sums of packed derivatives for each bin of one feature.
pub(super) type Bins = [i64; 256];

/// Adds the derivatives of some rows to the histograms of the features from `first` on.
pub(super) fn add_rows(histograms: &mut [Bins], binned: &Binned, first: usize, rows: &[u32], packed: &[i64]) {
    let (width, take) = (binned.width(), histograms.len());
    for &row in rows {
        let derivatives = packed[row as usize];
        let start = row as usize * width + first;
        let bins = &binned.rows[start..start + take];
        for (histogram, bin) in histograms.iter_mut().zip(bins) {
            histogram[*bin as usize] += derivatives;
        }
    }
}

/// The histograms of the other child: the parent's without this child's.
pub(super) fn subtract(parent: &mut Bins, child: &Bins, bins: usize) {
    for (parent, child) in parent[..bins].iter_mut().zip(&child[..bins]) {
        *parent -= child;
    }
}
