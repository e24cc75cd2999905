//! `ask`, `decisions` and `mode`: what the person decides, without a window. Whatever loosens protection is asked on the
//! terminal; there is no switch that answers beforehand.

use super::args::{AnswerWord, Ask as Command, Decisions, Mode as ModeArgs, ModeWord};
use super::exit::{Failed, NOT_CONFIRMED, UNAVAILABLE, USAGE};
use super::reach::Reached;
use super::terminal::{ask, read_line, say, say_json, shortened, table, time, visible, visible_lines};
use portcullis_domain::api::{
    ArgumentChoice, Ask, AskAnswer, AskAnswerRequest, AskAnswered, AskList, AskState, DecisionRow, Expiry, LiveEvent,
    ModeRequest, ScopeChoice,
};
use portcullis_domain::{AppId, Direction, Effect, Mode, Modes, UpstreamId};
use serde_json::Value;
use std::process::ExitCode;
use tokio::sync::broadcast::error::RecvError;

const DAYS_30: u32 = 30 * 24 * 60;

/// A person at this terminal says yes; nothing else does.
pub(super) fn person_agrees(reached: &Reached, question: &str) -> Result<(), Failed> {
    reached.is_no_app()?;
    match ask(question)? {
        Some(true) => Ok(()),
        Some(false) => Err(Failed::new(NOT_CONFIRMED, "nothing was changed")),
        None => Err(Failed::new(
            NOT_CONFIRMED,
            "this loosens protection, so a person has to confirm it: run it at a terminal, or use the dashboard",
        )),
    }
}

pub async fn run(reached: &Reached, command: &Command, as_json: bool) -> Result<ExitCode, Failed> {
    if !reached.access.is_remote() {
        return Err(Failed::new(
            UNAVAILABLE,
            "the daemon is not running, so nothing waits: start it with `portcullis serve`",
        ));
    }
    match command {
        Command::List => list(reached, as_json).await,
        Command::Answer { id, answer, minutes } => {
            let ask: Ask = reached.access.get(&format!("/api/asks/{id}")).await?;
            show(&ask)?;
            let answered = give(reached, &ask, *answer, *minutes).await?;
            if as_json {
                say_json(&answered)?;
            } else {
                say(outcome(&answered))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Watch => watch(reached).await,
    }
}

async fn list(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    let list: AskList = reached.access.get("/api/asks").await?;
    if as_json {
        say_json(&list)?;
        return Ok(ExitCode::SUCCESS);
    }
    if list.waiting.is_empty() && list.recent.is_empty() {
        say("Nothing was asked.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |ask: &Ask| {
        let target = ask.target.as_deref().unwrap_or(&ask.method);
        let why = ask.findings.first().map(|finding| visible(&finding.title)).unwrap_or_default();
        vec![
            ask.id.to_string(),
            state(ask.state).to_owned(),
            format!("{} → {} / {}", visible(&ask.app_name), shortened(&ask.upstream_name, 24), shortened(target, 32)),
            why,
        ]
    };
    table(&list.waiting.iter().chain(&list.recent).map(row).collect::<Vec<_>>())?;
    if !list.attended {
        say(
            "Nobody can see questions now, so they are denied at once: open the dashboard, or run `portcullis ask watch`.",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn state(state: AskState) -> &'static str {
    match state {
        AskState::Waiting => "waiting",
        AskState::Allowed => "allowed",
        AskState::Redacted => "redacted",
        AskState::Denied => "denied",
        AskState::TimedOut => "timed out",
        AskState::Unattended => "nobody there",
        AskState::Cancelled => "taken back",
        AskState::Disconnected => "disconnected",
        AskState::Stopped => "stopped",
    }
}

/// The facts: who, what, where to, why.
fn show(ask: &Ask) -> Result<(), Failed> {
    let target = visible(ask.target.as_deref().unwrap_or(&ask.method));
    let server = visible(&ask.upstream_name);
    say(&match ask.direction {
        Direction::ToUpstream => format!("{} wants to call `{target}` of `{server}`.", visible(&ask.app_name)),
        Direction::ToClient => {
            format!("{} is about to read what `{target}` of `{server}` answered.", visible(&ask.app_name))
        }
    })?;
    for finding in &ask.findings {
        say(&format!("  {} ({:?}, {})", visible(&finding.title), finding.severity, finding.signature))?;
        say(&format!("    at {}: {}", visible(&finding.json_path), visible(&finding.matched)))?;
        if let Some(decoded) = &finding.decoded {
            say(&format!("    decoded from {}: {}", decoded.from.join(", "), visible(&decoded.text)))?;
        }
    }
    if !ask.destinations.is_empty() {
        say(&format!("  It names: {}", ask.destinations.iter().map(|d| visible(d)).collect::<Vec<_>>().join(", ")))?;
    }
    let h = &ask.history;
    say(&format!(
        "  This tool was called {} times in 30 days; asked {} times, allowed {}.",
        h.tool_calls, h.asked, h.allowed
    ))?;
    say("  The exact message:")?;
    say(&visible_lines(&shortened_lines(&ask.message)))?;
    Ok(())
}

fn shortened_lines(message: &str) -> String {
    const SHOWN: usize = 4000;
    let length = message.chars().count();
    if length <= SHOWN {
        return message.to_owned();
    }
    format!("{}\n… {} characters more", message.chars().take(SHOWN).collect::<String>(), length - SHOWN)
}

async fn give(reached: &Reached, ask: &Ask, word: AnswerWord, minutes: Option<u32>) -> Result<AskAnswered, Failed> {
    let exact = || ScopeChoice {
        this_app: true,
        this_server: true,
        this_target: true,
        arguments: ArgumentChoice::Exact,
        these_destinations: true,
        these_signatures: true,
    };
    let expires = || Expiry::After { minutes: minutes.unwrap_or(if ask.exact_only { 24 * 60 } else { DAYS_30 }) };
    if minutes.is_some() && !matches!(word, AnswerWord::AllowAlways | AnswerWord::RedactAlways | AnswerWord::DenyAlways)
    {
        return Err(Failed::new(
            USAGE,
            "--minutes says how long an answer is remembered: use it with an -always answer",
        ));
    }
    let answer = match word {
        AnswerWord::Allow => AskAnswer::AllowOnce,
        AnswerWord::AllowSession => AskAnswer::AllowSession,
        AnswerWord::AllowAlways => AskAnswer::AllowAlways { scope: exact(), expires: expires() },
        AnswerWord::Redact => AskAnswer::RedactOnce,
        AnswerWord::RedactAlways => AskAnswer::RedactAlways { scope: exact(), expires: expires() },
        AnswerWord::Deny => AskAnswer::Deny,
        AnswerWord::DenyAlways => AskAnswer::DenyAlways { scope: exact(), expires: expires() },
    };
    if !matches!(word, AnswerWord::Deny | AnswerWord::DenyAlways) {
        let what = ask.findings.first().map_or_else(|| "this".to_owned(), |f| format!("\"{}\"", visible(&f.title)));
        person_agrees(reached, &format!("Let it go on although {what} was found?"))?;
    }
    let request = AskAnswerRequest { answer, acknowledged: true };
    Ok(reached.access.at_terminal().post(&format!("/api/asks/{}/answer", ask.id), &request).await?)
}

fn outcome(answered: &AskAnswered) -> &'static str {
    match (answered.state, answered.late) {
        (AskState::Denied, _) => "Denied.",
        (AskState::Redacted, false) => "Sent without what was found.",
        (_, false) => "Allowed.",
        (_, true) => "The call is gone already; the answer is remembered for its retry.",
    }
}

/// Stays and puts each question as it comes, so that doubtful calls wait for this terminal.
async fn watch(reached: &Reached) -> Result<ExitCode, Failed> {
    reached.is_no_app()?;
    let mut events = reached.handle().events().await?;
    say("Questions are asked here until you press Ctrl-C.")?;
    let first: AskList = reached.access.get("/api/asks").await?;
    let mut next: Vec<Ask> = first.waiting;
    loop {
        for ask in std::mem::take(&mut next) {
            // It may be over by now.
            let now: Ask = reached.access.get(&format!("/api/asks/{}", ask.id)).await?;
            if now.state == AskState::Waiting {
                put(reached, &now).await?;
            }
        }
        match events.recv().await {
            Ok(LiveEvent::Asked { ask }) if ask.state == AskState::Waiting => next.push(*ask),
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Err(Failed::new(UNAVAILABLE, "the daemon has stopped")),
        }
    }
}

async fn put(reached: &Reached, ask: &Ask) -> Result<(), Failed> {
    show(ask)?;
    let word = loop {
        let line = tokio::task::spawn_blocking(|| {
            read_line("[d]eny, [a]llow once, allow for this [s]ession, [r]edact, Enter: decide later? ")
        });
        let line = line.await.map_err(|error| Failed::new(super::exit::INTERNAL, error.to_string()))??;
        match line.as_deref().map(str::trim) {
            None => return Err(Failed::new(NOT_CONFIRMED, "there is no terminal to ask on")),
            Some("") => return Ok(()),
            Some("d") => break AnswerWord::Deny,
            Some("a") => break AnswerWord::Allow,
            Some("s") => break AnswerWord::AllowSession,
            Some("r") => break AnswerWord::Redact,
            Some(_) => {}
        }
    };
    match give(reached, ask, word, None).await {
        Ok(answered) => say(outcome(&answered))?,
        // The next question still comes.
        Err(failed) => say(&visible_lines(&failed.message))?,
    }
    Ok(())
}

pub async fn decisions(reached: &Reached, command: &Decisions, as_json: bool) -> Result<ExitCode, Failed> {
    match command {
        Decisions::List { all, query } => {
            let state = if *all { "all" } else { "active" };
            let mut path = url::form_urlencoded::Serializer::new(String::from("/api/decisions?"));
            path.append_pair("state", state).append_pair("q", &query.join(" "));
            let rows: Vec<DecisionRow> = reached.access.get(&path.finish()).await?;
            if as_json {
                say_json(&rows)?;
                return Ok(ExitCode::SUCCESS);
            }
            if rows.is_empty() {
                say("No decisions.")?;
            }
            table(&rows.iter().map(decision_line).collect::<Vec<_>>())?;
        }
        Decisions::Revoke { id } => {
            let rows: Vec<DecisionRow> = reached.access.get("/api/decisions?state=active").await?;
            let denies = rows.iter().any(|row| row.decision.id.as_str() == id && row.decision.effect == Effect::Deny);
            if denies {
                person_agrees(reached, "Take this ban back?")?;
            }
            let _: Value = reached.access.at_terminal().delete(&format!("/api/decisions/{id}")).await?;
            if as_json {
                say_json(&Value::Null)?;
            } else {
                say("Revoked.")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn decision_line(row: &DecisionRow) -> Vec<String> {
    let decision = &row.decision;
    let effect = match decision.effect {
        Effect::Allow => "Allow",
        Effect::Redact => "Redact",
        Effect::Deny => "Deny",
    };
    let target = decision.scope.target.as_deref().unwrap_or("any");
    let ends = match (row.ended_at, decision.expires_at) {
        (Some(at), _) => format!("ended {} ({})", time(at), serde_json::to_string(&row.state).unwrap_or_default()),
        (None, Some(at)) => format!("until {}", time(at)),
        (None, None) => "no end".into(),
    };
    vec![
        decision.id.to_string(),
        effect.into(),
        format!(
            "{} → {} / {}",
            visible(&decision.app_name),
            shortened(&decision.upstream_name, 24),
            shortened(target, 32)
        ),
        format!("used {} times", row.uses),
        ends,
    ]
}

pub async fn mode(reached: &Reached, args: &ModeArgs, as_json: bool) -> Result<ExitCode, Failed> {
    let mut modes: Modes = reached.access.get("/api/modes").await?;
    if let Some(word) = args.mode {
        let request = ModeRequest {
            app: args.app.clone().map(AppId::new),
            upstream: args.server.clone().map(UpstreamId::new),
            mode: match word {
                ModeWord::Monitor => Some(Mode::Monitor),
                ModeWord::Ask => Some(Mode::Ask),
                ModeWord::Block => Some(Mode::Block),
                ModeWord::Inherit => None,
            },
        };
        if request.mode != Some(Mode::Block) {
            person_agrees(reached, "Set this mode? It may let through what is blocked now.")?;
        }
        modes = reached.access.at_terminal().put("/api/modes", &request).await?;
    }
    if as_json {
        say_json(&modes)?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("Default: {}", word(modes.default)))?;
    for (app, mode) in &modes.apps {
        say(&format!("App {app}: {}", word(*mode)))?;
    }
    for (upstream, mode) in &modes.upstreams {
        say(&format!("Server {upstream}: {}", word(*mode)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Monitor => "Monitor",
        Mode::Ask => "Ask",
        Mode::Block => "Block",
    }
}
