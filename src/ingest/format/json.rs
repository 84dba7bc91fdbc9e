//! A JSON parser made for telemetry lines: one pass into a flat tape that is reused from record to record.
//!
//! Two things decide against a ready-made one. A reject must keep the bytes as they were, so the parser may
//! not write into its input (simd-json does), and a number without a column must keep its spelling
//! (`1.10`, 64-bit identities), so numbers stay text until a column asks for one. Strings without escapes are
//! slices of the input; the others are unescaped into one side buffer.
//!
//! Strict RFC 8259, except that half of a surrogate pair becomes U+FFFD: loggers that cut long texts
//! produce it, and one broken emoji is no reason to lose a line.

use super::scan;

/// Deeper nesting than this is refused unless told otherwise; no telemetry needs it, and the stack stays small.
pub(crate) const MAX_DEPTH: usize = 128;

/// Why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Byte in the text.
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The text ends too early.
    Truncated,
    /// A byte that cannot stand there.
    Syntax,
    /// Nested deeper than the tape allows.
    Depth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    String,
    Object,
    Array,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// Whether the range lies in the side buffer.
    escaped: bool,
    start: u32,
    end: u32,
    /// The tape index after this value and all that is in it.
    next: u32,
}

/// The tape; parse with it as often as you like, it keeps its memory.
#[derive(Debug)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
    unescaped: String,
    max_depth: usize,
}

impl Default for Tape {
    fn default() -> Self {
        Tape::with_depth(MAX_DEPTH)
    }
}

/// One value on a tape.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    text: &'a str,
    tape: &'a Tape,
    at: u32,
}

impl Tape {
    /// A tape that refuses deeper nesting than this.
    pub(crate) fn with_depth(max_depth: usize) -> Tape {
        Tape { nodes: Vec::new(), unescaped: String::new(), max_depth }
    }

    /// Parses one JSON text; white space around it is allowed, anything else is not.
    pub(crate) fn parse<'a>(&'a mut self, text: &'a str) -> Result<Value<'a>, Fault> {
        self.nodes.clear();
        self.unescaped.clear();
        let mut parser = Parser { bytes: text.as_bytes(), text, at: 0, tape: self };
        if text.len() >= u32::MAX as usize {
            return Err(parser.fault(FaultKind::Syntax, "less than 4 GiB"));
        }
        parser.skip_space();
        parser.value(0)?;
        parser.skip_space();
        if parser.at < text.len() {
            return Err(parser.fault(FaultKind::Syntax, "the end of the record"));
        }
        Ok(Value { text, tape: self, at: 0 })
    }
}

struct Parser<'t, 'i> {
    bytes: &'i [u8],
    text: &'i str,
    at: usize,
    tape: &'t mut Tape,
}

impl Parser<'_, '_> {
    fn fault(&self, kind: FaultKind, expected: &'static str) -> Fault {
        Fault { kind, at: self.at, expected }
    }

    fn unexpected(&self, expected: &'static str) -> Fault {
        let kind = if self.at >= self.bytes.len() { FaultKind::Truncated } else { FaultKind::Syntax };
        self.fault(kind, expected)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn push(&mut self, kind: Kind, escaped: bool, start: usize, end: usize) {
        let next = self.tape.nodes.len() as u32 + 1;
        self.tape.nodes.push(Node { kind, escaped, start: start as u32, end: end as u32, next });
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'{') => self.container(depth, Kind::Object),
            Some(b'[') => self.container(depth, Kind::Array),
            Some(b't') => self.word("true", Kind::True),
            Some(b'f') => self.word("false", Kind::False),
            Some(b'n') => self.word("null", Kind::Null),
            _ => Err(self.unexpected("a JSON value")),
        }
    }

    fn word(&mut self, word: &'static str, kind: Kind) -> Result<(), Fault> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.push(kind, false, self.at, self.at + word.len());
            self.at += word.len();
            Ok(())
        } else if word.as_bytes().starts_with(rest) {
            Err(self.fault(FaultKind::Truncated, "true, false or null"))
        } else {
            Err(self.fault(FaultKind::Syntax, "true, false or null"))
        }
    }

    fn container(&mut self, depth: usize, kind: Kind) -> Result<(), Fault> {
        if depth >= self.tape.max_depth {
            return Err(self.fault(FaultKind::Depth, "no deeper nesting (see `max_nesting` in the settings)"));
        }
        let node = self.tape.nodes.len();
        self.push(kind, false, self.at, 0);
        let close = if kind == Kind::Object { b'}' } else { b']' };
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                if kind == Kind::Object {
                    if self.peek() != Some(b'"') {
                        return Err(self.unexpected("a key in double quotes"));
                    }
                    self.string()?;
                    self.skip_space();
                    if self.peek() != Some(b':') {
                        return Err(self.unexpected("`:` after a key"));
                    }
                    self.at += 1;
                    self.skip_space();
                }
                self.value(depth + 1)?;
                self.skip_space();
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                    }
                    Some(b) if b == close => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(self.unexpected("`,` or the closing bracket")),
                }
            }
        }
        let next = self.tape.nodes.len() as u32;
        let opened = &mut self.tape.nodes[node];
        opened.end = self.at as u32;
        opened.next = next;
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == from { Err(self.unexpected("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if let Some(b'0'..=b'9') = self.peek() {
                return Err(self.unexpected("no digit after a leading zero"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, false, start, self.at);
        Ok(())
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at + 1;
        self.at = start + scan::string_end(&self.bytes[start..]);
        match self.peek() {
            Some(b'"') => {
                self.push(Kind::String, false, start, self.at);
                self.at += 1;
                Ok(())
            }
            Some(b'\\') => self.escaped_string(start),
            Some(_) => Err(self.fault(FaultKind::Syntax, "control characters in a string as escapes")),
            None => Err(self.fault(FaultKind::Truncated, "the closing quote of a string")),
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<(), Fault> {
        let from = self.tape.unescaped.len();
        self.at = unescape(self.text, start, &mut self.tape.unescaped)?;
        self.push(Kind::String, true, from, self.tape.unescaped.len());
        Ok(())
    }
}

/// Appends the content of the string that starts there, behind its quote, and says where the text goes on behind the
/// closing one.
pub(crate) fn unescape(text: &str, start: usize, into: &mut String) -> Result<usize, Fault> {
    let mut escapes = Escapes { bytes: text.as_bytes(), at: start };
    let mut copied = start;
    loop {
        escapes.at += scan::string_end(&escapes.bytes[escapes.at..]);
        into.push_str(&text[copied..escapes.at]);
        match escapes.peek() {
            Some(b'"') => return Ok(escapes.at + 1),
            Some(b'\\') => {
                escapes.at += 1;
                into.push(escapes.character()?);
            }
            Some(_) => {
                let expected = "control characters in a string as escapes";
                return Err(Fault { kind: FaultKind::Syntax, at: escapes.at, expected });
            }
            None => {
                let expected = "the closing quote of a string";
                return Err(Fault { kind: FaultKind::Truncated, at: escapes.at, expected });
            }
        }
        copied = escapes.at;
    }
}

/// Reads escapes.
struct Escapes<'i> {
    bytes: &'i [u8],
    at: usize,
}

impl Escapes<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn fault(&self) -> Fault {
        let kind = if self.at >= self.bytes.len() { FaultKind::Truncated } else { FaultKind::Syntax };
        Fault { kind, at: self.at, expected: "a valid escape in a string" }
    }

    /// The character of an escape, from behind its backslash to behind its end.
    fn character(&mut self) -> Result<char, Fault> {
        let plain = match self.peek() {
            Some(b'n') => '\n',
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.fault()),
        };
        self.at += 1;
        Ok(plain)
    }

    fn hex4(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16)).ok_or_else(|| self.fault())?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// The character of a `\u` escape; stands after the `u` before, and after the last digit afterwards.
    fn unicode(&mut self) -> Result<char, Fault> {
        let high = self.hex4()?;
        if !(0xD800..0xDC00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }
}

impl<'a> Value<'a> {
    #[inline]
    fn node(&self) -> Node {
        self.tape.nodes[self.at as usize]
    }

    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.node().kind
    }

    /// The source text of a number, an array or an object; of a string its content.
    #[inline]
    pub(crate) fn raw(&self) -> &'a str {
        let node = self.node();
        let from: &'a str = if node.escaped { &self.tape.unescaped } else { self.text };
        &from[node.start as usize..node.end as usize]
    }

    /// The byte of the text where a value that is no string starts; 0 for a string with escapes.
    pub(crate) fn start(&self) -> usize {
        let node = self.node();
        if node.escaped { 0 } else { node.start as usize }
    }

    /// The content, if it is a string.
    #[inline]
    pub(crate) fn as_str(&self) -> Option<&'a str> {
        (self.kind() == Kind::String).then(|| self.raw())
    }

    /// The value of a key, the last one when it stands twice; `None` also for what is not an object.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        self.entries().filter(|(k, _)| *k == key).last().map(|(_, v)| v)
    }

    /// The content of a key, if it is a string.
    pub(crate) fn get_str(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(|v| v.as_str())
    }

    /// Keys and values, in the order of the text; nothing for what is not an object.
    #[inline]
    pub(crate) fn entries(&self) -> Entries<'a> {
        let node = self.node();
        let end = if node.kind == Kind::Object { node.next } else { self.at };
        Entries { text: self.text, tape: self.tape, at: (self.at + 1).min(end), end }
    }

    /// The elements of an array; nothing for what is not one.
    #[inline]
    pub(crate) fn items(&self) -> Items<'a> {
        let node = self.node();
        let end = if node.kind == Kind::Array { node.next } else { self.at };
        Items { text: self.text, tape: self.tape, at: (self.at + 1).min(end), end }
    }
}

pub(crate) struct Entries<'a> {
    text: &'a str,
    tape: &'a Tape,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let key = Value { text: self.text, tape: self.tape, at: self.at };
        let value = Value { at: self.at + 1, ..key };
        self.at = value.node().next;
        Some((key.raw(), value))
    }
}

pub(crate) struct Items<'a> {
    text: &'a str,
    tape: &'a Tape,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { text: self.text, tape: self.tape, at: self.at };
        self.at = value.node().next;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same document as serde_json builds it, as the independent reading.
    fn rebuild(value: Value<'_>) -> serde_json::Value {
        match value.kind() {
            Kind::Null => serde_json::Value::Null,
            Kind::True => true.into(),
            Kind::False => false.into(),
            Kind::Number => serde_json::from_str(value.raw()).unwrap(),
            Kind::String => value.raw().into(),
            Kind::Array => value.items().map(rebuild).collect(),
            Kind::Object => {
                serde_json::Value::Object(value.entries().map(|(k, v)| (k.to_owned(), rebuild(v))).collect())
            }
        }
    }

    fn fault(text: &str) -> FaultKind {
        let mut tape = Tape::default();
        match tape.parse(text) {
            Ok(_) => panic!("{text} was accepted"),
            Err(fault) => fault.kind,
        }
    }

    #[test]
    fn values_keep_their_spelling_and_strings_lose_their_escapes() {
        let mut tape = Tape::default();
        let text = r#" {"a":1.10,"b":["x",{"c":null}],"d":"t\tb\u00e9\ud83d\ude00\ud83d!","e":{}} "#;
        let doc = tape.parse(text).unwrap();
        assert_eq!(doc.get("a").unwrap().raw(), "1.10");
        assert_eq!(doc.get("b").unwrap().raw(), r#"["x",{"c":null}]"#);
        assert_eq!(doc.get_str("d"), Some("t\tbé😀\u{FFFD}!"));
        assert_eq!(doc.get("e").unwrap().entries().count(), 0);
        assert_eq!(doc.items().count(), 0);
        assert_eq!(doc.get("a").unwrap().entries().count(), 0);
    }

    #[test]
    fn faults_tell_truncation_from_wrong_syntax_and_depth() {
        for text in ["", "{", r#"{"a"#, r#"{"a":"#, r#"{"a":tr"#, "[1,", r#""\u12"#, "-", "1."] {
            assert_eq!(fault(text), FaultKind::Truncated, "{text}");
        }
        for text in
            ["x", "{]", "{'a':1}", "01", "+1", "[1 2]", "NaN", "{\"a\":1}}", "\"\t\"", r#""\x""#, "nul1"]
        {
            assert_eq!(fault(text), FaultKind::Syntax, "{text}");
        }
        assert_eq!(fault(&"[".repeat(100_000)), FaultKind::Depth);
        let mut tape = Tape::default();
        assert!(tape.parse(&format!("{}{}", "[".repeat(128), "]".repeat(128))).is_ok());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(|f| serde_json::Number::from_f64(f).map_or(0.into(), Into::into)),
            "\\PC{0,12}".prop_map(Into::into),
            "[\\x00-\\x7f]{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map("\\PC{0,6}", inner, 0..6)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_serde_on_every_document(doc in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&doc) } else { serde_json::to_string(&doc) }.unwrap();
            let mut tape = Tape::default();
            prop_assert_eq!(rebuild(tape.parse(&text).unwrap()), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        }

        #[test]
        fn agrees_with_serde_on_what_is_json(text in "[\\[\\]{}\":,\\\\ 0-2eE.truefalsn+-]{0,14}") {
            let mut tape = Tape::default();
            let ours = tape.parse(&text).is_ok();
            // serde refuses numbers beyond the range of a double, which are JSON all the same.
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(_) => prop_assert!(ours, "{}", text),
                Err(e) => prop_assert!(!ours || e.to_string().contains("out of range"), "{}: {}", text, e),
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = Tape::default().parse(&text);
        }
    }
}
