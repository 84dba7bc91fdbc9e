//! The files of `sql/`, built into the binary. A test compares this list with the folder.

macro_rules! models {
    ($($path:literal),* $(,)?) => {
        /// Path under `sql/`, text.
        pub(super) const MODELS: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../sql/", $path)))),*];
    };
}

models![];
