//! Pins know how a definition differs from the approved one, and whether it is held back until reviewed.

pub(super) const UP: &str = "
ALTER TABLE pin ADD COLUMN drift TEXT;
ALTER TABLE pin ADD COLUMN quarantine TEXT;
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
INSERT INTO pin VALUES ('up', 'tool', 'read_file', '{}', 1000, 'first_sight', '{"x":1}', 1000,
    '{"grade":"grave","reasons":[]}', 'changed');
"#;
