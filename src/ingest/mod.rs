//! s
#![allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum Error { #[error("x")] X }
impl Error { pub fn hint(&self) -> Option<String> { None } }
