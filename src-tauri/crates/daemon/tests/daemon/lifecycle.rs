//! Start, second start, shutdown, restart: locks, ports, run files, rules that survive, rows that were spooled.

use super::common::{Place, call};
use portcullis_daemon::{Config, Daemon, Error, attach};
use portcullis_domain::api::{LiveEvent, Observed, Protection};
use portcullis_domain::{AppId, AuditRow, ChangeKind, Gap};
use std::net::TcpListener;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn the_second_daemon_is_told_about_the_first_and_can_attach() {
    let place = Place::new();
    let daemon = place.start().await;
    match Daemon::start(place.config()).await {
        Err(Error::AlreadyRunning { pid, dashboard_port, .. }) => {
            assert_eq!((pid, dashboard_port), (std::process::id(), daemon.running().dashboard_port));
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("two daemons on one home"),
    }
    let attached = attach(&place.home()).unwrap().expect("one runs");
    assert!(attached.is_remote());
    let mut events = attached.events().await.unwrap();
    assert!(matches!(events.recv().await, Ok(LiveEvent::Hello { .. })));
    daemon.handle().pause(None).await.unwrap();
    assert_eq!(attached.status().await.unwrap().protection, Protection::Paused { until: None });
    let paused = async {
        loop {
            if let Ok(LiveEvent::Change { change }) = events.recv().await {
                return change.kind;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, paused).await.unwrap(), ChangeKind::Paused);
    daemon.shutdown().await;
    assert!(attach(&place.home()).unwrap().is_none());
    assert!(!place.home().daemon_file().exists() && !place.home().link_address().exists(), "run files are removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_chosen_once_and_a_taken_one_is_named() {
    let place = Place::new();
    let daemon = place.start().await;
    let first = daemon.running();
    assert_ne!(first.proxy_port, first.dashboard_port);
    daemon.shutdown().await;
    let squatter = TcpListener::bind(("127.0.0.1", first.proxy_port)).unwrap();
    let error = Daemon::start(Config { proxy_port: None, ..place.config() }).await.err().expect("the port is taken");
    assert!(error.to_string().contains(&first.proxy_port.to_string()), "{error}");
    assert!(matches!(error, Error::PortTaken { .. }));
    drop(squatter);
    let daemon = Daemon::start(Config { proxy_port: None, dashboard_port: None, ..place.config() }).await.unwrap();
    let again = daemon.running();
    assert_eq!((again.proxy_port, again.dashboard_port), (first.proxy_port, first.dashboard_port));
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_survive_a_restart_and_an_edited_snapshot_is_void() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    let list = call(&place, port, "GET /api/signatures", "").await.json();
    let id = list["signatures"][0]["id"].as_str().unwrap().to_owned();
    let active = daemon.handle().status().await.unwrap().signatures_active;
    let off = call(&place, port, &format!("PUT /api/signatures/{id}"), r#"{"enabled":false}"#).await.json();
    assert_eq!(off["enabled"], false);
    assert!(off["text"].as_str().unwrap().contains(&id));
    daemon.shutdown().await;

    let daemon = place.start().await;
    assert_eq!(daemon.handle().status().await.unwrap().signatures_active, active - 1);
    daemon.shutdown().await;

    let sealed = std::fs::read_to_string(place.home().snapshot_file()).unwrap();
    assert!(sealed.contains("\"paused_until\":null"));
    let edited = sealed.replace("\"paused_until\":null", "\"paused_until\":9223372036854775807");
    std::fs::write(place.home().snapshot_file(), edited).unwrap();
    let daemon = place.start().await;
    let status = daemon.handle().status().await.unwrap();
    assert_eq!(status.protection, Protection::Off, "not paused");
    assert_eq!(status.signatures_active, active, "and every signature is on");
    assert!(status.problems.iter().any(|text| text.contains("edited")), "{:?}", status.problems);
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spooled_rows_are_imported_and_bad_lines_reported() {
    let place = Place::new();
    place.home().create().unwrap();
    let gap = serde_json::to_string(&AuditRow::Gap(Gap { at: 5, dropped: 2 })).unwrap();
    let spooled = place.home().spool().join("x.jsonl");
    std::fs::write(&spooled, format!("{gap}\nnot a row\n")).unwrap();
    let daemon = place.start().await;
    let imported = async {
        while !daemon.handle().status().await.unwrap().problems.iter().any(|text| text.contains("could not be read")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, imported).await.expect("the bad line is reported");
    assert!(!spooled.exists());
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_protected_watched_and_given_back_byte_for_byte() {
    let place = Place::new();
    let original = "{\n  // mine\n  \"mcpServers\": { \"docs\": { \"url\": \"http://127.0.0.1:9/mcp\" } }\n}\n";
    std::fs::write(place.cursor_config(), original).unwrap();
    let daemon = place.start().await;
    let (handle, cursor) = (daemon.handle(), AppId::new("cursor"));
    let written = handle.set_app_protected(&cursor, true).await.unwrap().written;
    assert_eq!(written, [place.cursor_config().display().to_string()]);
    let config = std::fs::read_to_string(place.cursor_config()).unwrap();
    assert!(config.contains(&format!("http://127.0.0.1:{}/cursor/docs~", daemon.running().proxy_port)), "{config}");
    let apps = handle.apps().await.unwrap();
    let app = apps.iter().find(|app| app.id == cursor).unwrap();
    assert_eq!(app.protected, Some(true));
    assert!(matches!(app.files[0].servers[0].observed, Observed::NotYetSeen { .. }), "protected is not seen");
    let status = handle.status().await.unwrap();
    assert_eq!((status.protection, status.servers_seen, status.servers_total), (Protection::Watching, 0, 1));

    let mut events = handle.events().await.unwrap();
    let more = config.replace("\"docs\":", "\"more\": { \"url\": \"http://127.0.0.1:9/more\" }, \"docs\":");
    std::fs::write(place.cursor_config(), &more).unwrap();
    let noticed = async {
        loop {
            match events.recv().await {
                Ok(LiveEvent::Change { change }) if change.kind == ChangeKind::ConfigEditedOutside => return change,
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let change = tokio::time::timeout(PATIENCE, noticed).await.expect("a new server is noticed");
    assert!(change.summary.contains("`more`"), "{}", change.summary);
    assert_eq!(std::fs::read_to_string(place.cursor_config()).unwrap(), more, "and only announced");

    std::fs::write(place.cursor_config(), &config).unwrap();
    handle.restore(None).await.unwrap();
    assert_eq!(std::fs::read_to_string(place.cursor_config()).unwrap(), original);
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_file_of_the_person_is_taken_up_and_a_broken_one_named() {
    let place = Place::new();
    place.home().create().unwrap();
    std::fs::write(place.home().signatures().join("broken.toml"), "id = \"broken\"\nnonsense = 1\n").unwrap();
    let daemon = place.start().await;
    let list = call(&place, daemon.running().dashboard_port, "GET /api/signatures", "").await.json();
    assert_eq!(list["faults"][0]["file"], "broken.toml", "{}", list["faults"]);
    assert!(list["faults"][0]["message"].is_string());
    assert!(!list["signatures"].as_array().unwrap().is_empty(), "the bundled ones stay in force");
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn state_files_that_are_no_text_are_void_and_reported_and_keep_nothing_from_starting() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    call(&place, port, "PUT /api/modes", r#"{"app":null,"upstream":null,"mode":"monitor"}"#).await;
    daemon.shutdown().await;
    let home = place.home();
    let path = |name: &str| home.path().join(name);
    let files = ["decisions", "judges", "own-sign-ins", "run/snapshot.json"];
    for name in files.into_iter().chain(["api-token", "run/daemon.json", "run/judges.json"]) {
        std::fs::write(path(name), b"\xff\xfe{\0not text\n\xc3\x28".repeat(9)).unwrap();
    }
    let daemon = place.start().await;
    let status = daemon.handle().status().await.unwrap();
    for name in ["stored decisions", "judges", "own-sign-ins", "snapshot.json"] {
        assert!(status.problems.iter().any(|problem| problem.contains(name)), "{name}: {:?}", status.problems);
    }
    let port = daemon.running().dashboard_port;
    assert_eq!(call(&place, port, "GET /api/modes", "").await.json()["default"], "ask");
    daemon.shutdown().await;
}

/// As on a full disk: what was not written whole is not in force, and the next attempt is no repetition.
#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_take_effect_are_not_kept_by_halves() {
    let place = Place::new();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    let mut settings = call(&place, port, "GET /api/settings", "").await.json();
    settings["hold_new_servers"] = true.into();
    let snapshot = place.home().snapshot_file();
    let _ = std::fs::remove_file(&snapshot);
    std::fs::create_dir_all(snapshot.join("in the way")).unwrap();
    let refused = call(&place, port, "PUT /api/settings", &settings.to_string()).await;
    assert_eq!((refused.status, refused.code().as_str()), (500, "state_not_written"), "{}", refused.body);
    assert_eq!(call(&place, port, "GET /api/settings", "").await.json()["hold_new_servers"], false);
    assert!(!std::fs::read_to_string(place.home().config_file()).unwrap().contains("hold_new_servers = true"));
    std::fs::remove_dir_all(&snapshot).unwrap();
    assert_eq!(call(&place, port, "PUT /api/settings", &settings.to_string()).await.status, 200);
    let sealed = std::fs::read_to_string(&snapshot).unwrap();
    assert!(sealed.contains("\"hold_new_servers\":true"), "in force for the shims, too");
    daemon.shutdown().await;
}
