//! LightGBM's text format: what `Booster.save_model` writes, version 4 (and 3, which reads the same).

mod read;
mod write;
