//! Sources: what was named, as blocks of whole records with byte offsets in the unpacked stream.

mod blocks;
mod documents;
mod resolve;
mod unpack;

pub(crate) use blocks::{BLOCK, Block, Blocks, Records, Spare, digests_at};
pub(crate) use resolve::{Source, resolve};
pub(crate) use unpack::{Unpacked, open};
