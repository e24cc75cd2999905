//! The signatures are embedded by a macro that cargo cannot see through: rebuild when one of them changes.

fn main() {
    println!("cargo::rerun-if-changed=../../../signatures");
}
