//! Windows only starts `.exe` by a bare name; apps that start `npx` mean `npx.cmd`. Looks the name up as the command
//! interpreter would: PATH by PATHEXT. Pure, so it is tested on every system.

use std::path::{Path, PathBuf};

/// `program` with the extension it needs, or None when it can be started as it is (or nothing was found).
pub fn resolve(program: &str, path: &str, pathext: &str, is_file: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let has_folder = program.contains(['/', '\\', ':']);
    let has_extension = Path::new(program).extension().is_some();
    let folders: Vec<&str> = if has_folder { vec![""] } else { path.split(';').filter(|f| !f.is_empty()).collect() };
    let join = |folder: &str, name: &str| match folder {
        "" => PathBuf::from(name),
        _ => PathBuf::from(format!("{}\\{name}", folder.trim_matches('"').trim_end_matches('\\'))),
    };
    for folder in folders {
        if has_extension && is_file(&join(folder, program)) {
            return Some(join(folder, program));
        }
        for extension in pathext.split(';').filter(|e| e.len() > 1) {
            let candidate = join(folder, &format!("{program}{}", extension.to_ascii_lowercase()));
            if is_file(&candidate) {
                return Some(candidate);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_npx_is_the_cmd_file_on_the_path() {
        let files = [r"C:\node\npx.cmd", r"C:\node\npx", r"C:\tools\uvx.exe", r"D:\x\run.bat", r"C:\node\a.b.cmd"];
        let find = |program: &str| {
            let is_file = |path: &Path| files.iter().any(|file| Path::new(file) == path);
            let found = resolve(program, r#"C:\Windows;"C:\node\";C:\tools"#, ".COM;.EXE;.BAT;.CMD", is_file);
            found.map(|path| path.to_string_lossy().into_owned())
        };
        assert_eq!(find("npx").as_deref(), Some(r"C:\node\npx.cmd"));
        assert_eq!(find("npx.cmd").as_deref(), Some(r"C:\node\npx.cmd"));
        assert_eq!(find("uvx").as_deref(), Some(r"C:\tools\uvx.exe"));
        assert_eq!(find("a.b").as_deref(), Some(r"C:\node\a.b.cmd"));
        assert_eq!(find(r"D:\x\run").as_deref(), Some(r"D:\x\run.bat"));
        assert_eq!(find("missing"), None);
    }
}
