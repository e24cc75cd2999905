// The table of protocol rules (tests/interop/RULES.md) cannot rot: every test that it names exists and runs in `npm test`, or
// the command that runs it stands beside it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const table = readFileSync(join(root, 'tests/interop/RULES.md'), 'utf8');
const isCommand = (text) => /^(cargo|npm) /.test(text);
const rows = table.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  if (cells.length !== 4 || /^(rule|---)/.test(cells[1])) return [];
  const quoted = [...cells[2].matchAll(/`([^`]+)`/g)].map((found) => found[1]);
  return [{ rule: cells[1], tests: quoted.filter((text) => !isCommand(text)), command: quoted.find(isCommand) }];
});

const files = (folder, extension) => readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith(extension) && !name.includes('node_modules')).map((name) => readFileSync(join(root, folder, name), 'utf8'));

/** Tests by name; true for those that `npm test` leaves out (`#[ignore]`, or behind a feature of the crate). */
function known() {
  const left = new Map();
  for (const text of files('src-tauri/crates', '.rs')) {
    for (const [, attributes, name] of text.matchAll(/((?:^[ \t]*#\[[^\n]*\n)+)[ \t]*(?:async )?fn (\w+)/gm)) {
      if (/#\[(tokio::)?test/.test(attributes)) left.set(name, /#\[(ignore|cfg\(feature)/.test(attributes));
    }
  }
  for (const text of [...files('tests/e2e', '.ts'), ...files('tests/interop', '.test.mjs')]) {
    for (const [, name] of text.matchAll(/\b(?:test|it)\(\s*["'`]([^"'`]+)["'`]/g)) left.set(name, false);
  }
  return left;
}

test('every rule names tests that exist and run', () => {
  const left = known();
  assert.ok(rows.length > 40, `only ${rows.length} rules were read`);
  const faults = rows.flatMap(({ rule, tests, command }) => {
    if (tests.length === 0) return [`${rule}: no test`];
    const missing = tests.filter((name) => !left.has(name)).map((name) => `${rule}: no test is called ${name}`);
    const silent = tests.filter((name) => left.get(name) && !command).map((name) => `${rule}: nothing says how to run ${name}`);
    return [...missing, ...silent];
  });
  assert.deepEqual(faults, []);
});
