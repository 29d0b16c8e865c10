//! Has the crate rebuilt when a migration is added: the macro that embeds them can't tell cargo by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
