//! Object stores on this machine, each speaking the wire format of its cloud as far as `tars` uses it.

mod azure;
mod bucket;
mod gcs;
mod s3;
mod store;

pub use bucket::object;
pub use store::{Manners, SECRET, Store, outcome};
