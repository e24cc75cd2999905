//! Rebuilds the embedded dashboard when `ui/dist` changes (or appears).

fn main() {
    let dist = "../../../ui/dist";
    let watched = if std::path::Path::new(dist).exists() { dist } else { "../../../ui" };
    println!("cargo::rerun-if-changed={watched}");
    println!("cargo::rerun-if-changed=build.rs");
}
