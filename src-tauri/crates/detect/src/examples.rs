//! A Signature's own examples, run through the whole engine: every hit must be found by it, no miss may be.

use crate::fault::ExampleFault;
use crate::file::{Example, SignatureFile};
use crate::predicate::secret;
use crate::role::Role;
use crate::set::bundled_files;
use crate::{Scanner, SignatureSet};
use portcullis_domain::json::{Doc, Mode, quote};
use portcullis_domain::{Direction, Finding, Limits, Scan, ScanContext, ScanInput};
use std::collections::HashSet;
use std::sync::Arc;

/// Runs the hits and misses of `file`.
pub fn test_examples(file: &SignatureFile) -> Result<(), Vec<ExampleFault>> {
    let fault = |kind, number, message: String| ExampleFault { file: file.path.clone(), kind, number, message };
    // What looks at others' Findings needs the others.
    let others = if file.matcher.is_several() { bundled_files() } else { Vec::new() };
    let others = others.into_iter().filter_map(Result::ok).filter(|other| other.id != file.id);
    let set = match SignatureSet::compile(others.chain([file.clone()]).collect(), &HashSet::new()) {
        Ok(set) => set,
        Err(faults) => return Err(faults.iter().map(|why| fault("hit", 0, why.to_string())).collect()),
    };
    let scanner = Scanner::new(Arc::new(set));
    let mut faults = Vec::new();
    for (kind, examples, wanted) in [("hit", &file.hits, true), ("miss", &file.misses, false)] {
        for (index, example) in examples.iter().enumerate() {
            match run(&scanner, example) {
                Ok(findings) if findings.iter().any(|found| found.signature == file.id) != wanted => {
                    let why = if wanted { "is not found" } else { "is found" };
                    faults.push(fault(kind, index + 1, format!("{why}: {}", label(example))));
                }
                Ok(_) => {}
                Err(why) => faults.push(fault(kind, index + 1, why)),
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// What a person reads as the example.
pub fn label(example: &Example) -> String {
    example.text.as_ref().or(example.message.as_ref()).cloned().unwrap_or_default()
}

/// The Findings of one example.
pub fn run(scanner: &Scanner, example: &Example) -> Result<Vec<Finding>, String> {
    let (message, direction, method) = message(example)?;
    let mode = Mode::Lenient;
    let doc = Doc::parse(message.as_bytes(), mode, &Limits::default()).map_err(|error| error.to_string())?;
    let root = doc.root();
    let own_method = root.get("method").and_then(|method| method.as_str());
    let target = root.path(&["params", "name"]).and_then(|name| name.as_str());
    Ok(scanner.scan(&ScanInput {
        direction,
        doc: &doc,
        root,
        method: own_method.as_deref().or(method.as_deref()),
        target: target.as_deref(),
        is_response: own_method.is_none(),
        context: ScanContext { input_schema: None, foreign_tools: &example.foreign_tools, roots: &example.roots },
    }))
}

fn message(example: &Example) -> Result<(String, Direction, Option<String>), String> {
    use Direction::{ToClient, ToUpstream};
    if let Some(message) = &example.message {
        let direction = example.direction.unwrap_or(ToClient);
        return Ok((secret::expand_fakes(message), direction, example.method.clone()));
    }
    let (Some(role), Some(text)) = (example.role, &example.text) else {
        return Err("an example needs `role` and `text`, or `message`".into());
    };
    let text = quote(&secret::expand_fakes(text));
    let argument = |name: &str| {
        let name = quote(example.field.as_deref().unwrap_or(name));
        let call = format!(r#""method":"tools/call","params":{{"name":"tool","arguments":{{{name}:{text}}}}}"#);
        (call, ToUpstream, None)
    };
    let result = |method: &str, body: String| (format!(r#""result":{body}"#), ToClient, Some(method.to_owned()));
    let request = |method: &str, body: String| (format!(r#""method":"{method}","params":{body}"#), ToClient, None);
    let (body, direction, method) = match role {
        Role::ToolName => result("tools/list", format!(r#"{{"tools":[{{"name":{text}}}]}}"#)),
        Role::ToolDescription => result("tools/list", format!(r#"{{"tools":[{{"name":"t","description":{text}}}]}}"#)),
        Role::ToolSchema => result(
            "tools/list",
            format!(r#"{{"tools":[{{"name":"t","inputSchema":{{"properties":{{"p":{{"description":{text}}}}}}}}}]}}"#),
        ),
        Role::Instructions => result("initialize", format!(r#"{{"instructions":{text}}}"#)),
        Role::ListingText => result("prompts/list", format!(r#"{{"prompts":[{{"name":"p","description":{text}}}]}}"#)),
        Role::ArgumentPath => argument("path"),
        Role::ArgumentUrl => argument("url"),
        Role::ArgumentHost => argument("host"),
        Role::ArgumentCommand => argument("command"),
        Role::ArgumentSql => argument("sql"),
        Role::ArgumentCode => argument("content"),
        Role::ArgumentName => argument("name"),
        Role::ArgumentText => argument("message"),
        Role::ResultText => result("tools/call", format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#)),
        Role::ResourceText => result("resources/read", format!(r#"{{"contents":[{{"uri":"a:b","text":{text}}}]}}"#)),
        Role::PromptText => result(
            "prompts/get",
            format!(r#"{{"messages":[{{"role":"user","content":{{"type":"text","text":{text}}}}}]}}"#),
        ),
        Role::SamplingText => request("sampling/createMessage", format!(r#"{{"systemPrompt":{text}}}"#)),
        Role::ElicitationText => request("elicitation/create", format!(r#"{{"message":{text}}}"#)),
        Role::ErrorText => (format!(r#""error":{{"code":1,"message":{text}}}"#), ToClient, Some("tools/call".into())),
        Role::NotificationText => request("notifications/message", format!(r#"{{"data":{text}}}"#)),
        Role::AnswerText => {
            (format!(r#""result":{{"content":{{"a":{text}}}}}"#), ToUpstream, Some("elicitation/create".into()))
        }
        Role::Other | Role::ArgumentAny | Role::DefinitionAny | Role::ContentAny | Role::Any => {
            return Err("an example needs one concrete role".into());
        }
    };
    Ok((format!(r#"{{"jsonrpc":"2.0","id":1,{body}}}"#), direction, method))
}
