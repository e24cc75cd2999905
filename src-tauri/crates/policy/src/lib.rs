//! Findings and context to a Verdict, and what follows from it on the wire: pins, rules, minted answers, edits.
//! Pure: no I/O, no clock, no async. `Judge` is hops 3 to 6 of design.md §4 for one Message; the gateway and the shim
//! (while the daemon is away) both call it, so both decide alike.

mod answer;
mod beside;
mod block;
mod canonical;
mod decisions;
mod drift;
mod edit;
mod judge;
mod judged;
mod neighbours;
mod origins;
mod pins;
mod question;
mod redact;
mod roots;
mod scope;
pub mod snapshot;
mod spelling;
mod weigh;

pub use answer::{BLOCKED_CODE, Declined, declined, refusal};
pub use beside::{Mirror, plain_header};
pub use canonical::{canonical, digest};
pub use decisions::{Asker, DecisionBook};
pub use judge::Judge;
pub use judged::{Action, Context, Judged, MessageSummary, PairedRequest, Rules, check};
pub use origins::Origins;
pub use pins::{MAX_PINS, PinBook, Reviewed};
pub use question::{Question, command_digest, definition_digest};
pub use scope::{ScopeFault, narrowest};
pub use snapshot::Snapshot;
