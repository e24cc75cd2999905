//! A Signature being made: clauses of patterns to TOML, with examples drawn from the rule, checked the way every file is.

use super::Made;
use super::pattern::Converted;
use crate::{lint, load, test_examples};

/// Other formats know no distance; here the parts of one rule must lie this close, or long texts would cost too much.
const WITHIN_BYTES: usize = 2000;
/// What ordinary texts say: a rule that matches one of them is of no use here.
const ORDINARY: [(&str, &str); 2] = [
    ("result_text", "The build finished in 12 seconds; 3 files changed, all 48 tests passed."),
    ("tool_description", "Reads a file from the project folder and gives back its lines."),
];
/// Words that tell a category, first hit wins.
const CATEGORIES: [(&str, &[&str]); 8] = [
    ("hidden-text", &["unicode", "invisible", "hidden", "obfusc", "ansi", "zero-width"]),
    ("secrets", &["secret", "credential", "api-key", "apikey", "private-key", "password", "token-leak"]),
    ("exfiltration", &["exfil", "leak"]),
    ("definitions", &["tool-poison", "tool-desc", "poison", "shadow", "rug-pull"]),
    ("commands", &["command", "shell", "code-exec", "reverse", "rce"]),
    ("arguments", &["sql", "travers", "path", "template", "xxe", "xss"]),
    ("network", &["ssrf", "metadata-service", "network"]),
    ("elicitation", &["elicit", "phish"]),
];

/// What a rule says, in our words.
pub struct Draft {
    pub format: &'static str,
    pub source: String,
    pub rule: String,
    pub line: usize,
    pub description: Option<String>,
    pub references: Vec<String>,
    pub severity: Option<String>,
    /// Name, tags, category: what may tell where it belongs.
    pub hints: String,
    /// Each must hold; a clause holds when one of its patterns matches.
    pub clauses: Vec<Vec<Converted>>,
    /// None of these may match.
    pub lacks: Vec<Converted>,
    pub max_bytes: Option<usize>,
    pub notes: Vec<String>,
}

impl Draft {
    pub fn finish(mut self) -> Result<Made, String> {
        let id = self.id()?;
        self.put_prefiltered_first()?;
        if self.clauses.len() > 1 || !self.lacks.is_empty() {
            self.notes.push(format!("its parts must lie within {WITHIN_BYTES} bytes of each other"));
        }
        let category = self.category();
        let path = format!("{category}/{id}.toml");
        let text = self.text(&id, category, &self.near_miss(&path, &id, category)?);
        let complaint = |text: String| format!("the file made of it would not do: {text}");
        let file = load(&path, &text).map_err(|fault| complaint(fault.to_string()))?;
        if let Some(fault) = lint(std::slice::from_ref(&file)).first() {
            return Err(complaint(fault.to_string()));
        }
        Ok(Made { rule: self.rule, line: self.line, id, path, text, notes: self.notes })
    }

    fn id(&self) -> Result<String, String> {
        let mut id = String::from(self.format);
        let mut was_small = false;
        for c in self.rule.chars().take(200) {
            if c.is_ascii_alphanumeric() {
                if (c.is_ascii_uppercase() && was_small || !was_small && id.len() == self.format.len())
                    && !id.ends_with('-')
                {
                    id.push('-');
                }
                id.push(c.to_ascii_lowercase());
            } else if !id.ends_with('-') {
                id.push('-');
            }
            was_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        }
        id.truncate(64);
        let id = id.trim_end_matches('-').to_owned();
        if id == self.format { Err("its name has no letters to make an id of".into()) } else { Ok(id) }
    }

    /// The first clause becomes the pattern behind the prefilter: all its ways must have words, the longer the better.
    fn put_prefiltered_first(&mut self) -> Result<(), String> {
        let shortest = |clause: &[Converted]| {
            let ways = clause.iter().map(|way| way.words.iter().map(String::len).min().unwrap_or(0));
            ways.min().unwrap_or(0)
        };
        let best = (0..self.clauses.len()).max_by_key(|at| shortest(&self.clauses[*at]));
        match best {
            Some(at) if shortest(&self.clauses[at]) > 0 => {
                self.clauses.swap(0, at);
                Ok(())
            }
            Some(_) => {
                Err("no word of three letters or more is in every match, so there is nothing to look for first".into())
            }
            None => Err("it says only what must not be there".into()),
        }
    }

    fn category(&self) -> &'static str {
        let hints = self.hints.to_lowercase().replace(['_', ' '], "-");
        let found = CATEGORIES.iter().find(|(_, words)| words.iter().any(|word| hints.contains(word)));
        found.map_or("injection", |(category, _)| category)
    }

    /// A text that the rule matches; `last`: by the last way of each clause instead of the first.
    fn sample(&self, last: bool, clauses: usize) -> Option<String> {
        let drawn = |clause: &Vec<Converted>| {
            let way = if last { clause.last() } else { clause.first() };
            way.and_then(|way| way.sample.clone())
        };
        let parts: Option<Vec<String>> = self.clauses.iter().take(clauses).map(drawn).collect();
        // A line of its own, so that anchors hold, with white space around, so that words end.
        parts.map(|parts| parts.join(" \n "))
    }

    /// The examples that hold. The misses that do not are left out; the hits must all hold.
    fn near_miss(&self, path: &str, id: &str, category: &str) -> Result<Vec<Example>, String> {
        let no_text = "no text that it matches could be made: write the file by hand, with two real ones";
        let hits = [("result_text", false), ("tool_description", true)];
        let mut examples = Vec::new();
        for (role, last) in hits {
            let text = self.sample(last, usize::MAX).ok_or(no_text)?;
            examples.push(Example { kind: "hit", role, text });
        }
        let ordinary = ORDINARY.map(|(role, text)| Example { kind: "miss", role, text: text.to_owned() });
        examples.extend(ordinary);
        self.holds(path, id, category, &examples).map_err(|faults| {
            let is_hit = |fault: &&crate::ExampleFault| fault.kind == "hit";
            match faults.iter().find(is_hit) {
                Some(_) => no_text.to_owned(),
                None => format!("it matches ordinary text ({})", faults.first().map_or("", |fault| &fault.message)),
            }
        })?;
        // All of it but one part: worth having where it is a miss, as it should be.
        if self.clauses.len() > 1
            && let Some(text) = self.sample(false, self.clauses.len() - 1)
        {
            examples.push(Example { kind: "miss", role: "result_text", text });
            if self.holds(path, id, category, &examples).is_err() {
                examples.pop();
            }
        }
        Ok(examples)
    }

    fn holds(
        &self,
        path: &str,
        id: &str,
        category: &str,
        examples: &[Example],
    ) -> Result<(), Vec<crate::ExampleFault>> {
        let text = self.text(id, category, examples);
        // What does not load is told by the caller, who loads it again.
        load(path, &text).map_or(Ok(()), |file| test_examples(&file))
    }

    fn text(&self, id: &str, category: &str, examples: &[Example]) -> String {
        let title = "An imported rule matched";
        let fallback =
            format!("A rule of the {} file named below matched; it was imported, not reviewed.", self.format);
        let description = self.description.clone().filter(|prose| reads_well(prose)).unwrap_or(fallback);
        let mut out = format!(
            "# Imported from {} (rule {}, line {}). Not reviewed.\n\
             # Still to do by a person: real texts as [[hit]] and near ones as [[miss]] (these were drawn from the rule),\n\
             # roles, severity, when it is wrong; then `status = \"stable\"`.\n",
            comment(&self.source),
            comment(&self.rule),
            self.line
        );
        for note in &self.notes {
            out.push_str(&format!("# Note: {}.\n", comment(note)));
        }
        let mut field = |name: &str, value: &str| out.push_str(&format!("{name} = {}\n", quoted(value)));
        field("id", id);
        out.push_str("version = 1\nstatus = \"experimental\"\n");
        let mut field = |name: &str, value: &str| out.push_str(&format!("{name} = {}\n", quoted(value)));
        field("title", title);
        field("description", &description);
        field("advice", "Look at the matched text. If the rule is wrong, narrow it or switch it off.");
        field("category", category);
        // Never above medium: from high on a doubtful call would wait for an answer because of an unreviewed rule.
        let severity = if self.severity.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("low")) {
            "low"
        } else {
            "medium"
        };
        field("severity", severity);
        field("confidence", "low");
        field("verdict", "flag");
        out.push_str(&format!("references = {}\n", list(&self.references)));
        out.push_str(
            "false_positives = \"Imported and not reviewed: when it is wrong is not known yet.\"\n\n[where]\n",
        );
        out.push_str("roles = [\"definition_any\", \"content_any\", \"argument_any\"]\n");
        if let Some(most) = self.max_bytes {
            out.push_str(&format!("max_bytes = {most}\n"));
        }
        let first = &self.clauses[0];
        let mut words: Vec<String> = first.iter().flat_map(|way| way.words.clone()).collect();
        words.sort();
        words.dedup();
        let regexes = |ways: &[Converted]| ways.iter().map(|way| way.regex.clone()).collect::<Vec<_>>();
        out.push_str(&format!("\n[match]\nkeywords = {}\nany = {}\n", list(&words), list(&regexes(first))));
        let all: Vec<String> = self.clauses[1..].iter().map(|clause| either(&regexes(clause))).collect();
        if !all.is_empty() {
            out.push_str(&format!("all = {}\n", list(&all)));
        }
        if !self.lacks.is_empty() {
            out.push_str(&format!("none = {}\n", list(&regexes(&self.lacks))));
        }
        if !all.is_empty() || !self.lacks.is_empty() {
            out.push_str(&format!("within = {WITHIN_BYTES}\n"));
        }
        for Example { kind, role, text } in examples {
            out.push_str(&format!("\n[[{kind}]]\nrole = \"{role}\"\ntext = {}\n", quoted(text)));
        }
        out
    }
}

struct Example {
    kind: &'static str,
    role: &'static str,
    text: String,
}

fn either(ways: &[String]) -> String {
    if let [one] = ways {
        one.clone()
    } else {
        ways.iter().map(|way| format!("(?:{way})")).collect::<Vec<_>>().join("|")
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.replace('\r', "")).to_string()
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// One line, nothing that ends a comment or moves a cursor.
fn comment(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() || crate::normal::is_invisible(c) { ' ' } else { c }).collect()
}

/// As the rules for copy want it: no motive that nobody saw, nobody shouting.
fn reads_well(prose: &str) -> bool {
    let lower = prose.to_lowercase();
    !prose.trim().is_empty()
        && prose.len() <= 500
        && !prose.chars().any(char::is_control)
        && !crate::lint::BANNED.iter().any(|word| lower.contains(word))
}
