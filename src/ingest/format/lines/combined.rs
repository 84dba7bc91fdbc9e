//! Access logs of nginx and Apache: common (`%h %l %u %t "%r" %>s %b`), combined (referer and user agent behind
//! it), with a virtual host before it, and the default of ingress-nginx.
//!
//! The status 499 (the client went away before the answer) stays the 499 that nginx writes: as every 4xx it is
//! no failure of the service.

use super::request::{clock, request_line};
use super::tokens::{Token, split};
use crate::ingest::format::aliases::Form;
use crate::ingest::format::convert::{Cell, Scalar};
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::fill::{keep, put};
use crate::ingest::format::names::{Names, ROOT};
use crate::ingest::format::units::Unit;
use crate::ingest::output::{Origin, Place};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// The fields of a line, by position.
struct Fields<'t> {
    host: Option<&'t str>,
    before: [&'t str; 3],
    time: i64,
    time_text: &'t str,
    request: &'t str,
    status: &'t str,
    bytes: &'t str,
    rest: Vec<Token<'t>>,
}

/// Whether a line is one of an access log.
pub(crate) fn is_access_log(line: &str) -> bool {
    fields(line).is_ok()
}

fn fields(line: &str) -> Result<Fields<'_>, String> {
    let expected = |what: &str, found: Option<&Token<'_>>| {
        let found = found.map_or("nothing".to_owned(), |t| format!("`{}`", cut(t.text())));
        format!("expected {what} as in `host - user [time] \"request\" status bytes`, found {found}")
    };
    let mut tokens = split(line)?;
    let at = tokens.iter().position(|t| matches!(t, Token::Bracketed(_)));
    // A user's name may hold spaces.
    let at = at.filter(|at| (3..=8).contains(at)).ok_or_else(|| expected("the time", tokens.get(3)))?;
    let rest = tokens.split_off(at);
    let time_text = rest[0].text();
    let time = clock(time_text).ok_or_else(|| expected("the time", rest.first()))?;
    let Some(Token::Quoted(request)) = rest.get(1) else { return Err(expected("a request", rest.get(1))) };
    let status =
        rest.get(2).map(|t| t.text()).filter(|s| s.len() == 3 && s.bytes().all(|b| b.is_ascii_digit()));
    let status = status.ok_or_else(|| expected("a status", rest.get(2)))?;
    let bytes = rest.get(3).map(|t| t.text()).filter(|b| *b == "-" || b.bytes().all(|b| b.is_ascii_digit()));
    let bytes = bytes.ok_or_else(|| expected("the bytes", rest.get(3)))?;
    // `vhost:port` before the address: then a fourth field stands before the time, and it names a port.
    let first = tokens[0].text();
    let vhost =
        tokens.len() >= 4 && first.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let skipped = usize::from(vhost);
    let user_end = line.find(" [").unwrap_or(line.len());
    let user_start = tokens[skipped + 2].text().as_ptr() as usize - line.as_ptr() as usize;
    let user = line.get(user_start..user_end).unwrap_or("-");
    Ok(Fields {
        host: vhost.then_some(first),
        before: [tokens[skipped].text(), tokens[skipped + 1].text(), user],
        time,
        time_text,
        request,
        status,
        bytes,
        rest: rest[4..].to_vec(),
    })
}

/// The beginning of a text, for messages.
fn cut(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(at, _)| &text[..at])
}

pub(super) fn record<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    line: &'v str,
) -> Result<(), String> {
    let fields = fields(line)?;
    decoder.row(origin, TableId::Logs, place, |names, row| {
        let time = row.facts().time;
        row.set(time, Cell::Time(fields.time));
        for (key, text) in ["remote_addr", "ident", "remote_user"].into_iter().zip(fields.before) {
            match (key, text) {
                (_, "-" | "") => {}
                ("remote_user", user) => {
                    put(names, row, key, "user_id", Form::Plain, Scalar::Text(user.into()));
                }
                _ => keep(names, row, key, text),
            }
        }
        if let Some(host) = fields.host {
            put(names, row, "vhost", "service", Form::Plain, Scalar::Text(host.into()));
        }
        // The zone says where the server stands; the instant has lost it.
        if !fields.time_text.ends_with("+0000") {
            keep(names, row, "time_local", fields.time_text);
        }
        request(names, row, fields.request);
        put(names, row, "status", "status_code", Form::Status, Scalar::Number(fields.status.into()));
        if fields.bytes != "-" {
            put(
                names,
                row,
                "body_bytes_sent",
                "bytes_sent",
                Form::Plain,
                Scalar::Number(fields.bytes.into()),
            );
        }
        rest(names, row, &fields.rest);
    });
    Ok(())
}

fn request<'v>(names: &mut Names, row: &mut Row<'v>, line: &'v str) {
    let Some((method, target, protocol)) = request_line(line) else {
        return keep(names, row, "request", line);
    };
    put(names, row, "request_method", "method", Form::Plain, Scalar::Text(method.into()));
    put(names, row, "request_uri", "route", Form::Path, Scalar::Text(target.into()));
    if let Some(protocol) = protocol {
        keep(names, row, "server_protocol", protocol);
    }
}

/// What ingress-nginx writes behind the combined fields.
const INGRESS: [&str; 9] = [
    "request_length",
    "request_time",
    "proxy_upstream_name",
    "proxy_alternative_upstream_name",
    "upstream_addr",
    "upstream_response_length",
    "upstream_response_time",
    "upstream_status",
    "req_id",
];

fn rest<'v>(names: &mut Names, row: &mut Row<'v>, rest: &[Token<'v>]) {
    let (known, more) = match rest {
        [Token::Quoted(_), Token::Quoted(_), ..] => rest.split_at(2),
        _ => (&rest[..0], rest),
    };
    for (key, token) in ["http_referer", "http_user_agent"].into_iter().zip(known) {
        if let Some(text) = token.value() {
            keep(names, row, key, text);
        }
    }
    if let [Token::Bare(_), Token::Bare(_), Token::Bracketed(_), Token::Bracketed(_), ..] = more
        && more.len() == INGRESS.len()
    {
        for (key, token) in INGRESS.into_iter().zip(more) {
            let Some(text) = token.value() else { continue };
            let scalar = Scalar::Text(text.into());
            match key {
                // nginx: seconds with a resolution of milliseconds.
                "request_time" => {
                    put(names, row, key, "duration_ms", Form::Millis(Some(Unit::Seconds)), scalar);
                }
                "req_id" => put(names, row, key, "request_id", Form::Plain, scalar),
                "proxy_upstream_name" => put(names, row, key, "service", Form::Plain, scalar),
                _ => keep(names, row, key, text),
            }
        }
        return;
    }
    // Fields that somebody added; what they are, only the server's configuration says.
    for (position, token) in more.iter().enumerate() {
        if let Some(text) = token.value() {
            let name = names.child(ROOT, &format!("field_{}", position + 1));
            row.keep(name, Scalar::Text(text.into()));
        }
    }
}
