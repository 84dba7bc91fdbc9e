//! Object stores, configured by the environment as the tools of each cloud know it.

mod ambient;
mod azure;
mod environment;
mod google;
mod offset;
mod open;
mod s3;

pub(crate) use ambient::NoCredentials;
pub(crate) use open::open_store;
