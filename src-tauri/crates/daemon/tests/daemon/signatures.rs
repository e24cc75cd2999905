//! The person's own Signature files under a running daemon: what is written, changed or removed holds for the next Message
//! and for shims, without a restart.

use super::common::{Line, Place, Stub, call, own_signature, until};
use portcullis_daemon::Daemon;
use portcullis_policy::Snapshot;
use serde_json::Value;

async fn list(place: &Place, daemon: &Daemon) -> Value {
    call(place, daemon.running().dashboard_port, "GET /api/signatures", "").await.json()
}

/// What a shim would judge by.
fn in_snapshot(place: &Place) -> Vec<String> {
    let key = std::fs::read(place.home().key_file()).unwrap();
    let sealed = std::fs::read_to_string(place.home().snapshot_file()).unwrap_or_default();
    let snapshot = Snapshot::open(&sealed, &key);
    snapshot.map(|snapshot| snapshot.own_signatures.into_iter().map(|(path, _)| path).collect()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn own_signature_files_take_effect_while_the_daemon_runs() {
    let (place, upstream) = (Place::new(), Stub::echoing());
    let daemon = place.start().await;
    let line = Line::protect(&place, &daemon, &upstream).await;
    let is_blocked = async |text: &str| line.call(text).await["result"]["isError"] == true;
    assert!(!is_blocked("zanzibar").await && !is_blocked("timbuktu").await);

    // The look every 30 s is slower than these waits have patience for all together: the system told of each change.
    let file = place.home().signatures().join("mine/place-name.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, own_signature("place-name", "zanzibar", "block")).unwrap();
    until("a new file", async || is_blocked("zanzibar").await.then_some(())).await;
    until("the snapshot", async || (in_snapshot(&place) == ["mine/place-name.toml"]).then_some(())).await;

    std::fs::write(&file, own_signature("place-name", "timbuktu", "block")).unwrap();
    until("a changed file", async || is_blocked("timbuktu").await.then_some(())).await;
    assert!(!is_blocked("zanzibar").await);

    // Refused: the last good version holds, the fault is told everywhere.
    std::fs::write(&file, "id = \"place-name\"\nversion = 1\nnonsense = true\n").unwrap();
    let faults = until("the fault", async || {
        let faults = list(&place, &daemon).await["faults"].clone();
        (faults != serde_json::json!([])).then_some(faults)
    })
    .await;
    assert_eq!(
        (&faults[0]["file"], &faults[0]["line"], &faults[0]["code"]),
        (&"mine/place-name.toml".into(), &3.into(), &"unknown_field".into())
    );
    assert!(is_blocked("timbuktu").await, "the last good version");
    assert_eq!(in_snapshot(&place), ["mine/place-name.toml"]);
    let problems = async || daemon.handle().status().await.unwrap().problems.join(" ");
    assert!(problems().await.contains("mine/place-name.toml, line 3"), "{}", problems().await);

    std::fs::remove_file(&file).unwrap();
    until("a removed file", async || (!is_blocked("timbuktu").await).then_some(())).await;
    until("the snapshot", async || in_snapshot(&place).is_empty().then_some(())).await;
    assert_eq!(list(&place, &daemon).await["faults"], serde_json::json!([]));
    until("the problem to go", async || (!problems().await.contains("signature")).then_some(())).await;

    // A folder that was removed and made anew is watched as well.
    std::fs::remove_dir_all(place.home().signatures()).unwrap();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, own_signature("place-name", "zanzibar", "block")).unwrap();
    until("a file in a new folder", async || is_blocked("zanzibar").await.then_some(())).await;
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cannot_take_or_switch_off_a_bundled_id_under_a_running_daemon() {
    let place = Place::new();
    let daemon = place.start().await;
    let before = list(&place, &daemon).await;
    let bundled = before["signatures"][0].clone();
    let id = bundled["id"].as_str().unwrap();
    let active = daemon.handle().status().await.unwrap().signatures_active;
    let text = own_signature(id, "word", "flag").replace("\"stable\"", "\"deprecated\"");
    std::fs::write(place.home().signatures().join(format!("{id}.toml")), text).unwrap();
    let code =
        until("the fault", async || list(&place, &daemon).await["faults"][0]["code"].as_str().map(str::to_owned)).await;
    assert_eq!(code, "reserved_id");
    assert_eq!(list(&place, &daemon).await["signatures"], before["signatures"]);
    assert_eq!(daemon.handle().status().await.unwrap().signatures_active, active);
    assert!(in_snapshot(&place).is_empty());
    daemon.shutdown().await;
}
