// A private desktop for one test run: temporary HOME, X display, session bus, panel and notification server, and the app
// on it. Everything it starts it also ends, by process id.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { binaries } from '../../.config/setup.mjs';

export const BIN = process.env.PORTCULLIS_BIN_DIR ?? binaries();
const HERE = import.meta.dirname;
const PATIENCE_MS = 60_000;

/** Asks until `look` gives something true; an error counts as "not yet". Says what was last seen when time is up. */
export async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  let last;
  while (Date.now() < end) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${PATIENCE_MS / 1000} s for: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}

/** The first line a starting program writes to `fd` (1 or 3). */
export function firstLine(child, fd) {
  return new Promise((resolve, reject) => {
    createInterface(child.stdio[fd]).once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with ${code} before it was ready`)));
  });
}

export class Desktop {
  static async start() {
    const desktop = new Desktop();
    // short and without spaces: it holds sockets and Portcullis' state
    desktop.home = mkdtempSync(join(tmpdir(), 'pt-'));
    desktop.children = [];
    const runtime = join(desktop.home, 'run');
    mkdirSync(runtime, { mode: 0o700 });
    const PASSED = ['PATH', 'LANG', 'TZ', 'CARGO_HOME'];
    desktop.env = {
      ...Object.fromEntries(PASSED.filter((name) => process.env[name]).map((name) => [name, process.env[name]])),
      HOME: desktop.home, XDG_RUNTIME_DIR: runtime, PORTCULLIS_HOME: join(desktop.home, '.portcullis'), NO_AT_BRIDGE: '1',
    };
    const x = desktop.spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x860x24', '-nolisten', 'tcp'], ['ignore', 'ignore', 'ignore', 'pipe']);
    desktop.env.DISPLAY = `:${(await firstLine(x, 3)).trim()}`;
    const bus = desktop.spawn('dbus-daemon', ['--session', '--nofork', '--print-address'], ['ignore', 'pipe', 'ignore']);
    desktop.env.DBUS_SESSION_BUS_ADDRESS = (await firstLine(bus, 1)).trim();
    desktop.session = desktop.spawn('/usr/bin/python3', [join(HERE, 'session.py')], ['pipe', 'pipe', 'inherit']);
    desktop.waiting = [];
    const ready = new Promise((resolve, reject) => desktop.waiting.push({ resolve, reject }));
    createInterface(desktop.session.stdout).on('line', (line) => {
      const { ok, error } = JSON.parse(line);
      const { resolve, reject } = desktop.waiting.shift();
      error === undefined ? resolve(ok) : reject(new Error(error));
    });
    desktop.session.once('exit', () => desktop.waiting.splice(0).forEach(({ reject }) => reject(new Error('the test session ended'))));
    await ready;
    return desktop;
  }

  spawn(program, args, stdio, env = this.env) {
    const child = spawn(program, args, { env, stdio, cwd: this.home });
    this.children.push(child);
    return child;
  }

  /** Starts the app; `ended` gives exit code and what it wrote. */
  app(args = [], env = {}) {
    const child = this.spawn(join(BIN, 'portcullis-app'), args, ['ignore', 'pipe', 'pipe'], { ...this.env, ...env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
    child.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, said })));
    child.said = () => said;
    return child;
  }

  /** One of our command line's commands, in this HOME. */
  cli(...args) {
    const done = spawnSync(join(BIN, 'portcullis'), args, { env: this.env, cwd: this.home, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`portcullis ${args.join(' ')} exited with ${done.status}: ${done.stdout}${done.stderr}`);
    return done.stdout;
  }

  ask(request) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.session.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** The menu as a flat list of items; submenus come before their children. */
  async items() {
    const flat = (nodes) => nodes.flatMap((node) => [node, ...flat(node.children)]);
    return flat(await this.ask({ do: 'layout' })).filter((item) => !item.separator);
  }

  item(label) {
    return until(`a menu item ${label}`, async () => (await this.items()).find((item) => (label instanceof RegExp ? label.test(item.label) : item.label === label)));
  }

  /** A menu that is rebuilt between the look and the click has no such id any more: then it is looked for again. */
  click(label) {
    return until(`a click on ${label}`, async () => {
      const item = await this.item(label);
      if (!item.enabled) throw new Error(`${item.label} cannot be clicked`);
      await this.ask({ do: 'click', id: item.id });
      return true;
    });
  }

  /** The product's windows, as [number, title]. */
  windows() {
    return this.ask({ do: 'windows' });
  }

  /** Waits for the page to say by its title that it is there: an unpaired or broken one never does. */
  page(title) {
    return until(`a window with the title ${title}`, async () => (await this.windows()).some(([, shown]) => shown === title) || Promise.reject(new Error(JSON.stringify(await this.windows()))));
  }

  async closeWindow() {
    await this.ask({ do: 'close' });
    await until('the window to be gone', async () => (await this.windows()).length === 0);
  }

  /** Saves the screen once it no longer changes (one that counts down always does) and shows more than the pairing page
   * does (about 850 colours), or than so many for something small. */
  picture(name, { countsDown = false, colours: least = 1000 } = {}) {
    const folder = join(HERE, '../out/tray');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${name}.png`);
    const tool = (program, ...args) => {
      const done = spawnSync(program, args, { env: this.env, encoding: 'utf8' });
      if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
      return done.stdout.trim();
    };
    let before;
    return until(`a settled picture in ${file}`, async () => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      tool('import', '-window', 'root', file);
      const [colours, pixels] = tool('identify', '-format', '%k %#', file).split(' ');
      const settled = (countsDown || pixels === before) && Number(colours) > least;
      before = pixels;
      return settled || Promise.reject(new Error(`${colours} colours`));
    });
  }

  write(path, text) {
    const file = join(this.home, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  async stop() {
    const alive = () => this.children.filter((child) => child.exitCode === null && child.signalCode === null);
    // newest first: the app before its bus and display
    for (const child of alive().reverse()) {
      child.kill('SIGTERM');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}
