//! Taking only the hostile part out of a response: one tool of a list, the instructions of an initialize result.
//! Every byte that is not taken out stays as it was.

use crate::judged::PairedRequest;
use portcullis_domain::Finding;
use portcullis_domain::json::{Kind, NodeRef, splice};
use std::collections::HashSet;

/// The list a response carries, by the method it answers.
pub(crate) fn list_key(method: &str) -> Option<&'static str> {
    Some(match method {
        "tools/list" => "tools",
        "prompts/list" => "prompts",
        "resources/list" => "resources",
        "resources/templates/list" => "resourceTemplates",
        _ => return None,
    })
}

const WITHHELD: &[u8] = br#""[withheld by Portcullis]""#;

pub(crate) fn is_below(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A response without its hostile parts.
pub(crate) struct Mended {
    pub bytes: Vec<u8>,
    /// Names of the list items that were taken out.
    pub dropped: Vec<String>,
    /// Nothing of the list is left.
    pub emptied: bool,
}

/// None: this response cannot be mended in part and has to be replaced whole.
pub(crate) fn without_hostile_parts(
    bytes: &[u8],
    root: NodeRef<'_>,
    request: &PairedRequest,
    hostile: &[&Finding],
) -> Option<Mended> {
    let result = root.get("result")?;
    if let Some(key) = list_key(&request.method) {
        return without_items(bytes, result, key, request, hostile);
    }
    if !matches!(request.method.as_str(), "initialize" | "server/discover") {
        return None;
    }
    let instructions = result.get("instructions").map(|node| node.pointer());
    let in_instructions = |f: &Finding| instructions.as_deref().is_some_and(|path| is_below(&f.json_path, path));
    let mut edits = Vec::new();
    for finding in hostile.iter().filter(|f| !in_instructions(f)) {
        // A hostile key, or a finding about the whole message, cannot be taken out by replacing one string.
        let leaf = find(result, &finding.json_path).filter(|node| node.kind() == Kind::String)?;
        edits.push((leaf.span(), WITHHELD.to_vec()));
    }
    edits.sort_by_key(|(span, _)| span.start);
    edits.dedup();
    if hostile.iter().any(|f| in_instructions(f)) {
        if !edits.is_empty() {
            return None;
        }
        edits.push((result.span(), result.retain(|child| child.key().as_deref() != Some("instructions"))));
    }
    Some(Mended { bytes: splice(bytes, edits), dropped: Vec::new(), emptied: false })
}

fn without_items(
    bytes: &[u8],
    result: NodeRef<'_>,
    key: &str,
    request: &PairedRequest,
    hostile: &[&Finding],
) -> Option<Mended> {
    let list = result.get(key).filter(|list| list.kind() == Kind::Array)?;
    // The pointer is built once for each item: a hostile list may hold hundreds of thousands.
    let is_hostile = |item: &NodeRef<'_>| {
        let pointer = item.pointer();
        hostile.iter().any(|f| is_below(&f.json_path, &pointer))
    };
    let dropped: Vec<NodeRef<'_>> = list.children().filter(is_hostile).collect();
    let all_inside_items = hostile.iter().all(|f| dropped.iter().any(|item| is_below(&f.json_path, &item.pointer())));
    if !all_inside_items {
        // Hostile text beside the list (`_meta`, a cursor): an empty page, in the shape its era wants.
        let modern = if request.modern { r#","resultType":"complete","ttlMs":0,"cacheScope":"private""# } else { "" };
        let page = format!(r#"{{"{key}":[]{modern}}}"#).into_bytes();
        return Some(Mended { bytes: splice(bytes, vec![(result.span(), page)]), dropped: Vec::new(), emptied: true });
    }
    let starts: HashSet<usize> = dropped.iter().map(|item| item.span().start).collect();
    let mut edits = vec![(list.span(), list.retain(|item| !starts.contains(&item.span().start)))];
    // An edited list must not be cached for others or outlive a later release (2026-07-28).
    for (member, value) in [("ttlMs", &b"0"[..]), ("cacheScope", br#""private""#)] {
        edits.extend(result.get(member).map(|node| (node.span(), value.to_vec())));
    }
    let names = dropped.iter().filter_map(|item| item_name(key, *item)).collect();
    Some(Mended { bytes: splice(bytes, edits), dropped: names, emptied: false })
}

/// What a list item is known by, and nothing else: a `uri` put into a tool does not make it another tool.
pub(crate) fn item_name(list_key: &str, item: NodeRef<'_>) -> Option<String> {
    let key = match list_key {
        "resources" => "uri",
        "resourceTemplates" => "uriTemplate",
        _ => "name",
    };
    item.get(key)?.as_str().map(|text| text.into_owned())
}

/// Whether `segment` of a JSON pointer names this child of its parent.
pub(crate) fn is_named(node: NodeRef<'_>, segment: &str) -> bool {
    match node.key() {
        Some(key) if segment.contains('~') => segment.replace("~1", "/").replace("~0", "~") == *key,
        Some(key) => segment == key,
        None => segment.parse() == Ok(node.index()),
    }
}

fn find<'d>(below: NodeRef<'d>, pointer: &str) -> Option<NodeRef<'d>> {
    let rest = pointer.strip_prefix(&below.pointer())?;
    rest.split('/').skip(1).try_fold(below, |node, segment| node.children().find(|child| is_named(*child, segment)))
}
