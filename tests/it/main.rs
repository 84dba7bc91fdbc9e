//! One binary for all integration tests, because each binary links the whole engine.

mod architecture;
mod cli;
mod slt;
