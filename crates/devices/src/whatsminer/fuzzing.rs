//! Any bytes as replies of a WhatsMiner.

pub use super::{
    v2::fuzzing::{v2, v2_sealed},
    v3::fuzzing::v3,
};
