//! `sign-in` and `sign-out`: servers that want to know who calls.

use super::args;
use super::exit::{Failed, UNAVAILABLE, USAGE};
use super::reach::Reached;
use super::serve::open_browser;
use super::terminal::{say, say_json, shortened, table, visible};
use portcullis_domain::api::{SignIn, SignInAddress, SignInRequest};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// As long as the daemon waits for the browser.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

pub async fn sign_in(reached: &Reached, args: &args::SignIn, as_json: bool) -> Result<ExitCode, Failed> {
    let Some(server) = &args.server else { return list(reached, as_json).await };
    if !reached.access.is_remote() {
        let message = "the browser comes back to the daemon, which is not running: start it with `portcullis serve`";
        return Err(Failed::new(UNAVAILABLE, message));
    }
    let id = id_of(reached, server).await?;
    let request = SignInRequest { client_id: args.client_id.clone() };
    let begun: SignInAddress = reached.access.post(&format!("/api/sign-ins/{id}"), &request).await?;
    if as_json {
        say_json(&json!({ "server": id, "url": begun.url }))?;
    } else {
        say(&format!("Sign in here: {}", visible(&begun.url)))?;
    }
    if args.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    if !as_json {
        open_browser(&begun.url);
    }
    let signed_in = tokio::time::timeout(PATIENCE, async {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let all: Vec<SignIn> = reached.access.get("/api/sign-ins").await?;
            if all.iter().any(|one| one.upstream.as_str() == id && !one.needed && one.issuer.is_some()) {
                return Ok::<_, Failed>(());
            }
        }
    });
    match signed_in.await {
        Ok(done) => done?,
        Err(_) => return Err(Failed::new(UNAVAILABLE, "nobody signed in within ten minutes")),
    }
    if !as_json {
        say("You are signed in.")?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn sign_out(reached: &Reached, args: &args::SignOut, as_json: bool) -> Result<ExitCode, Failed> {
    let id = id_of(reached, &args.server).await?;
    let _: Value = reached.access.delete(&format!("/api/sign-ins/{id}")).await?;
    if as_json {
        say_json(&json!({ "server": id }))?
    } else {
        say("The tokens of this server are forgotten.")?
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(reached: &Reached, as_json: bool) -> Result<ExitCode, Failed> {
    let all: Vec<SignIn> = reached.access.get("/api/sign-ins").await?;
    if as_json {
        say_json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        say("No server has asked for a sign-in.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let state = |one: &SignIn| match &one.issuer {
        _ if one.needed => {
            let asks = if one.wider { "asks for wider rights" } else { "asks for a sign-in" };
            one.scope.as_ref().map_or_else(|| asks.to_owned(), |scope| format!("{asks}: {}", shortened(scope, 60)))
        }
        Some(issuer) => format!("signed in at {}", shortened(issuer, 60)),
        None => String::new(),
    };
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| vec![visible(&one.app_name), shortened(&one.name, 40), state(one), one.upstream.to_string()])
        .collect();
    table(&rows)?;
    Ok(ExitCode::SUCCESS)
}

/// By id, or by a name that only one server has.
async fn id_of(reached: &Reached, server: &str) -> Result<String, Failed> {
    let all: Vec<SignIn> = reached.access.get("/api/sign-ins").await?;
    let named: Vec<&SignIn> = all.iter().filter(|one| one.name == server).collect();
    match named[..] {
        [one] => Ok(one.upstream.to_string()),
        [] if portcullis_domain::UpstreamId::is_well_formed(server) => Ok(server.to_owned()),
        [] => {
            let message = "no server of this name has asked for a sign-in: use it once in its app, or give its id";
            Err(Failed::new(UNAVAILABLE, message))
        }
        _ => Err(Failed::new(USAGE, "several servers have this name: give the id that `portcullis sign-in` lists")),
    }
}
