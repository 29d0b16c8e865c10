//! Any bytes as what the portal answers.

pub use super::portal::fuzzing::portal;
