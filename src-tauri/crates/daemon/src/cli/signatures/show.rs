//! `signatures show`: one Signature as a person reads it.

use crate::cli::exit::Failed;
use crate::cli::reach::Reached;
use crate::cli::terminal::{say, say_json, visible, visible_lines};
use crate::home::Home;
use portcullis_domain::api::SignatureInfo;
use std::process::ExitCode;

pub async fn run(reached: &Reached, id: &str, as_json: bool) -> Result<ExitCode, Failed> {
    let path: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let info: SignatureInfo = reached.access.get(&format!("/api/signatures/{path}")).await?;
    if as_json {
        say_json(&info)?;
    } else {
        print(&info)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(info: &SignatureInfo) -> Result<(), Failed> {
    let word = |debug: String| debug.to_lowercase();
    let (severity, confidence) = (word(format!("{:?}", info.severity)), word(format!("{:?}", info.confidence)));
    let verdict = crate::cli::scan::word(info.verdict);
    let on = if info.enabled { "on" } else { "off: what it finds is let through" };
    say(&format!("{} (version {}, {}) is {on}", visible(&info.id), info.version, visible(&info.status)))?;
    say(&format!("  {}", visible(&info.title)))?;
    say(&format!("  {}: severity {severity}, confidence {confidence}, {verdict}", visible(&info.category)))?;
    let days = if info.hits_30d == 1 {
        "found once in 30 days".into()
    } else {
        format!("found {} times in 30 days", info.hits_30d)
    };
    say(&format!("  {days}\n"))?;
    for (name, prose) in
        [("", &info.description), ("What to do: ", &info.advice), ("When it is wrong: ", &info.false_positives)]
    {
        say(&format!("{name}{}", visible(prose)))?;
    }
    say("")?;
    say(&visible_lines(matching(info.text.as_deref().unwrap_or_default())))?;
    for (name, examples) in [("Found in", &info.hits), ("Not found in", &info.misses)] {
        say(&format!("{name}:"))?;
        examples.iter().try_for_each(|example| say(&format!("  {}", visible(example))))?;
    }
    if !info.references.is_empty() {
        say("References:")?;
        info.references.iter().try_for_each(|reference| say(&format!("  {}", visible(reference))))?;
    }
    let file = if info.bundled {
        format!("signatures/{} (bundled with Portcullis)", info.file)
    } else {
        format!("{} (yours)", Home::from_environment()?.signatures().join(&info.file).display())
    };
    say(&format!("File: {}", visible(&file)))?;
    Ok(())
}

/// The `[where]` and `[match]` sections as the file has them.
fn matching(text: &str) -> &str {
    let start = text.find("[where]").unwrap_or(0);
    let end = text[start..].find("[[").map_or(text.len(), |at| start + at);
    &text[start..end]
}
