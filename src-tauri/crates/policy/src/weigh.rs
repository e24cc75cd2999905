//! From what was found to what the person wants done about it: doubt, mode, remembered Decisions.

use crate::decisions::Asker;
use crate::judge::{Judge, strictest};
use crate::judged::{Context, MessageSummary, PairedRequest, summarise};
use crate::question::{Question, is_holdable, passes_for_another, subject};
use crate::redact::{is_private, redacted};
use portcullis_domain::json::{Doc, Mode as Reading};
use portcullis_domain::{Confidence, Direction, Effect, Envelope, Finding, Mode, PinKind, Severity, Verdict};

/// No Decision loosens these: a Message that cannot be read safely, an attack on Portcullis itself.
const NEVER_LOOSENED: [&str; 3] = ["protocol", "self-protection", "drift"];
/// As many as a response gets when it is mended.
const MAX_ROUNDS: usize = 8;

pub(crate) enum Weighed {
    /// The Findings' Verdicts say it all.
    Stands,
    Redact(Vec<u8>),
    Ask(Box<Question>),
}

impl Judge {
    /// Grave, and not certain: a Signature that only flags because it may be wrong is worth a question.
    pub(crate) fn raise(&self, context: &Context<'_>, findings: &mut [Finding], to: Verdict) {
        let to = if self.mode(context) == Mode::Block { Verdict::Block } else { to };
        for finding in findings.iter_mut() {
            let doubtful = finding.severity >= Severity::High && finding.confidence < Confidence::High;
            if doubtful && finding.verdict == Verdict::Flag && !NEVER_LOOSENED.contains(&finding.category.as_str()) {
                finding.verdict = to;
            }
        }
    }

    pub(crate) fn weigh(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        summary: &MessageSummary,
        findings: &mut [Finding],
    ) -> Weighed {
        if findings.is_empty() {
            return Weighed::Stands;
        }
        if !is_holdable(direction, summary) {
            if passes_for_another(direction, summary) {
                self.raise(context, findings, Verdict::Block);
            }
            return Weighed::Stands;
        }
        self.raise(context, findings, Verdict::Ask);
        let verdict = strictest(findings);
        if verdict < Verdict::Ask && !self.decisions().has_deny() {
            return Weighed::Stands;
        }
        let Some(mut question) = self.question(context, direction, doc, summary, findings) else {
            return Weighed::Stands;
        };
        let asker = Asker {
            app: &context.upstream.app,
            upstream: &context.upstream.id,
            session: context.session,
            now: context.now,
        };
        let decided = self.decisions().find(&question, &asker).map(|(_, effect)| effect);
        let may_loosen =
            !findings.iter().any(|f| f.verdict >= Verdict::Ask && NEVER_LOOSENED.contains(&f.category.as_str()));
        match decided {
            Some(Effect::Deny) => {
                findings.iter_mut().for_each(|finding| finding.verdict = Verdict::Block);
                Weighed::Stands
            }
            Some(Effect::Redact) if may_loosen && question.redacted.is_some() => {
                let bytes = question.redacted.take().unwrap_or_default();
                set_doubtful(findings, Verdict::Redact);
                Weighed::Redact(bytes)
            }
            Some(Effect::Allow) if may_loosen => {
                set_doubtful(findings, Verdict::Allow);
                Weighed::Stands
            }
            _ if verdict == Verdict::Ask => Weighed::Ask(question),
            _ => Weighed::Stands,
        }
    }

    /// As `question`, from bytes: for a row of the log with the Findings it had.
    pub fn question_about(
        &self,
        context: &Context<'_>,
        direction: Direction,
        bytes: &[u8],
        paired: &dyn Fn(&str) -> Option<PairedRequest>,
        findings: &[Finding],
    ) -> Option<Box<Question>> {
        let doc = Doc::parse(bytes, Reading::Lenient, self.limits()).ok()?;
        let summary = summarise(doc.root(), &Envelope::read(&doc), direction, paired);
        self.question(context, direction, &doc, &summary, findings)
    }

    /// What a Message's Findings ask about, whatever was decided before: for exceptions made from the log, and replays.
    pub(crate) fn question(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        summary: &MessageSummary,
        findings: &[Finding],
    ) -> Option<Box<Question>> {
        let target = match direction {
            Direction::ToUpstream => summary.target.as_deref(),
            Direction::ToClient => summary.answers.as_ref().and_then(|request| request.target.as_deref()),
        };
        let pin = target.and_then(|tool| self.pins().get(&context.upstream.id, PinKind::Tool, tool));
        // A definition that changed is not the one a Decision was made for.
        let definition = pin.as_ref().map(|pin| pin.changed.as_ref().unwrap_or(&pin.approved).as_str());
        let about = Question::about(context.upstream, direction, doc.root(), summary, findings, definition)?;
        let redacted = self.redact(context, direction, doc, summary, findings, pin.map(|pin| pin.approved));
        let origins = self.origins().filter(|_| direction == Direction::ToUpstream);
        let origins = origins.map_or_else(Vec::new, |known| {
            known.of(&context.upstream.app, subject(direction, doc.root(), &about.method))
        });
        Some(Box::new(Question { redacted, origins, ..about }))
    }

    /// What was found replaced, until a scan finds nothing doubtful any more.
    fn redact(
        &self,
        context: &Context<'_>,
        direction: Direction,
        doc: &Doc<'_>,
        summary: &MessageSummary,
        findings: &[Finding],
        definition: Option<String>,
    ) -> Option<Vec<u8>> {
        // With duplicate keys a path may name two places.
        if !doc.anomalies.is_empty() {
            return None;
        }
        let definition = definition.unwrap_or_else(|| "{}".into());
        let definition = Doc::parse(definition.as_bytes(), Reading::Lenient, self.limits()).ok()?;
        let word = if direction == Direction::ToUpstream { "inputSchema" } else { "outputSchema" };
        let schema = definition.root().get(word);
        let hostile = |findings: &[Finding]| -> Vec<Finding> {
            findings.iter().filter(|f| f.verdict >= Verdict::Ask || is_private(f)).cloned().collect()
        };
        let mut wanted = hostile(findings);
        let mut bytes = doc.bytes().to_vec();
        for _ in 0..MAX_ROUNDS {
            let edited = {
                let current = Doc::parse(&bytes, Reading::Lenient, self.limits()).ok()?;
                redacted(&current, direction, &wanted.iter().collect::<Vec<_>>(), schema)?
            };
            bytes = edited;
            let left = Doc::parse(&bytes, Reading::Strict, self.limits()).ok()?;
            let mut findings = self.findings(context, direction, &left, left.root(), summary);
            self.raise(context, &mut findings, Verdict::Ask);
            wanted = hostile(&findings);
            if wanted.is_empty() {
                return Some(bytes);
            }
        }
        None
    }
}

fn set_doubtful(findings: &mut [Finding], to: Verdict) {
    findings.iter_mut().filter(|f| f.verdict >= Verdict::Ask).for_each(|finding| finding.verdict = to);
}
