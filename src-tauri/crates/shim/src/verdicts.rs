//! The writing half of one Direction: receives Verdicts from the daemon in order, or judges in process while the daemon
//! is away, and carries them out. The only thread that takes Messages out of its lane, so each is delivered once.

use crate::lane::{Kept, Lane};
use crate::link::{self, Frames, Stream};
use crate::process::Server;
use crate::session::Session;
use portcullis_domain::Direction;
use portcullis_domain::link::{Frame, FrameKind, VERSION};
use portcullis_policy::Action;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two attempts to reach the daemon; doubled up to the maximum while it is there and does not work with us.
const RETRY: Duration = Duration::from_secs(1);
const MAX_RETRY: Duration = Duration::from_secs(60);

pub fn start(session: &Arc<Session>, direction: Direction, server: &Arc<Server>) {
    let (session, server) = (session.clone(), server.clone());
    crate::start_thread("verdicts", move || {
        if direction == Direction::ToUpstream {
            crate::watchdog::Watchdog::start(&session);
        }
        let lane = session.lane(direction);
        Verdicts { session: &session, lane, direction }.run();
        session.receiver(direction).close();
        if direction == Direction::ToUpstream {
            server.end_soon();
        }
        lane.finish();
    });
}

struct Verdicts<'s> {
    session: &'s Session,
    lane: &'s Lane,
    direction: Direction,
}

/// Why a link ended while there was work left.
enum Lost {
    /// Nobody answers at the socket, or the connection broke.
    Away,
    /// The daemon is there and does not work with us.
    Refused(String),
    /// It took Messages and gave no Verdict.
    Hung,
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Refused(error.to_string()),
            _ => Self::Away,
        }
    }
}

impl Verdicts<'_> {
    fn run(&self) {
        let mut retry = RETRY;
        let mut attempted_at: Option<Instant> = None;
        loop {
            if attempted_at.is_none_or(|at| at.elapsed() >= retry) {
                let is_first = attempted_at.is_none();
                attempted_at = Some(Instant::now());
                match self.talk() {
                    Ok(()) => return,
                    Err(Lost::Away) => {
                        retry = RETRY;
                        self.session.daemon_is_away("the Portcullis daemon is not running");
                        self.session.start_daemon();
                        if is_first {
                            // While the server starts. Later the daemon may still be writing down what counts.
                            crate::start_thread("tables", portcullis_detect::warm_up);
                            self.session.local();
                        }
                    }
                    Err(Lost::Hung) => {
                        // Each new attempt may cost the watchdog's patience again.
                        retry = MAX_RETRY;
                        self.session.daemon_is_away("the Portcullis daemon gives no answer");
                    }
                    Err(Lost::Refused(why)) => {
                        retry = (retry * 2).min(MAX_RETRY);
                        self.session.daemon_is_away(&format!("the Portcullis daemon does not take this server: {why}"));
                    }
                }
                while let Some(seq) = self.lane.first_sent() {
                    self.judge_here(seq);
                }
            }
            let Some(seq) = self.lane.wait_for_one() else { return };
            if attempted_at.is_none_or(|at| at.elapsed() < retry) {
                self.judge_here(seq);
            }
        }
    }

    /// Works over one link until the Direction is over (Ok) or the link is lost.
    fn talk(&self) -> Result<(), Lost> {
        let stream = Arc::new(link::connect(&self.session.home)?);
        self.lane.use_link(Some(&stream));
        let talked = self.talk_over(&stream);
        self.lane.use_link(None);
        link::abandon(&stream);
        // The link breaks when the sender closes and we wake ourselves, or when the receiver is gone.
        match talked {
            _ if self.lane.is_over() => Ok(()),
            Err(_) if self.lane.take_given_up() => Err(Lost::Hung),
            talked => talked,
        }
    }

    fn talk_over(&self, stream: &Arc<Stream>) -> Result<(), Lost> {
        let mut buffer = Vec::new();
        let hello = serde_json::to_vec(&self.session.hello(self.direction)).map_err(io::Error::other)?;
        link::send(stream, &mut buffer, FrameKind::Hello, None, &hello)?;
        let mut frames = Frames::new(stream);
        let mut welcome = false;
        // One at a time, until nothing is unsent that was kept before: two full sockets cannot block each other.
        while !link::FULL_DUPLEX || !self.lane.publish(stream) {
            if !link::FULL_DUPLEX && !self.lane.wait_for_unsent() {
                break;
            }
            let Some((seq, line)) = self.lane.next_to_send() else { continue };
            self.session.watchdog.arm();
            link::send(stream, &mut buffer, FrameKind::Message, Some(seq), line.message())?;
            while self.apply(&frames.next()?, &mut welcome)? != Some(seq) {}
        }
        while !self.lane.is_over() {
            match frames.next() {
                Ok(frame) => self.apply(&frame, &mut welcome)?,
                // The reader woke us: its side closed.
                Err(_) if self.lane.is_over() => break,
                Err(error) => return Err(error.into()),
            };
        }
        // Only the server's end ends the Session: after the app closed, answers may still come.
        if self.direction == Direction::ToClient {
            // Nothing depends on it: the daemon sees the end of the connection too.
            let _ = link::send(stream, &mut buffer, FrameKind::Closed, None, br#"{"reason":"the server closed"}"#);
        }
        Ok(())
    }

    /// Carries out one frame; returns the Message it was about.
    fn apply(&self, frame: &Frame<'_>, welcome: &mut bool) -> Result<Option<u64>, Lost> {
        match frame.kind {
            FrameKind::Welcome => {
                let text: serde_json::Value = serde_json::from_slice(frame.payload).unwrap_or_default();
                if text["version"] != VERSION {
                    return Err(Lost::Refused("it speaks another version".into()));
                }
                *welcome = true;
                self.session.daemon_is_back();
                return Ok(None);
            }
            FrameKind::Refused => return Err(Lost::Refused(printable(frame.payload))),
            _ if !*welcome => return Err(Lost::Refused("it did not say hello".into())),
            FrameKind::Hello | FrameKind::Message | FrameKind::Closed => {
                return Err(Lost::Refused("it sent a frame that is ours".into()));
            }
            FrameKind::Inject => {
                self.delivered(self.session.receiver(self.direction).relay_instead(frame.payload.to_vec(), b"\n"));
                return Ok(None);
            }
            FrameKind::Hold => {
                return match self.lane.hold(frame.seq) {
                    true => Ok(Some(frame.seq)),
                    false => Err(unknown()),
                };
            }
            FrameKind::Allow | FrameKind::Replace | FrameKind::Answer | FrameKind::Drop => {}
        }
        let kept = self.lane.take(frame.seq).ok_or_else(unknown)?;
        let action = match frame.kind {
            FrameKind::Allow => Action::Forward,
            FrameKind::Replace => Action::Replace(frame.payload.to_vec()),
            FrameKind::Answer => Action::Answer(frame.payload.to_vec()),
            _ => Action::Drop,
        };
        self.carry_out(kept, action);
        Ok(Some(frame.seq))
    }

    fn judge_here(&self, seq: u64) {
        let Some(kept) = self.lane.take(seq) else { return };
        let action = self.session.local().judge(self.session, self.direction, &kept);
        self.carry_out(kept, action);
    }

    fn carry_out(&self, kept: Kept, action: Action) {
        let (session, direction) = (self.session, self.direction);
        let line = &kept.line;
        let notes = kept.notes.unwrap_or_else(|| crate::pairing::notes(line.message(), &session.limits));
        match action {
            Action::Forward => {
                session.forwarded(direction, notes);
                self.delivered(session.receiver(direction).relay(line.raw()));
            }
            Action::Replace(bytes) => {
                session.forwarded(direction, notes);
                self.delivered(session.receiver(direction).relay_instead(bytes, line.line_end()));
            }
            Action::Answer(bytes) | Action::Refuse(bytes) => {
                session.withheld(direction, notes);
                session.sender(direction).answer(bytes);
            }
            Action::Split { on, back } => {
                session.withheld(direction, notes);
                session.sender(direction).answer(back);
                self.delivered(session.receiver(direction).relay_instead(on, line.line_end()));
            }
            Action::Drop => session.withheld(direction, notes),
        }
    }

    /// A receiver that is gone takes nothing more; the sender learns it as it would without us.
    fn delivered(&self, written: io::Result<()>) {
        if written.is_err() {
            self.lane.close();
        }
    }
}

fn unknown() -> Lost {
    Lost::Refused("it decided about a message that it was not sent".into())
}

fn printable(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(200).collect()
}
