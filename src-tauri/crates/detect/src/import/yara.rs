//! YARA text rules. A condition over strings becomes clauses (each must hold, one string of each is enough); what asks
//! for bytes, places, counts, modules or other rules is left, with the reason.

use super::draft::Draft;
use super::pattern::{self, Converted, Means};
use super::{Imported, MAX_IMPORT_BYTES, MAX_RULES, Made, line_at};
use boreal_parser::expression::{Expression, ExpressionKind as Kind, ForSelection, VariableSet};
use boreal_parser::file::YaraFileComponent;
use boreal_parser::rule::{Metadata, MetadataValue, Rule, VariableDeclaration, VariableDeclarationValue as Value};
use std::collections::BTreeSet;

/// A condition that needs more is none that a person can read in a Signature.
const MAX_CLAUSES: usize = 16;
const MAX_ATOMS: usize = 256;

/// `source`: the file's name, for the comments of what is made.
pub fn from_yara(source: &str, text: &str) -> Imported {
    let mut imported = Imported::default();
    if text.len() > MAX_IMPORT_BYTES {
        imported.left("(the whole file)", 1, format!("it is larger than {MAX_IMPORT_BYTES} bytes"));
        return imported;
    }
    let file = match boreal_parser::parse(text) {
        Ok(file) => file,
        Err(error) => {
            let diagnostic = error.to_diagnostic();
            let at = diagnostic.labels.first().map_or(0, |label| label.range.start);
            let reason = format!("it is no YARA that can be read: {}", diagnostic.message);
            imported.left("(the whole file)", line_at(text, at), reason);
            return imported;
        }
    };
    let rules = || {
        file.components.iter().filter_map(|component| match component {
            YaraFileComponent::Rule(rule) => Some(&**rule),
            _ => None,
        })
    };
    for component in &file.components {
        if let YaraFileComponent::Include(include) = component {
            let reason = "files that a file includes are not read: import them by themselves";
            imported.left(&format!("include {:?}", include.path), line_at(text, include.span.start), reason);
        }
    }
    let global = rules().find(|rule| rule.is_global).map(|rule| rule.name.clone());
    for (count, rule) in rules().enumerate() {
        let line = line_at(text, rule.name_span.start);
        let made = if count >= MAX_RULES {
            Err(format!("only the first {MAX_RULES} rules of a file are read"))
        } else {
            convert(source, text, rule, line, global.as_deref())
        };
        match made {
            Ok(made) => imported.take(made),
            Err(reason) => imported.left(&rule.name, line, reason),
        }
    }
    imported
}

fn convert(source: &str, text: &str, rule: &Rule, line: usize, global: Option<&str>) -> Result<Made, String> {
    if rule.is_global {
        return Err("a global rule is a condition of every other rule, which signatures do not have".into());
    }
    if let Some(global) = global {
        return Err(format!("it holds only together with the global rule {global}"));
    }
    if rule.is_private {
        return Err("a private rule only serves other rules".into());
    }
    let formula = Reader { rule }.formula(&rule.condition)?;
    let clauses = simplified(clauses(&formula, true)?);
    let mut draft = Draft {
        format: "yara",
        source: source.to_owned(),
        rule: rule.name.clone(),
        line,
        description: meta(rule, &["description", "desc"]),
        references: references(rule),
        severity: meta(rule, &["severity", "level"]),
        hints: hints(rule),
        clauses: Vec::new(),
        lacks: Vec::new(),
        max_bytes: None,
        notes: Vec::new(),
    };
    let mut notes = BTreeSet::new();
    for clause in &clauses {
        match clause.iter().collect::<Vec<_>>()[..] {
            [Atom::Lacks(at)] => draft.lacks.push(string(text, &rule.variables[*at], &mut notes)?),
            [Atom::AtMost(most)] => {
                notes.insert("filesize counts the one text that is looked at".to_owned());
                draft.max_bytes = Some(draft.max_bytes.map_or(*most, |other: usize| other.min(*most)));
            }
            _ => {
                let way = |atom: &Atom| match atom {
                    Atom::Has(at) => string(text, &rule.variables[*at], &mut notes),
                    _ => Err("it says \"this, or not that\", which signatures cannot".to_owned()),
                };
                draft.clauses.push(clause.iter().map(way).collect::<Result<_, _>>()?);
            }
        }
    }
    draft.notes.extend(notes);
    draft.finish()
}

/// One string of a rule.
fn string(text: &str, variable: &VariableDeclaration, notes: &mut BTreeSet<String>) -> Result<Converted, String> {
    let named = |why: String| format!("${}: {why}", variable.name);
    let modifiers = &variable.modifiers;
    if modifiers.xor.is_some() {
        return Err(named("xor looks for bytes, and messages are text".into()));
    }
    if modifiers.base64.is_some() {
        return Err(named("base64 is undone before signatures look: write it without that modifier".into()));
    }
    if modifiers.wide {
        notes.insert("wide strings are looked for as the text they are".to_owned());
    }
    let mut means = Means { full_word: modifiers.fullword, any_case: modifiers.nocase, dot_all: false };
    if !modifiers.nocase {
        notes.insert("case is not looked at".to_owned());
    }
    let converted = match &variable.value {
        Value::HexString(_) => return Err(named("hex strings look for bytes, and messages are text".into())),
        Value::Bytes(bytes) => {
            let plain = std::str::from_utf8(bytes).map_err(|_| named("its bytes are no text".into()))?;
            pattern::of_text(plain, means)
        }
        Value::Regex(regex) => {
            let source = text.get(regex.span.clone()).and_then(|source| source.strip_prefix('/'));
            let source = source.and_then(|source| source.rsplit_once('/')).map(|(source, _)| source);
            means.any_case |= regex.case_insensitive;
            means.dot_all = regex.dot_all;
            if source.is_some_and(|source| source.starts_with('^') || source.ends_with('$')) {
                notes.insert("^ and $ stand for the ends of a line".to_owned());
            }
            pattern::of_regex(source.unwrap_or_default(), means)
        }
    };
    converted.map_err(named)
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Atom {
    Has(usize),
    Lacks(usize),
    AtMost(usize),
}

type Clause = BTreeSet<Atom>;

enum Formula {
    Has(usize),
    AtMost(usize),
    All(Vec<Formula>),
    Any(Vec<Formula>),
    Not(Box<Formula>),
}

struct Reader<'r> {
    rule: &'r Rule,
}

impl Reader<'_> {
    fn formula(&self, condition: &Expression) -> Result<Formula, String> {
        let each = |parts: &[Expression]| parts.iter().map(|part| self.formula(part)).collect::<Result<Vec<_>, _>>();
        Ok(match &condition.expr {
            Kind::And(parts) => Formula::All(each(parts)?),
            Kind::Or(parts) => Formula::Any(each(parts)?),
            Kind::Not(inner) => Formula::Not(Box::new(self.formula(inner)?)),
            Kind::Variable(name) => Formula::Has(self.index(name)?),
            Kind::For { selection, set, body: None } => self.of_set(selection, set)?,
            Kind::Cmp { left, right, less_than: true, can_be_equal } if left.expr == Kind::Filesize => {
                let Kind::Integer(size) = right.expr else { return Err(unknown(&condition.expr)) };
                let most = if *can_be_equal { size } else { size - 1 };
                Formula::AtMost(usize::try_from(most).map_err(|_| "its filesize is none")?)
            }
            other => return Err(unknown(other)),
        })
    }

    fn index(&self, name: &str) -> Result<usize, String> {
        let found = self.rule.variables.iter().position(|variable| variable.name == name);
        found.ok_or_else(|| format!("${name} is not declared"))
    }

    fn members(&self, set: &VariableSet) -> Result<Vec<usize>, String> {
        if set.elements.is_empty() {
            return Ok((0..self.rule.variables.len()).collect());
        }
        let mut members = Vec::new();
        for element in &set.elements {
            if element.is_wildcard {
                let named = self.rule.variables.iter().enumerate();
                members.extend(named.filter(|(_, one)| one.name.starts_with(&element.name)).map(|(at, _)| at));
            } else {
                members.push(self.index(&element.name)?);
            }
        }
        members.sort_unstable();
        members.dedup();
        Ok(members)
    }

    fn of_set(&self, selection: &ForSelection, set: &VariableSet) -> Result<Formula, String> {
        let members = self.members(set)?;
        let has = |members: &[usize]| members.iter().map(|at| Formula::Has(*at)).collect::<Vec<_>>();
        let wanted = match selection {
            ForSelection::Any => 1,
            ForSelection::All => members.len(),
            ForSelection::None => return Ok(Formula::Not(Box::new(Formula::Any(has(&members))))),
            ForSelection::Expr { expr, as_percent } => {
                let Kind::Integer(number) = expr.expr else {
                    return Err("it counts strings by something that changes".into());
                };
                let number = usize::try_from(number).map_err(|_| "it counts below zero")?;
                if *as_percent { (number * members.len()).div_ceil(100) } else { number }
            }
        };
        if wanted == 0 || wanted > members.len() {
            return Err(format!("it wants {wanted} of {} strings", members.len()));
        }
        // At least n of k: of any k-n+1 of them, one.
        let mut groups = Vec::new();
        if !choose(&members, members.len() - wanted + 1, &mut Vec::new(), &mut groups) {
            return Err(format!(
                "{wanted} of {} strings are more combinations than a signature can say",
                members.len()
            ));
        }
        Ok(Formula::All(groups.iter().map(|group| Formula::Any(has(group))).collect()))
    }
}

/// Every `size` of `from`. False: too many.
fn choose(from: &[usize], size: usize, chosen: &mut Vec<usize>, groups: &mut Vec<Vec<usize>>) -> bool {
    if chosen.len() == size {
        groups.push(chosen.clone());
        return groups.len() <= MAX_CLAUSES;
    }
    for (at, member) in from.iter().enumerate() {
        if from.len() - at < size - chosen.len() {
            break;
        }
        chosen.push(*member);
        let fits = choose(&from[at + 1..], size, chosen, groups);
        chosen.pop();
        if !fits {
            return false;
        }
    }
    true
}

fn clauses(formula: &Formula, positive: bool) -> Result<Vec<Clause>, String> {
    let one = |atom| Ok(vec![Clause::from([atom])]);
    match (formula, positive) {
        (Formula::Has(at), true) => one(Atom::Has(*at)),
        (Formula::Has(at), false) => one(Atom::Lacks(*at)),
        (Formula::AtMost(most), true) => one(Atom::AtMost(*most)),
        (Formula::AtMost(_), false) => Err("it wants a large file".into()),
        (Formula::Not(inner), _) => clauses(inner, !positive),
        (Formula::All(parts), true) | (Formula::Any(parts), false) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(clauses(part, positive)?);
                all = bounded(simplified(all))?;
            }
            Ok(all)
        }
        (Formula::Any(parts), true) | (Formula::All(parts), false) => {
            let mut all = vec![Clause::new()];
            for part in parts {
                let more = clauses(part, positive)?;
                let both = |left: &Clause| more.iter().map(|right| left | right).collect::<Vec<_>>();
                all = bounded(simplified(all.iter().flat_map(both).collect()))?;
            }
            Ok(all)
        }
    }
}

/// Without clauses that follow from others.
fn simplified(mut clauses: Vec<Clause>) -> Vec<Clause> {
    clauses.sort_by_key(Clause::len);
    let mut kept: Vec<Clause> = Vec::new();
    for clause in clauses {
        let follows = kept.iter().any(|other| other.is_subset(&clause));
        if !follows {
            kept.push(clause);
        }
    }
    kept
}

fn bounded(clauses: Vec<Clause>) -> Result<Vec<Clause>, String> {
    let atoms: usize = clauses.iter().map(Clause::len).sum();
    if clauses.len() > MAX_CLAUSES || atoms > MAX_ATOMS {
        return Err("its condition has more combinations than a signature can say".into());
    }
    Ok(clauses)
}

fn unknown(kind: &Kind) -> String {
    match kind {
        Kind::Count(_) | Kind::CountInRange { .. } => "it counts how often a string occurs",
        Kind::Offset { .. }
        | Kind::VariableAt { .. }
        | Kind::VariableIn { .. }
        | Kind::ForIn { .. }
        | Kind::ForAt { .. } => "it asks where in the file a string is",
        Kind::Length { .. } => "it asks how long a match is",
        Kind::Entrypoint | Kind::ReadInteger { .. } => "it reads bytes of a program file",
        Kind::Identifier(_) => "it uses a module, an outside variable or another rule",
        Kind::ForRules { .. } => "it counts other rules",
        Kind::For { .. } | Kind::ForIdentifiers { .. } => "it loops over strings with a condition of its own",
        Kind::Filesize | Kind::Cmp { .. } | Kind::Eq(..) | Kind::NotEq(..) => {
            "it compares numbers that a message does not have"
        }
        Kind::Boolean(_) => "it does not depend on its strings",
        _ => "its condition computes something",
    }
    .to_owned()
}

fn meta(rule: &Rule, names: &[&str]) -> Option<String> {
    let named = |one: &&Metadata| names.iter().any(|name| one.name.eq_ignore_ascii_case(name));
    match &rule.metadatas.iter().find(named)?.value {
        MetadataValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).trim().to_owned()),
        _ => None,
    }
}

fn references(rule: &Rule) -> Vec<String> {
    let text = |one: &Metadata| match &one.value {
        MetadataValue::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    let is_link = |text: &String| {
        text.starts_with("https://")
            && text.len() < 300
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    rule.metadatas.iter().filter_map(text).filter(is_link).take(5).collect()
}

fn hints(rule: &Rule) -> String {
    let tags = rule.tags.iter().map(|tag| tag.tag.clone());
    let told = meta(rule, &["category", "threat_type", "type"]);
    tags.chain(told).chain([rule.name.clone()]).collect::<Vec<_>>().join(" ")
}
