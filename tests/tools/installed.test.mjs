// The built deb is installed on this very machine, used by a person made for the purpose, and removed again. Only as root
// and only where PORTCULLIS_INSTALL=1 says that the machine may be changed.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const folders = existsSync(join(root, 'target')) ? readdirSync(join(root, 'target')).map((name) => join(root, 'target', name, 'bundle/deb')) : [];
const debs = folders.filter(existsSync).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))).filter((path) => path.endsWith('.deb'));
const deb = debs.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
const allowed = process.env.PORTCULLIS_INSTALL === '1' && process.getuid?.() === 0;
const skip = (!allowed && 'wants root and PORTCULLIS_INSTALL=1') || (!deb && 'no deb here: `npm run package` builds it');

const PERSON = 'portcullis-test';
const home = `/home/${PERSON}`;
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const as = (...command) => run('runuser', '-u', PERSON, '--', 'env', '-i', `HOME=${home}`, 'PATH=/usr/bin:/bin', ...command);

/** Configs as people write them, in three formats, each of another app. */
const CONFIGS = {
  '.cursor/mcp.json': '\uFEFF{ // mine\r\n\t"mcpServers": {\r\n\t\t"files": {"command":"npx","args":["-y","server-files","/data"],}\r\n\t}\r\n}',
  '.codex/config.toml': "model = 'gpt-5'\n\n[mcp_servers.files] # mine\ncommand = 'uvx'\n",
  '.config/goose/config.yaml': 'extensions:\n  files: # mine\n    type: stdio\n    cmd: npx\n    args: [-y, server-files]\n',
};
const APPS = ['cursor', 'codex', 'goose'];

test('dpkg installs, upgrades and removes: the configs come back and the shim stays', { skip }, () => {
  after(() => {
    spawnSync('dpkg', ['--purge', 'portcullis'], { stdio: 'ignore' });
    spawnSync('userdel', ['--remove', PERSON], { stdio: 'ignore' });
  });
  run('useradd', '--create-home', '--home-dir', home, PERSON);
  run('dpkg', '-i', deb);
  for (const name of ['portcullis', 'portcullis-shim']) assert.match(as(name, '--version'), /\d+\.\d+\.\d+/);
  for (const [path, text] of Object.entries(CONFIGS)) {
    as('mkdir', '-p', dirname(join(home, path)));
    writeFileSync(join(home, path), text);
    run('chown', `${PERSON}:`, join(home, path));
  }
  const now = (path) => readFileSync(join(home, path), 'utf8');
  for (const app of APPS) as('portcullis', 'protect', app, '--yes');
  const shim = join(home, '.portcullis/bin/portcullis-shim');
  for (const path of Object.keys(CONFIGS)) assert.ok(now(path).includes(shim), path);

  run('dpkg', '-i', deb);
  for (const path of Object.keys(CONFIGS)) assert.ok(now(path).includes(shim), 'an upgrade changes nothing');

  run('dpkg', '--remove', 'portcullis');
  for (const [path, text] of Object.entries(CONFIGS)) {
    assert.equal(now(path), text, path);
    assert.equal(run('stat', '-c', '%U', join(home, path)).trim(), PERSON);
  }
  assert.ok(!existsSync('/usr/bin/portcullis') && existsSync(shim));
  assert.match(as(shim, '--version'), /\d+\.\d+\.\d+/);
});
