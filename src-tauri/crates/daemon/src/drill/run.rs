//! One run: a daemon of its own in a temporary folder, one server entry per attack and Transport, protected like any
//! app's config, then each attack tried and looked at from all sides: what the app got, what the server ran, what the
//! audit says. An attack counts as caught only if the audit has it at Flag or more and the harm did not happen (or, for what
//! is only flagged, the person was told).

use super::attacks::{ATTACKS, Attack, Demand, MARKER, ORDINARY_ANSWER, ORDINARY_TOOL, Step, pulled_rug};
use super::client::Client;
use super::server::{HostileServer, effect, http};
use crate::core::{Config, Core, locked};
use crate::home::Home;
use crate::start::Daemon;
use crate::{Error, clock, shim_binary};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use portcullis_domain::api::{DrillRow, ReviewReason};
use portcullis_domain::{AppId, AuditRow, ChangeKind, Exchange, ExchangeId, Transport, Verdict};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::task::AbortOnDropHandle;

const TRANSPORTS: [Transport; 3] = [Transport::Stdio, Transport::Sse, Transport::StreamableHttp];
/// The audit row of an attack is written a moment after the app has its answer.
const ROW_PATIENCE: Duration = Duration::from_secs(2);
/// An entry of its own with nothing hostile in it.
const ORDINARY: &str = "ordinary";

/// What the attacks run in.
struct Arena {
    config: Value,
    effects: PathBuf,
    rows: Arc<Mutex<Vec<Exchange>>>,
}

/// `on_row` gets each row as it is known, in no particular order of Transports.
pub(super) async fn run(core: &Arc<Core>, on_row: impl Fn(DrillRow)) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("portcullis-drill-").tempdir().context("no temporary folder")?;
    let (apps_home, effects) = (folder.path().join("home"), folder.path().join("effects.txt"));
    let config_file = apps_home.join(".portcullis-drill").join("mcp.json");
    std::fs::create_dir_all(apps_home.join(".portcullis-drill"))?;
    std::fs::write(&effects, "")?;

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let router = http::router(HostileServer::new(effects.clone()));
    let _server = AbortOnDropHandle::new(tokio::spawn(async move { axum::serve(listener, router).await }));

    let program = shim_binary::beside(if cfg!(windows) { "portcullis.exe" } else { "portcullis" })?;
    let original = serde_json::to_string_pretty(&entries(&program, &effects, port))?;
    std::fs::write(&config_file, &original)?;

    let rows: Arc<Mutex<Vec<Exchange>>> = Arc::default();
    let (seen, recorder) = (rows.clone(), core.clone());
    let installed = core.home.shim();
    let config = Config {
        apps_home: Some(apps_home),
        proxy_port: Some(0),
        dashboard_port: Some(0),
        shim: installed.exists().then_some(installed),
        tap: Some(Arc::new(move |row| {
            if let AuditRow::Exchange(exchange) = row {
                locked(&seen).push((**exchange).clone());
                recorder.record(row.clone());
            }
        })),
        ..Config::at(Home::at(folder.path().join("state"))?)
    };
    let daemon = start(config).await?;
    let done = in_daemon(&daemon, &config_file, &original, effects, rows.clone(), on_row).await;
    daemon.shutdown().await;
    put_away(core, &rows).await;
    done
}

/// Nobody has to look at what we did ourselves: the drill's Alerts are reviewed as a test, and stay in the list.
async fn put_away(core: &Arc<Core>, rows: &Mutex<Vec<Exchange>>) {
    let alerts: Vec<ExchangeId> =
        locked(rows).iter().filter(|row| row.verdict > Verdict::Allow).map(|row| row.id.clone()).collect();
    if alerts.is_empty() {
        return;
    }
    let reviewing = core.clone();
    let reviewed = tokio::task::spawn_blocking(move || {
        let review = |id| reviewing.audit.review(id, Some(ReviewReason::Test), clock::now());
        alerts.iter().map(review).sum::<Result<u64, _>>()
    });
    let what = match reviewed.await {
        Ok(Ok(count)) => format!("{count} alerts of the drill were reviewed: {:?}.", ReviewReason::Test),
        Ok(Err(error)) => return tracing::warn!(%error, "the drill's alerts stay open"),
        Err(error) => return tracing::warn!(%error, "the drill's alerts stay open"),
    };
    core.change(ChangeKind::AlertReviewed, Some(AppId::new(super::APP)), what);
    core.stale(&["alerts", "status"]);
}

/// A daemon can start a drill, which starts a daemon: the box ends the circle of types.
fn start(config: Config) -> Pin<Box<dyn Future<Output = Result<Daemon, Error>> + Send>> {
    Box::pin(Daemon::start(config))
}

async fn in_daemon(
    daemon: &Daemon,
    config_file: &Path,
    original: &str,
    effects: PathBuf,
    rows: Arc<Mutex<Vec<Exchange>>>,
    on_row: impl Fn(DrillRow),
) -> Result<()> {
    let (handle, app) = (daemon.handle(), AppId::new(super::APP));
    let refused = |error: portcullis_domain::api::ApiError| anyhow!(error.message);
    handle.set_app_protected(&app, true).await.map_err(refused)?;
    let config: Value = serde_json::from_str(&std::fs::read_to_string(config_file)?)?;
    let before: Value = serde_json::from_str(original)?;
    for (name, entry) in before["mcpServers"].as_object().into_iter().flatten() {
        ensure!(config["mcpServers"][name] != *entry, "the entry {name} was not protected");
    }
    let arena = Arena { config, effects, rows };
    let on_row = &on_row;
    let troubles = futures_util::future::join_all(TRANSPORTS.map(|transport| on_transport(&arena, transport, on_row)));
    let troubles: Vec<String> = troubles.await.into_iter().flatten().collect();
    handle.restore(Some(&app)).await.map_err(refused)?;
    ensure!(std::fs::read_to_string(config_file)? == original, "restore did not give the config back byte for byte");
    if troubles.is_empty() { Ok(()) } else { bail!("{}", troubles.join("; ")) }
}

fn entries(program: &Path, effects: &Path, port: u16) -> Value {
    let mut servers = Map::new();
    for attack in ATTACKS.iter().map(|attack| attack.id).chain([ORDINARY]) {
        for transport in TRANSPORTS {
            let entry = match transport {
                Transport::Stdio => json!({ "command": program, "args": ["drill-server", attack, effects] }),
                Transport::Sse => json!({ "type": "sse", "url": format!("http://127.0.0.1:{port}/{attack}/sse") }),
                Transport::StreamableHttp => json!({ "url": format!("http://127.0.0.1:{port}/{attack}/mcp") }),
            };
            servers.insert(name(attack, transport), entry);
        }
    }
    json!({ "mcpServers": servers })
}

fn name(attack: &str, transport: Transport) -> String {
    let word = if transport == Transport::StreamableHttp { "http" } else { transport.as_str() };
    format!("{attack}-{word}")
}

/// How the hostile server names the Session in its side-effect file.
fn session(attack: &str, transport: Transport) -> String {
    format!("{attack}/{}", transport.as_str())
}

/// One attack after the other; gives back what was wrong with the drill itself.
async fn on_transport(arena: &Arena, transport: Transport, on_row: &impl Fn(DrillRow)) -> Vec<String> {
    let mut troubles = Vec::new();
    if let Err(error) = ordinary(arena, transport).await {
        troubles.push(format!("an ordinary call over {} went wrong: {error:#}", transport.as_str()));
    }
    for attack in ATTACKS {
        let started = Instant::now();
        let harmed = attempt(arena, attack, transport).await.unwrap_or_else(|error| {
            troubles.push(format!("{} over {}: {error:#}", attack.id, transport.as_str()));
            true
        });
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let row = flagged_row(arena, &name(attack.id, transport), ROW_PATIENCE).await;
        let strongest = row.as_ref().and_then(|row| row.findings.iter().max_by_key(|f| (f.verdict, f.severity)));
        on_row(DrillRow {
            attack: attack.id.into(),
            description: attack.description.into(),
            transport,
            caught: row.as_ref().is_some_and(|row| {
                // What was blocked must not have happened, whatever was demanded.
                !harmed || (attack.demand == Demand::Told && row.verdict < Verdict::Block)
            }),
            verdict: row.as_ref().map_or(Verdict::Allow, |row| row.verdict),
            signature: strongest.map(|finding| finding.signature.clone()),
            exchange: row.as_ref().map(|row| row.id.clone()),
            took_ms,
        });
    }
    troubles
}

/// The strictest row of that server at Flag or more.
async fn flagged_row(arena: &Arena, server: &str, patience: Duration) -> Option<Exchange> {
    let give_up = Instant::now() + patience;
    loop {
        let found = {
            let rows = locked(&arena.rows);
            let flagged = rows.iter().filter(|row| row.upstream_name == server && row.verdict > Verdict::Allow);
            flagged.max_by_key(|row| row.verdict).cloned()
        };
        if found.is_some() || Instant::now() >= give_up {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn connect(arena: &Arena, attack: &str, transport: Transport) -> Result<Client> {
    let entry = &arena.config["mcpServers"][name(attack, transport)];
    Ok(Client::connect(entry, transport).await?)
}

fn ran(arena: &Arena, attack: &str, transport: Transport, tool: &str) -> Result<bool> {
    let effects = std::fs::read_to_string(&arena.effects).context("the side-effect file")?;
    Ok(effects.contains(&effect(&session(attack, transport), tool)))
}

/// What is not hostile must pass, or the table would prove nothing.
async fn ordinary(arena: &Arena, transport: Transport) -> Result<()> {
    let mut client = connect(arena, ORDINARY, transport).await?;
    client.initialize().await?;
    client.request("tools/list", json!({})).await?;
    let answer =
        client.request("tools/call", json!({ "name": ORDINARY_TOOL, "arguments": { "city": "Bern" } })).await?;
    client.close().await;
    ensure!(answer.to_string().contains(ORDINARY_ANSWER), "the app got {answer}");
    ensure!(ran(arena, ORDINARY, transport, ORDINARY_TOOL)?, "the server did not run it");
    if let Some(row) = flagged_row(arena, &name(ORDINARY, transport), Duration::ZERO).await {
        bail!("it was judged {} ({:?})", row.verdict.as_str(), row.findings.first().map(|f| &f.signature));
    }
    Ok(())
}

/// Tries one attack. True: the harm happened.
async fn attempt(arena: &Arena, attack: &Attack, transport: Transport) -> Result<bool> {
    let mut client = connect(arena, attack.id, transport).await?;
    let initialized = client.initialize().await?;
    let harmed = match &attack.step {
        Step::Instructions(_) => initialized.to_string().contains(MARKER),
        Step::Definition(tool) => {
            let names = tool_names(&client.request("tools/list", json!({})).await?)?;
            names.iter().any(|name| tool()["name"] == **name)
        }
        Step::RugPull => {
            client.request("tools/list", json!({})).await?;
            let second = tool_names(&client.request("tools/list", json!({})).await?)?;
            second.iter().any(|name| *name == pulled_rug(true)["name"])
        }
        Step::Call { tool, arguments } => {
            client.request("tools/list", json!({})).await?;
            let answer = client.request("tools/call", json!({ "name": tool, "arguments": arguments() })).await?;
            ensure!(is_refusal(&answer) || ran(arena, attack.id, transport, tool)?, "the app got {answer}");
            ran(arena, attack.id, transport, tool)?
        }
        Step::Result(_) => {
            let call = json!({ "name": ORDINARY_TOOL, "arguments": { "city": "Bern" } });
            client.request("tools/call", call).await?.to_string().contains(MARKER)
        }
        Step::Question { method, .. } => {
            let call = json!({ "name": ORDINARY_TOOL, "arguments": { "city": "Bern" } });
            client.request("tools/call", call).await?;
            client.from_server.iter().any(|message| message["method"] == *method)
        }
    };
    client.close().await;
    Ok(harmed)
}

/// The list must stay a list: a poisoned tool is taken out, the others remain.
fn tool_names(answer: &Value) -> Result<Vec<String>> {
    let tools = answer["result"]["tools"].as_array().with_context(|| format!("no list of tools: {answer}"))?;
    let names: Vec<String> = tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect();
    ensure!(names.iter().any(|name| name == ORDINARY_TOOL), "the honest tools are gone from the list");
    Ok(names)
}

fn is_refusal(answer: &Value) -> bool {
    answer["result"]["isError"] == json!(true) || answer.get("error").is_some()
}
