//! Charts as SVG: the same data gives the same bytes, on paper, on a light page and on a dark one.
//!
//! A value that is missing is a gap, never a zero. Colours are never the only difference: lines have
//! dashes of their own, cells their number, bars their label.

mod axis;
mod bars;
mod heat;
mod ink;
mod lines;
mod panels;
mod plot;
mod spans;
mod svg;

pub use ink::Scheme;
pub use lines::{Chart, Line};
pub(super) use plot::draw;
