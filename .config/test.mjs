// `npm test`: the same set-up as `npm start` plus what tests need, then every check and every test of the repository.
// Each step is named and timed; one that fails does not hide the others. The last line adds up what the runners printed.
//
//   npm test                  everything
//   npm test -- tray e2e      only the steps with these names (`npm test -- --list` names them)
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { StepError, binaries, chromium, guarded, onPath, prepare, root, say, whenOrphaned } from './setup.mjs';
import { failures, summary, tally } from './totals.mjs';

const PROFILE = ['--profile', 'start'];
const NEXTEST = ['cargo', 'nextest', 'run', '--cargo-profile', 'start', '--workspace', '--no-fail-fast'];
const CARGO_TEST = ['cargo', 'test', ...PROFILE, '--workspace', '--no-fail-fast'];
const toolTests = () => readdirSync(join(root, 'tests/tools')).filter((name) => name.endsWith('.test.mjs')).map((name) => `tests/tools/${name}`);
const npm = (script) => ['npm', 'run', '--silent', script];

/** `counted`: a runner that reports totals; without it a step is one check. `after`: steps it cannot do without. */
export function steps(bin) {
  return [
    { name: 'tools', about: 'tests of the set-up scripts', command: [process.execPath, '--test', ...toolTests()], counted: true },
    { name: 'fmt', about: 'Rust is formatted', command: ['cargo', 'fmt', '--all', '--check'] },
    { name: 'ui-check', about: 'TypeScript types, formatting, lint', command: npm('ui:check') },
    { name: 'ui-unit', about: 'dashboard unit tests', command: npm('ui:unit'), counted: true },
    { name: 'clippy', about: 'no lint warning in Rust', command: ['cargo', 'clippy', ...PROFILE, '--workspace', '--all-targets', '--', '-D', 'warnings'] },
    { name: 'build', about: 'all binaries', command: ['cargo', 'build', ...PROFILE, '--workspace', '--bins'] },
    { name: 'rules', about: 'dependency direction, generated types, signatures', command: [join(bin, 'portcullis-xtask'), 'check'], counted: true, after: ['build'] },
    { name: 'rust', about: 'Rust tests', command: onPath('cargo-nextest') ? NEXTEST : CARGO_TEST, counted: true },
    { name: 'ui-browser', about: 'the dashboard in Chromium', command: npm('ui:browser'), counted: true, after: ['build'] },
    { name: 'e2e', about: 'real clients, real servers, temporary homes', command: npm('e2e'), counted: true, after: ['build'] },
    { name: 'conformance', about: 'the official MCP suite, direct and through Portcullis, check by check', command: [...npm('conformance'), '--', '--quick'], after: ['build'] },
    { name: 'interop-tests', about: 'answers to blocked messages and bodies that parsers read differently, on real peers', command: npm('interop:tests'), counted: true, after: ['build'] },
    { name: 'interop', about: 'official clients with official servers, direct and through Portcullis', command: [...npm('interop'), '--', '--quick'], after: ['build'] },
    { name: 'tray', about: 'the desktop app under Xvfb and a private D-Bus', command: [process.execPath, '--test', 'tests/tray/tray.test.mjs'], counted: true, after: ['build'], os: ['linux'] },
    { name: 'bench', about: 'the bench drivers run (no figures are judged)', command: npm('bench:smoke'), after: ['build'] },
  ];
}

const LIMIT_MS = 40 * 60_000;

/** Runs one step, showing its output as it comes and keeping it for the totals. Ends its whole process group at the limit. */
function execute(step, env) {
  const [name, ...args] = step.command;
  return new Promise((resolve) => {
    let output = '';
    const windows = process.platform === 'win32';
    const child = spawn(name, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: !windows, shell: windows && name === 'npm' });
    const end = (signal) => {
      try {
        process.kill(windows ? child.pid : -child.pid, signal);
      } catch {
        // it has ended by itself
      }
    };
    const interrupted = (signal) => {
      end(signal);
      process.exit(130);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, interrupted);
    const limit = setTimeout(() => {
      output += `\n${step.name} did not finish within ${LIMIT_MS / 60_000} minutes and was ended.\n`;
      end('SIGKILL');
    }, LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
        process.stdout.write(text);
      });
    }
    const done = (code) => {
      clearTimeout(limit);
      for (const signal of signals) process.off(signal, interrupted);
      resolve({ code, output });
    };
    child.on('error', (error) => {
      say(`\`${name}\` could not be started: ${error.message}`);
      done(127);
    });
    child.on('close', (code) => done(code ?? 1));
    child.on('exit', (code, signal) => {
      if (signal) say(`${step.name} was ended by ${signal}.`);
      // `close` comes once all output was read; a stray grandchild that keeps the pipes open is not waited for
      setTimeout(() => done(code ?? 1), 10_000).unref();
    });
  });
}

function chosen(all, names) {
  const unknown = names.filter((name) => !all.some((step) => step.name === name));
  if (unknown.length > 0) throw new StepError('Choosing steps', `there is no step "${unknown.join('", "')}"`, `use some of: ${all.map((step) => step.name).join(', ')}`);
  if (names.length === 0) return all;
  const wanted = new Set(names);
  for (const step of [...all].reverse()) if (wanted.has(step.name)) (step.after ?? []).forEach((name) => wanted.add(name));
  return all.filter((step) => wanted.has(step.name));
}

await guarded(async () => {
  const names = process.argv.slice(2);
  if (names.includes('--list')) return steps('').forEach((step) => say(`${step.name.padEnd(12)}${step.about}`));
  chosen(steps(''), names);
  const began = Date.now();
  try {
    prepare('test');
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say(`\n${error.message}\n\nNothing was tested, because the set-up failed.\n0 passed, 1 failed`);
    return 1;
  }
  const bin = binaries();
  const env = { ...process.env, CARGO_TERM_COLOR: 'never', NO_COLOR: '1', FORCE_COLOR: undefined, PORTCULLIS_BIN_DIR: bin, PORTCULLIS_CHROMIUM: chromium() };
  whenOrphaned(() => process.kill(process.pid, 'SIGTERM'));
  const results = [{ name: 'set-up', seconds: (Date.now() - began) / 1000, passed: 1, failed: 0, skipped: 0, note: 'ok' }];
  for (const step of chosen(steps(bin), names)) {
    const broken = (step.after ?? []).filter((name) => results.some((result) => result.name === name && result.failed > 0));
    const elsewhere = step.os && !step.os.includes(process.platform);
    if (broken.length > 0 || elsewhere) {
      const note = elsewhere ? `not run on ${process.platform}` : `not run: ${broken.join(', ')} failed`;
      results.push({ name: step.name, seconds: 0, passed: 0, failed: 0, skipped: 1, note });
      continue;
    }
    say(`\n━━ ${step.name}: ${step.about}\n   ${step.command.join(' ')}`);
    const start = Date.now();
    const { code, output } = await execute(step, env);
    const counts = tally({ counted: step.counted, code, output });
    const note = counts.failed === 0 ? 'ok' : code === 0 ? 'FAILED (no test was reported)' : `FAILED (exit code ${code})`;
    results.push({ name: step.name, seconds: (Date.now() - start) / 1000, ...counts, note, names: counts.failed === 0 ? [] : failures(output) });
  }
  say('\n━━ Summary');
  for (const { name, seconds, passed, failed, skipped, note, names = [] } of results) {
    say(`${name.padEnd(12)}${`${seconds.toFixed(1)} s`.padStart(9)}  ${`${passed} passed, ${failed} failed, ${skipped} skipped`.padEnd(38)}${note}`);
    for (const test of names) say(`  failed: ${test}`);
  }
  say(summary(results));
  return results.some((result) => result.failed > 0) ? 1 : 0;
});
