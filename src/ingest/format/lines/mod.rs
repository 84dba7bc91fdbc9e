//! Text formats: one record per line, or per message over several lines.

mod alb;
mod cloudfront;
mod combined;
pub(crate) mod cri;
mod docker;
pub(crate) mod export;
mod logfmt;
mod record;
mod request;
mod tokens;
mod vpc;

pub(crate) use alb::is_alb;
pub(crate) use combined::is_access_log;
pub(crate) use logfmt::is_logfmt;
pub(crate) use record::{is_text, record};
pub(crate) use request::xray_trace;
pub(crate) use vpc::is_flow;
