//! logfmt: `key=value` pairs in a line, as logrus' text form, Go kit and slog's TextHandler write them. Keys mean what
//! they mean in `ndjson`; a value in quotes has Go's escapes.

use std::borrow::Cow;

use crate::ingest::format::convert::Scalar;
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::names::ROOT;
use crate::ingest::output::{Origin, Place};
use crate::ingest::table::TableId;

/// Keys that such lines have at least one of, and that say what they are.
const TELL_TALE: [&str; 9] = ["ts", "time", "t", "timestamp", "level", "lvl", "msg", "caller", "severity"];

/// Whether a line is logfmt: pairs only, two at least, one of which loggers write.
pub(crate) fn is_logfmt(line: &str) -> bool {
    match pairs(line) {
        Ok(pairs) => {
            pairs.len() >= 2
                && pairs.iter().all(|(_, value)| value.is_some())
                && pairs.iter().any(|(key, _)| TELL_TALE.contains(key))
        }
        Err(_) => false,
    }
}

/// A key and its value; a key without `=` has none.
type Pair<'t> = (&'t str, Option<Cow<'t, str>>);

fn pairs(line: &str) -> Result<Vec<Pair<'_>>, String> {
    let (mut rest, mut found) = (line.trim(), Vec::new());
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', '\t']).unwrap_or(rest.len());
        let key = &rest[..end];
        let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '@' | ':');
        if key.is_empty() || !key.chars().all(is_key) {
            let shown: String = rest.chars().take(40).collect();
            return Err(format!("expected `key=value`, found `{shown}`"));
        }
        rest = &rest[end..];
        let value = match rest.strip_prefix('=') {
            None => None,
            Some(after) if after.starts_with('"') => {
                let length = quoted(after).ok_or_else(|| {
                    format!("expected a quote that closes the value of `{key}`, found none")
                })?;
                rest = &after[length..];
                Some(unescaped(&after[1..length - 1]))
            }
            Some(after) => {
                let end = after.find([' ', '\t']).unwrap_or(after.len());
                rest = &after[end..];
                Some(Cow::Borrowed(&after[..end]))
            }
        };
        found.push((key, value));
        rest = rest.trim_start_matches([' ', '\t']);
    }
    Ok(found)
}

/// The length of a text in quotes, both included.
fn quoted(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// A text without its escapes: those that JSON has too; what is none stays as it came.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    serde_json::from_str::<String>(&format!("\"{text}\"")).map_or(text.into(), Cow::Owned)
}

pub(super) fn record<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    line: &'v str,
) -> Result<(), String> {
    let pairs = pairs(line)?;
    if !pairs.iter().any(|(_, value)| value.is_some()) {
        return Err("expected `key=value` pairs, found none".to_owned());
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (key, value) in pairs {
            let name = names.child(ROOT, key);
            match value {
                Some(text) if !text.is_empty() => row.offer(names, name, Scalar::Text(text), 0),
                Some(_) => row.keep(name, Scalar::Text("".into())),
                // A key alone is a flag that is set.
                None => row.keep(name, Scalar::Bool(true)),
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Result<String, String> {
        let pairs = pairs(line)?;
        let one = |(key, value): Pair<'_>| format!("{key}:{}", value.as_deref().unwrap_or("<set>"));
        Ok(pairs.into_iter().map(one).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn pairs_are_taken_apart() {
        assert_eq!(
            shown(r#"ts=1 msg="a \"b\"\n c" empty= flag x.y=/a=b "#).unwrap(),
            "ts:1|msg:a \"b\"\n c|empty:|flag:<set>|x.y:/a=b"
        );
        assert_eq!(shown(r#"a="\q""#).unwrap(), r"a:\q");
        for wrong in ["a=\"open", "=1", "a b! c", "a=\"x\\\""] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_is_logfmt_if_it_is_nothing_else() {
        assert!(is_logfmt("ts=2024-04-16T15:10:44Z level=info msg=\"x y\""));
        for wrong in ["level=info", "a=1 b=2", "Pod level=info msg=x", "", "{\"level\":\"info\"}"] {
            assert!(!is_logfmt(wrong), "{wrong}");
        }
    }
}
