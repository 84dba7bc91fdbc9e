//! Templates: Markdown with names between `{{` and `}}`.

use std::collections::BTreeSet;

use super::Error;
use super::placeholders::{Values, is_known};

/// The template that is used when none is given.
pub const DEFAULT_TEMPLATE: &str = include_str!("GA_DAY_REPORT.md");

/// A template that holds known names only.
#[derive(Debug, Clone)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Name(String),
}

impl Template {
    /// Reads a template; the error lists everything that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut pieces = Vec::new();
        let mut problems = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let line = 1 + text[..text.len() - rest.len() + start].matches('\n').count();
            let inside = &rest[start + 2..];
            pieces.push(Piece::Text(rest[..start].to_owned()));
            let same_line = inside.split('\n').next().unwrap_or_default();
            let Some(end) = same_line.find("}}") else {
                problems.push(format!("line {line}: expected `}}}}` after `{{{{`, got the end of the line"));
                rest = inside;
                continue;
            };
            let name = inside[..end].trim();
            if is_known(name) {
                pieces.push(Piece::Name(name.to_owned()));
            } else {
                problems.push(format!("line {line}: expected a known placeholder, got {name:?}"));
            }
            rest = &inside[end + 2..];
        }
        pieces.push(Piece::Text(rest.to_owned()));
        if problems.is_empty() { Ok(Template { pieces }) } else { Err(Error::Template { problems }) }
    }

    /// The names in it.
    pub fn names(&self) -> BTreeSet<String> {
        let names = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.clone()),
            Piece::Text(_) => None,
        });
        names.collect()
    }

    /// The document, with a value in the place of every name. What a value holds is never read as a
    /// template again.
    pub fn fill(&self, values: &Values) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Name(name) => values.get(name.as_str()).map(|v| v.markdown()).unwrap_or_default(),
        };
        self.pieces.iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_in_a_template_is_listed_with_its_line() {
        let error =
            Template::parse("a {{TOTAL_REQUESTS}}\n{{ NO_SUCH }} {{open\n{{TOTAL REQUESTS}}").unwrap_err();
        let Error::Template { problems } = error else { panic!("{error}") };
        assert_eq!(
            problems,
            [
                "line 2: expected a known placeholder, got \"NO_SUCH\"",
                "line 2: expected `}}` after `{{`, got the end of the line",
                "line 3: expected a known placeholder, got \"TOTAL REQUESTS\"",
            ]
        );
    }

    #[test]
    fn the_default_template_shows_every_placeholder() {
        let names = Template::parse(DEFAULT_TEMPLATE).unwrap().names();
        let missing: Vec<_> = super::super::placeholders::described()
            .into_iter()
            .filter(|d| !names.contains(d.name))
            .map(|d| d.name)
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(names.len() > 150, "{}", names.len());
    }
}
