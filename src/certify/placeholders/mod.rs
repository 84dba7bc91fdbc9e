//! What can stand in a template between `{{` and `}}`: one registry, from which `tars certify` fills the
//! report and `--list-placeholders` tells name, source, SQL and unit.

mod calculated;
mod canary;
mod criteria;
mod drift;
mod fill;
mod kpi;
mod registry;
mod validation;
mod websocket;

pub(super) use fill::fill;
pub use fill::{Filled, Values};
use registry::Quantity;
pub use registry::{Described, Source};

pub(super) use calculated::{RUN_TABLE, TABLES_TABLE};

use fill::NAMES_BY_SOURCE;

/// Every placeholder, by source and then in the order of the registry.
pub fn described() -> Vec<Described> {
    let mut all = Vec::new();
    for (groups, listings) in NAMES_BY_SOURCE {
        for group in *groups {
            all.extend(group.scalars.iter().map(|s| Described {
                name: s.name,
                source: group.source,
                sql: group.sql(s),
                unit: s.quantity.as_str(),
                meaning: s.meaning,
            }));
        }
        all.extend(listings.iter().map(|l| Described {
            name: l.name,
            source: l.source,
            sql: l.sql.to_owned(),
            unit: "table",
            meaning: l.meaning,
        }));
    }
    all
}

/// The queries that [`fill`] may ask.
pub(super) fn queries() -> Vec<String> {
    let of = |(groups, listings): &(&[registry::Group], &[registry::Listing])| {
        let groups = groups.iter().map(registry::Group::query);
        groups.chain(listings.iter().map(|listing| listing.sql.to_owned())).collect::<Vec<_>>()
    };
    NAMES_BY_SOURCE.iter().flat_map(of).collect()
}

/// Whether a placeholder has this name.
pub(super) fn is_known(name: &str) -> bool {
    NAMES_BY_SOURCE.iter().any(|(groups, listings)| {
        groups.iter().any(|g| g.scalars.iter().any(|s| s.name == name))
            || listings.iter().any(|l| l.name == name)
    })
}

#[cfg(test)]
mod tests;
