// What the packages do before they go: the script itself, called as dpkg and rpm call it, with stand-ins for `getent`,
// `runuser` and `portcullis` that write down what they were asked. The packages themselves are not built here.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const script = join(root, '.config/package/before-removal.sh');

function machine() {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  const bin = join(folder, 'bin');
  const home = (name) => join(folder, 'home', name);
  for (const name of ['eve', 'bob']) mkdirSync(join(home(name), '.portcullis/journal'), { recursive: true });
  mkdirSync(home('new'), { recursive: true });
  mkdirSync(bin);
  const program = (name, text) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const people = ['eve', 'bob', 'new'].map((name, n) => `${name}:x:${1000 + n}:1000::${home(name)}:/bin/sh`);
  people.push(`odd:x:1009:1000::${folder}/o'; touch ${folder}/owned; ':/bin/sh`, 'nobody:x:65534:65534::/nonexistent:/bin/false');
  program('getent', `cat <<'END'\n${people.join('\n')}\nEND`);
  program('runuser', `[ "$1" = -u ] && [ "$3" = -- ] || exit 9\nuser=$2; shift 3\necho "as $user: $*" >> ${folder}/log\nexec "$@"`);
  program('portcullis', `echo "$HOME \${SECRET-clean}: $*" >> ${folder}/log\ncase "$HOME" in *bob) echo "Cursor is running" >&2; exit 75;; esac`);
  const run = (...args) => spawnSync('/bin/sh', [script, ...args], { env: { PATH: `${bin}:/usr/bin:/bin`, SECRET: 'x' }, encoding: 'utf8' });
  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8').trim().split('\n') : []);
  return { folder, home, bin, run, log, close: () => rmSync(folder, { recursive: true }) };
}

for (const [tool, args] of [['dpkg', ['remove']], ['rpm', ['0']]]) {
  test(`${tool} removes the package: each person who has used it gets the configs back`, () => {
    const { folder, home, bin, run, log, close } = machine();
    const { status, stderr } = run(...args);
    assert.equal(status, 0, 'a removal is never stopped');
    const call = (name) => `as ${name}: env -i HOME=${home(name)} PATH=${bin}:/usr/bin:/bin ${bin}/portcullis restore --all --yes`;
    assert.deepEqual(log(), [call('eve'), `${home('eve')} clean: restore --all --yes`, call('bob'), `${home('bob')} clean: restore --all --yes`]);
    assert.match(stderr, /Cursor is running\nPortcullis could not give bob every app's config back/);
    assert.doesNotMatch(stderr, /give eve/);
    assert.ok(!existsSync(join(folder, 'owned')), 'a home is a name, not a command');
    close();
  });
}

test('an upgrade changes nothing', () => {
  const { run, log, close } = machine();
  for (const args of [['upgrade', '0.2.0'], ['deconfigure'], ['failed-upgrade', '0.1.0'], ['1']]) assert.equal(run(...args).status, 0);
  assert.deepEqual(log(), []);
  close();
});

test('the packages name files that exist, and the script is one that any shell reads', () => {
  const { linux, windows } = JSON.parse(readFileSync(join(root, 'tauri.conf.json'), 'utf8')).bundle;
  for (const one of [linux.deb, linux.rpm]) {
    assert.equal(join(root, one.preRemoveScript), script);
    assert.deepEqual(Object.keys(one.files).sort(), ['/usr/bin/portcullis', '/usr/bin/portcullis-shim']);
  }
  assert.match(readFileSync(join(root, windows.nsis.installerHooks), 'utf8'), /!macro NSIS_HOOK_PREUNINSTALL[^]*restore --all --yes/);
  execFileSync('/bin/sh', ['-n', script]);
});
