//! Sources: what was named, as blocks of whole records with byte offsets in the unpacked stream.

mod blocks;
mod documents;
mod objects;
mod paced;
pub(crate) mod pull;
mod resolve;
mod tail;
mod unpack;

pub(crate) use blocks::{BLOCK, Block, Blocks, FIRST_LINE, Records, Spare, digests_at};
pub(crate) use paced::Paced;
pub(crate) use resolve::{Source, check, identity_of, identity_of_file, matching, resolve};
pub(crate) use tail::{Grip, Mark, Tail, earlier_names, head, mark_of};
pub(crate) use unpack::{Unpacked, is_packed, open, unpack_file};
