//! Bytes from outside as text that a terminal cannot be steered by.

use std::fmt::Write;

/// Characters of an example, at most.
const SHOWN: usize = 72;
/// Bytes looked at: more than any text of [`SHOWN`] characters has.
const LOOKED_AT: usize = 4 * SHOWN;

/// Characters that change how those after them are shown, or that show nothing: a text with them looks like another.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The beginning of a record: printable characters as they are, everything else as an escape.
pub(super) fn beginning(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut shown = 0;
    for chunk in bytes[..bytes.len().min(LOOKED_AT)].utf8_chunks() {
        for c in chunk.valid().chars() {
            if shown == SHOWN {
                return out + "...";
            }
            shown += 1;
            match c {
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if is_treacherous(c) => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            if shown == SHOWN {
                return out + "...";
            }
            shown += 1;
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    if bytes.len() > LOOKED_AT { out + "..." } else { out }
}

/// A text whole, with everything that is not printable as an escape.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_treacherous(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_comes_through() {
        assert_eq!(beginning(b"{\"a\":\"\xc3\xa9\"}"), "{\"a\":\"é\"}");
        assert_eq!(beginning(b"\x1b[2J\x07\x00\r\n\\"), "\\u{1b}[2J\\u{7}\\u{0}\\r\\n\\\\");
        assert_eq!(beginning(b"\xff\xfea"), "\\xff\\xfea");
        assert_eq!(beginning("a\u{202e}b\u{9b}c".as_bytes()), "a\\u{202e}b\\u{9b}c");
        assert_eq!(beginning(&[b'x'; 73]), "x".repeat(72) + "...");
        assert_eq!(beginning(&[b'x'; 72]), "x".repeat(72));
        assert_eq!(beginning(b""), "");
    }
}
