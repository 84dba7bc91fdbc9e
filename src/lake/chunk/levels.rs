//! Small integers as Parquet packs them: runs of one value, and runs packed bit by bit
//! (<https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>).

/// An unsigned number, seven bits a byte, the lowest first.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bits that numbers up to `greatest` need.
pub(super) fn width(greatest: u32) -> u32 {
    u32::BITS - greatest.leading_zeros()
}

/// One value, `count` times.
pub(super) fn repeated(out: &mut Vec<u8>, count: usize, value: u32, width: u32) {
    varint(out, (count as u64) << 1);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// The head of a run of `count` packed values: it counts groups of eight.
fn packed_head(out: &mut Vec<u8>, count: usize) {
    varint(out, (count.div_ceil(8) as u64) << 1 | 1);
}

/// Values side by side, `width` bits each, at most 32; the last group is filled up with zeros.
pub(super) fn packed(out: &mut Vec<u8>, count: usize, values: impl Iterator<Item = u32>, width: u32) {
    packed_head(out, count);
    let end = out.len() + count.div_ceil(8) * width as usize;
    let (mut held, mut bits) = (0u64, 0);
    for value in values {
        held |= u64::from(value) << bits;
        bits += width;
        if bits >= u32::BITS {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            held >>= u32::BITS;
            bits -= u32::BITS;
        }
    }
    while bits > 0 {
        out.push(held as u8);
        held >>= 8;
        bits = bits.saturating_sub(8);
    }
    out.resize(end, 0);
}

/// Which rows have a value, for a column that may lack it: bits, the lowest first, behind their length in bytes.
pub(super) fn validity(out: &mut Vec<u8>, rows: usize, nulls: usize, bits: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    if nulls == 0 || nulls == rows {
        repeated(out, rows, u32::from(nulls == 0), 1);
    } else {
        packed_head(out, rows);
        out.extend_from_slice(&bits[..rows.div_ceil(8)]);
    }
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_packed_as_the_specification_shows() {
        // Its example: the numbers 0 to 7 in three bits are 10001000 11000110 11111010.
        let mut out = Vec::new();
        packed(&mut out, 8, 0..8, 3);
        assert_eq!(out, [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
    }

    #[test]
    fn any_width_and_count_unpack_to_what_was_packed() {
        for width in 1..=32u32 {
            for count in [1usize, 7, 8, 9, 63, 64, 65] {
                let mask = (u64::from(u32::MAX) >> (32 - width)) as u32;
                let values: Vec<u32> =
                    (0..count as u32).map(|i| i.wrapping_mul(2_654_435_761) & mask).collect();
                let mut out = Vec::new();
                packed(&mut out, count, values.iter().copied(), width);
                assert_eq!(out.len(), 1 + count.div_ceil(8) * width as usize, "{width} {count}");
                let bit = |at: usize| u32::from(out[1 + at / 8] >> (at % 8) & 1);
                for (i, value) in values.iter().enumerate() {
                    let w = width as usize;
                    let got = (0..w).fold(0, |got, b| got | bit(i * w + b) << b);
                    assert_eq!(got, *value, "{width} {count} {i}");
                }
            }
        }
    }

    #[test]
    fn widths_hold_their_numbers() {
        assert_eq!([0, 1, 2, 3, 255, 256].map(width), [0, 1, 2, 2, 8, 9]);
    }
}
