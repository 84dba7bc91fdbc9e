//! s
use super::Global;
use crate::error::Error;
use crate::lake::Lake;
/// s
#[derive(Debug, clap::Args)]
pub(super) struct Ingest {}
impl Ingest { pub(super) async fn run(self, _g: &Global) -> Result<(), Error> { Ok(()) } }
#[derive(Default)]
pub(super) struct O;
pub(super) async fn ingest_into(_g: &Global, _l: &Lake, _i: &[String], _o: O) -> Result<(), Error> { Ok(()) }
