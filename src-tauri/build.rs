//! Lets Tauri read `tauri.conf.json`; the window gets no capability, so the page it loads can call nothing of ours.
fn main() {
    let attributes = tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error=tauri.conf.json could not be used: {error:#}");
    }
    // The daemon serves the dashboard and its files must be there when it is compiled; say so instead of a macro's panic.
    if !std::path::Path::new("ui/dist/index.html").exists() {
        println!("cargo::error=ui/dist is missing: run `npm run ui:build` (npm start and npm test do it themselves)");
    }
    println!("cargo::rerun-if-changed=src-tauri/capabilities");
    println!("cargo::rerun-if-changed=ui/dist/index.html");
}
