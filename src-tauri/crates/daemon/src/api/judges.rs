//! Optional judges: what is set, switching them, a test with texts of ours. Switching one on sends texts away, so a person
//! does that; switching off is for anybody but what an app started.

use super::Shared;
use super::extract::Body;
use super::failure::{Answer, Failure};
use crate::judges::SetFault;
use crate::presence::Sender;
use axum::Json;
use axum::extract::{Path, State};
use portcullis_domain::api::{JudgeList, JudgeName, JudgeSettings, JudgeTest};

pub(super) async fn list(State(shared): State<Shared>) -> Answer<JudgeList> {
    shared.blocking(|core| Ok(core.judges.list())).await.map(Json)
}

fn named(name: &str) -> Result<JudgeName, Failure> {
    match name {
        "model" => Ok(JudgeName::Model),
        "onnx" => Ok(JudgeName::Onnx),
        _ => Err(Failure::not_found(format!("There is no judge {name}; there are `model` and `onnx`."))),
    }
}

pub(super) async fn set(
    State(shared): State<Shared>,
    sender: Sender,
    Path(name): Path<String>,
    Body(settings): Body<JudgeSettings>,
) -> Answer<JudgeList> {
    let name = named(&name)?;
    let set = shared.blocking(move |core| {
        if settings.enabled {
            sender.is_person(core)?;
        } else {
            sender.is_no_app(core)?;
        }
        core.set_judge(name, settings).map_err(|fault| match fault {
            SetFault::Refused(why) => Failure::bad_request(format!("The judge was not set: {why}.")),
            SetFault::NotWritten(error) => error.into(),
        })?;
        Ok(core.judges.list())
    });
    set.await.map(Json)
}

pub(super) async fn test(State(shared): State<Shared>, sender: Sender, Path(name): Path<String>) -> Answer<JudgeTest> {
    let name = named(&name)?;
    shared.blocking(move |core| sender.is_no_app(core)).await?;
    let tested = shared.core.test_judge(name).await;
    tested.map(Json).ok_or_else(|| Failure::not_found("This judge was never set: `portcullis judges set` does that."))
}
