//! Acts that loosen protection are marked; originals of what was redacted, sealed by whoever writes them; marks: small
//! sealed texts that must not get lost with the file they guard.

pub(super) const UP: &str = "
ALTER TABLE change ADD COLUMN loosens INTEGER NOT NULL DEFAULT 0;
CREATE TABLE original (
    exchange TEXT NOT NULL,
    direction TEXT NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (exchange, direction)
) STRICT;
CREATE INDEX original_at ON original (at);
CREATE TABLE mark (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
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
INSERT INTO change (at, kind, app, summary, loosens) VALUES (1000, 'paused', NULL, 'Checking was paused.', 1);
INSERT INTO gap (at, dropped) VALUES (1000, 3);
INSERT INTO pin VALUES ('up', 'tool', 'read_file', '{}', 1000, 'first_sight', '{"x":1}', 1000,
    '{"grade":"grave","reasons":[]}', 'changed');
INSERT INTO original VALUES ('0001', 'to_upstream', 1000, x'00');
INSERT INTO mark VALUES ('decisions', '7');
"#;
