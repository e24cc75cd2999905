// The set-up's decisions: what each target asks for, which command would install it, what starts where.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { NEEDS, missing, plan, root } from '../../.config/setup.mjs';
import { choose } from '../../.config/start.mjs';

const names = (target, platform = 'linux') => missing(target, { platform, empty: true }).map((need) => need.name);

test('headless asks for neither GTK, WebKit nor a browser', () => {
  assert.deepEqual(names('headless'), ['cc']);
});
test('the desktop asks for the libraries Tauri links, and no test tool', () => {
  const desktop = names('desktop');
  for (const wanted of ['pkg-config', 'webkit2gtk-4.1', 'ayatana-appindicator3-0.1', 'librsvg-2.0']) assert.ok(desktop.includes(wanted), wanted);
  for (const unwanted of ['chromium', 'Xvfb', 'import']) assert.ok(!desktop.includes(unwanted), unwanted);
});
test('tests ask for all of the desktop and more', () => {
  const all = names('test');
  for (const wanted of names('desktop')) assert.ok(all.includes(wanted), wanted);
  assert.ok(all.includes('chromium'));
});
test('every need of Linux has a name with every Linux package manager', () => {
  for (const need of NEEDS.filter((each) => (each.os ?? ['linux']).includes('linux'))) {
    for (const manager of ['apt', 'dnf', 'pacman']) assert.ok(need[manager]?.length > 0, `${need.name}: ${manager}`);
  }
});
test('apt refreshes its lists first, and sudo stands in front unless we are root', () => {
  const needs = missing('headless', { platform: 'linux', empty: true });
  const asRoot = plan(needs, 'apt', { root: true });
  assert.equal(asRoot.commands.length, 2);
  assert.equal(asRoot.commands[0][0], 'apt-get');
  assert.ok(asRoot.commands[1].includes('build-essential'));
  const asUser = plan(needs, 'apt', { root: false, sudo: true });
  assert.ok(asUser.commands.every((command) => command[0] === 'sudo' && command[1] === '-n'));
  assert.ok(plan(needs, 'apt', { root: false, sudo: false }).blocked);
});
test('Ubuntu has its own name for Chromium', () => {
  const needs = missing('test', { platform: 'linux', empty: true });
  assert.ok(plan(needs, 'apt', { root: true }).names.includes('chromium'));
  const { names } = plan(needs, 'apt', { root: true, ubuntu: true });
  assert.ok(names.includes('chromium-browser') && !names.includes('chromium'));
});
test('Homebrew is never run as root, and says what it has no package for', () => {
  const needs = missing('test', { platform: 'darwin', empty: true });
  const { commands, unknown } = plan(needs, 'brew', { root: false });
  assert.deepEqual(commands, [['brew', 'install', 'python3'], ['brew', 'install', '--cask', 'google-chrome']]);
  assert.deepEqual(unknown.map((need) => need.brewHint), ['run `xcode-select --install`']);
});
test('a machine without display gets the daemon, one with a display the app', () => {
  assert.deepEqual(choose(['--port', '1'], false), { target: 'headless', packages: ['portcullis-daemon', 'portcullis-shim'], program: 'portcullis', args: ['serve', '--port', '1'] });
  assert.equal(choose([], true).program, 'portcullis-app');
  assert.equal(choose(['--headless'], true).program, 'portcullis');
  assert.deepEqual(choose(['--desktop', '--show'], false).args, ['--show']);
});

/** A PATH that holds only these programs of the machine, plus node. */
function onlyWith(programs, work) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-path-'));
  try {
    for (const name of programs) {
      const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
      if (found) symlinkSync(found, join(folder, name));
    }
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('a machine without Rust is told what to do, without a stack', () => {
  onlyWith([], (PATH) => {
    const done = spawnSync(process.execPath, ['.config/setup.mjs', 'headless', '--dry-run'], { cwd: root, encoding: 'utf8', env: { PATH, HOME: PATH } });
    assert.equal(done.status, 1);
    assert.match(done.stderr, /Rust failed: `cargo` was not found\n\s+What to do: install Rust/);
    assert.doesNotMatch(done.stderr, /at .*setup\.mjs:/);
  });
});
test('an unknown target is refused by name', () => {
  const done = spawnSync(process.execPath, ['.config/setup.mjs', 'server'], { cwd: root, encoding: 'utf8' });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /"server" is no target/);
});
test('npm test refuses an unknown step and names the known ones', () => {
  const done = spawnSync(process.execPath, ['.config/test.mjs', 'trey'], { cwd: root, encoding: 'utf8' });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /there is no step "trey"[^]*tray/);
});

test('a script whose npm shell was ended does not stay behind', async () => {
  const script = `import('./.config/setup.mjs').then(({ whenOrphaned }) => {
    whenOrphaned(() => { console.log('noticed'); process.exit(); });
    setInterval(() => {}, 1000);
    console.log('watching');
  });`;
  // `; true` keeps the shell in between, as npm's does
  const shell = spawn('sh', ['-c', '"$0" -e "$1"; true', process.execPath, script], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(shell.stdout)[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'watching');
  shell.kill('SIGTERM');
  assert.equal((await lines.next()).value, 'noticed');
  assert.equal((await lines.next()).done, true, 'and ended');
});
