//! Pages from Markdown: that everything is there, and nothing is more than text.

use super::*;

/// What the pages say, without the places where lines and words break.
fn said(markdown: &str) -> String {
    let document =
        Document { title: "T".to_owned(), footer: "F".to_owned(), blocks: markdown::parse(markdown) };
    squeezed(&text_of_pages(&document).unwrap().concat())
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn every_kind_of_block_is_set() {
    let text = said(
        "# Title\n\nA *plain* **text** with `code`,\nbroken  \nhere.\n\n- one\n- two\n  1. deep\n\n7. seven\n\n\
         > said\n\n| Name | N |\n|:---|---:|\n| a | 1,234 |\n\n```sh\ntars report\n```\n\n---\n\nUnder\n=====\n",
    );
    for part in [
        "Title",
        "Aplaintextwithcode,brokenhere.",
        "one",
        "two",
        "1.deep",
        "7.seven",
        "said",
        "Name",
        "1,234",
        "tarsreport",
        "Under",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    for mark in ["**", "`", "|", "```", "===", "# "] {
        assert!(!text.contains(mark), "{mark:?} is in {text:?}");
    }
}

#[test]
fn no_text_reaches_the_typesetter_as_markup() {
    // Each of these does something in Typst where it is markup or code.
    for hostile in [
        "#panic(1)",
        "#read(\"/etc/passwd\")",
        "#image(\"x.png\")",
        "$x^2$",
        "<label> @ref",
        "= Heading",
        "/ term: x",
        "\"}, document: {\"",
        "#set page(width: 1pt)",
        "\\u{41}",
        "~ -- ... --- //",
        "]#pagebreak()[",
    ] {
        let escaped: String = hostile
            .chars()
            .flat_map(|c| if c.is_ascii_punctuation() { vec!['\\', c] } else { vec![c] })
            .collect();
        for markdown in
            [escaped.clone(), format!("| {escaped} |\n|---|\n| {escaped} |"), format!("# {escaped}")]
        {
            let text = said(&markdown);
            assert!(text.contains(&squeezed(hostile)), "{hostile:?} is not in {text:?}");
        }
        let text = said(&format!("```\n{hostile}\n```"));
        assert!(text.contains(&squeezed(hostile)), "{hostile:?} is not in {text:?}");
    }
}

#[test]
fn what_hides_or_has_no_sign_is_spelled_out() {
    let text = said("a\u{202e}b\u{7}c \u{1f525} \u{e8d0} ✅");
    assert!(text.contains("a\\u{202e}b\\u{7}c\\u{1f525}\\u{e8d0}✓"), "{text:?}");
}

#[test]
fn a_long_table_repeats_its_head_on_every_page() {
    let rows: String = (0..200).map(|i| format!("| row{i} | {i} |\n")).collect();
    let document = Document {
        title: "T".to_owned(),
        footer: "F".to_owned(),
        blocks: markdown::parse(&format!("| Service | Requests |\n|---|---:|\n{rows}")),
    };
    let pages = text_of_pages(&document).unwrap();
    assert!(pages.len() > 2, "{} pages", pages.len());
    for page in &pages {
        assert!(page.contains("Service") && page.contains("Requests"), "{page}");
    }
    let all = pages.concat();
    assert!((0..200).all(|i| all.contains(&format!("row{i}\n"))));
}

#[test]
fn a_word_of_thousands_of_characters_stays_on_the_page() {
    let text = said(&format!("| A | B |\n|---|---|\n| {} | end |", "x".repeat(3000)));
    assert_eq!(text.matches('x').count(), 3000);
    assert!(text.contains("end"));
}

#[test]
fn the_same_text_gives_the_same_bytes() {
    let markdown = "# A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
    let file = markdown_to_pdf("A", markdown).unwrap();
    assert!(file.starts_with(b"%PDF-"));
    assert_eq!(file, markdown_to_pdf("A", markdown).unwrap());
    // No date of writing.
    assert!(!file.windows(13).any(|w| w == b"/CreationDate"));
    assert!(markdown_to_pdf("B", markdown).unwrap() != file);
}

#[test]
fn text_that_is_not_markdown_is_kept() {
    for text in
        ["a * b", "5 * 3 * 2", "snake_case_name", "1) ok", "[x](", "![", "`open", "&nosuch;", "a < b > c"]
    {
        assert!(said(&format!("is {text}")).contains(&squeezed(text)), "{text:?}");
    }
    assert!(said("1 &lt; 2 &amp;lt; &#64;").contains("1<2&lt;@"));
    assert!(said("[docs](https://e.com/x) and [a](#b)").contains("docs(https://e.com/x)anda"));
    assert!(said("a<br>b<!-- c").contains("ab<!--c"));
    assert_eq!(said("<!-- gone\nfor good -->\nstays").replace("F1/1", ""), "stays");
}

#[test]
fn deep_and_long_nonsense_ends() {
    for hostile in ["> ", "- ", "*a ", "_a ", "[", "`", "<", "![", "**a*", "1. "] {
        assert!(!markdown::parse(&hostile.repeat(5_000)).is_empty(), "{hostile:?}");
    }
}
