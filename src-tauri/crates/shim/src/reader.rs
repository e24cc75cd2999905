//! The reading half of one Direction: lines in, kept, and told to the link when there is one. It never writes to the
//! other side and never waits for a Verdict, so a full pipe on one side cannot stop the other.

use crate::lane::{Lane, Next};
use crate::lines::{Input, Lines};
use crate::link;
use crate::session::Session;
use portcullis_domain::Direction;
use portcullis_domain::link::FrameKind;
use std::fs::File;
use std::io;
use std::sync::Arc;

pub fn start(session: &Arc<Session>, direction: Direction, source: File) {
    let session = session.clone();
    crate::start_thread("reader", move || {
        let lane = session.lane(direction);
        if let Err(error) = read(&session, lane, source) {
            crate::say(&format!("reading {} failed: {error}", direction.as_str()));
        }
        lane.end();
        #[cfg(unix)]
        if direction == Direction::ToUpstream {
            // An app that only closed its side may still wait for answers. One that is gone takes back what it asked for:
            // a call that a person is being asked about must not run for nobody.
            crate::process::wait_until_unread();
            lane.close();
            lane.give_link_up();
        }
    });
}

fn read(session: &Session, lane: &Lane, source: File) -> io::Result<()> {
    let mut lines = Lines::new(crate::process::Blocking(source), session.limits.max_message_bytes);
    let mut frame = Vec::new();
    while let Some(input) = lines.next()? {
        let line = match input {
            Input::Line(line) => Arc::new(line),
            // Nothing follows that could carry them, and they mean nothing.
            Input::Blank(_) => continue,
            Input::TooLong(long) => {
                session.refuse_long_line(lane.direction, &long);
                continue;
            }
        };
        let seq = match lane.keep(&line) {
            Next::Stop => return Ok(()),
            Next::Kept(seq) => seq,
            Next::Send(seq, stream) => {
                session.watchdog.arm();
                if link::send(&stream, &mut frame, FrameKind::Message, Some(seq), line.message()).is_err() {
                    // `verdicts` notices, and judges what is pending elsewhere.
                    link::abandon(&stream);
                }
                seq
            }
        };
        // While the daemon scans: what this Message means for pairing.
        lane.set_notes(seq, crate::pairing::notes(line.message(), &session.limits));
    }
    Ok(())
}
