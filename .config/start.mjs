// `npm start`: sets the machine up, builds what changed, and runs Portcullis until it is stopped.
// With a display it is the desktop app; without one it is the headless daemon, and then neither GTK nor WebKit is
// installed or built.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { StepError, binaries, builtUi, guarded, isDesktop, npmPackages, root, run, say, systemPackages, toolchains, whenOrphaned } from './setup.mjs';

const USAGE = `npm start [-- [--headless | --desktop] [arguments for the program]]

  --headless   run the daemon without tray and window, even with a display
  --desktop    run the tray app (the default with a display)

Everything else goes to the program: \`portcullis serve\` (headless) or \`portcullis-app\` (desktop).`;

export function choose(args, hasDisplay) {
  const own = ['--headless', '--desktop'];
  const chosen = args.filter((arg) => own.includes(arg)).at(-1);
  const headless = chosen ? chosen === '--headless' : !hasDisplay;
  const rest = args.filter((arg) => !own.includes(arg));
  return headless
    ? { target: 'headless', packages: ['portcullis-daemon', 'portcullis-shim'], program: 'portcullis', args: ['serve', ...rest] }
    : { target: 'desktop', packages: ['portcullis-daemon', 'portcullis-shim', 'portcullis-app'], program: 'portcullis-app', args: rest };
}

/** Runs the program with our terminal; Ctrl+C reaches it by itself, a `kill` of npm is passed on. */
function runUntilStopped(program, args) {
  const child = spawn(program, args, { cwd: process.env.INIT_CWD ?? root, stdio: 'inherit' });
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  whenOrphaned(() => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new StepError('Start', `${program} could not be started (${error.code})`, 'run `cargo build --profile start` and look at its messages')));
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

if (process.argv[1] === import.meta.filename) {
  await guarded(async () => {
    const args = process.argv.slice(2);
    if (args.includes('--help') || args.includes('-h')) return say(USAGE);
    const { target, packages, program, args: rest } = choose(args, isDesktop());
    const started = Date.now();
    toolchains(target);
    systemPackages(target);
    npmPackages();
    builtUi();
    run('Build', ['cargo', 'build', '--profile', 'start', ...packages.flatMap((name) => ['-p', name])], { todo: 'read the compiler’s messages above; on a small machine, check free memory and disk space' });
    say(`Ready in ${((Date.now() - started) / 1000).toFixed(1)} s; starting ${program}.`);
    return runUntilStopped(join(binaries(), process.platform === 'win32' ? `${program}.exe` : program), rest);
  });
}
