//! Whether an app signs in to a server itself: a person's switch, kept over a restart, void when something else edits it.

use super::common::{Line, Place, Stub, call, call_as_program};
use serde_json::{Value, json};

async fn own(place: &Place, port: u16) -> Value {
    call(place, port, "GET /api/sign-ins/own", "").await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_left_to_sign_in_itself_by_a_person_alone() {
    let (place, upstream) = (Place::new(), Stub::echoing());
    let daemon = place.start().await;
    let _line = Line::protect(&place, &daemon, &upstream).await;
    let port = daemon.running().dashboard_port;
    let apps = call(&place, port, "GET /api/apps", "").await.json();
    let server = &apps.as_array().unwrap().iter().find(|app| app["id"] == "cursor").unwrap()["files"][0]["servers"][0];
    let id = server["id"].as_str().unwrap().to_owned();
    let switch = format!("PUT /api/sign-ins/{id}/own");

    assert_eq!(own(&place, port).await, json!([]));
    let answer = call_as_program(&place, port, &switch, r#"{"on":true}"#, &[]).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "no_presence"));
    assert_eq!(own(&place, port).await, json!([]));
    let answer = call(&place, port, "PUT /api/sign-ins/none/own", r#"{"on":true}"#).await;
    assert_eq!(answer.status, 404, "{}", answer.body);

    assert_eq!(call(&place, port, &switch, r#"{"on":true}"#).await.json(), json!([id]));
    daemon.shutdown().await;

    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    assert_eq!(own(&place, port).await, json!([id]), "known after a restart");
    let changes = call(&place, port, "GET /api/changes", "").await.json();
    let told = changes.as_array().unwrap().iter().find(|row| row["summary"].as_str().unwrap().contains("itself"));
    assert_eq!(told.expect("a row about it")["loosens"], true);

    let answer = call_as_program(&place, port, &switch, r#"{"on":false}"#, &[]).await;
    assert_eq!(answer.json(), json!([]), "to take it back needs no person");
    assert_eq!(call(&place, port, &switch, r#"{"on":true}"#).await.json(), json!([id]));
    daemon.shutdown().await;

    let file = place.home().path().join("own-sign-ins");
    let on = std::fs::read_to_string(&file).unwrap();
    let daemon = place.start().await;
    let port = daemon.running().dashboard_port;
    assert_eq!(call(&place, port, &switch, r#"{"on":false}"#).await.json(), json!([]));
    daemon.shutdown().await;
    // Neither what something else wrote counts, nor what the person switched off since.
    for (text, why) in [(on.replace(&id, &"a".repeat(26)), "edited"), (on, "older copy")] {
        std::fs::write(&file, text).unwrap();
        let daemon = place.start().await;
        let port = daemon.running().dashboard_port;
        assert_eq!(own(&place, port).await, json!([]), "{why}");
        let problems = call(&place, port, "GET /api/status", "").await.json()["problems"].to_string();
        assert!(problems.contains("own-sign-ins") && problems.contains(why), "{problems}");
        daemon.shutdown().await;
    }
}
