//! Pins as the dashboard and the command line see them: what a server defined when it was approved, what it says now,
//! how the two differ. An act names the digest of the definition that the person looked at.

use super::DiffLine;
use crate::{AppId, ApprovedBy, Drift, PinKind, Quarantine, UnixMs, UpstreamId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

dto! {
    /// `GET /api/pins?upstream&state=review|changed|all`, what waits for the person first.
    pub struct PinList {
        pub pins: Vec<PinRow>,
        /// How many are kept from their app until reviewed.
        pub held: u32,
        /// How many differ from what was approved.
        pub changed: u32,
        pub all: u32,
    }
    pub struct PinRow {
        /// Stands for upstream, kind and name in paths and on the command line.
        pub id: String,
        pub upstream: UpstreamId,
        /// The server's name in the app's config, and the app: "" when neither is known any more.
        pub upstream_name: String,
        pub app: AppId,
        pub kind: PinKind,
        /// Hostile text.
        pub name: String,
        pub approved_by: ApprovedBy,
        #[ts(type = "number")]
        pub approved_at: UnixMs,
        #[ts(type = "number")]
        pub seen_at: UnixMs,
        /// Digest of the approved definition.
        pub approved: String,
        /// Digest of what is seen instead; None: nothing else is.
        pub changed: Option<String>,
        pub drift: Option<Drift>,
        pub quarantine: Option<Quarantine>,
    }
    /// `GET /api/pins/{id}`
    pub struct PinDetail {
        pub pin: PinRow,
        /// The approved definition, laid out for reading: hostile text.
        pub approved_text: String,
        pub changed_text: Option<String>,
        pub diff: Vec<DiffLine>,
    }
    /// `POST /api/pins/approve`: these definitions are what the person looked at and wants (`digest` of the changed one
    /// where there is one). `POST /api/pins/release`: the approved ones (`digest` of the approved one) are wanted, and not
    /// what was seen instead. `POST /api/pins/quarantine`: kept from the app until reviewed (`digest` is not read).
    pub struct PinRequest { pub pins: Vec<PinChoice> }
    pub struct PinChoice { pub id: String, pub digest: String }
    pub struct PinAnswer {
        pub done: Vec<PinRow>,
        /// Why others were left alone.
        pub refused: Vec<PinRefusal>,
        /// What the person has to do, if anything.
        pub hints: Vec<String>,
    }
    pub struct PinRefusal { pub id: String, pub code: String, pub message: String }
}
