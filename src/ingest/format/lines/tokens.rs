//! Fields separated by spaces, of which some stand in quotes or brackets.

/// One field, without its quotes or brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Bare(&'t str),
    Quoted(&'t str),
    Bracketed(&'t str),
}

impl<'t> Token<'t> {
    pub(super) fn text(self) -> &'t str {
        match self {
            Token::Bare(t) | Token::Quoted(t) | Token::Bracketed(t) => t,
        }
    }

    /// Its text, unless it says that there is none.
    pub(super) fn value(self) -> Option<&'t str> {
        Some(self.text()).filter(|t| !matches!(*t, "-" | ""))
    }
}

/// Splits a line. A quote inside quotes is written `\"`; what is open at the end of the line is an error.
pub(super) fn split(line: &str) -> Result<Vec<Token<'_>>, String> {
    let bytes = line.as_bytes();
    let (mut at, mut tokens) = (0, Vec::new());
    while at < bytes.len() {
        match bytes[at] {
            b' ' | b'\t' => at += 1,
            b'"' => {
                let start = at + 1;
                let mut end = start;
                while bytes.get(end).is_some_and(|b| *b != b'"') {
                    end += if bytes[end] == b'\\' { 2 } else { 1 };
                }
                if end >= bytes.len() {
                    return Err(format!("expected a quote that closes the one at byte {at}, found none"));
                }
                tokens.push(Token::Quoted(&line[start..end]));
                at = end + 1;
            }
            b'[' => {
                let start = at + 1;
                let length = line[start..].find(']').ok_or_else(|| {
                    format!("expected a bracket that closes the one at byte {at}, found none")
                })?;
                tokens.push(Token::Bracketed(&line[start..start + length]));
                at = start + length + 1;
            }
            _ => {
                let length = line[at..].find([' ', '\t']).unwrap_or(line.len() - at);
                tokens.push(Token::Bare(&line[at..at + length]));
                at += length;
            }
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_brackets_hold_spaces() {
        let found = split(r#"a [b c] "d \" e" - "" é"#).unwrap();
        let texts: Vec<_> = found.iter().map(|t| t.text()).collect();
        assert_eq!(texts, ["a", "b c", "d \\\" e", "-", "", "é"]);
        assert_eq!((found[3].value(), found[4].value(), found[0].value()), (None, None, Some("a")));
        assert!(split("a \"b").unwrap_err().contains("byte 2"));
        assert!(split("\"b\\").is_err());
        assert!(split("[b").is_err());
    }
}
