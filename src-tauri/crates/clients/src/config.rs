//! A config file as its app sees it: the tree, the server entries, whose each entry is. Reads; plans nothing, writes
//! nothing. A file that cannot be read safely is an error here, so no plan is ever made on a guess.

use crate::descriptor::{Descriptor, Place};
use crate::entry::{self, Owner, Shape, owner, shape};
use crate::error::Error;
use crate::file::{self, Snapshot};
use crate::format::{Format, Node, Value, line_and_column};
use portcullis_domain::{Transport, UpstreamId};
use std::collections::HashSet;

pub(crate) struct Config {
    pub snapshot: Snapshot,
    /// None: the file has no value at all.
    pub tree: Option<Node>,
    pub format: Format,
    /// Key paths to the maps (or lists) of servers; `*` stands for any key.
    servers: Vec<Vec<String>>,
}

pub(crate) struct Entry<'t> {
    /// Its key; with the keys that a `*` stood for, so that it is unique in the file.
    pub name: String,
    pub path: Vec<At>,
    /// The object that holds the command or the URL.
    pub body: &'t Node,
    pub shape: Shape<'t>,
    pub owner: Owner,
}

impl Entry<'_> {
    pub fn transport(&self) -> Transport {
        match &self.shape {
            Shape::Stdio(_) => Transport::Stdio,
            Shape::Remote { transport, .. } | Shape::Odd { transport, .. } => *transport,
        }
    }
}

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum At {
    Key(String),
    Item(usize),
}

impl Config {
    /// None: there is no such file.
    pub fn load(place: &Place, app: &Descriptor) -> Result<Option<Self>, Error> {
        file::read(&place.path)?.map(|snapshot| Self::parse(snapshot, place, app)).transpose()
    }

    pub fn parse(snapshot: Snapshot, place: &Place, app: &Descriptor) -> Result<Self, Error> {
        let unparseable = |offset: usize, reason: String| {
            let (line, column) = line_and_column(&snapshot.bytes, offset);
            Error::Unparseable { file: snapshot.path.clone(), line, column, reason }
        };
        let tree = place.format.parse(&snapshot.bytes).map_err(|fault| unparseable(fault.offset, fault.reason))?;
        if let Some(tree) = &tree {
            for path in &place.servers {
                check(tree, path, app).map_err(|(offset, reason)| unparseable(offset, reason))?;
            }
        }
        Ok(Self { tree, format: place.format, servers: place.servers.clone(), snapshot })
    }

    pub fn entries<'t>(&'t self, app: &'t Descriptor) -> Vec<Entry<'t>> {
        let mut entries = Vec::new();
        if let Some(tree) = &self.tree {
            for path in &self.servers {
                self.collect(tree, path, Vec::new(), Vec::new(), app, &mut entries);
            }
        }
        entries
    }

    fn collect<'t>(
        &'t self,
        node: &'t Node,
        path: &[String],
        at: Vec<At>,
        wild: Vec<&'t str>,
        app: &'t Descriptor,
        into: &mut Vec<Entry<'t>>,
    ) {
        let step = |key: &str| at.iter().cloned().chain([At::Key(key.into())]).collect::<Vec<_>>();
        let Some((key, rest)) = path.split_first() else {
            for member in node.members().unwrap_or_default() {
                let path = step(&member.key);
                // Another map of servers may lie inside this one.
                if !self.servers.iter().any(|other| leads_into(other, &path)) {
                    into.extend(self.entry(&member.key, &member.node, path, &wild, app));
                }
            }
            let mut names = HashSet::new();
            for (index, item) in node.items().unwrap_or_default().iter().enumerate() {
                let mut name = item.get("name").and_then(Node::text).unwrap_or_default().to_string();
                if name.is_empty() || !names.insert(name.clone()) {
                    name = format!("{name}#{}", index + 1);
                }
                let path = at.iter().cloned().chain([At::Item(index)]).collect();
                into.extend(self.entry(&name, item, path, &wild, app));
            }
            return;
        };
        if key == "*" {
            for member in node.members().unwrap_or_default() {
                let wild = wild.iter().copied().chain([member.key.as_str()]).collect();
                self.collect(&member.node, rest, step(&member.key), wild, app, into);
            }
        } else if let Some(next) = node.get(key) {
            self.collect(next, rest, step(key), wild, app, into);
        }
    }

    fn entry<'t>(
        &self,
        key: &str,
        node: &'t Node,
        mut path: Vec<At>,
        wild: &[&str],
        app: &'t Descriptor,
    ) -> Option<Entry<'t>> {
        let (body, nested) = entry::body(node, app);
        path.extend(nested.map(|key| At::Key(key.into())));
        let shape = shape(body, app);
        if matches!(shape, Shape::Odd { .. }) && app.not_servers.iter().any(|other| other == key) {
            return None;
        }
        let name = if wild.is_empty() { key.to_string() } else { format!("{key} ({})", wild.join(", ")) };
        let owner = owner(&shape);
        Some(Entry { name, path, body, shape, owner })
    }

    pub fn holds(&self, app: &Descriptor, id: &UpstreamId) -> bool {
        self.entries(app).iter().any(|entry| entry.owner.id() == Some(id))
    }
}

fn leads_into(servers: &[String], path: &[At]) -> bool {
    servers.len() >= path.len()
        && servers.iter().zip(path).all(|(key, at)| matches!(at, At::Key(found) if key == "*" || key == found))
}

/// A part of a tree, for editing.
pub(crate) fn part_mut<'t>(tree: &'t mut Node, path: &[At]) -> Option<&'t mut Node> {
    let mut node = tree;
    for at in path {
        node = match (&mut node.value, at) {
            (Value::Object(members), At::Key(key)) => &mut members.iter_mut().find(|member| member.key == *key)?.node,
            (Value::Array(items), At::Item(index)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(node)
}

/// Duplicate keys on the way to an entry's fields (parsers disagree on which copy counts), values that depend on other
/// places, and maps that are none.
fn check(node: &Node, path: &[String], app: &Descriptor) -> Result<(), (usize, String)> {
    let Some((key, rest)) = path.split_first() else {
        if node.is_null() {
            return Ok(());
        }
        self_contained(node)?;
        let bodies = |entry: &Node| {
            no_duplicates(entry, None)?;
            no_duplicates(entry::body(entry, app).0, None)
        };
        return match (&node.value, node.items()) {
            (Value::Object(members), _) => {
                no_duplicates(node, None)?;
                members.iter().try_for_each(|member| bodies(&member.node))
            }
            (_, Some(items)) if app.list => items.iter().try_for_each(bodies),
            _ => Err((node.range.start, "an object of servers by name was expected here".into())),
        };
    };
    if node.is_null() {
        return Ok(());
    }
    if let Some(odd) = node.odd {
        return Err(not_self_contained(node, odd));
    }
    if let Some(merged) =
        node.members().unwrap_or_default().iter().find(|member| member.node.odd == Some("a merge key"))
    {
        return Err(not_self_contained(&merged.node, "a merge key"));
    }
    if key == "*" {
        no_duplicates(node, None)?;
        // Other parts of the file may look as they like.
        let maps = node.members().unwrap_or_default().iter().filter(|member| member.node.members().is_some());
        return maps.into_iter().try_for_each(|member| check(&member.node, rest, app));
    }
    no_duplicates(node, Some(key))?;
    match node.get(key) {
        Some(next) => check(next, rest, app),
        None if node.members().is_some() => Ok(()),
        None => Err((node.range.start, format!("an object that holds {key:?} was expected here"))),
    }
}

fn self_contained(node: &Node) -> Result<(), (usize, String)> {
    if let Some(odd) = node.odd {
        return Err(not_self_contained(node, odd));
    }
    node.members().unwrap_or_default().iter().try_for_each(|member| self_contained(&member.node))?;
    node.items().unwrap_or_default().iter().try_for_each(self_contained)
}

fn not_self_contained(node: &Node, odd: &str) -> (usize, String) {
    (node.range.start, format!("{odd} makes the servers depend on another place of the file; write them out"))
}

fn no_duplicates(node: &Node, only: Option<&str>) -> Result<(), (usize, String)> {
    let mut seen = HashSet::new();
    for member in node.members().unwrap_or_default() {
        if only.is_none_or(|only| member.key == only) && !seen.insert(member.key.as_str()) {
            return Err((member.key_range.start, format!("the key {:?} occurs twice", shorten(&member.key))));
        }
    }
    Ok(())
}

fn shorten(key: &str) -> String {
    if key.chars().count() <= 60 { key.into() } else { key.chars().take(60).chain(['…']).collect() }
}
