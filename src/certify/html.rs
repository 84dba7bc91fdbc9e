//! `validation_results.html`: criteria and checks on one page that needs nothing else.

use super::criteria::{Criterion, Level, Outcome, Verdict};
use crate::report::visible;

/// The name of the file.
pub(super) const VALIDATION: &str = "validation_results.html";

/// Light and dark; narrow screens scroll tables inside the page. No script, no font, no address.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--pass:#0550ae;--fail:#a40e26;--none:#7d4e00}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--paper:#0d1117;--line:#30363d;--pass:#79c0ff;--fail:#ff9a92;--none:#e3b341}}
body{margin:0 auto;max-width:72rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}
.soft{color:var(--soft)}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;min-width:40rem}
th,td{border-bottom:1px solid var(--line);padding:.4rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
td.n{text-align:right;white-space:nowrap}
.pass{color:var(--pass)}.fail{color:var(--fail);font-weight:700}.none{color:var(--none);font-weight:700}
pre{white-space:pre-wrap;margin:.3rem 0 0;font-size:.85rem}summary{cursor:pointer}";

/// Renders the page.
pub(super) fn render(title: &str, outcome: &Outcome) -> String {
    let mut page = String::with_capacity(32 * 1024);
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Even if a text could become markup, the browser would load and run nothing.
    page.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str(&format!("<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n", text(title)));
    page.push_str(&format!("<h1>{}</h1>\n", text(title)));
    page.push_str(&format!("<p><strong>{}</strong><br>{}</p>\n", outcome.status, text(&outcome.reason)));
    section(&mut page, "Certification criteria", "All required ones must pass.", &outcome.criteria);
    let mut suites: Vec<&str> = Vec::new();
    for check in &outcome.checks {
        if !suites.contains(&check.suite.as_str()) {
            suites.push(&check.suite);
        }
    }
    for suite in suites {
        let checks: Vec<Criterion> = outcome.checks.iter().filter(|c| c.suite == suite).cloned().collect();
        let passed = checks.iter().filter(|c| c.verdict == Verdict::Pass).count();
        let note = format!("{passed} of {} passed.", checks.len());
        section(&mut page, &format!("Suite: {suite}"), &note, &checks);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(page: &mut String, title: &str, note: &str, rows: &[Criterion]) {
    page.push_str(&format!("<h2>{}</h2>\n<p class=\"soft\">{}</p>\n", text(title), text(note)));
    if rows.is_empty() {
        page.push_str("<p>The settings list none.</p>\n");
        return;
    }
    page.push_str(
        "<div class=\"scroll\"><table>\n<thead><tr><th>Verdict</th><th>Check</th><th>Limit</th><th>Observed</th>\
         <th>Rests on</th></tr></thead>\n<tbody>\n",
    );
    for row in rows {
        let (class, word) = match (row.verdict, row.level) {
            (Verdict::Pass, _) => ("pass", "pass"),
            (Verdict::NoData, _) => ("none", "no data"),
            (Verdict::Fail, Level::Warning) => ("none", "warning"),
            (Verdict::Fail, Level::Required) => ("fail", "fail"),
        };
        page.push_str(&format!(
            "<tr><td class=\"{class}\">{word}</td><td>{}<br><span class=\"soft\">{}, {}</span></td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}\
             <details><summary>SQL</summary><pre>{}</pre></details></td></tr>\n",
            text(&row.title),
            text(&row.area),
            row.level.as_str(),
            text(&row.limit()),
            text(&row.shown(&row.observed)),
            text(&row.detail),
            text(&row.sql),
        ));
    }
    page.push_str("</tbody>\n</table></div>\n");
}

/// Plain text in HTML: nothing in it is markup, and nothing is hidden.
fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    for c in visible(plain).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
