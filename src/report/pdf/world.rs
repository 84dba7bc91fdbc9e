//! All that Typst can see: the template, the document as an input, the built-in fonts. No file, no date, no
//! network, no package.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Str, Value};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt};

use super::document::Document;

/// The template that turns a document into pages.
const TEMPLATE: &str = include_str!("template.typ");
/// Where the template finds the document: `sys.inputs.document`.
const INPUT: &str = "document";

struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let fonts: Vec<Font> = typst_assets::fonts().flat_map(|bytes| Font::iter(Bytes::new(bytes))).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts }
});

static MAIN: LazyLock<FileId> = LazyLock::new(|| {
    let path = VirtualPath::new("/template.typ").expect("a plain name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
});

/// Whether a built-in font has a sign for the character.
pub(super) fn is_shown(c: char) -> bool {
    // Most text is ASCII, which every font has.
    c.is_ascii_graphic() || FONTS.fonts.iter().any(|font| font.info().coverage.contains(u32::from(c)))
}

/// The world of one document.
pub(super) struct World {
    library: LazyHash<Library>,
    main: Source,
}

impl World {
    pub(super) fn of(document: &Document) -> World {
        let json = serde_json::to_string(document).expect("every key is a text");
        let mut inputs = Dict::new();
        inputs.insert(Str::from(INPUT), Value::Str(Str::from(json)));
        World {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            main: Source::new(*MAIN, TEMPLATE.to_owned()),
        }
    }
}

impl typst::World for World {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        *MAIN
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == *MAIN { Ok(self.main.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
