//! What the tests compare sums with.

/// A whole number of 2^-1074 in two's complement, 2240 bits, added to naively: an oracle that shares no
/// idea with the digits above (no window, no pending carries, no signed digits).
pub(super) fn oracle(values: &[f64]) -> f64 {
    let mut words = [0_u64; 35];
    for value in values {
        let bits = value.abs().to_bits();
        let exponent = bits >> 52;
        let mantissa = if exponent == 0 { bits } else { bits & ((1 << 52) - 1) | 1 << 52 };
        let shift = exponent.saturating_sub(1) as usize;
        let mut term = [0_u64; 35];
        let wide = u128::from(mantissa) << (shift % 64);
        term[shift / 64] = wide as u64;
        term[shift / 64 + 1] = (wide >> 64) as u64;
        if *value < 0.0 {
            negate(&mut term);
        }
        add(&mut words, &term);
    }
    let negative = words[34] >> 63 == 1;
    if negative {
        negate(&mut words);
    }
    let rounded = decimal(&words);
    if negative { -rounded } else { rounded }
}

fn add(words: &mut [u64; 35], term: &[u64; 35]) {
    let mut carry = false;
    for (word, term) in words.iter_mut().zip(term) {
        let (sum, first) = word.overflowing_add(*term);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        *word = sum;
        carry = first || second;
    }
}

fn negate(words: &mut [u64; 35]) {
    words.iter_mut().for_each(|word| *word = !*word);
    let mut one = [0; 35];
    one[0] = 1;
    add(words, &one);
}

/// Rounds by writing the number out in decimal (hundreds of digits) and letting the standard library parse
/// it, which rounds correctly: n · 2^-1074 = n · 5^1074 · 10^-1074.
fn decimal(words: &[u64; 35]) -> f64 {
    let mut digits: Vec<u64> = words.iter().flat_map(|w| [w & 0xffff_ffff, w >> 32]).collect();
    for _ in 0..1074 {
        let mut carry = 0;
        for digit in &mut digits {
            let product = *digit * 5 + carry;
            *digit = product & 0xffff_ffff;
            carry = product >> 32;
        }
        digits.push(carry);
        while digits.last() == Some(&0) {
            digits.pop();
        }
    }
    let mut chunks = Vec::new();
    while !digits.is_empty() {
        let mut remainder = 0;
        for digit in digits.iter_mut().rev() {
            let part = remainder << 32 | *digit;
            *digit = part / 1_000_000_000;
            remainder = part % 1_000_000_000;
        }
        chunks.push(format!("{remainder:09}"));
        while digits.last() == Some(&0) {
            digits.pop();
        }
    }
    chunks.reverse();
    format!("{}e-1074", if chunks.is_empty() { "0".into() } else { chunks.concat() }).parse().unwrap()
}
