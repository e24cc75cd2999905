//! A config file as its app sees it: the tree, the server entries, whose each entry is. Reads; plans nothing, writes
//! nothing. A file that cannot be read safely is an error here, so no plan is ever made on a guess.

use crate::descriptor::Descriptor;
use crate::entry::{Owner, Shape, owner, shape};
use crate::error::Error;
use crate::file::{self, Snapshot};
use crate::format::{Member, Node, line_and_column};
use portcullis_domain::UpstreamId;
use std::path::Path;

pub(crate) struct Config {
    pub snapshot: Snapshot,
    /// None: the file has no value at all.
    pub tree: Option<Node>,
    servers_path: Vec<String>,
}

pub(crate) struct Entry<'t> {
    pub name: &'t str,
    pub node: &'t Node,
    pub shape: Shape<'t>,
    pub owner: Owner,
}

impl Config {
    /// None: there is no such file.
    pub fn load(path: &Path, app: &Descriptor) -> Result<Option<Self>, Error> {
        file::read(path)?.map(|snapshot| Self::parse(snapshot, app)).transpose()
    }

    pub fn parse(snapshot: Snapshot, app: &Descriptor) -> Result<Self, Error> {
        let unparseable = |offset: usize, reason: String| {
            let (line, column) = line_and_column(&snapshot.bytes, offset);
            Error::Unparseable { file: snapshot.path.clone(), line, column, reason }
        };
        let tree = app.format.parse(&snapshot.bytes).map_err(|fault| unparseable(fault.offset, fault.reason))?;
        if let Some(tree) = &tree {
            check(tree, &app.servers).map_err(|(offset, reason)| unparseable(offset, reason))?;
        }
        Ok(Self { tree, servers_path: app.servers.clone(), snapshot })
    }

    fn servers(&self) -> &[Member] {
        let mut node = self.tree.as_ref();
        for key in &self.servers_path {
            node = node.and_then(|node| node.get(key));
        }
        node.and_then(Node::members).unwrap_or_default()
    }

    pub fn entries<'t>(&'t self, app: &'t Descriptor) -> impl Iterator<Item = Entry<'t>> + 't {
        self.servers().iter().map(move |member| {
            let shape = shape(&member.node, app);
            let owner = owner(&shape);
            Entry { name: &member.key, node: &member.node, shape, owner }
        })
    }

    pub fn holds(&self, app: &Descriptor, id: &UpstreamId) -> bool {
        self.entries(app).any(|entry| entry.owner.id() == Some(id))
    }
}

/// The node of one server in a tree, for editing.
pub(crate) fn server_mut<'t>(tree: &'t mut Node, servers: &[String], name: &str) -> Option<&'t mut Node> {
    let mut node = tree;
    for key in servers.iter().map(String::as_str).chain([name]) {
        let crate::format::Value::Object(members) = &mut node.value else { return None };
        node = &mut members.iter_mut().find(|member| member.key == key)?.node;
    }
    Some(node)
}

/// Duplicate keys on the way to an entry's fields (parsers disagree on which copy counts), and maps that are none.
fn check(root: &Node, servers: &[String]) -> Result<(), (usize, String)> {
    let mut node = root;
    for key in servers {
        no_duplicates(node, Some(key))?;
        match node.get(key) {
            Some(next) => node = next,
            None if node.members().is_some() => return Ok(()),
            None => return Err((node.range.start, format!("an object that holds {key:?} was expected here"))),
        }
        if node.is_null() {
            return Ok(());
        }
    }
    let Some(members) = node.members() else {
        return Err((node.range.start, "an object of servers by name was expected here".into()));
    };
    no_duplicates(node, None)?;
    members.iter().try_for_each(|member| no_duplicates(&member.node, None))
}

fn no_duplicates(node: &Node, only: Option<&str>) -> Result<(), (usize, String)> {
    let mut seen = std::collections::HashSet::new();
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
