// The desktop app as a person meets it: a tray item on a real session bus, clicks through dbusmenu, a real window on an X
// display, notifications on a real notification server, and a config file of another app that changes and changes back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { BIN, Desktop, firstLine, until } from './desktop.mjs';

const CONFIG = `{
  // mine, keep this comment
  "mcpServers": {
    "notes":   { "command": ${JSON.stringify(process.execPath)}, "args": [${JSON.stringify(join(import.meta.dirname, 'server.mjs'))}] },
  },
}
`;

const TOKEN = (home) => join(home, 'api-token');

let desktop;
let app;
let config;
const text = () => readFileSync(config, 'utf8');
const isProtected = () => text().includes('portcullis-shim');
const ticked = (label, wanted) => until(`${label} ticked=${wanted}`, async () => (await desktop.items()).some((item) => label.test(item.label) && item.ticked === wanted));
const notices = () => desktop.ask({ do: 'notifications' });

before(async () => {
  desktop = await Desktop.start();
  config = desktop.write('.cursor/mcp.json', CONFIG);
  app = desktop.app(['--background']);
});
after(() => desktop?.stop());

test('the tray item registers and its menu tells the truth', async () => {
  await until('the item to register', () => desktop.ask({ do: 'items' }));
  assert.equal((await desktop.item(/^Cursor/)).label, 'Cursor (1 server)');
  const items = await desktop.items();
  assert.equal(items[0].label, 'No app is protected');
  assert.equal(items[0].enabled, false);
  assert.equal(items.find((item) => item.label === 'No Alerts').enabled, false);
  assert.equal(items.find((item) => item.label === 'Pause').enabled, false, 'nothing to pause');
  assert.equal((await desktop.windows()).length, 0, '--background opens no window');
});

test('the first protection is asked for in the dashboard and writes nothing', async () => {
  await desktop.click(/^Cursor/);
  await desktop.page('Apps · Portcullis');
  await desktop.picture('preview');
  assert.equal(text(), CONFIG);
  await ticked(/^Cursor/, false);
  await desktop.closeWindow();
  assert.equal(app.exitCode, null, 'closing the window leaves the app in the tray');
});

test('an app that was protected once is switched by its menu item, byte for byte', async () => {
  desktop.cli('protect', 'cursor', '--yes');
  assert.ok(isProtected());
  const wrapped = text();
  await ticked(/^Cursor \(0 of 1 seen\)$/, true);
  assert.equal((await desktop.item(/servers?$/)).label, 'Watching 0 of 1 server');

  await desktop.click(/^Cursor/);
  await until('the config to be put back', () => text() === CONFIG);
  await ticked(/^Cursor/, false);

  await desktop.click(/^Cursor/);
  await until('the config to be protected again', isProtected);
  await ticked(/^Cursor/, true);
  assert.equal(text(), wrapped, 'the same entry, with the same identity');
  assert.equal((await desktop.windows()).length, 0, 'later toggles open nothing');
});

test('when a write fails the tick flips back and a notification says why', async () => {
  const earlier = (await notices()).length;
  const lock = join(desktop.env.PORTCULLIS_HOME, 'journal/journal.lock');
  const hold = 'import fcntl, sys; f = open(sys.argv[1], "a"); fcntl.flock(f, fcntl.LOCK_EX); print("held", flush=True); sys.stdin.read()';
  const holder = desktop.spawn('/usr/bin/python3', ['-c', hold, lock], ['pipe', 'pipe', 'inherit']);
  await firstLine(holder, 1);
  const before = text();
  await desktop.click(/^Cursor/);
  await until('a notification', async () => (await notices()).length > earlier);
  const [notice] = (await notices()).slice(earlier);
  assert.equal(notice.summary, 'Cursor is still protected');
  assert.ok(notice.body.length > 20, notice.body);
  await ticked(/^Cursor/, true);
  assert.equal(text(), before);
  holder.stdin.end();
  await new Promise((resolve) => holder.once('exit', resolve));
});

test('Open dashboard shows a painted window', async () => {
  await desktop.click('Open dashboard');
  await desktop.page('Overview · Portcullis');
  await desktop.picture('dashboard');
});

test('a second start brings up the first and ends at once', async () => {
  await desktop.closeWindow();
  const { code, said } = await desktop.app().ended;
  assert.equal(code, 0, said);
  await desktop.page('Overview · Portcullis');
  assert.equal(await desktop.ask({ do: 'items' }), 1, 'one tray item');
  await desktop.closeWindow();
});

/** Speaks to the server as Cursor would: with the command that is in its config now. */
async function talk(messages) {
  const { command, args } = JSON.parse(text().replace(/\/\/.*$/gm, '').replace(/,(\s*[}\]])/g, '$1')).mcpServers.notes;
  const server = spawn(command, args, { env: desktop.env, cwd: desktop.home, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = new Map();
  createInterface(server.stdout).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.id !== undefined) answers.get(message.id)?.(message);
  });
  const replies = [];
  for (const [index, message] of messages.entries()) {
    const reply = new Promise((resolve) => answers.set(index, resolve));
    server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: index, ...message })}\n`);
    replies.push(await reply);
  }
  server.stdin.end();
  await new Promise((resolve) => server.once('exit', resolve));
  return replies;
}
const INITIALIZE = { method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'cursor', version: '1' } } };
const read = (path) => ({ method: 'tools/call', params: { name: 'read_note', arguments: { path } } });
const SECRET = read('/home/someone/.ssh/id_rsa');

test('a blocked call is announced once, and a click on it opens the window', async () => {
  const earlier = (await notices()).length;
  const [, list, calm, blocked, again] = await talk([INITIALIZE, { method: 'tools/list' }, read('notes/today.md'), SECRET, SECRET]);
  assert.equal(list.result.tools.length, 1);
  assert.equal(calm.result.content[0].text, 'a note');
  assert.equal(blocked.result.isError, true, JSON.stringify(blocked));
  assert.equal(again.result.isError, true);
  await until('a notification', async () => (await notices()).length > earlier);
  await desktop.item(/^Newest Alert: Block, notes \/ read_note$/);

  // events are handled in order: once the pause shows, both Blocks have been
  await desktop.click('For 15 minutes');
  await desktop.item(/^Paused until \d\d:\d\d, nothing is blocked$/);
  // who pauses hears of it as well: it might have been somebody else
  const loosened = 'Protection was loosened';
  await until('the notice of the pause', async () => (await notices()).slice(earlier).some((each) => each.summary === loosened));
  const shown = (await notices()).slice(earlier);
  // the harm, and to what, in the dashboard's words
  const harm = 'Cursor wanted to open a private key, keychain or password store: /home/someone/.ssh/id_rsa';
  assert.deepEqual(shown.map((each) => each.summary), [`Blocked: ${harm}`, loosened]);
  assert.equal(shown[0].body, 'notes / read_note. The call did not run.');

  assert.equal((await desktop.windows()).length, 0);
  await desktop.ask({ do: 'activate', id: shown[0].id });
  await desktop.page('Alerts · Portcullis');
  await desktop.picture('alert');
  await desktop.closeWindow();
});

test('the icon follows the state', async () => {
  const paused = await desktop.ask({ do: 'icon' });
  await desktop.click('Resume now');
  await desktop.item(/^Watching 1 of 1 server$/);
  await until('another icon', async () => (await desktop.ask({ do: 'icon' })) !== paused);
  await ticked(/^Cursor \(1 of 1 seen\)$/, true);
});

/** Denies the one question that waits, as the page would. */
async function deny() {
  const home = desktop.env.PORTCULLIS_HOME;
  const { dashboard_port: port } = JSON.parse(readFileSync(join(home, 'run/daemon.json'), 'utf8'));
  const headers = { Authorization: `Bearer ${readFileSync(TOKEN(home), 'utf8')}`, 'Content-Type': 'application/json' };
  const { waiting } = await (await fetch(`http://127.0.0.1:${port}/api/asks`, { headers })).json();
  assert.equal(waiting.length, 1);
  const body = JSON.stringify({ answer: { kind: 'deny' } });
  const answered = await fetch(`http://127.0.0.1:${port}/api/asks/${waiting[0].id}/answer`, { method: 'POST', headers, body });
  assert.equal(answered.status, 200, await answered.text());
}

test('a doubtful call opens the small window on top, without the keyboard, and waits for the answer', async () => {
  const earlier = (await notices()).length;
  const held = talk([INITIALIZE, { method: 'tools/list' }, read('/home/someone/app/.env')]);
  await desktop.page('Questions · Portcullis');
  await desktop.item('1 question waiting…');
  const [window] = (await desktop.windows())[0];
  const states = await desktop.ask({ do: 'states', window });
  assert.ok(states.includes('above') && states.includes('skip_taskbar'), states.join());
  assert.equal(await desktop.ask({ do: 'focus', window }), false, 'it did not take the keyboard');
  await until('a notification', async () => (await notices()).length > earlier);
  const [notice] = (await notices()).slice(earlier);
  assert.equal(notice.summary, 'Cursor wants to open a file that keeps tokens or passwords: /home/someone/app/.env');
  assert.match(notice.body, /^notes \/ read_note\. \d+ s, then denied\.$/);
  await desktop.picture('question', { countsDown: true });

  await desktop.click('1 question waiting…');
  await until('the window the person asked for to have the keyboard', () => desktop.ask({ do: 'focus', window }));
  assert.equal((await desktop.windows()).length, 1, 'still one window');

  await deny();
  const [, , denied] = await held;
  assert.equal(denied.result.isError, true, JSON.stringify(denied));
  await desktop.item('No question waiting');
  assert.equal((await desktop.windows()).length, 1, 'what became of it stays on the screen');
  await desktop.closeWindow();
});

test('while a full-screen app is in front the window is a strip; a click makes it whole', async () => {
  const size = async (window) => (await desktop.ask({ do: 'geometry', window })).slice(2);
  const shape = (window, wanted) => until(`a window of ${wanted}`, async () => {
    const found = await size(window);
    return `${found}` === `${wanted}` || Promise.reject(new Error(`${found}`));
  });
  const game = await desktop.ask({ do: 'fullscreen', on: true });
  const held = talk([INITIALIZE, { method: 'tools/list' }, read('/home/someone/other/.env')]);
  await desktop.page('Questions · Portcullis');
  const [window] = (await desktop.windows())[0];
  assert.deepEqual(await size(window), [320, 56]);
  assert.equal(await desktop.ask({ do: 'focus', window: game }), true, 'the game keeps the keyboard');
  await desktop.item('1 question waiting…');
  await desktop.picture('strip', { countsDown: true, colours: 50 });
  assert.equal(await desktop.ask({ do: 'focus', window: game }), true, 'and goes on to keep it');

  // it is whole while nothing fills the screen, and a strip again when something does
  await desktop.ask({ do: 'fullscreen', on: false });
  await shape(window, [420, 560]);
  await desktop.ask({ do: 'fullscreen', on: true });
  await shape(window, [320, 56]);
  const place = async () => `${(await desktop.ask({ do: 'geometry', window })).slice(0, 2)}` === `${1280 - 320 - 16},16`;
  await until('the strip in its corner', place);

  await until('the click to make it whole', async () => {
    await desktop.ask({ do: 'press', window });
    await new Promise((resolve) => setTimeout(resolve, 200));
    return `${await size(window)}` === '420,560';
  });
  await desktop.picture('strip-opened', { countsDown: true });
  assert.deepEqual(await size(window), [420, 560], 'the person opened it, so it stays, though the game is still there');
  await desktop.item('1 question waiting…');
  await deny();
  const [, , denied] = await held;
  assert.equal(denied.result.isError, true, JSON.stringify(denied));
  await desktop.ask({ do: 'fullscreen', on: false });
  await desktop.closeWindow();
});

test('Start at login writes and removes the login entry', async () => {
  const entry = join(desktop.home, '.config/autostart/Portcullis.desktop');
  await desktop.click('Start at login');
  await until('the login entry', () => existsSync(entry));
  assert.match(readFileSync(entry, 'utf8'), /^Exec=.*portcullis-app"? --background$/m);
  await ticked(/^Start at login$/, true);
  await desktop.click('Start at login');
  await until('no login entry', () => !existsSync(entry));
  await ticked(/^Start at login$/, false);
});

test('a log that cannot be read is said, and that nothing was seen is not', async () => {
  const state = desktop.env.PORTCULLIS_HOME;
  // everything behind the headers, as a failing disk leaves it
  for (const [name, head] of [['audit.db', 4096], ['audit.db-wal', 32]]) {
    const path = join(state, name);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(Math.max(0, statSync(path).size - head), 0xa5), 0, undefined, head);
    closeSync(file);
  }
  await desktop.click('Open dashboard');
  await desktop.item('Checking goes on, but the log cannot be read. Restart Portcullis');
  await desktop.item('Alerts cannot be read');
  await desktop.item('Cursor (1 on, not known if seen)');
  await desktop.picture('unreadable');
  await desktop.closeWindow();
});

test('Quit puts the configs back when asked to, and ends with 0', async () => {
  assert.ok(isProtected());
  await desktop.click('Stop and put the configs back');
  const { code, said } = await app.ended;
  assert.equal(code, 0, said);
  assert.equal(text(), CONFIG);
  assert.doesNotMatch(said, /panicked/);
});

test('SIGTERM ends the app in order', async () => {
  const again = desktop.app(['--background']);
  await until('the item to register', () => desktop.ask({ do: 'items' }));
  const running = join(desktop.env.PORTCULLIS_HOME, 'run/daemon.json');
  assert.ok(existsSync(running));
  again.kill('SIGTERM');
  const { code, signal, said } = await again.ended;
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, said);
  assert.ok(!existsSync(running), 'the daemon has taken its run file away');
});

test('a daemon that already runs is used, and left running', async () => {
  const daemon = desktop.spawn(join(BIN, 'portcullis'), ['serve', '--once'], ['ignore', 'ignore', 'ignore']);
  const running = join(desktop.env.PORTCULLIS_HOME, 'run/daemon.json');
  await until('the daemon', () => JSON.parse(readFileSync(running, 'utf8')).pid === daemon.pid);
  const view = desktop.app(['--background']);
  await desktop.item(/^Cursor \(1 server\)$/);
  await desktop.click(/^Cursor/);
  await until('the config to be protected', isProtected);
  await ticked(/^Cursor/, true);
  await desktop.click(/^Cursor/);
  await until('the config to be put back', () => text() === CONFIG);
  await ticked(/^Cursor/, false);
  await desktop.click('Quit');
  assert.equal((await view.ended).code, 0);
  assert.equal(daemon.exitCode, null);
});

test('without a display it says what to do instead of panicking', async () => {
  for (const [DISPLAY, why] of [['', /no display was found/], [':7654', /does not answer/]]) {
    const { code, said } = await desktop.app([], { DISPLAY }).ended;
    assert.equal(code, 1);
    assert.match(said, why);
    assert.match(said, /portcullis serve/);
    assert.doesNotMatch(said, /panicked/);
  }
});
