//! From the registry to values: one query per group, whatever number of its values a template shows.

use std::collections::{BTreeMap, BTreeSet};

use super::registry::{Group, Listing, Quantity, Source};
use super::{calculated, canary, criteria, drift, kpi, validation, websocket};
use crate::certify::Error;
use crate::pipeline::Run;
use crate::report::{Reader, Value, escape_markdown};

/// The registry, by source.
pub(super) const NAMES_BY_SOURCE: &[(&[Group], &[Listing])] = &[
    (kpi::GROUPS, kpi::LISTINGS),
    (drift::GROUPS, drift::LISTINGS),
    (websocket::GROUPS, &[]),
    (validation::GROUPS, validation::LISTINGS),
    (canary::GROUPS, &[]),
    (criteria::GROUPS, criteria::LISTINGS),
    (calculated::GROUPS, calculated::LISTINGS),
];

/// A placeholder with what stands in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// Which part of the evidence it is from.
    pub source: Source,
    /// The value, where it is a single one, rounded once.
    pub value: Option<Value>,
    /// Its unit; `table` for rows.
    pub unit: &'static str,
    /// Plain text for people; Markdown for rows.
    pub text: String,
    /// The query that gave it.
    pub sql: String,
}

impl Filled {
    /// Whether there was no data for it.
    pub fn is_missing(&self) -> bool {
        self.value == Some(Value::Missing)
    }

    /// What stands in a Markdown template: text escaped, rows as a table.
    pub fn markdown(&self) -> String {
        if self.value.is_some() { escape_markdown(&self.text) } else { self.text.clone() }
    }
}

/// Values by name.
pub type Values = BTreeMap<&'static str, Filled>;

/// Fetches the values of all groups and rows that hold one of the wanted names.
pub(in crate::certify) async fn fill(run: &Run, wanted: &BTreeSet<String>) -> Result<Values, Error> {
    let reader = Reader::new(run.engine().context());
    let mut values = Values::new();
    for (groups, listings) in NAMES_BY_SOURCE {
        for group in groups.iter().filter(|g| g.scalars.iter().any(|s| wanted.contains(s.name))) {
            scalars(run, &reader, group, &mut values).await?;
        }
        for listing in listings.iter().filter(|l| wanted.contains(l.name)) {
            values.insert(listing.name, rows(run, &reader, listing).await?);
        }
    }
    values.retain(|name, _| wanted.contains(*name));
    Ok(values)
}

async fn scalars(run: &Run, reader: &Reader<'_>, group: &Group, values: &mut Values) -> Result<(), Error> {
    let rows = reader.rows(&run.params().bind(&group.query())?).await?;
    for scalar in group.scalars {
        let value = if rows.len() == 0 {
            Value::Missing
        } else {
            rows.value(0, scalar.name, scalar.quantity.unit())?
        };
        let (text, sql) = (scalar.quantity.show(&value), group.sql(scalar));
        let unit = scalar.quantity.as_str();
        values.insert(scalar.name, Filled { source: group.source, value: Some(value), unit, text, sql });
    }
    Ok(())
}

async fn rows(run: &Run, reader: &Reader<'_>, listing: &Listing) -> Result<Filled, Error> {
    let rows = reader.rows(&run.params().bind(listing.sql)?).await?;
    let mut text = String::new();
    if rows.len() == 0 {
        text.push_str(listing.empty);
    } else {
        line(&mut text, listing.columns.iter().map(|(_, heading, _)| (*heading).to_owned()));
        text.push('|');
        for (_, _, quantity) in listing.columns {
            let is_text = matches!(quantity, Quantity::Text | Quantity::Time);
            text.push_str(if is_text { ":---|" } else { "---:|" });
        }
        text.push('\n');
        for row in 0..rows.len() {
            let cells = listing.columns.iter().map(|(column, _, quantity)| {
                let value = rows.value(row, column, quantity.unit())?;
                // A name that is not there is none; a number that is not there was not measured.
                let is_none = value == Value::Missing && *quantity == Quantity::Text;
                Ok(if is_none { "–".to_owned() } else { escape_markdown(&quantity.show(&value)) })
            });
            line(&mut text, cells.collect::<Result<Vec<_>, Error>>()?.into_iter());
        }
        text.pop();
    }
    let sql = listing.sql.to_owned();
    Ok(Filled { source: listing.source, value: None, unit: "table", text, sql })
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    out.push_str("| ");
    out.push_str(&cells.collect::<Vec<_>>().join(" | "));
    out.push_str(" |\n");
}
