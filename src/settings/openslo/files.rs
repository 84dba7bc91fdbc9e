//! From files and folders of OpenSLO documents to entries of the settings.

use std::path::{Path, PathBuf};

use super::super::Error;
use super::super::load::Entry;
use super::super::read::{Problems, did_you_mean};
use super::alert::Library;
use super::fields::{Fields, Reader};
use super::indicator::SOURCE;
use super::yaml::{Node, documents};

const VERSION: &str = "openslo/v1";
/// The annotation that holds a name of ours where it is no name of Kubernetes.
pub(super) const NAME: &str = "tars/name";
/// The annotation that holds the objective of a composite, for which OpenSLO has no place.
pub(super) const OBJECTIVE: &str = "tars/objective";
const ENDINGS: [&str; 2] = ["yaml", "yml"];

/// What the documents add to the settings.
#[derive(Debug, Default)]
pub(in crate::settings) struct Entries {
    /// For the list `slo`.
    pub(in crate::settings) slos: Vec<Entry>,
    /// For the list `composite`.
    pub(in crate::settings) composites: Vec<Entry>,
    /// For the list `burn_tier`.
    pub(in crate::settings) burn_tiers: Vec<Entry>,
    /// What is of no use here.
    pub(in crate::settings) notes: Vec<String>,
}

/// A document: an object of one kind.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: u64,
    /// Our own annotations.
    pub(super) annotations: Fields,
    pub(super) spec: Fields,
}

/// The kinds of OpenSLO v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Slo,
    Sli,
    Service,
    DataSource,
    AlertPolicy,
    AlertCondition,
    AlertNotificationTarget,
}

const KINDS: [(&str, Kind); 7] = [
    ("SLO", Kind::Slo),
    ("SLI", Kind::Sli),
    ("Service", Kind::Service),
    ("DataSource", Kind::DataSource),
    ("AlertPolicy", Kind::AlertPolicy),
    ("AlertCondition", Kind::AlertCondition),
    ("AlertNotificationTarget", Kind::AlertNotificationTarget),
];

impl Kind {
    fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("object", |(name, _)| name)
    }
}

impl Reader<'_> {
    /// Whether anything was wrong so far.
    pub(super) fn has_problem(&self) -> bool {
        !self.problems.0.is_empty()
    }
}

/// Reads all documents of the files and folders named.
pub(in crate::settings) fn read(paths: &[PathBuf], problems: &mut Problems) -> Result<Entries, Error> {
    let mut files = Vec::new();
    for path in paths {
        files_of(path, &mut files)?;
    }
    let mut texts = Vec::with_capacity(files.len());
    for path in files {
        let text = std::fs::read_to_string(&path)
            .map_err(|source| Error::Read { path: path.display().to_string(), source })?;
        texts.push((path.display().to_string(), text));
    }
    from_texts(&texts, problems)
}

/// The same from texts, each with the name of its file.
pub(super) fn from_texts(texts: &[(String, String)], problems: &mut Problems) -> Result<Entries, Error> {
    let mut entries = Entries::default();
    let mut objects: Vec<Object> = Vec::new();
    for (file, text) in texts {
        let nodes = documents(text).map_err(|e| Error::Yaml { path: file.clone(), reason: e.to_string() })?;
        for node in nodes {
            let (problems, notes) = (&mut *problems, &mut entries.notes);
            let mut reader = Reader { file: file.clone(), object: "document".into(), problems, notes };
            objects.extend(object(&mut reader, node));
        }
    }
    let mut library = Library::default();
    for (i, object) in objects.iter().enumerate() {
        let (problems, notes) = (&mut *problems, &mut entries.notes);
        let mut reader = reader_of(object, problems, notes);
        if let Some(first) = objects[..i].iter().find(|o| o.kind == object.kind && o.name == object.name) {
            let remedy = format!("{}:{} has the same name; rename one of them", first.file, first.line);
            reader.wrong((object.line, "metadata.name"), "a second time", "each name once", Some(&remedy));
        }
        keep(&mut reader, object, &mut library);
    }
    for object in objects.iter().filter(|o| o.kind == Kind::Slo) {
        let mut notes = std::mem::take(&mut entries.notes);
        super::slo::slo(&mut reader_of(object, problems, &mut notes), object, &library, &mut entries);
        entries.notes = notes;
    }
    Ok(entries)
}

fn reader_of<'p>(object: &Object, problems: &'p mut Problems, notes: &'p mut Vec<String>) -> Reader<'p> {
    let name = format!("{} `{}`", object.kind.name(), object.name);
    Reader { file: object.file.clone(), object: name, problems, notes }
}

/// Makes an object known to those that refer to it.
fn keep(reader: &mut Reader<'_>, object: &Object, library: &mut Library) {
    let (name, spec) = (object.name.clone(), object.spec.clone());
    match object.kind {
        Kind::Slo | Kind::Service => {}
        Kind::Sli => drop(library.indicators.insert(name, spec)),
        Kind::AlertPolicy => drop(library.policies.insert(name, spec)),
        Kind::AlertCondition => drop(library.conditions.insert(name, spec)),
        Kind::DataSource => {
            let mut spec = spec;
            let kind = spec.text(reader, "type").map(|(kind, _)| kind).unwrap_or_default();
            if !kind.eq_ignore_ascii_case(SOURCE) {
                reader.note(object.line, "is not used: what is measured comes from the lake");
            }
            library.data_sources.insert(name, kind);
        }
        Kind::AlertNotificationTarget => reader.note(object.line, "is not used: nobody is told here"),
    }
}

/// Reads the head of a document.
fn object(reader: &mut Reader<'_>, node: Node) -> Option<Object> {
    let mut fields = Fields::of(reader, node, "");
    let line = fields.line;
    let version = fields.text(reader, "apiVersion");
    let kind = fields.word(reader, "kind", &KINDS);
    let (name, annotations, spec) = head(reader, &mut fields, Some(VERSION), version)?;
    fields.finish(reader);
    let file = reader.file.clone();
    Some(Object { kind: kind?.0, name, file, line, annotations, spec })
}

/// The name, the annotations and the spec of an object, with its version checked where it has to have one.
fn head(
    reader: &mut Reader<'_>,
    fields: &mut Fields,
    expected: Option<&str>,
    version: Option<(String, u64)>,
) -> Option<(String, Fields, Fields)> {
    match version {
        Some((version, _)) if version == VERSION => {}
        Some((version, line)) => {
            let remedy = "other versions have other keys; convert the document";
            reader.wrong((line, "apiVersion"), format!("`{version}`"), format!("`{VERSION}`"), Some(remedy));
            return None;
        }
        None if expected.is_some() => {
            reader.wrong((fields.line, "apiVersion"), "nothing", format!("`{VERSION}`"), None);
        }
        None => {}
    }
    let mut metadata = fields.map(reader, "metadata").unwrap_or_default();
    let stated = metadata.text(reader, "name");
    metadata.skip(&["displayName", "labels"]);
    let mut annotations = metadata.map(reader, "annotations").unwrap_or_default();
    let annotated = annotations.text(reader, NAME);
    if metadata.line > 0 {
        metadata.finish(reader);
    }
    let name = annotated.or(stated).map(|(name, _)| name);
    if name.is_none() && expected.is_some() {
        reader.wrong((fields.line, "metadata.name"), "nothing", "a name", None);
    }
    let spec = fields.map(reader, "spec").unwrap_or_default();
    Some((name.unwrap_or_default(), annotations, spec))
}

/// The spec of an object that stands within another one; `named` says of which kind it must be and gets its name.
pub(super) fn inline(
    reader: &mut Reader<'_>,
    node: Node,
    path: &str,
    named: Option<(&'static str, &mut String)>,
) -> Option<Fields> {
    let mut fields = Fields::of(reader, node, path);
    let version = fields.text(reader, "apiVersion");
    if let Some((kind, line)) = fields.text(reader, "kind")
        && let Some((expected, _)) = &named
        && kind != *expected
    {
        let remedy = did_you_mean(&kind, std::iter::once(*expected));
        let key = format!("{path}.kind");
        reader.wrong((line, &key), format!("`{kind}`"), format!("`{expected}`"), remedy.as_deref());
    }
    let (name, _, spec) = head(reader, &mut fields, None, version)?;
    if let Some((_, slot)) = named
        && !name.is_empty()
    {
        *slot = name;
    }
    if spec.line == 0 {
        reader.wrong((fields.line, &format!("{path}.spec")), "nothing", "a mapping", None);
        return None;
    }
    fields.finish(reader);
    Some(spec)
}

/// The YAML files of a folder and what is below it, in the order of their paths; or the file itself.
fn files_of(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |source| Error::Read { path: path.display().to_string(), source };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let mut inside = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    inside.sort();
    for inner in inside {
        let is_yaml = inner.extension().is_some_and(|e| ENDINGS.iter().any(|known| e == *known));
        if is_yaml || inner.is_dir() {
            files_of(&inner, found)?;
        }
    }
    Ok(())
}
