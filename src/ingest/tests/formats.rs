//! Each format by samples of our own.
