//! Version 1: exchanges with full text, reviews, changes, gaps, pins.
//!
//! Small columns come first, so that lists are read without touching the bodies' overflow pages. `verdict` is the rank
//! of the Verdict (allow 0 … block 4), so that "Flag or more" is a comparison. The full text keeps no copy of its own.

pub(super) const UP: &str = "
CREATE TABLE exchange (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    app TEXT NOT NULL,
    upstream TEXT NOT NULL,
    session TEXT NOT NULL,
    principal TEXT NOT NULL,
    upstream_name TEXT NOT NULL,
    transport TEXT NOT NULL,
    direction TEXT NOT NULL,
    notification INTEGER NOT NULL,
    method TEXT NOT NULL,
    target TEXT,
    outcome TEXT NOT NULL,
    signature TEXT,
    title TEXT,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    duration_us INTEGER,
    checked_us INTEGER NOT NULL,
    error TEXT,
    judged_locally INTEGER NOT NULL,
    findings TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT
) STRICT;
CREATE INDEX exchange_newest ON exchange (at, id, verdict, messages);
CREATE INDEX exchange_upstream ON exchange (upstream, at, messages);
CREATE INDEX exchange_session ON exchange (session, at, id);
CREATE INDEX exchange_alert ON exchange (at, id) WHERE verdict > 0;
CREATE INDEX exchange_found ON exchange (at) WHERE signature IS NOT NULL;

CREATE VIRTUAL TABLE exchange_text USING fts5 (
    method, target, upstream_name, request, response, findings,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE review (
    exchange TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    app TEXT,
    summary TEXT NOT NULL
) STRICT;
CREATE INDEX change_newest ON change (at);

CREATE TABLE gap (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    dropped INTEGER NOT NULL
) STRICT;
CREATE INDEX gap_newest ON gap (at);

CREATE TABLE pin (
    upstream TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    approved TEXT NOT NULL,
    approved_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    changed TEXT,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (upstream, kind, name)
) STRICT, WITHOUT ROWID;
";

#[cfg(test)]
pub(super) const SAMPLE: &str = r#"
INSERT INTO exchange VALUES (
    1, '0001', 1000, 4, 2, 'cursor', 'up', 's', 'local', 'files', 'stdio', 'to_upstream', 0, 'tools/call', 'read_file',
    'rejected', 'path-traversal', 'A path that climbs out', 10, 20, 300, 40, NULL, 0,
    '[{"signature":"path-traversal","version":1,"category":"paths","severity":"high","confidence":"high",
       "verdict":"block","title":"A path that climbs out","json_path":"/params","span":null,"matched":"../","decoded":null}]',
    '{"needle":1}', '{}'
);
INSERT INTO exchange_text (rowid, method, target, upstream_name, request, response, findings)
    VALUES (1, 'tools/call', 'read_file', 'files', '{"needle":1}', '{}', 'A path that climbs out');
INSERT INTO review VALUES ('0001', 'attack', 2000);
INSERT INTO change (at, kind, app, summary) VALUES (1000, 'daemon_started', NULL, 'Portcullis started.');
INSERT INTO gap (at, dropped) VALUES (1000, 3);
INSERT INTO pin VALUES ('up', 'tool', 'read_file', '{}', 1000, 'first_sight', NULL, 1000);
"#;
