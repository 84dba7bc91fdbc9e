//! Sources: what was named, as blocks of whole records with byte offsets in the unpacked stream.

mod blocks;
mod documents;
mod frames;
mod head;
mod objects;
mod paced;
pub(crate) mod pull;
mod resolve;
mod tail;
mod unpack;

pub(crate) use blocks::{About, BLOCK, Block, Blocks, FIRST_LINE, Records, Spare, digests_at};
pub(crate) use documents::Documents;
pub(crate) use frames::Mark;
pub(crate) use head::{Head, csv_fields, delimiter_of, vpc_line};
pub(crate) use paced::Paced;
pub(crate) use resolve::{Source, check, identity_of, identity_of_file, matching, resolve};
pub(crate) use tail::{FileId, Grip, Tail, earlier_names, file_id, head, was_cut};
pub(crate) use unpack::{Unpacked, is_packed, open, unpack, unpack_file};
