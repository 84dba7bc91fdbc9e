//! Documents as PDF, set by the Typst library with fonts that are built in.
//!
//! A [`Document`] is data. The template (`template.typ`) reads it as JSON and shows each text as text, so
//! nothing that telemetry says is ever parsed as markup. The world that Typst sees has one file, those
//! fonts, no date and no network; the same document gives the same bytes.

mod document;
mod markdown;
mod world;

pub(super) use document::{Align, Block, Document, Run};

use typst::comemo;
use typst::diag::{SourceDiagnostic, Warned};
use typst::ecow::EcoVec;
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use super::Error;
use world::World;

/// Markdown as a PDF file: headings, paragraphs, emphasis, code, lists, tables of GitHub's kind, quotes,
/// code blocks and rules. Addresses stand behind the text of their link. HTML is shown as it is written,
/// except that `<br>` breaks a line and comments are left out. The title is the file's, not a heading.
pub fn markdown_to_pdf(title: &str, markdown: &str) -> Result<Vec<u8>, Error> {
    let document =
        Document { title: title.to_owned(), footer: title.to_owned(), blocks: markdown::parse(markdown) };
    document_to_pdf(&document)
}

/// A document as a PDF file.
pub(super) fn document_to_pdf(document: &Document) -> Result<Vec<u8>, Error> {
    let fail = |found| Error::Typeset { title: document.title.clone(), found: listed(found) };
    let file = typst_pdf::pdf(&typeset(document)?, &PdfOptions::default()).map_err(fail);
    // What is remembered between compilations would only grow: no document is set twice.
    comemo::evict(0);
    file
}

/// The pages.
fn typeset(document: &Document) -> Result<PagedDocument, Error> {
    let Warned { output, .. } = typst::compile(&World::of(document));
    output.map_err(|found| Error::Typeset { title: document.title.clone(), found: listed(found) })
}

fn listed(found: EcoVec<SourceDiagnostic>) -> String {
    found.iter().map(|d| d.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// The text of the pages, run by run, as it is set. For tests: what a reader of the file sees.
#[cfg(test)]
pub(super) fn text_of_pages(document: &Document) -> Result<Vec<String>, Error> {
    use typst::layout::{Frame, FrameItem};

    fn collect(frame: &Frame, out: &mut String) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Group(group) => collect(&group.frame, out),
                FrameItem::Text(text) => {
                    out.push_str(&text.text);
                    out.push('\n');
                }
                _ => {}
            }
        }
    }

    let pages = typeset(document)?;
    let texts = pages.pages().iter().map(|page| {
        let mut out = String::new();
        collect(&page.frame, &mut out);
        // Where long words may break is a matter of layout.
        out.replace('\u{200b}', "")
    });
    Ok(texts.collect())
}

#[cfg(test)]
mod tests;
