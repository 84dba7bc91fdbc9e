//! Text with emphasis, code, links, escapes and entities to runs.

use crate::report::pdf::document::Run;

/// A piece of a line before it is known which marks belong together.
enum Token {
    Text(String),
    Code(String),
    Break,
    /// Marks of emphasis in a row; what is left of them after pairing is text.
    Marks {
        mark: char,
        left: usize,
        opens: bool,
        closes: bool,
    },
}

/// The runs of a text without line breaks.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut tokens = tokens(text, 0);
    let (strong, emphasis) = pair(&mut tokens);
    let (mut strong_depth, mut emphasis_depth) = (0, 0);
    let mut runs: Vec<Run> = Vec::new();
    for (i, token) in tokens.into_iter().enumerate() {
        strong_depth += strong[i];
        emphasis_depth += emphasis[i];
        let (text, code, ends_line) = match token {
            Token::Text(text) => (text, false, false),
            Token::Code(text) => (text, true, false),
            Token::Break => (String::new(), false, true),
            Token::Marks { mark, left, .. } => (mark.to_string().repeat(left), false, false),
        };
        if text.is_empty() && !ends_line {
            continue;
        }
        let run = Run { text, strong: strong_depth > 0, emphasis: emphasis_depth > 0, code, ends_line };
        match runs.last_mut() {
            Some(last)
                if (last.strong, last.emphasis, last.code, last.ends_line)
                    == (run.strong, run.emphasis, run.code, run.ends_line)
                    && !run.ends_line =>
            {
                last.text.push_str(&run.text);
            }
            _ => runs.push(run),
        }
    }
    runs
}

/// Bytes within which code, a link or a tag must end, so that a long text is not searched for every mark.
const NEAR: usize = 4096;
/// Links in links are none, so one level is enough.
const LINK_DEPTH: usize = 1;

fn tokens(text: &str, depth: usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let near = &rest[..rest.floor_char_boundary(NEAR)];
        let mut taken = c.len_utf8();
        let mut found = Vec::new();
        match c {
            '\\' if rest[1..].starts_with(|c: char| c.is_ascii_punctuation()) => {
                plain.push_str(&rest[1..2]);
                taken = 2;
            }
            '`' => match code(near) {
                Some((code, length)) => {
                    found.push(Token::Code(code));
                    taken = length;
                }
                None => {
                    taken = rest.chars().take_while(|c| *c == '`').count();
                    plain.push_str(&rest[..taken]);
                }
            },
            '&' => match entity(rest) {
                Some((c, length)) => {
                    plain.push(c);
                    taken = length;
                }
                None => plain.push('&'),
            },
            '<' => match tag(near) {
                Some((None, length)) => {
                    found.push(Token::Break);
                    taken = length;
                }
                Some((Some(address), length)) => {
                    plain.push_str(address);
                    taken = length;
                }
                None => plain.push('<'),
            },
            '[' | '!' if depth < LINK_DEPTH => match link(near) {
                Some((inner, address, length)) => {
                    found = tokens_of_link(inner, address, c == '!', depth);
                    taken = length;
                }
                None => plain.push(c),
            },
            '*' | '_' => {
                let length = rest.chars().take_while(|n| *n == c).count();
                taken = length;
                found.push(marks(c, length, text[..at].chars().next_back(), rest[length..].chars().next()));
            }
            c => plain.push(c),
        }
        if !found.is_empty() {
            if !plain.is_empty() {
                tokens.push(Token::Text(std::mem::take(&mut plain)));
            }
            tokens.extend(found);
        }
        at += taken;
    }
    if !plain.is_empty() {
        tokens.push(Token::Text(plain));
    }
    tokens
}

/// The text of a link, and its address where that says more; of a picture only what it shows.
fn tokens_of_link(inner: &str, address: &str, is_picture: bool, depth: usize) -> Vec<Token> {
    let mut found = tokens(inner, depth + 1);
    if !is_picture && !address.is_empty() && !address.starts_with('#') && address != inner {
        found.push(Token::Text(format!(" ({address})")));
    }
    found
}

/// A code span: as many backticks at the end as at the start.
fn code(text: &str) -> Option<(String, usize)> {
    let fence = text.chars().take_while(|c| *c == '`').count();
    let mut at = fence;
    while let Some(start) = text[at..].find('`') {
        let from = at + start;
        let length = text[from..].chars().take_while(|c| *c == '`').count();
        if length == fence {
            let inner = &text[fence..from];
            let is_padded =
                inner.len() > 1 && inner.starts_with(' ') && inner.ends_with(' ') && !inner.trim().is_empty();
            let inner = if is_padded { &inner[1..inner.len() - 1] } else { inner };
            return Some((inner.to_owned(), from + length));
        }
        at = from + length;
    }
    None
}

/// The character that an entity stands for.
fn entity(text: &str) -> Option<(char, usize)> {
    /// No entity that is known here is longer.
    const LONGEST: usize = 10;
    let end = text.bytes().take(LONGEST).position(|b| b == b';')?;
    let name = &text[1..end];
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "mdash" => '—',
        "ndash" => '–',
        "hellip" => '…',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    };
    Some((c, end + 1))
}

/// A line break (`None`) or an address in angle brackets. All other HTML is text.
fn tag(text: &str) -> Option<(Option<&str>, usize)> {
    let end = text.find('>')?;
    let inner = &text[1..end];
    if inner.trim_end_matches(['/', ' ']).eq_ignore_ascii_case("br") {
        return Some((None, end + 1));
    }
    let is_address = ["https://", "http://", "mailto:"].iter().any(|scheme| inner.starts_with(scheme));
    (is_address && !inner.contains(char::is_whitespace)).then_some((Some(inner), end + 1))
}

/// `[text](address)` or `![text](address)`: text, address, length.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let start = if text.starts_with('!') { 2 } else { 1 };
    text[start - 1..].strip_prefix('[')?;
    let mut depth = 1;
    let mut escaped = false;
    let end = start
        + text[start..].find(|c| {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
    let rest = text[end + 1..].strip_prefix('(')?;
    let close = rest.find(')')?;
    let target = rest[..close].trim();
    // A title may stand behind the address.
    let address = target.split_whitespace().next().unwrap_or_default();
    Some((&text[start..end], address.trim_start_matches('<').trim_end_matches('>'), end + 2 + close + 1))
}

fn marks(mark: char, length: usize, before: Option<char>, after: Option<char>) -> Token {
    let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let is_sign = |c: Option<char>| c.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace());
    // The flanking rules of CommonMark.
    let left = !is_space(after) && (!is_sign(after) || is_space(before) || is_sign(before));
    let right = !is_space(before) && (!is_sign(before) || is_space(after) || is_sign(after));
    // Inside a word an underscore is a letter.
    let (opens, closes) = match mark {
        '_' => (left && (!right || is_sign(before)), right && (!left || is_sign(after))),
        _ => (left, right),
    };
    Token::Marks { mark, left: length, opens, closes }
}

/// Which tokens start (+1) and end (−1) to be strong, and emphasised. Marks that pair are used up.
fn pair(tokens: &mut [Token]) -> (Vec<i32>, Vec<i32>) {
    let mut strong = vec![0; tokens.len() + 1];
    let mut emphasis = vec![0; tokens.len() + 1];
    let mut openers: Vec<usize> = Vec::new();
    // Below these places of `openers` no mark of the kind is open, so that a long text is not searched again.
    let mut bottoms = [('*', 0), ('_', 0)];
    for at in 0..tokens.len() {
        let Token::Marks { mark, left: mut remaining, opens, closes } = tokens[at] else { continue };
        let bottom = bottoms.iter().position(|(m, _)| *m == mark).unwrap_or_default();
        while closes && remaining > 0 {
            let floor = bottoms[bottom].1.min(openers.len());
            let is_mate = |o: &usize| matches!(tokens[*o], Token::Marks { mark: m, .. } if m == mark);
            let Some(place) = openers[floor..].iter().rposition(is_mate).map(|p| p + floor) else {
                bottoms[bottom].1 = openers.len();
                break;
            };
            let opener = openers[place];
            let Token::Marks { left, .. } = &mut tokens[opener] else { break };
            let used = if *left >= 2 && remaining >= 2 { 2 } else { 1 };
            *left -= used;
            let is_used_up = *left == 0;
            remaining -= used;
            let depths = if used == 2 { &mut strong } else { &mut emphasis };
            depths[opener + 1] += 1;
            depths[at] -= 1;
            openers.truncate(if is_used_up { place } else { place + 1 });
            for (_, b) in &mut bottoms {
                *b = (*b).min(openers.len());
            }
        }
        if let Token::Marks { left, .. } = &mut tokens[at] {
            *left = remaining;
        }
        if opens && remaining > 0 {
            openers.push(at);
        }
    }
    strong.truncate(tokens.len());
    emphasis.truncate(tokens.len());
    (strong, emphasis)
}
