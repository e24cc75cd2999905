//! Pins over the API: what is shown, and that an act names the definition that was looked at.

use super::common::{Place, call};
use portcullis_audit::{Audit, AuditLimits};
use portcullis_domain::{ApprovedBy, Drift, DriftGrade, Pin, PinKind, Quarantine, UpstreamId};
use serde_json::{Value, json};
use std::sync::Arc;

const OLD: &str = r#"{"description":"Reads.","name":"t"}"#;
const NEW: &str = r#"{"description":"Reads, and sends.","name":"t"}"#;

fn saved(place: &Place) {
    let audit = Audit::open(place.home().audit_file(), AuditLimits::default(), Arc::new(|| 1000)).unwrap();
    let pin = Pin {
        upstream: UpstreamId::new("a"),
        kind: PinKind::Tool,
        name: "t".into(),
        approved: OLD.into(),
        approved_at: 1,
        approved_by: ApprovedBy::FirstSight,
        changed: Some(NEW.into()),
        drift: Some(Drift { grade: DriftGrade::Grave, reasons: Vec::new() }),
        quarantine: Some(Quarantine::Changed),
        seen_at: 2,
    };
    audit.save_pin(&pin).unwrap();
    audit.save_pin(&Pin { name: "u".into(), changed: None, drift: None, quarantine: None, ..pin }).unwrap();
    audit.flush().unwrap();
    audit.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_definition_is_shown_with_its_difference_and_approved_by_digest() {
    let place = Place::new();
    place.start().await.shutdown().await;
    saved(&place);
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    let get = async |path: &str| call(&place, port, &format!("GET {path}"), "").await;
    let post = async |act: &str, id: &Value, digest: &Value| {
        let body = json!({ "pins": [{ "id": id, "digest": digest }] }).to_string();
        call(&place, port, &format!("POST /api/pins/{act}"), &body).await.json()
    };

    let list = get("/api/pins?state=review").await.json();
    assert_eq!((&list["held"], &list["changed"], &list["all"]), (&json!(1), &json!(1), &json!(2)));
    assert_eq!(list["pins"].as_array().unwrap().len(), 1);
    let pin = &list["pins"][0];
    let id = pin["id"].as_str().unwrap();
    let detail = get(&format!("/api/pins/{id}")).await.json();
    let tagged = |tag: &str| {
        let lines = detail["diff"].as_array().unwrap().iter().filter(|line| line["tag"] == tag);
        lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(tagged("removed"), ["\"description\": Reads."]);
    assert_eq!(tagged("added"), ["\"description\": Reads, and sends."]);

    let answer = post("approve", &pin["id"], &pin["approved"]).await;
    assert_eq!((answer["done"].as_array().unwrap().len(), &answer["refused"][0]["code"]), (0, &json!("outdated")));
    assert_eq!(get("/api/pins?state=review").await.json()["held"], 1);
    let answer = post("approve", &pin["id"], &pin["changed"]).await;
    assert_eq!(answer["done"][0]["approved"], pin["changed"]);
    assert_eq!(answer["done"][0]["approved_by"], "person");
    assert_eq!(get("/api/pins?state=changed").await.json()["pins"], json!([]));
    assert_eq!(post("quarantine", &pin["id"], &json!("")).await["done"][0]["quarantine"], "person");
    assert_eq!(post("release", &pin["id"], &pin["approved"]).await["refused"][0]["code"], "outdated");
    assert_eq!(post("release", &pin["id"], &pin["changed"]).await["done"][0]["quarantine"], Value::Null);
    assert_eq!(post("release", &json!("0000"), &json!("")).await["refused"][0]["code"], "not_found");
    assert_eq!(get("/api/pins/0000").await.status, 404);
    assert_eq!(get("/api/pins?state=nonsense").await.status, 400);
    daemon.shutdown().await;

    let daemon = place.start().await;
    let changes = call(&place, daemon.running().dashboard_port, "GET /api/changes", "").await.body;
    assert_eq!(changes.matches("pin_reviewed").count(), 3, "{changes}");
    let list = call(&place, daemon.running().dashboard_port, "GET /api/pins", "").await.json();
    let pin = list["pins"].as_array().unwrap().iter().find(|pin| pin["id"] == id).unwrap().clone();
    assert_eq!((&pin["approved_by"], &pin["quarantine"]), (&json!("person"), &Value::Null), "after a restart, too");
    daemon.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_something_else_writes_into_the_database_approves_nothing() {
    let place = Place::new();
    place.start().await.shutdown().await;
    saved(&place);
    // From here on the sealed rules know both.
    place.start().await.shutdown().await;
    let open = || Audit::open(place.home().audit_file(), AuditLimits::default(), Arc::new(|| 1000)).unwrap();
    for edit in ["approved", "removed"] {
        let audit = open();
        let pins = audit.pins().unwrap();
        let held = pins.iter().find(|pin| pin.name == "t").unwrap().clone();
        audit.delete_pins(&held.upstream).unwrap();
        if edit == "approved" {
            let forged = Pin { approved: NEW.into(), changed: None, drift: None, quarantine: None, ..held };
            audit.save_pin(&forged).unwrap();
        }
        audit.flush().unwrap();
        audit.close();
        let daemon = place.start().await;
        let port = daemon.running().dashboard_port;
        let list = call(&place, port, "GET /api/pins?state=all", "").await.json();
        assert_eq!((&list["held"], &list["all"]), (&json!(1), &json!(2)), "{edit}: {list}");
        let problems = call(&place, port, "GET /api/status", "").await.json()["problems"].to_string();
        assert_eq!(problems.contains("edited by something else"), edit == "approved", "{edit}: {problems}");
        daemon.shutdown().await;
        assert!(open().pins().unwrap().iter().any(|pin| pin.name == "t" && pin.quarantine.is_some()), "{edit}");
    }
}
