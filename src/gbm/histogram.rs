//! Histograms: the derivatives of a leaf's rows, added up for each bin of each feature.

/// Sums of packed derivatives for each bin of one feature.
pub(super) type Bins = [i64; 256];

/// Adds the derivatives of rows that lie together to the histograms of all features. A row's bins take `words` words,
/// and `per_word` of them stand in each.
pub(super) fn add_rows(
    histograms: &mut [Bins],
    per_word: usize,
    words: usize,
    bins: &[u64],
    derivatives: &[i64],
) {
    for (word, group) in histograms.chunks_mut(per_word).enumerate() {
        match group.len() {
            1 => add_group::<1>(group, word, words, bins, derivatives),
            2 => add_group::<2>(group, word, words, bins, derivatives),
            3 => add_group::<3>(group, word, words, bins, derivatives),
            4 => add_group::<4>(group, word, words, bins, derivatives),
            5 => add_group::<5>(group, word, words, bins, derivatives),
            6 => add_group::<6>(group, word, words, bins, derivatives),
            7 => add_group::<7>(group, word, words, bins, derivatives),
            _ => add_group::<8>(group, word, words, bins, derivatives),
        }
    }
}

/// The features of one word: their number is known to the compiler, and their histograms fit into the cache nearest to
/// the processor.
fn add_group<const FEATURES: usize>(
    histograms: &mut [Bins],
    word: usize,
    words: usize,
    bins: &[u64],
    derivatives: &[i64],
) {
    let Some((histograms, _)) = histograms.split_first_chunk_mut::<FEATURES>() else { return };
    for (bins, derivatives) in bins.chunks_exact(words).zip(derivatives) {
        let bins = bins[word].to_le_bytes();
        for feature in 0..FEATURES {
            histograms[feature][bins[feature] as usize] += derivatives;
        }
    }
}

/// Adds the histograms of some other rows of the same leaf.
pub(super) fn merge(histograms: &mut [Bins], others: &[Bins]) {
    for (all, other) in histograms.as_flattened_mut().iter_mut().zip(others.as_flattened()) {
        *all += other;
    }
}

/// The histograms of the other child: the parent's without this child's.
pub(super) fn subtract(parent: &mut Bins, child: &Bins, bins: usize) {
    for (parent, child) in parent[..bins].iter_mut().zip(&child[..bins]) {
        *parent -= child;
    }
}
