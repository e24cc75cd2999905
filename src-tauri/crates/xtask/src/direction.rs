//! Who may import whom, and who owns which outside crate: read from `cargo metadata`, so that a wrong arrow is found
//! where it is declared. The two tables are the rule; everything else follows them.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{path::Path, process::Command};

/// Each of our crates and those of ours it may import, for normal, build and test dependencies alike.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("portcullis-domain", &[]),
    ("portcullis-detect", &["domain"]),
    ("portcullis-policy", &["domain"]),
    ("portcullis-audit", &["domain"]),
    ("portcullis-clients", &["domain"]),
    ("portcullis-shim", &["domain", "detect", "policy"]),
    ("portcullis-gateway", &["domain", "detect", "policy"]),
    ("portcullis-daemon", &["domain", "detect", "policy", "audit", "clients", "gateway"]),
    ("portcullis-app", &["domain", "daemon"]),
    ("portcullis-testkit", &["domain", "detect", "policy", "audit", "clients", "gateway", "daemon"]),
    ("portcullis-xtask", &["domain", "detect", "clients"]),
];

/// Outside crates (a `*` at the end: every crate that begins so) and who alone may import them. Tests of any crate and
/// the dev-only crates may use what they need of these, except the shell's.
const OWNERS: &[(&str, &[&str])] = &[
    ("tauri*", &["app"]),
    ("rusqlite*", &["audit"]),
    ("axum*", &["gateway", "daemon"]),
    ("regex*", &["detect"]),
    ("aho-corasick", &["detect"]),
    ("dirs", &["clients", "daemon"]),
    ("anyhow", &["app", "daemon", "shim"]),
];
const DEV_ONLY: &[&str] = &["testkit", "xtask"];
const PREFIX: &str = "portcullis-";

struct Edge {
    from: String,
    to: String,
    /// A dev-dependency: only tests see it.
    test: bool,
}

pub fn check_imports(root: &Path) -> Result<Vec<String>> {
    Ok(wrong_imports(&edges(&metadata(root)?)?))
}

pub fn check_owners(root: &Path) -> Result<Vec<String>> {
    Ok(wrong_owners(&edges(&metadata(root)?)?))
}

fn metadata(root: &Path) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo could not be started")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")
}

fn edges(metadata: &Value) -> Result<Vec<Edge>> {
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned).with_context(|| format!("no {key}"));
    let list = |value: &Value, key: &str| value[key].as_array().cloned().with_context(|| format!("no {key}"));
    let mut edges = Vec::new();
    for package in list(metadata, "packages")? {
        let from = text(&package, "name")?;
        for dependency in list(&package, "dependencies")? {
            let test = dependency["kind"] == "dev";
            edges.push(Edge { from: from.clone(), to: text(&dependency, "name")?, test });
        }
        // a crate without dependencies still has to stand in the table
        edges.push(Edge { from: from.clone(), to: from, test: false });
    }
    Ok(edges)
}

fn wrong_imports(edges: &[Edge]) -> Vec<String> {
    let ours = edges.iter().filter(|edge| edge.to.starts_with(PREFIX));
    let fault = |edge: &Edge| {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == edge.from) else {
            return Some(format!("{} stands in no rule: add it to MAY_IMPORT in xtask", edge.from));
        };
        let to = edge.to.strip_prefix(PREFIX)?;
        let shared_by_tests = edge.test && to == "testkit";
        let wrong = edge.from != edge.to && !shared_by_tests && !allowed.contains(&to);
        wrong.then(|| format!("{} must not import {}; it may import: {}", edge.from, edge.to, join(allowed)))
    };
    ours.filter_map(fault).collect()
}

fn wrong_owners(edges: &[Edge]) -> Vec<String> {
    let fault = |edge: &Edge| {
        let (_, owners) = OWNERS.iter().find(|(pattern, _)| matches(pattern, &edge.to))?;
        let from = edge.from.strip_prefix(PREFIX).unwrap_or(&edge.from);
        let lenient = !edge.to.starts_with("tauri") && (edge.test || DEV_ONLY.contains(&from));
        (!lenient && !owners.contains(&from))
            .then(|| format!("{} imports {}, which belongs to {}", edge.from, edge.to, join(owners)))
    };
    edges.iter().filter_map(fault).collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn join(names: &[&str]) -> String {
    if names.is_empty() { "nothing of ours".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), test: false }
    }

    #[test]
    fn a_wrong_arrow_is_named() {
        let faults = wrong_imports(&[
            edge("portcullis-gateway", "portcullis-detect"),
            edge("portcullis-gateway", "portcullis-audit"),
            edge("portcullis-detect", "regex"),
        ]);
        assert_eq!(
            faults,
            ["portcullis-gateway must not import portcullis-audit; it may import: domain, detect, policy"]
        );
    }

    #[test]
    fn nobody_imports_the_shell_the_testkit_or_xtask() {
        for (from, _) in MAY_IMPORT {
            for to in ["portcullis-app", "portcullis-testkit", "portcullis-xtask", "portcullis-shim"] {
                assert_eq!(wrong_imports(&[edge(from, to)]).is_empty(), *from == to, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn tests_may_use_the_testkit_and_nothing_else_of_ours_beyond_the_rule() {
        let in_tests = |to: &str| wrong_imports(&[Edge { test: true, ..edge("portcullis-policy", to) }]);
        assert!(in_tests("portcullis-testkit").is_empty());
        assert_eq!(in_tests("portcullis-audit").len(), 1);
    }

    #[test]
    fn a_crate_without_a_rule_is_refused() {
        assert_eq!(wrong_imports(&[edge("portcullis-new", "portcullis-new")]).len(), 1);
    }

    #[test]
    fn outside_crates_stay_with_their_owner() {
        assert!(wrong_owners(&[edge("portcullis-audit", "rusqlite_migration")]).is_empty());
        assert_eq!(wrong_owners(&[edge("portcullis-daemon", "rusqlite")]).len(), 1);
        assert_eq!(wrong_owners(&[edge("portcullis-detect", "anyhow")]).len(), 1);
        let in_tests = |to: &str| wrong_owners(&[Edge { test: true, ..edge("portcullis-policy", to) }]);
        assert!(in_tests("anyhow").is_empty());
        assert_eq!(in_tests("tauri").len(), 1, "not even tests of the core name tauri");
        assert!(wrong_owners(&[edge("portcullis-testkit", "axum")]).is_empty());
    }

    #[test]
    fn edges_are_read_from_cargo_metadata() {
        let metadata = json!({"packages": [{"name": "portcullis-shim", "dependencies": [
            {"name": "libc", "kind": null}, {"name": "tempfile", "kind": "dev"}]}]});
        let edges = edges(&metadata).unwrap();
        let seen: Vec<_> = edges.iter().map(|edge| (edge.to.as_str(), edge.test)).collect();
        assert_eq!(seen, [("libc", false), ("tempfile", true), ("portcullis-shim", false)]);
    }
}
