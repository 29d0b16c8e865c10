//! Any bytes as the answers of whoever listens on the home network.

pub use super::identify::fuzzing::identify;
