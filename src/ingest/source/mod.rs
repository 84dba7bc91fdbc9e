//! Sources: what was named, as blocks of whole records with byte offsets in the unpacked stream.

mod blocks;
mod documents;
mod frames;
mod head;
mod resolve;
mod unpack;

pub(crate) use blocks::{About, BLOCK, Block, Blocks, Records, Spare, digests_at};
pub(crate) use documents::Documents;
pub(crate) use frames::Mark;
pub(crate) use head::{Head, csv_fields, delimiter_of, vpc_line};
pub(crate) use resolve::{Source, resolve};
pub(crate) use unpack::{Unpacked, open};
