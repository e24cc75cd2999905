//! `drill`: starts one and shows the table attack × transport × caught.

use super::exit::{FLAGGED, Failed, UNAVAILABLE};
use super::reach::Reached;
use super::scan::word;
use super::terminal::{say, say_json, table};
use portcullis_domain::Transport;
use portcullis_domain::api::{DrillReport, DrillRow};
use serde_json::Value;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub async fn run(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    let mut report: DrillReport = reached.access.post("/api/drill", &Value::Null).await?;
    let give_up = Instant::now() + PATIENCE;
    while report.running {
        if Instant::now() > give_up {
            return Err(Failed::new(UNAVAILABLE, format!("the drill did not end in {} s", PATIENCE.as_secs())));
        }
        tokio::time::sleep(LOOK_EVERY).await;
        let newest: Option<DrillReport> = reached.access.get("/api/drill").await?;
        report = newest.unwrap_or(report);
    }
    report.rows.sort_by(|a, b| (&a.attack, a.transport.as_str()).cmp(&(&b.attack, b.transport.as_str())));
    if as_json {
        say_json(&report.rows)?
    } else {
        show(&report.rows)?
    }
    if let Some(error) = report.error {
        return Err(Failed::new(FLAGGED, format!("the drill is not complete: {error}")));
    }
    let all = !report.rows.is_empty() && report.rows.iter().all(|row| row.caught);
    Ok(if all { ExitCode::SUCCESS } else { FLAGGED.into() })
}

fn show(rows: &[DrillRow]) -> Result<(), Failed> {
    let transports = [Transport::Stdio, Transport::Sse, Transport::StreamableHttp];
    let mut attacks: Vec<&str> = rows.iter().map(|row| row.attack.as_str()).collect();
    attacks.dedup();
    let head = ["attack", "stdio", "sse", "streamable http", "signature"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for attack in attacks {
        let of = |transport| rows.iter().find(|row| row.attack == attack && row.transport == transport);
        let mut line = vec![attack.to_owned()];
        line.extend(transports.map(|transport| match of(transport) {
            Some(row) if row.caught => word(row.verdict).to_owned(),
            Some(_) => "NOT CAUGHT".to_owned(),
            None => "not run".to_owned(),
        }));
        line.push(
            rows.iter().find(|row| row.attack == attack).and_then(|row| row.signature.clone()).unwrap_or_default(),
        );
        lines.push(line);
    }
    table(&lines)?;
    let caught = rows.iter().filter(|row| row.caught).count();
    say("Block: it was stopped. Flag: it went through and you are told.")?;
    say(&format!("{caught} of {} attacks were caught. `portcullis log --app drill` shows them.", rows.len()))?;
    Ok(())
}
