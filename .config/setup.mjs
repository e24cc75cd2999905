// Brings a fresh machine to the point where `cargo` and `npm` can work: system packages, npm packages, the built UI.
// Needs nothing but Node itself, because it runs before anything is installed; it sits in `.config/` with the other
// tool configuration so that the visible top level stays the product's own. `npm start` and `npm test` import it.
//
//   node .config/setup.mjs headless|desktop|test [--dry-run] [--as-if-empty]
//
// --dry-run says what is missing and which command would install it, and changes nothing.
// --as-if-empty pretends that nothing is there, to see a target's whole list.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';

/** A step that failed: which, why, and what the person can do. */
export class StepError extends Error {
  constructor(step, why, todo) {
    super(`${step} failed: ${why}\n  What to do: ${todo}`);
  }
}

// ---- what is needed ------------------------------------------------------------------------------------------------

const ALL = ['headless', 'desktop', 'test'];
const GUI = ['desktop', 'test'];
const TEST = ['test'];

const library = (name, apt, dnf, pacman) => ({
  name, targets: GUI, os: ['linux'], found: () => succeeds('pkg-config', ['--exists', name]), apt, dnf, pacman,
});
const program = (names, targets, packages) => ({ name: names[0], targets, found: () => names.some(onPath), ...packages });
const python = (modules, packages) => ({
  name: `python3 modules ${modules}`, targets: TEST, found: () => succeeds('/usr/bin/python3', ['-c', `import ${modules}`]), ...packages,
});

/** One row per need: how to see that it is there, which targets want it, and its name with each package manager. */
export const NEEDS = [
  { ...program(['cc'], ALL, { apt: ['build-essential'], dnf: ['gcc', 'gcc-c++', 'make'], pacman: ['base-devel'] }), brewHint: 'run `xcode-select --install`' },
  { ...program(['pkg-config'], GUI, { apt: ['pkg-config'], dnf: ['pkgconf-pkg-config'], pacman: ['pkgconf'] }), os: ['linux'] },
  library('webkit2gtk-4.1', ['libwebkit2gtk-4.1-dev'], ['webkit2gtk4.1-devel'], ['webkit2gtk-4.1']),
  library('gtk+-3.0', ['libgtk-3-dev'], ['gtk3-devel'], ['gtk3']),
  library('ayatana-appindicator3-0.1', ['libayatana-appindicator3-dev'], ['libayatana-appindicator-gtk3-devel'], ['libayatana-appindicator']),
  library('librsvg-2.0', ['librsvg2-dev'], ['librsvg2-devel'], ['librsvg']),
  library('dbus-1', ['libdbus-1-dev'], ['dbus-devel'], ['dbus']),
  {
    name: 'chromium', targets: TEST, found: () => chromium() !== undefined,
    apt: ['chromium'], dnf: ['chromium'], pacman: ['chromium'], brew: ['cask:google-chrome'],
  },
  { ...program(['strace'], TEST, { apt: ['strace'], dnf: ['strace'], pacman: ['strace'] }), os: ['linux'] },
  { ...program(['Xvfb'], TEST, { apt: ['xvfb'], dnf: ['xorg-x11-server-Xvfb'], pacman: ['xorg-server-xvfb'] }), os: ['linux'] },
  { ...program(['dbus-daemon'], TEST, { apt: ['dbus'], dnf: ['dbus-daemon'], pacman: ['dbus'] }), os: ['linux'] },
  { ...program(['gnome-keyring-daemon'], TEST, { apt: ['gnome-keyring'], dnf: ['gnome-keyring'], pacman: ['gnome-keyring'] }), os: ['linux'] },
  { ...program(['import'], TEST, { apt: ['imagemagick'], dnf: ['ImageMagick'], pacman: ['imagemagick'] }), os: ['linux'] },
  { ...python('dbus, gi', { apt: ['python3-dbus', 'python3-gi'], dnf: ['python3-dbus', 'python3-gobject'], pacman: ['python-dbus', 'python-gobject'] }), os: ['linux'] },
  { ...python('venv, ensurepip', { apt: ['python3-venv'], dnf: ['python3', 'python3-pip'], pacman: ['python'], brew: ['python3'] }), os: ['linux', 'darwin'] },
];

/** The commands with which each package manager installs; `sudo` goes in front when they want root and we are not. */
const APT = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
const MANAGERS = {
  apt: {
    program: 'apt-get', label: 'apt', root: true,
    commands: (names) => [
      ['apt-get', ...APT, 'update'],
      ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...APT, '-y', 'install', '--no-install-recommends', ...names],
    ],
  },
  dnf: { program: 'dnf', label: 'dnf', root: true, commands: (names) => [['dnf', '-y', 'install', ...names]] },
  pacman: {
    program: 'pacman', label: 'pacman', root: true,
    // the lists are fetched only where there are none: refreshing them without upgrading everything breaks an Arch system
    commands: (names, { lists = () => existsSync('/var/lib/pacman/sync/core.db') } = {}) => [
      ...(lists() ? [] : [['pacman', '-Sy', '--noconfirm']]),
      ['pacman', '-S', '--needed', '--noconfirm', ...names],
    ],
  },
  brew: {
    program: 'brew', label: 'Homebrew', root: false,
    commands: (names) => {
      const [casks, formulas] = [names.filter((name) => name.startsWith('cask:')), names.filter((name) => !name.startsWith('cask:'))];
      return [
        ...(formulas.length > 0 ? [['brew', 'install', ...formulas]] : []),
        ...(casks.length > 0 ? [['brew', 'install', '--cask', ...casks.map((name) => name.slice('cask:'.length))]] : []),
      ];
    },
  },
};

/** Ubuntu's archive has other names for a few of Debian's packages. */
const UBUNTU = { chromium: 'chromium-browser' };

// ---- looking around ------------------------------------------------------------------------------------------------

export function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, windows ? `${name}.exe` : name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** The browser for the UI tests: the system's own, never a downloaded one. */
export function chromium() {
  const mac = ['/Applications/Chromium.app/Contents/MacOS/Chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
  const name = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].find(onPath);
  if (!name) return mac.find(existsSync);
  const folder = process.env.PATH.split(delimiter).find((each) => existsSync(join(each, name)));
  return join(folder, name);
}

export function isDesktop() {
  return windows || process.platform === 'darwin' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** The needs of `target` that this machine lacks. */
export function missing(target, { platform = process.platform, empty = false } = {}) {
  return NEEDS.filter((need) => need.targets.includes(target) && (need.os ?? [platform]).includes(platform) && (empty || !need.found()));
}

/** The commands that install `needs`, in order, and what cannot be had. */
export function plan(needs, manager, { root = false, sudo = true, interactive = false, ubuntu = false } = {}) {
  const { commands, root: wantsRoot } = MANAGERS[manager];
  const unknown = needs.filter((need) => !need[manager]);
  const names = [...new Set(needs.flatMap((need) => need[manager] ?? []))].map((name) => (ubuntu && UBUNTU[name]) || name);
  const prefix = !wantsRoot || root ? [] : interactive ? ['sudo'] : ['sudo', '-n'];
  const lines = names.length === 0 ? [] : commands(names).map((command) => [...prefix, ...command]);
  return { names, commands: lines, unknown, blocked: wantsRoot && !root && !sudo };
}

function isUbuntu() {
  return existsSync('/etc/os-release') && /^ID(_LIKE)?=.*ubuntu/m.test(readFileSync('/etc/os-release', 'utf8'));
}

// ---- doing ---------------------------------------------------------------------------------------------------------

export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** Runs `command` with our terminal; throws a StepError that says why when it fails. */
export function run(step, command, { todo = 'read the messages above', env = {}, cwd = root } = {}) {
  const [name, ...args] = command;
  const done = spawnSync(name, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env }, shell: windows && name === 'npm' });
  if (done.error) throw new StepError(step, `\`${name}\` could not be started (${done.error.code ?? done.error.message})`, todo);
  if (done.status !== 0) {
    const why = done.signal ? `was ended by ${done.signal}` : `exited with code ${done.status}`;
    throw new StepError(step, `\`${command.join(' ')}\` ${why}`, todo);
  }
}

export function systemPackages(target, { dryRun = false, empty = false } = {}) {
  const step = 'System packages';
  const wanted = missing(target, { empty });
  if (wanted.length === 0) return;
  const list = wanted.map((need) => need.name).join(', ');
  const manager = Object.keys(MANAGERS).find((key) => onPath(MANAGERS[key].program));
  if (!manager) {
    throw new StepError(step, `missing: ${list}; none of apt, dnf, pacman and Homebrew was found`, 'install them with your system’s own means and run this again');
  }
  const interactive = Boolean(process.stdin.isTTY);
  const { names, commands, unknown, blocked } = plan(wanted, manager, { root: process.getuid?.() === 0, sudo: onPath('sudo'), interactive, ubuntu: isUbuntu() });
  if (unknown.length > 0 && !dryRun) {
    const hints = unknown.map((need) => need[`${manager}Hint`] ?? `install ${need.name} by hand`).join('; ');
    throw new StepError(step, `${MANAGERS[manager].label} has no package for ${unknown.map((need) => need.name).join(', ')}`, hints);
  }
  const lines = commands.map((command) => command.join(' '));
  say(`${step} for ${target}: missing ${list}.`);
  if (dryRun) return say(lines.map((line) => `  would run: ${line}`).join('\n'));
  const byHand = `run this as root, then start again:\n    ${lines.map((line) => line.replace(/^sudo (-n )?/, '')).join('\n    ')}`;
  if (blocked) throw new StepError(step, 'installing needs root, and there is no sudo', byHand);
  say(`  Installing with ${MANAGERS[manager].label}: ${names.join(' ')}`);
  for (const command of commands) run(step, command, { todo: `see the messages of ${MANAGERS[manager].label} above (no network? no right to install?), or ${byHand}` });
  const still = missing(target).map((need) => need.name);
  if (still.length > 0) throw new StepError(step, `installed, but still not found: ${still.join(', ')}`, 'check that they are on the PATH and that pkg-config sees them (`pkg-config --list-all`)');
}

function atLeast(version, wanted) {
  const [have, want] = [version, wanted].map((text) => text.split('.').map(Number));
  const at = want.findIndex((number, index) => (have[index] ?? 0) !== number);
  return at === -1 || (have[at] ?? 0) > want[at];
}

/** Rust and Node are asked of the person; everything else we install. */
export function toolchains(target) {
  if (!atLeast(process.versions.node, '20.19')) throw new StepError('Node', `this is Node ${process.versions.node}; 20.19 or newer is needed`, 'install a newer Node');
  const home = process.env.CARGO_HOME ?? join(process.env.HOME ?? process.env.USERPROFILE ?? '', '.cargo');
  if (!onPath('cargo') && existsSync(join(home, 'bin'))) process.env.PATH = `${join(home, 'bin')}${delimiter}${process.env.PATH}`;
  const wanted = /rust-version = "([\d.]+)"/.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1];
  const tool = (args) => spawnSync('cargo', args, { cwd: root, encoding: 'utf8' });
  const version = /cargo (\d+\.\d+(\.\d+)?)/.exec(tool(['--version']).stdout ?? '')?.[1];
  if (!version) throw new StepError('Rust', '`cargo` was not found', `install Rust ${wanted} or newer with rustup, open a new terminal and run this again`);
  if (!atLeast(version, wanted)) throw new StepError('Rust', `this is Rust ${version}; ${wanted} or newer is needed`, 'run `rustup update stable`');
  if (target !== 'test') return;
  for (const [name, args] of [['rustfmt', ['fmt', '--version']], ['clippy', ['clippy', '--version']]]) {
    if (tool(args).status !== 0) throw new StepError('Rust', `${name} is missing`, `run \`rustup component add ${name}\` (or install your system’s ${name} package)`);
  }
}

// ---- npm packages and the UI ---------------------------------------------------------------------------------------

/** Content of `paths` (files, or folders without what is built in them) as one short text. */
export function digest(paths) {
  const hash = createHash('sha256');
  const add = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      const names = readdirSync(path).filter((name) => !['dist', 'node_modules', 'test-results'].includes(name));
      for (const name of names.sort()) add(join(path, name));
    } else {
      hash.update(`${relative(root, path)}\0`).update(readFileSync(path)).update('\0');
    }
  };
  paths.map((path) => join(root, path)).forEach(add);
  return hash.digest('hex');
}

/** Does `work` unless it was done for the same `inputs` and `output` is still there. Stamps live in node_modules. */
function onceFor(name, inputs, output, work) {
  const stamp = join(root, 'node_modules', `.portcullis-${name}`);
  const now = digest(inputs);
  if (existsSync(join(root, output)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}

export function npmPackages() {
  if (!existsSync(join(root, 'package-lock.json'))) throw new StepError('npm packages', 'package-lock.json is missing', 'restore it: `git checkout package-lock.json`');
  onceFor('packages', ['package-lock.json'], 'node_modules', () => {
    say('npm packages: installing (npm ci)');
    run('npm packages', ['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'], { todo: 'check the network and npm’s messages above' });
  });
}

export function builtUi() {
  onceFor('ui', ['ui', 'package-lock.json'], 'ui/dist/index.html', () => {
    say('Dashboard: building (npm run ui:build)');
    run('Dashboard', ['npm', 'run', '--silent', 'ui:build'], { todo: 'mend what the messages above name in ui/' });
  });
}

/** Everything before cargo. `target`: headless, desktop or test. */
export function prepare(target) {
  toolchains(target);
  systemPackages(target);
  npmPackages();
  builtUi();
}

/** Where cargo puts this workspace's binaries of the `start` profile. */
export function binaries() {
  const answer = spawnSync('cargo', ['metadata', '--no-deps', '--offline', '--format-version', '1'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (answer.status !== 0) throw new StepError('cargo metadata', answer.stderr.trim(), 'mend the Cargo.toml it names');
  return join(JSON.parse(answer.stdout).target_directory, 'start');
}

/**
 * Calls `end` once when the shell that npm put between itself and us is gone: npm passes a SIGTERM to that shell, which
 * dies of it without passing it on.
 */
export function whenOrphaned(end) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end();
  }, 250);
  watch.unref();
}

/** Runs `main`, printing a StepError as what it is, not as a stack. */
export async function guarded(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [target, ...flags] = process.argv.slice(2);
  await guarded(() => {
    if (!ALL.includes(target)) throw new StepError('Set-up', `"${target ?? ''}" is no target`, `use one of ${ALL.join(', ')}`);
    if (!flags.includes('--dry-run')) return prepare(target);
    toolchains(target);
    systemPackages(target, { dryRun: true, empty: flags.includes('--as-if-empty') });
  });
}
