//! `judges`: list, set, test, off.

use super::args::{Judges as Args, SetJudge};
use super::exit::{FLAGGED, Failed, NO_INPUT, UNAVAILABLE};
use super::person_agrees;
use super::reach::Reached;
use super::terminal::{say, say_json, visible};
use crate::judges::word;
use portcullis_domain::api::{
    JudgeInfo, JudgeKind, JudgeList, JudgeName, JudgeScope, JudgeSettings, JudgeTest, KeySource, ModelStyle,
};
use std::path::Path;
use std::process::ExitCode;

pub async fn run(reached: &Reached, command: &Args, as_json: bool) -> Result<ExitCode, Failed> {
    let list = match command {
        Args::List => reached.access.get("/api/judges").await?,
        Args::Set(judge) => set(reached, judge).await?,
        Args::Off { name } => off(reached, name.name()).await?,
        Args::Test { name } => return test(reached, name.name(), as_json).await,
    };
    if as_json {
        say_json(&list)?;
    } else {
        list.judges.iter().try_for_each(show)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(reached: &Reached, judge: &SetJudge) -> Result<JudgeList, Failed> {
    let (name, common, kind, question) = match judge {
        SetJudge::Model { url, model, ollama, key_env, key_file, common } => {
            let key = match (key_env, key_file) {
                (Some(name), _) => Some(KeySource::Env(name.clone())),
                (None, Some(file)) => Some(KeySource::File(whole(file)?)),
                (None, None) => None,
            };
            let style = if *ollama { ModelStyle::Ollama } else { ModelStyle::Openai };
            let question = format!("Send texts of messages (secrets masked) to {}?", visible(url));
            (
                JudgeName::Model,
                common,
                JudgeKind::Model { style, url: url.clone(), model: model.clone(), key },
                question,
            )
        }
        SetJudge::Onnx { file, common } => {
            let file = whole(file)?;
            let question = format!("Run the classifier in {} on texts of messages?", visible(&file));
            (JudgeName::Onnx, common, JudgeKind::Onnx { file }, question)
        }
    };
    let settings = JudgeSettings {
        enabled: true,
        scope: if common.all { JudgeScope::All } else { JudgeScope::Grey },
        timeout_seconds: common.timeout_seconds,
        most_per_day: common.per_day,
        threshold_percent: common.threshold,
        kind,
    };
    person_agrees(reached, &question)?;
    Ok(reached.access.at_terminal().put(&format!("/api/judges/{}", word(name)), &settings).await?)
}

/// The daemon works in another folder.
fn whole(path: &Path) -> Result<String, Failed> {
    let whole = std::path::absolute(path).map_err(|error| Failed::new(NO_INPUT, error.to_string()))?;
    whole.into_os_string().into_string().map_err(|_| Failed::new(NO_INPUT, "the path is no UTF-8 text"))
}

async fn off(reached: &Reached, name: JudgeName) -> Result<JudgeList, Failed> {
    let list: JudgeList = reached.access.get("/api/judges").await?;
    let settings = list.judges.iter().find(|one| one.name == name).and_then(|one| one.settings.clone());
    let Some(settings) = settings else { return Ok(list) };
    let settings = JudgeSettings { enabled: false, ..settings };
    Ok(reached.access.put(&format!("/api/judges/{}", word(name)), &settings).await?)
}

async fn test(reached: &Reached, name: JudgeName, as_json: bool) -> Result<ExitCode, Failed> {
    if !reached.access.is_remote() {
        return Err(Failed::new(UNAVAILABLE, "the daemon is not running: start it with `portcullis serve`"));
    }
    let test: JudgeTest = reached.access.post(&format!("/api/judges/{}/test", word(name)), &()).await?;
    let mut works = true;
    for sample in &test.samples {
        works &= sample.percent.is_some();
        let text = if sample.hostile { "a hostile text" } else { "an ordinary text" };
        let said = match (&sample.percent, &sample.fault) {
            (Some(percent), _) => format!("{percent} % doubtful"),
            (None, fault) => format!("no opinion: {}", visible(fault.as_deref().unwrap_or("unknown"))),
        };
        if !as_json {
            say(&format!("{text}: {said} ({} ms)", sample.took_ms))?;
        }
    }
    if as_json {
        say_json(&test)?;
    }
    Ok(if works { ExitCode::SUCCESS } else { FLAGGED.into() })
}

fn show(one: &JudgeInfo) -> Result<(), Failed> {
    let name = word(one.name);
    let Some(settings) = &one.settings else { return Ok(say(&format!("{name}: off, never set"))?) };
    let what = match &settings.kind {
        JudgeKind::Model { style, url, model, key } => {
            let style = if *style == ModelStyle::Ollama { "Ollama" } else { "OpenAI-compatible" };
            let key = match key {
                None => "no key".into(),
                Some(KeySource::Env(name)) => format!("key in the variable {name}"),
                Some(KeySource::File(path)) => format!("key in {path}"),
            };
            format!("{model} at {url} ({style}, {key})")
        }
        JudgeKind::Onnx { file } => format!("the classifier in {file}"),
    };
    say(&format!("{name}: {}, {}", if settings.enabled { "on" } else { "off" }, visible(&what)))?;
    let scope = match settings.scope {
        JudgeScope::Grey => "what is doubtful or nearly",
        JudgeScope::All => "everything that goes through",
    };
    let JudgeSettings { timeout_seconds, most_per_day, threshold_percent, .. } = settings;
    say(&format!(
        "  asked about {scope}, {timeout_seconds} s each, {most_per_day} a day, an alert from {threshold_percent} %"
    ))?;
    let c = &one.counts;
    say(&format!(
        "  {} today; since the start {} asked: {} doubtful, {} fine, {} unreadable, {} late, {} failed; {} known, {} over the budget, {} left out",
        c.used_today, c.asked, c.doubtful, c.fine, c.unparsable, c.late, c.failed, c.cached, c.over_budget, c.dropped
    ))?;
    if let Some(problem) = &one.problem {
        say(&format!("  ! {}", visible(problem)))?;
    }
    Ok(())
}
