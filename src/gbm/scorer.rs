//! A model made ready for scoring.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::cells::Cells;
use super::row_sieve::RowSieve;
use super::sieve::{BLOCK_ROWS, Sieve};
use super::tree::Tree;

/// Fewer rows are scored one by one.
const FEW_ROWS: usize = 16;

/// What scoring reads instead of the trees.
#[derive(Debug)]
pub(super) struct Scorer {
    cells: Cells,
    sieve: Sieve,
    row_sieve: RowSieve,
    outputs: usize,
}

impl Scorer {
    pub(super) fn new(trees: &[Tree], width: usize, outputs: usize) -> Scorer {
        let cells = Cells::new(trees, width);
        let (sieve, row_sieve) = (Sieve::new(trees, &cells), RowSieve::new(trees, &cells));
        Scorer { cells, sieve, row_sieve, outputs }
    }

    /// The sums of the trees' answers: a row each, a column for each output.
    pub(super) fn score(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut scores = Array2::zeros((rows.nrows(), self.outputs));
        let slots = scores.as_slice_mut().expect("a new array is in row order");
        if rows.nrows() < FEW_ROWS {
            let each = rows.outer_iter().zip(slots.chunks_exact_mut(self.outputs));
            each.for_each(|(row, scores)| self.row_sieve.score(&self.cells.of_row(row), scores));
            return scores;
        }
        let blocks: Vec<_> = rows.axis_chunks_iter(Axis(0), BLOCK_ROWS).collect();
        let score = |(rows, scores): (&ArrayView2<'_, f64>, &mut [f64])| self.score_block(rows, scores);
        // A block is not worth waking another thread for.
        if blocks.len() > 1 {
            blocks.par_iter().zip(slots.par_chunks_mut(BLOCK_ROWS * self.outputs)).for_each(score);
        } else {
            blocks.iter().zip(slots.chunks_mut(BLOCK_ROWS * self.outputs)).for_each(score);
        }
        scores
    }

    fn score_block(&self, rows: &ArrayView2<'_, f64>, scores: &mut [f64]) {
        let count = rows.nrows();
        let cells = self.cells.of_rows(rows);
        let mut by_output = vec![0.0; count * self.outputs];
        self.sieve.score(&cells, count, self.outputs, &mut by_output);
        for (row, scores) in scores.chunks_exact_mut(self.outputs).enumerate() {
            for (output, score) in scores.iter_mut().enumerate() {
                *score = by_output[output * count + row];
            }
        }
    }
}
