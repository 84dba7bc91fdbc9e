//! A split-block bloom filter (<https://parquet.apache.org/docs/file-format/bloomfilter/>), as the library reads it.

use ::parquet::bloom_filter::Sbbf;
use ::parquet::errors::Result;
use twox_hash::XxHash64;

/// Odd numbers of the specification: each picks a bit of its word.
const SALT: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// A filter that is being filled.
pub(super) struct Bloom {
    blocks: Vec<[u32; 8]>,
}

impl Bloom {
    /// A filter for so many values, which lets a share of other values through wrongly.
    pub(super) fn new(values: usize, share: f64) -> Result<Bloom> {
        let empty = Sbbf::new_with_ndv_fpp(values as u64, share)?;
        Ok(Bloom { blocks: vec![[0; 8]; empty.num_blocks()] })
    }

    #[inline]
    pub(super) fn insert(&mut self, value: &[u8]) {
        let hash = XxHash64::oneshot(0, value);
        let at = (((hash >> 32) * self.blocks.len() as u64) >> 32) as usize;
        for (word, salt) in self.blocks[at].iter_mut().zip(SALT) {
            *word |= 1 << ((hash as u32).wrapping_mul(salt) >> 27);
        }
    }

    pub(super) fn finish(self) -> Sbbf {
        let bytes: Vec<u8> = self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
        Sbbf::new(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_finds_what_was_inserted_and_little_else() {
        let mut bloom = Bloom::new(1000, 0.01).unwrap();
        let name = |i: usize| format!("trace-{i}");
        (0..1000).for_each(|i| bloom.insert(name(i).as_bytes()));
        let read = bloom.finish();
        assert!((0..1000).all(|i| read.check(name(i).as_str())));
        let wrong = (1000..11_000).filter(|i| read.check(name(*i).as_str())).count();
        assert!(wrong < 200, "{wrong} of 10000 at 1 %");
    }

    #[test]
    fn the_filter_is_the_one_that_the_library_builds() {
        let mut own = Bloom::new(100, 0.01).unwrap();
        let mut theirs = Sbbf::new_with_ndv_fpp(100, 0.01).unwrap();
        for i in 0..100u32 {
            let value = format!("{i:08x}");
            own.insert(value.as_bytes());
            theirs.insert(value.as_str());
        }
        let bytes = |filter: &Sbbf| {
            let mut bytes = Vec::new();
            filter.write(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(bytes(&own.finish()), bytes(&theirs));
    }
}
