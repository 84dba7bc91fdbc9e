//! Reading a lake as it was: each table at a version of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::open::Lake;
use super::{Error, Result};
use crate::contract;
use crate::domain::parse_timestamp;

/// What a view of the past reads.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Versions of tables; `None` for one that was not there. A table that is not in it is read at its newest version.
    pub(super) versions: BTreeMap<String, Option<u64>>,
    /// The tables whose version was named, rather than following from an instant.
    pub(super) named: BTreeSet<String>,
}

/// A point in a lake's past, as a user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsOf {
    /// A version of one table.
    Table(String, u64),
    /// A version of the only table that the lake holds.
    Version(u64),
    /// Every table as it stood at an instant (UTC microseconds).
    Time(i64),
    /// The versions of a pin.
    Pin(String),
    /// These versions by table, and nothing of any other table.
    Only(BTreeMap<String, u64>),
}

impl std::str::FromStr for AsOf {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::AsOf { got: text.to_owned() };
        if let Some((table, version)) = text.split_once('=') {
            let table = contract::table(table.trim())?;
            return Ok(AsOf::Table(table.name.clone(), version.trim().parse().map_err(|_| wrong())?));
        }
        if let Ok(version) = text.trim().parse() {
            return Ok(AsOf::Version(version));
        }
        match parse_timestamp(text) {
            Some(instant) => Ok(AsOf::Time(instant)),
            None if text.trim().is_empty() => Err(wrong()),
            None => Ok(AsOf::Pin(text.trim().to_owned())),
        }
    }
}

impl Lake {
    /// The lake as it was: a view that reads those versions and refuses to write. Later points override earlier ones.
    pub async fn as_of(&self, points: &[AsOf]) -> Result<Lake> {
        let mut past = Past::default();
        for point in points {
            let fixed = &mut past.versions;
            match point {
                AsOf::Table(table, version) => {
                    fixed.insert(table.clone(), Some(*version));
                    past.named.insert(table.clone());
                }
                AsOf::Version(version) => match self.tables().await?.as_slice() {
                    [table] => {
                        fixed.insert((*table).to_owned(), Some(*version));
                    }
                    tables => {
                        let tables = tables.join(", ");
                        return Err(Error::AsOfWhich { version: *version, tables });
                    }
                },
                AsOf::Time(instant) => {
                    for table in contract::tables() {
                        let version = self.version_at(&table.name, *instant).await?;
                        fixed.insert(table.name.clone(), version);
                    }
                }
                AsOf::Pin(name) => {
                    let pins = self.pins().await?;
                    let pin = pins.into_iter().find(|p| p.name == *name);
                    let pin = pin.ok_or_else(|| Error::AsOf { got: name.clone() })?;
                    only(&mut past, pin.versions);
                }
                AsOf::Only(versions) => only(&mut past, versions.clone()),
            }
        }
        for (table, version) in &past.versions {
            if let Some(version) = version
                && self.snapshot_at(table, *version).await?.is_none()
            {
                return Err(Error::NoTable { table: table.clone() });
            }
        }
        Ok(self.in_past(past))
    }
}

/// Fixes these versions; what they do not name was not part of what they stand for.
fn only(past: &mut Past, versions: BTreeMap<String, u64>) {
    past.versions.extend(contract::tables().iter().map(|t| (t.name.clone(), None)));
    past.named.extend(contract::tables().iter().map(|t| t.name.clone()));
    past.versions.extend(versions.into_iter().map(|(table, version)| (table, Some(version))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_a_version_a_time_or_a_pin() {
        let check = |text: &str, expected: AsOf| assert_eq!(text.parse::<AsOf>().unwrap(), expected);
        check("logs=12", AsOf::Table("logs".into(), 12));
        check("12", AsOf::Version(12));
        // date -u -d 2025-01-15T13:00:00Z +%s => 1736946000
        check("2025-01-15T13:00:00Z", AsOf::Time(1_736_946_000_000_000));
        check("ga-2025", AsOf::Pin("ga-2025".into()));
        for text in ["", "logs=new", "lgos=3"] {
            assert!(text.parse::<AsOf>().is_err(), "{text}");
        }
    }
}
