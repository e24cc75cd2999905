// `npm run package`: the installable package of this platform (deb and rpm, dmg, or the NSIS installer), with the desktop
// app, the command line and the shim in it. Signing and notarising are not done here.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StepError, binaries, guarded, prepare, root, run, say } from './setup.mjs';

const USAGE = `npm run package [-- [--bundles deb,rpm] [--profile release]]

  --bundles   which kinds of package (default: those of this platform)
  --profile   cargo's profile; "start" is quicker to build and slower to run`;

// Fetched when it is wanted: nothing else needs it, and it would make every `npm ci` longer.
const TAURI = '@tauri-apps/cli@2.12.5';
const BUNDLES = { linux: 'deb,rpm', darwin: 'dmg', win32: 'nsis' };
const PROGRAMS = ['portcullis', 'portcullis-shim'];

function option(args, name, otherwise) {
  const at = args.indexOf(name);
  if (at === -1) return otherwise;
  const [, value] = args.splice(at, 2);
  if (!value) throw new StepError('Options', `${name} wants a value`, USAGE);
  return value;
}

/** Where Tauri looks for what goes beside the app: the name with the target it was built for. */
function stage(profile) {
  const target = /^host: (.+)$/m.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  if (!target) throw new StepError('Staging', '`rustc -vV` did not say for which target it builds', 'check the Rust installation');
  const [from, to, end] = [join(binaries(), '..', profile), join(root, 'target/package'), process.platform === 'win32' ? '.exe' : ''];
  mkdirSync(to, { recursive: true });
  for (const name of PROGRAMS) copyFileSync(join(from, `${name}${end}`), join(to, `${name}-${target}${end}`));
}

await guarded(() => {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) return say(USAGE);
  const profile = option(args, '--profile', 'release');
  const bundles = option(args, '--bundles', BUNDLES[process.platform]);
  if (args.length > 0) throw new StepError('Options', `"${args[0]}" is not known`, USAGE);
  if (!bundles) throw new StepError('Options', `there is no package for ${process.platform}`, 'name one with --bundles');
  prepare('desktop');
  run('Build', ['cargo', 'build', '--profile', profile, '-p', 'portcullis-daemon', '-p', 'portcullis-shim'], { todo: 'read the compiler’s messages above' });
  stage(profile);
  const tauri = ['npm', 'exec', '--yes', `--package=${TAURI}`, '--', 'tauri', 'build', '--ci'];
  run('Package', [...tauri, '--bundles', bundles, '--config', '.config/package/bundle.json', '--', '--profile', profile], { todo: 'read the messages above' });
  if (process.platform === 'linux') run('Look inside', [process.execPath, '--test', 'tests/tools/package.test.mjs']);
});
