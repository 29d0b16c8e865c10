//! Links the program so that its table of relocations takes kilobytes in place of a megabyte: all of that is read at the
//! start and stays in memory. A linker that doesn't know how says so and goes on without it.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_glibc = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|name| name == "gnu");
    if is_glibc && env::var("CARGO_CFG_TARGET_OS").is_ok_and(|name| name == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
