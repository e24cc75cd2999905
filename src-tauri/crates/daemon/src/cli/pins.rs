//! `pins`: what servers defined when it was approved, what they say now, and the person's acts. An act shows what it is
//! about, asks, and names the digest of what it showed.

use super::args::Pins as Args;
use super::exit::{FLAGGED, Failed, NO_INPUT};
use super::reach::Reached;
use super::terminal::{say, say_json, shortened, table, time, visible};
use super::{person_agrees, with_api};
use crate::pins::held_because;
use portcullis_domain::api::{DiffTag, PinAnswer, PinChoice, PinDetail, PinList, PinRequest, PinRow};
use portcullis_domain::{ApprovedBy, DriftGrade, PinKind};
use std::process::ExitCode;

pub fn run(command: Args, as_json: bool) -> Result<ExitCode, Failed> {
    with_api(async |api| match command {
        Args::List { all, upstream } => list(api, all, upstream.as_deref(), as_json).await,
        Args::Show { id } => show(api, &id, as_json).await,
        Args::Approve { id, digest } => approve(api, &id, digest, as_json).await,
        Args::Release { id, digest } => release(api, &id, digest, as_json).await,
        Args::Quarantine { id } => {
            let pin = one(api, &id).await?.pin;
            act(api, "quarantine", &pin.id, "", as_json).await
        }
    })
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn list(reached: &Reached, all: bool, upstream: Option<&str>, as_json: bool) -> Result<ExitCode, Failed> {
    let state = if all { "all" } else { "changed" };
    let upstream = upstream.map(|id| format!("&upstream={}", encoded(id))).unwrap_or_default();
    let list: PinList = reached.access.get(&format!("/api/pins?state={state}{upstream}")).await?;
    if as_json {
        say_json(&list)?;
    } else {
        table(&list.pins.iter().map(cells).collect::<Vec<_>>())?;
        say(&format!(
            "{} definitions, {} changed, {} held until you have looked at them.",
            list.all, list.changed, list.held
        ))?;
    }
    Ok(if list.held == 0 { ExitCode::SUCCESS } else { FLAGGED.into() })
}

fn cells(pin: &PinRow) -> Vec<String> {
    let state = match (pin.quarantine, &pin.drift) {
        (Some(quarantine), _) => held_because(quarantine).to_owned(),
        (None, Some(drift)) if drift.grade == DriftGrade::Notable => "changed, worth a look".into(),
        (None, Some(_)) => "reworded".into(),
        (None, None) => "as approved".into(),
    };
    vec![pin.id.clone(), visible(&pin.upstream_name), kind(pin.kind).into(), shortened(&pin.name, 48), state]
}

fn kind(kind: PinKind) -> &'static str {
    match kind {
        PinKind::Tool => "tool",
        PinKind::Prompt => "prompt",
        PinKind::Resource => "resource",
        PinKind::ResourceTemplate => "template",
        PinKind::Instructions => "instructions",
    }
}

/// By id, or by the beginning of one.
async fn one(reached: &Reached, id: &str) -> Result<PinDetail, Failed> {
    let list: PinList = reached.access.get("/api/pins").await?;
    let mut found = list.pins.iter().filter(|pin| !id.is_empty() && pin.id.starts_with(id));
    let Some(pin) = found.next() else {
        return Err(Failed::new(
            NO_INPUT,
            format!("no definition has the id {}; `portcullis pins list --all` shows them", visible(id)),
        ));
    };
    if found.next().is_some() {
        return Err(Failed::new(NO_INPUT, format!("several definitions have an id that begins with {}", visible(id))));
    }
    Ok(reached.access.get(&format!("/api/pins/{}", encoded(&pin.id))).await?)
}

async fn show(reached: &Reached, id: &str, as_json: bool) -> Result<ExitCode, Failed> {
    let detail = one(reached, id).await?;
    if as_json {
        say_json(&detail)?;
    } else {
        print(&detail)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(detail: &PinDetail) -> Result<(), Failed> {
    let pin = &detail.pin;
    say(&format!("{} {} of {}", kind(pin.kind), visible(&pin.name), visible(&pin.upstream_name)))?;
    let by = match pin.approved_by {
        ApprovedBy::FirstSight => "first seen (nobody has looked at it)",
        ApprovedBy::Person => "approved by you",
    };
    say(&format!("  {by}: {}, digest {}", time(pin.approved_at), pin.approved))?;
    if let Some(quarantine) = pin.quarantine {
        say(&format!("  {}: the app does not get it, and its use is refused", held_because(quarantine)))?;
    }
    if let Some(changed) = &pin.changed {
        say(&format!("  changed: {}, digest {changed}", time(pin.seen_at)))?;
    }
    for reason in pin.drift.iter().flat_map(|drift| &drift.reasons) {
        say(&format!("    {}", visible(&reason.text)))?;
    }
    say("")?;
    if detail.diff.is_empty() {
        detail.approved_text.lines().try_for_each(|line| say(&format!("  {}", visible(line))))?;
    }
    for line in &detail.diff {
        let mark = match line.tag {
            DiffTag::Same => ' ',
            DiffTag::Removed => '-',
            DiffTag::Added => '+',
        };
        say(&format!("{mark} {}", visible(&line.text)))?;
    }
    Ok(())
}

async fn approve(reached: &Reached, id: &str, digest: Option<String>, as_json: bool) -> Result<ExitCode, Failed> {
    let detail = one(reached, id).await?;
    let shown = detail.pin.changed.clone().unwrap_or_else(|| detail.pin.approved.clone());
    let digest = looked_at(reached, &detail, digest, shown, "Is this what you want the app to get?")?;
    act(reached, "approve", &detail.pin.id, &digest, as_json).await
}

async fn release(reached: &Reached, id: &str, digest: Option<String>, as_json: bool) -> Result<ExitCode, Failed> {
    let detail = one(reached, id).await?;
    let shown = detail.pin.approved.clone();
    let question = "Let the approved definition through again, and no other?";
    let digest = looked_at(reached, &detail, digest, shown, question)?;
    act(reached, "release", &detail.pin.id, &digest, as_json).await
}

/// The digest given, or that of what is shown here; confirmed either way. Nothing is approved unseen.
fn looked_at(
    reached: &Reached,
    detail: &PinDetail,
    digest: Option<String>,
    shown: String,
    question: &str,
) -> Result<String, Failed> {
    if digest.is_none() {
        print(detail)?;
    }
    person_agrees(reached, question)?;
    Ok(digest.unwrap_or(shown))
}

async fn act(reached: &Reached, act: &str, id: &str, digest: &str, as_json: bool) -> Result<ExitCode, Failed> {
    let request = PinRequest { pins: vec![PinChoice { id: id.into(), digest: digest.into() }] };
    let answer: PinAnswer = reached.access.at_terminal().post(&format!("/api/pins/{act}"), &request).await?;
    if as_json {
        say_json(&answer)?;
    } else {
        for pin in &answer.done {
            say(&cells(pin).join("  "))?;
        }
        answer.hints.iter().try_for_each(|hint| say(&visible(hint)))?;
    }
    match answer.refused.first() {
        Some(refused) => Err(Failed::new(super::exit::BAD_DATA, refused.message.clone())),
        None => Ok(ExitCode::SUCCESS),
    }
}
