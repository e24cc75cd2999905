//! The command line. What follows `--` belongs to the real server and is never interpreted.

use std::ffi::OsString;

pub const HELP: &str = "\
portcullis-shim: starts an MCP server over stdio and has every message checked by Portcullis.

Usage: portcullis-shim run --id <id> -- <command> [args]...

The `portcullis protect` command writes this line into an app's MCP config; `portcullis restore` takes it out again.

  --id <id>      which protected server this is (26 characters, written by `portcullis protect`)
  <command>...   the real server, started with exactly these arguments, without a shell
  --help         this text
  --version      the version

Exit status: the server's own; 64 wrong usage, 70 internal error, 126 or 127 the server cannot be started.
";

#[derive(Debug, PartialEq)]
pub enum Command {
    Help,
    Version,
    Run(Run),
}

#[derive(Debug, PartialEq)]
pub struct Run {
    pub id: String,
    /// Never empty.
    pub argv: Vec<OsString>,
}

pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut args = args.into_iter();
    match args.next().as_ref().and_then(|arg| arg.to_str()) {
        Some("--help" | "-h" | "help") | None => return Ok(Command::Help),
        Some("--version" | "-V") => return Ok(Command::Version),
        Some("run") => {}
        Some(other) => return Err(format!("unknown command {other:?}")),
    }
    let mut id = None;
    loop {
        let arg = args.next().ok_or("the server's command is missing after `--`")?;
        match arg.to_str() {
            Some("--") => break,
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--id") => id = Some(args.next().ok_or("--id needs a value")?),
            Some(text) if text.starts_with("--id=") => id = Some(text["--id=".len()..].into()),
            _ => return Err(format!("unexpected argument {arg:?} before `--`")),
        }
    }
    let id = id.ok_or("--id is missing")?.into_string().map_err(|_| "the id is not text")?;
    let argv: Vec<OsString> = args.collect();
    if argv.is_empty() {
        return Err("the server's command is missing after `--`".into());
    }
    Ok(Command::Run(Run { id, argv }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &[&str]) -> Result<Command, String> {
        parse(line.iter().map(OsString::from))
    }

    #[test]
    fn everything_after_the_dashes_is_the_servers() {
        let argv = ["npx", "--id", "", "a b", "--", "--help"];
        let line = [&["run", "--id", "x", "--"][..], &argv].concat();
        assert_eq!(
            parsed(&line),
            Ok(Command::Run(Run { id: "x".into(), argv: argv.iter().map(OsString::from).collect() }))
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(parsed(&["run", "--", "cat"]).unwrap_err().contains("--id"));
        assert!(parsed(&["run", "--id", "x"]).unwrap_err().contains("command"));
        assert!(parsed(&["run", "--id", "x", "--"]).unwrap_err().contains("command"));
        assert!(parsed(&["run", "cat"]).unwrap_err().contains("cat"));
        assert!(parsed(&["serve"]).unwrap_err().contains("serve"));
        assert_eq!(parsed(&["--version"]), Ok(Command::Version));
        assert_eq!(parsed(&[]), Ok(Command::Help));
    }
}
