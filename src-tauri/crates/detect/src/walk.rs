//! From a Message to its texts: every string and every key below the scanned root, each with its role.
//! Iterative and linear; duplicates are all walked, because receivers differ in which one they take.

use crate::argument;
use crate::role::Role;
use portcullis_domain::json::{self, Doc, Kind, NodeRef};
use portcullis_domain::{Direction, ScanInput};
use std::borrow::Cow;
use std::ops::Range;

/// One text of a Message.
pub(crate) struct Piece<'d> {
    pub node: NodeRef<'d>,
    pub text: Cow<'d, str>,
    /// Raw bytes of the text in the document, and where they lie.
    pub raw: &'d [u8],
    pub span: Range<usize>,
    pub role: Role,
}

#[derive(Clone, Copy)]
enum Step<'s> {
    Message,
    /// `params` or `result`, by method and direction.
    Body {
        is_result: bool,
    },
    /// A whole subtree with one role.
    Flat(Role),
    Tools,
    Tool,
    Listing,
    Arguments {
        schema: Option<NodeRef<'s>>,
        outer: Option<Role>,
    },
    Argument {
        schema: Option<NodeRef<'s>>,
        role: Role,
    },
    /// The request a completion or input request carries: role from its own `method`.
    Inputs,
}

pub(crate) struct Walk<'i, 's> {
    input: &'i ScanInput<'i>,
    schema: Option<NodeRef<'s>>,
}

impl<'i, 's> Walk<'i, 's> {
    /// `schema` is the parsed `context.input_schema`.
    pub fn new(input: &'i ScanInput<'i>, schema: Option<&'s Doc<'s>>) -> Self {
        Self { input, schema: schema.map(|doc| doc.root()) }
    }

    pub fn pieces(&self, mut emit: impl FnMut(Piece<'i>)) {
        let mut stack: Vec<(NodeRef<'i>, Step<'s>)> = vec![(self.input.root, Step::Message)];
        let bytes = self.input.doc.bytes();
        let mut children = Vec::new();
        while let Some((node, step)) = stack.pop() {
            let role = self.role_of(step);
            match node.kind() {
                Kind::String => {
                    let span = node.span();
                    let span = span.start + 1..span.end.saturating_sub(1).max(span.start + 1);
                    let raw = bytes.get(span.clone()).unwrap_or_default();
                    emit(Piece { node, text: json::decode(raw), raw, span, role });
                }
                // A number can be an address (http://2852039166/).
                Kind::Number if matches!(role, Role::ArgumentHost | Role::ArgumentUrl) => {
                    let (raw, span) = (node.raw(), node.span());
                    emit(Piece { node, text: String::from_utf8_lossy(raw), raw, span, role });
                }
                Kind::Array | Kind::Object => {
                    children.clear();
                    for child in node.children() {
                        let key = child.key();
                        let next = self.descend(step, node, key.as_deref(), child);
                        if let (Some(text), Some(span)) = (key, child.key_span()) {
                            let raw = bytes.get(span.clone()).unwrap_or_default();
                            emit(Piece { node: child, text, raw, span, role: self.key_role(step, next, role) });
                        }
                        children.push((child, next));
                    }
                    stack.extend(children.drain(..).rev());
                }
                _ => {}
            }
        }
    }

    fn fallback(&self) -> Role {
        match self.input.direction {
            Direction::ToClient => Role::ResultText,
            Direction::ToUpstream => Role::Other,
        }
    }

    fn role_of(&self, step: Step<'_>) -> Role {
        match step {
            Step::Flat(role) | Step::Argument { role, .. } => role,
            Step::Tools | Step::Tool => Role::ToolDescription,
            Step::Listing => Role::ListingText,
            Step::Arguments { outer, .. } => outer.unwrap_or(Role::ArgumentText),
            Step::Message => Role::Other,
            Step::Body { .. } | Step::Inputs => self.fallback(),
        }
    }

    /// Keys of envelope and definitions are names the protocol fixes; elsewhere they are text like any other.
    fn key_role(&self, step: Step<'_>, next: Step<'_>, parent: Role) -> Role {
        match (step, next) {
            (Step::Message, Step::Flat(role)) => role,
            (Step::Message | Step::Body { .. } | Step::Tools | Step::Tool | Step::Listing, _) => self.fallback(),
            (Step::Arguments { .. } | Step::Argument { .. }, _) => Role::ArgumentName,
            _ => parent,
        }
    }

    fn descend(&self, step: Step<'s>, parent: NodeRef<'i>, key: Option<&str>, child: NodeRef<'i>) -> Step<'s> {
        let method = self.input.method.unwrap_or("");
        match step {
            Step::Flat(_) => step,
            Step::Message => match key {
                Some("params") => Step::Body { is_result: false },
                Some("result") => Step::Body { is_result: true },
                Some("error") => Step::Flat(Role::ErrorText),
                Some("jsonrpc" | "id" | "method") => Step::Flat(Role::Other),
                // Not JSON-RPC, or extra members some receivers read.
                _ => Step::Flat(self.fallback()),
            },
            Step::Body { is_result } => self.body(method, is_result, key),
            Step::Tools => match key {
                None => Step::Tool,
                Some(_) => Step::Flat(Role::ToolDescription),
            },
            Step::Tool => match key {
                Some("name") => Step::Flat(Role::ToolName),
                Some("inputSchema" | "outputSchema" | "input_schema" | "parameters") => Step::Flat(Role::ToolSchema),
                _ => Step::Flat(Role::ToolDescription),
            },
            Step::Listing => Step::Listing,
            Step::Arguments { schema, outer } => self.argument(schema, outer, key, child),
            Step::Argument { schema, role } => match key {
                Some(_) => self.argument(schema, Some(role), key, child),
                None => {
                    let items = schema.and_then(|schema| schema.get("items"));
                    Step::Argument { schema: items, role: refine(role, child) }
                }
            },
            Step::Inputs => match key {
                Some("params") => {
                    let method = parent.get("method").and_then(|method| method.as_str());
                    Step::Flat(match method.as_deref() {
                        Some("sampling/createMessage") => Role::SamplingText,
                        Some("elicitation/create") => Role::ElicitationText,
                        _ => Role::ResultText,
                    })
                }
                _ => Step::Inputs,
            },
        }
    }

    fn body(&self, method: &str, is_result: bool, key: Option<&str>) -> Step<'s> {
        let flat = Step::Flat;
        if self.input.direction == Direction::ToUpstream {
            return match (method, key) {
                _ if is_result => flat(Role::AnswerText),
                ("tools/call", Some("arguments")) => Step::Arguments { schema: self.schema, outer: None },
                ("tools/call" | "prompts/get", Some("name")) => flat(Role::ArgumentName),
                ("prompts/get" | "completion/complete", Some("arguments" | "argument" | "context")) => {
                    Step::Arguments { schema: None, outer: None }
                }
                (_, Some("inputResponses")) => flat(Role::AnswerText),
                ("initialize" | "server/discover", _) => flat(Role::Other),
                ("resources/read" | "resources/subscribe" | "resources/unsubscribe", Some("uri")) => {
                    flat(Role::ArgumentUrl)
                }
                _ => Step::Arguments { schema: None, outer: None },
            };
        }
        match (method, key) {
            (_, Some("inputRequests")) => Step::Inputs,
            ("tools/list", Some("tools")) | ("sampling/createMessage", Some("tools")) => Step::Tools,
            ("initialize" | "server/discover", _) => flat(Role::Instructions),
            ("prompts/list" | "resources/list" | "resources/templates/list", _) => Step::Listing,
            ("resources/read", _) => flat(Role::ResourceText),
            ("prompts/get", _) => flat(Role::PromptText),
            ("sampling/createMessage", _) if !is_result => flat(Role::SamplingText),
            ("elicitation/create", _) if !is_result => flat(Role::ElicitationText),
            (method, _) if method.starts_with("notifications/") && !is_result => flat(Role::NotificationText),
            _ => flat(Role::ResultText),
        }
    }

    fn argument(
        &self,
        schema: Option<NodeRef<'s>>,
        outer: Option<Role>,
        key: Option<&str>,
        child: NodeRef<'i>,
    ) -> Step<'s> {
        let key = key.unwrap_or("");
        let schema = schema.and_then(|schema| schema.get("properties")).and_then(|properties| properties.get(key));
        let value = if child.kind() == Kind::String { child.as_str().unwrap_or_default() } else { Cow::Borrowed("") };
        let role = argument::role(key, schema, self.input.target, outer, &value);
        Step::Argument { schema, role }
    }
}

/// An element of a list named by nothing is judged by its look.
fn refine(role: Role, child: NodeRef<'_>) -> Role {
    match (role, child.as_str()) {
        (Role::ArgumentText, Some(value)) => argument::role("", None, None, None, &value),
        (role, _) => role,
    }
}
