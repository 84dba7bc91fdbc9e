//! One record on its way into a table: values find their columns, the rest is kept by name.
//!
//! The rules, in one place:
//! - A record lands if its time is good and the contract's required columns are there. Nothing else rejects it.
//! - A typed value that its column cannot hold without loss stays in the attributes under its own key, the
//!   column is NULL, and the summary counts a note.
//! - Of several values for one column the best spelling wins (see `format::aliases`), the record's own fields
//!   win over lifted ones, and every loser stays in the attributes.
//! - A key that stands twice keeps its last value in the column and the earlier one in the attributes; a map
//!   key never repeats, the second is called `key#2`.

use std::borrow::Cow;

use super::format::aliases::{Form, Target};
use super::format::convert::{Cell, Converted, Scalar, convert};
use super::format::names::{NameId, Names};
use super::format::units::Unit;
use super::quarantine::{Code, Fault};
use super::table::{Facts, TableId};
use crate::contract::ColumnType;
use crate::domain::{ChangeKind, Severity, UNKNOWN_REGION, Verdict, format_timestamp};

/// What happened to values that did not reject their record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Values that their column could not hold.
    pub(crate) unfit: u64,
    /// Times and durations without a unit.
    pub(crate) no_unit: u64,
    /// Rows whose region nothing says.
    pub(crate) unknown_region: u64,
}

impl Notes {
    pub(crate) fn add(&mut self, other: Notes) {
        self.unfit += other.unfit;
        self.no_unit += other.no_unit;
        self.unknown_region += other.unknown_region;
    }
}

/// A place for one record; reused, see [`Row::recycle`].
pub(crate) struct Row<'a> {
    table: TableId,
    cells: Vec<Cell<'a>>,
    ranks: Vec<u8>,
    extras: Vec<(NameId, Option<Cow<'a, str>>)>,
    origins: Vec<NameId>,
    suggestions: Vec<(u8, &'a str)>,
    /// Times as they were spelled, by column.
    times: Vec<(u8, Scalar<'a>)>,
    bad_time: Option<(NameId, bool)>,
    /// Times and durations whose unit neither key nor text says.
    unitless: Vec<(Target, NameId, Scalar<'a>, u8)>,
    notes: Notes,
}

/// A row that may land.
pub(crate) struct Ready<'r, 'a> {
    pub(crate) cells: &'r [Cell<'a>],
    pub(crate) extras: &'r [(NameId, Option<Cow<'a, str>>)],
    pub(crate) region: &'r str,
    pub(crate) time: i64,
    pub(crate) notes: Notes,
}

impl<'a> Row<'a> {
    pub(crate) fn new() -> Self {
        Row {
            table: TableId::Logs,
            cells: Vec::new(),
            ranks: Vec::new(),
            extras: Vec::new(),
            origins: Vec::new(),
            suggestions: Vec::new(),
            times: Vec::new(),
            bad_time: None,
            unitless: Vec::new(),
            notes: Notes::default(),
        }
    }

    /// An empty row in the same memory, free to borrow from elsewhere.
    pub(crate) fn recycle<'b>(mut self) -> Row<'b> {
        self.cells.clear();
        self.extras.clear();
        self.times.clear();
        Row {
            table: self.table,
            // Collecting in place keeps the allocation; there is nothing in it to convert.
            cells: self.cells.into_iter().map(|_| Cell::Null).collect(),
            extras: self.extras.into_iter().map(|(id, _)| (id, None)).collect(),
            ranks: self.ranks,
            origins: self.origins,
            suggestions: Vec::new(),
            times: self.times.into_iter().map(|(column, _)| (column, Scalar::Null)).collect(),
            bad_time: None,
            unitless: Vec::new(),
            notes: Notes::default(),
        }
    }

    /// Empties the row for a record of a table.
    pub(crate) fn begin(&mut self, table: TableId) {
        let columns = table.facts().columns().len();
        self.table = table;
        self.cells.clear();
        self.cells.resize_with(columns, Cell::default);
        self.ranks.clear();
        self.ranks.resize(columns, u8::MAX);
        self.origins.clear();
        self.origins.resize(columns, 0);
        self.extras.clear();
        self.suggestions.clear();
        self.times.clear();
        self.bad_time = None;
        self.unitless.clear();
        self.notes = Notes::default();
    }

    pub(crate) fn table(&self) -> TableId {
        self.table
    }

    pub(crate) fn facts(&self) -> &'static Facts {
        self.table.facts()
    }

    /// Offers a value under a name: to the column that the name means, else to the attributes.
    #[inline]
    pub(crate) fn offer(&mut self, names: &Names, name: NameId, scalar: Scalar<'a>, handicap: u8) {
        match names.target(name, self.table) {
            Some(target) => self.offer_to(target, name, scalar, handicap),
            None => self.keep(name, scalar),
        }
    }

    /// Keeps a value in the attributes.
    pub(crate) fn keep(&mut self, name: NameId, scalar: Scalar<'a>) {
        self.extras.push((name, scalar.into_text()));
    }

    /// Offers a value to a column; it wins over what is there if its rank is no worse.
    pub(crate) fn offer_to(&mut self, target: Target, name: NameId, scalar: Scalar<'a>, handicap: u8) {
        let facts = self.facts();
        let column = target.column as usize;
        let kind = facts.columns()[column].kind;
        let rank = target.rank.saturating_add(handicap);
        let (cell, kept) = match convert(target.form, kind, scalar.clone()) {
            Converted::Cell(cell) => (cell, false),
            Converted::Lossy(cell) => (cell, true),
            Converted::Nothing => return,
            Converted::Elsewhere => return self.keep(name, scalar),
            // The whole record may tell, see `settle_units`.
            Converted::NoUnit => return self.unitless.push((target, name, scalar, handicap)),
            Converted::Unfit => {
                self.notes.unfit += 1;
                self.note_bad_time(column, name, false);
                return self.keep(name, scalar);
            }
        };
        if kept {
            self.keep(name, scalar.clone());
        }
        self.place(column, rank, name, cell, scalar, kept);
    }

    /// Offers the numbers without a unit again, in the unit that `unit` finds; those that it finds none for stay
    /// in the attributes.
    pub(crate) fn settle_units(
        &mut self,
        names: &Names,
        unit: impl Fn(&Row<'a>, &Names, NameId) -> Option<Unit>,
    ) {
        if self.unitless.is_empty() {
            return;
        }
        let units: Vec<_> = self.unitless.iter().map(|(_, name, ..)| unit(self, names, *name)).collect();
        for ((mut target, name, scalar, handicap), unit) in
            std::mem::take(&mut self.unitless).into_iter().zip(units)
        {
            match (unit, target.form) {
                (Some(unit), Form::Time(_)) => target.form = Form::Time(Some(unit)),
                (Some(unit), Form::Millis(_)) => target.form = Form::Millis(Some(unit)),
                _ => {
                    self.notes.no_unit += 1;
                    self.note_bad_time(target.column as usize, name, true);
                    self.keep(name, scalar);
                    continue;
                }
            }
            self.offer_to(target, name, scalar, handicap);
        }
    }

    /// Whether the record has a key, whatever became of its value.
    pub(crate) fn has_key(&self, names: &Names, key: &str) -> bool {
        let filled = self.cells.iter().zip(&self.origins).filter(|(cell, _)| **cell != Cell::Null);
        let mut ids = filled
            .map(|(_, id)| *id)
            .chain(self.extras.iter().map(|(id, _)| *id))
            .chain(self.unitless.iter().map(|(_, id, ..)| *id));
        ids.any(|id| names.path(id) == key)
    }

    /// Whether the row says its region itself, if only in second place.
    pub(crate) fn names_region(&self) -> bool {
        let region = self.facts().region;
        self.cells[region] != Cell::Null || self.suggestions.iter().any(|(c, _)| *c as usize == region)
    }

    /// Whether a key has a number whose unit nothing said so far.
    pub(crate) fn lacks_unit(&self, names: &Names, key: &str) -> bool {
        self.unitless.iter().any(|(_, id, ..)| names.path(*id) == key)
    }

    /// Says that a value was meant as the time of the row, and is none.
    pub(crate) fn refuse_time(&mut self, name: NameId) {
        self.bad_time.get_or_insert((name, false));
    }

    fn note_bad_time(&mut self, column: usize, name: NameId, no_unit: bool) {
        if self.facts().columns()[column].kind == ColumnType::Timestamp && self.bad_time.is_none() {
            self.bad_time = Some((name, no_unit));
        }
    }

    /// Puts a value into its column, or its spelling into the attributes if a better one is there.
    fn place(
        &mut self,
        column: usize,
        rank: u8,
        name: NameId,
        cell: Cell<'a>,
        scalar: Scalar<'a>,
        kept: bool,
    ) {
        let is_time = matches!(cell, Cell::Time(_));
        if self.cells[column] != Cell::Null {
            // The same value under two names says nothing new.
            let same = self.cells[column] == cell;
            if rank > self.ranks[column] {
                if !kept && !same {
                    self.keep(name, scalar);
                }
                return;
            }
            let old = std::mem::take(&mut self.cells[column]);
            if !same {
                let text = if is_time { self.time_text(column) } else { text_of(old) };
                self.extras.push((self.origins[column], text));
            }
        }
        if is_time {
            self.times.push((column as u8, scalar));
        }
        self.cells[column] = cell;
        self.ranks[column] = rank;
        self.origins[column] = name;
    }

    /// How the time in a column was spelled, digits behind the microsecond included.
    fn time_text(&mut self, column: usize) -> Option<Cow<'a, str>> {
        let at = self.times.iter().rposition(|(c, _)| *c as usize == column)?;
        self.times.swap_remove(at).1.into_text()
    }

    /// Suggests a text for a column, should nothing else fill it: not even a lifted value is worse.
    pub(crate) fn suggest(&mut self, column: usize, text: &'a str) {
        self.suggestions.push((column as u8, text));
    }

    /// Moves what a column holds to the attributes, if its rank is worse than that.
    pub(crate) fn demote(&mut self, column: usize, rank: u8) {
        if self.cells[column] != Cell::Null && self.ranks[column] > rank {
            let text = text_of(std::mem::take(&mut self.cells[column]));
            self.extras.push((self.origins[column], text));
        }
    }

    /// Sets a column, whatever is in it.
    pub(crate) fn set(&mut self, column: usize, cell: Cell<'a>) {
        self.cells[column] = cell;
        self.ranks[column] = 0;
    }

    /// What a column holds so far.
    pub(crate) fn cell(&self, column: usize) -> &Cell<'a> {
        &self.cells[column]
    }

    /// Takes a text out of a column.
    pub(crate) fn take_text(&mut self, column: usize) -> Option<Cow<'a, str>> {
        match std::mem::take(&mut self.cells[column]) {
            Cell::Text(text) => Some(text),
            other => {
                self.cells[column] = other;
                None
            }
        }
    }

    /// Checks the row against the contract, and fills the region.
    pub(crate) fn finish<'r>(
        &'r mut self,
        names: &Names,
        region: Option<&'a str>,
    ) -> Result<Ready<'r, 'a>, Fault> {
        let facts = self.facts();
        let Cell::Time(time) = self.cells[facts.time] else { return Err(self.no_time(names)) };
        for (column, text) in &self.suggestions {
            if self.cells[*column as usize] == Cell::Null {
                self.cells[*column as usize] = Cell::Text((*text).into());
            }
        }
        if self.cells[facts.region] == Cell::Null {
            match region {
                Some(region) => self.cells[facts.region] = Cell::Text(region.into()),
                None => {
                    self.cells[facts.region] = Cell::Text(UNKNOWN_REGION.into());
                    self.notes.unknown_region = 1;
                }
            }
        }
        for (column, cell) in facts.columns().iter().zip(&self.cells) {
            if !column.nullable && *cell == Cell::Null {
                return Err(Fault::new(
                    Code::MissingField,
                    format!(
                        "a row of `{}` needs `{}`, found none that can be read",
                        facts.table.name, column.name
                    ),
                ));
            }
        }
        self.spell_words(time)?;
        let Cell::Text(region) = &self.cells[facts.region] else {
            return Err(Fault::new(Code::MissingField, "expected the region as text".to_owned()));
        };
        Ok(Ready { cells: &self.cells, extras: &self.extras, region, time, notes: self.notes })
    }

    /// Closed vocabularies get their canonical spelling; labels outside theirs are refused, because the
    /// classifier learns from them.
    fn spell_words(&mut self, time: i64) -> Result<(), Fault> {
        let facts = self.facts();
        let word = |row: &Self, name: &str| {
            let column = facts.column(name)?;
            match &row.cells[column] {
                Cell::Text(text) => Some((column, text.clone())),
                _ => None,
            }
        };
        match self.table {
            TableId::Incidents => {
                if let Some((column, text)) = word(self, "verdict") {
                    let verdict: Verdict =
                        text.parse().map_err(|e| Fault::new(Code::BadValue, format!("{e}")))?;
                    self.cells[column] = Cell::Text(verdict.as_str().into());
                }
                if let Some(to) = facts.column("to").map(|c| &self.cells[c])
                    && !matches!(to, Cell::Time(to) if *to > time)
                {
                    let reason = "expected `to` after `from`, found it at or before it".to_owned();
                    return Err(Fault::new(Code::BadValue, reason));
                }
            }
            TableId::Changes => {
                if let Some((column, text)) = word(self, "kind")
                    && let Ok(kind) = text.parse::<ChangeKind>()
                {
                    self.cells[column] = Cell::Text(kind.as_str().into());
                }
            }
            TableId::Alerts => {
                if let Some((column, text)) = word(self, "severity")
                    && let Ok(severity) = text.parse::<Severity>()
                {
                    self.cells[column] = Cell::Text(severity.as_str().into());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn no_time(&self, names: &Names) -> Fault {
        let (table, time) = (&self.facts().table.name, &self.facts().table.time);
        match self.bad_time {
            Some((name, true)) => {
                let path = names.path(name);
                Fault::new(
                    Code::TimeUnit,
                    format!(
                        "`{path}` is a number without a unit; expected RFC 3339 text or a key that names the unit \
                         ({path}_ms); or add to the settings: \
                         [[mapping]] table = \"{table}\", from = \"{path}\", to = \"{time}\", unit = \"ms\" (or ns, us, s)"
                    ),
                )
            }
            Some((name, false)) => Fault::new(
                Code::BadTime,
                format!(
                    "expected a time within years 1 to 9999 in `{}`, found something else",
                    names.path(name)
                ),
            ),
            None => Fault::new(
                Code::MissingTime,
                format!(
                    "expected a time, for instance in `{time}`, found none; or add a mapping of your field \
                     to `{time}`"
                ),
            ),
        }
    }
}

/// The text of a value that lost its column.
fn text_of(cell: Cell<'_>) -> Option<Cow<'_, str>> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) => Some(text),
        Cell::Int(v) => Some(v.to_string().into()),
        Cell::Float(v) => Some(v.to_string().into()),
        Cell::Bool(v) => Some(v.to_string().into()),
        Cell::Time(v) => Some(format_timestamp(v).into()),
    }
}
