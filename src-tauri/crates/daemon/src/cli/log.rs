//! `log`: rows of the audit, newest first; one in full; or new ones as they come.

use super::args;
use super::exit::{Failed, UNAVAILABLE};
use super::reach::Reached;
use super::scan::word;
use super::terminal::{say, say_json, shortened, time, visible, visible_lines};
use crate::clock;
use portcullis_domain::api::{ExchangeDetail, ExchangePage, ExchangeRow, LiveEvent};
use portcullis_domain::{Direction, ExchangeId};
use std::process::ExitCode;
use tokio::sync::broadcast::error::RecvError;
use url::form_urlencoded::Serializer;

const MAX_PAGE: usize = 200;

/// `90s`, `15m`, `24h`, `7d` before now, or Unix milliseconds.
pub fn moment(text: &str) -> Result<i64, String> {
    let unit = |c| match c {
        's' => Some(1000),
        'm' => Some(60_000),
        'h' => Some(3_600_000),
        'd' => Some(86_400_000),
        _ => None,
    };
    let age = text.chars().last().and_then(unit).and_then(|unit| {
        let number: i64 = text.get(..text.len() - 1)?.parse().ok().filter(|number| *number >= 0)?;
        Some(clock::now() - number.checked_mul(unit)?)
    });
    age.or_else(|| text.parse().ok())
        .ok_or_else(|| "write an age like 90s, 15m, 24h or 7d, or Unix milliseconds".into())
}

pub async fn run(reached: &Reached, args: &args::Log, as_json: bool) -> Result<ExitCode, Failed> {
    if let Some(id) = &args.id {
        let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let detail: ExchangeDetail = reached.access.get(&format!("/api/exchanges/{id}")).await?;
        if as_json {
            say_json(&detail)?
        } else {
            show_detail(&detail)?
        }
        return Ok(ExitCode::SUCCESS);
    }
    let rows = rows(reached, args).await?;
    if args.follow {
        return follow(reached, args, as_json, rows).await;
    }
    if as_json && args.details {
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(detail(reached, &row.id).await?.exchange);
        }
        say_json(&all)?;
    } else if as_json {
        say_json(&rows)?;
    } else if rows.is_empty() {
        say("No exchange matches.")?;
    } else {
        rows.iter().try_for_each(|row| say(&line(row)))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn detail(reached: &Reached, id: &ExchangeId) -> Result<ExchangeDetail, Failed> {
    Ok(reached.access.get(&format!("/api/exchanges/{id}")).await?)
}

async fn rows(reached: &Reached, args: &args::Log) -> Result<Vec<ExchangeRow>, Failed> {
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    while rows.len() < args.limit {
        let mut query = Serializer::new(String::new());
        let direction = args.direction.map(|way| Direction::from(way).as_str().to_owned());
        let since = args.since.map(|at| at.to_string());
        let until = args.until.map(|at| at.to_string());
        let words = (!args.query.is_empty()).then(|| args.query.join(" "));
        let limit = Some((args.limit - rows.len()).min(MAX_PAGE).to_string());
        for (key, value) in [
            ("app", &args.app),
            ("upstream", &args.upstream),
            ("verdict", &args.verdict),
            ("method", &args.method),
            ("target", &args.target),
            ("direction", &direction),
            ("since", &since),
            ("until", &until),
            ("q", &words),
            ("cursor", &cursor),
            ("limit", &limit),
        ] {
            if let Some(value) = value {
                query.append_pair(key, value);
            }
        }
        let page: ExchangePage = reached.access.get(&format!("/api/exchanges?{}", query.finish())).await?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(rows)
}

async fn follow(
    reached: &Reached,
    args: &args::Log,
    as_json: bool,
    rows: Vec<ExchangeRow>,
) -> Result<ExitCode, Failed> {
    if !reached.access.is_remote() {
        return Err(Failed::new(
            UNAVAILABLE,
            "the daemon is not running, so nothing new will come: start it with `portcullis serve`",
        ));
    }
    let print = |row: &ExchangeRow| {
        if as_json { say(&serde_json::to_string(row).unwrap_or_default()) } else { say(&line(row)) }
    };
    let mut events = reached.handle().listen(false).await?;
    // Oldest first here, so that what follows continues the list.
    rows.iter().rev().try_for_each(print)?;
    loop {
        match events.recv().await {
            Ok(LiveEvent::Exchange { row }) if fits(&row, args) => print(&row)?,
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => say(&format!("… {missed} rows were missed here"))?,
            Err(RecvError::Closed) => return Err(Failed::new(UNAVAILABLE, "the daemon has stopped")),
        }
    }
}

fn fits(row: &ExchangeRow, args: &args::Log) -> bool {
    let verdicts = args.verdict.as_deref().map(|list| list.split(',').any(|word| word.trim() == row.verdict.as_str()));
    args.app.as_ref().is_none_or(|app| row.app.as_str() == app)
        && args.upstream.as_ref().is_none_or(|id| row.upstream.as_str() == id)
        && verdicts.unwrap_or(true)
        && args.method.as_ref().is_none_or(|method| row.method == *method)
        && args.target.as_ref().is_none_or(|target| row.target.as_ref() == Some(target))
        && args.direction.is_none_or(|way| row.direction == Direction::from(way))
        && args.query.iter().all(|word| {
            let text = format!("{} {} {}", row.method, row.upstream_name, row.target.as_deref().unwrap_or_default());
            text.to_lowercase().contains(&word.to_lowercase())
        })
}

fn line(row: &ExchangeRow) -> String {
    let target = row.target.as_deref().map(|target| format!(" {}", shortened(target, 60))).unwrap_or_default();
    let arrow = if row.direction == Direction::ToUpstream { "→" } else { "←" };
    let title = row.title.as_deref().map(|title| format!("  {}", visible(title))).unwrap_or_default();
    let signature = row.signature.as_deref().map(|id| format!(" ({})", visible(id))).unwrap_or_default();
    let method = if row.method.is_empty() { "(no message)".to_owned() } else { shortened(&row.method, 40) };
    format!(
        "{}  {:5}  {} {arrow} {}  {method}{target}{title}{signature}  [{}]",
        time(row.at),
        word(row.verdict),
        row.app,
        shortened(&row.upstream_name, 40),
        row.id
    )
}

fn show_detail(detail: &ExchangeDetail) -> Result<(), Failed> {
    let exchange = &detail.exchange;
    say(&line(&ExchangeRow::of(exchange, detail.review.is_some())))?;
    say(&format!("{}, outcome: {}", exchange.transport.as_str(), exchange.outcome.as_str()))?;
    for finding in &exchange.findings {
        say(&format!("  {} ({:?}, {})", visible(&finding.title), finding.severity, visible(&finding.signature)))?;
        say(&format!("    at {}: {}", visible(&finding.json_path), visible(&finding.matched)))?;
        if let Some(decoded) = &finding.decoded {
            say(&format!("    decoded from {}: {}", decoded.from.join(", "), visible(&decoded.text)))?;
        }
    }
    for explanation in &detail.explanations {
        say(&format!("  {}\n  {}", visible(&explanation.description), visible(&explanation.advice)))?;
    }
    say(&format!("Request:\n{}", visible_lines(&exchange.request)))?;
    if let Some(response) = &exchange.response {
        say(&format!("Response:\n{}", visible_lines(response)))?;
    }
    if let Some(error) = &exchange.error {
        say(&format!("Error: {}", visible(error)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_ages_or_milliseconds() {
        let now = clock::now();
        let age = now - moment("2h").unwrap();
        assert!((7_199_000..=7_201_000).contains(&age), "{age}");
        assert_eq!(moment("1700000000000"), Ok(1_700_000_000_000));
        for wrong in ["", "h", "-2h", "soon", "9999999999999999999d"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
