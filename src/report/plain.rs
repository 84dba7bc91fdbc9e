//! Text from telemetry made visible: what would steer a terminal, reorder a line or hide in it is spelled out.

/// The text with control characters and invisible ones written as `\u{202e}`. Line breaks and tabs become
/// a blank, so that a text stays on its line.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if breaks_line(c) => {
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            c if is_hidden(c) => spell(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// A character by its number.
pub(super) fn spell(out: &mut String, c: char) {
    out.extend(c.escape_unicode());
}

/// Whether a character starts a new line, or moves to the next tabulator.
pub(super) fn breaks_line(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character does something instead of showing something.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Characters that reorder or hide the text around them: bidirectional controls, zero-width characters,
/// byte order mark, tags; and those that no text may hold. (Unicode Technical Report 36, section 2.)
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_steers_is_spelled_out() {
        assert_eq!(visible("plain — ü 日本"), "plain — ü 日本");
        assert_eq!(visible("a\r\n\tb"), "a b");
        assert_eq!(visible("nul\0esc\x1b[2J"), "nul\\u{0}esc\\u{1b}[2J");
        assert_eq!(visible("\u{202e}live\u{200b}"), "\\u{202e}live\\u{200b}");
    }
}
