//! Sources: what was named, as blocks of whole records with byte offsets in the unpacked stream.

mod blocks;
mod documents;
mod objects;
mod paced;
mod resolve;
mod unpack;

pub(crate) use blocks::{BLOCK, Block, Blocks, Records, Spare, digests_at};
pub(crate) use paced::Paced;
pub(crate) use resolve::{Source, check, resolve};
pub(crate) use unpack::{Unpacked, open};
