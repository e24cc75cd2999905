// `npm run bench`: builds the release binaries and measures direct traffic, a bare byte-copying proxy and Portcullis in
// the same run (flags go to portcullis-bench, see --help). With --quick it uses the `start` binaries that `npm test`
// built and only checks that every leg answers correctly.
import { dirname, join } from 'node:path';
import { binaries, guarded, run, toolchains } from './setup.mjs';

await guarded(() => {
  const args = process.argv.slice(2);
  const quick = args.includes('--quick');
  const packages = ['portcullis-daemon', 'portcullis-shim', 'portcullis-testkit'].flatMap((name) => ['-p', name]);
  if (!quick) {
    toolchains('headless');
    run('Build', ['cargo', 'build', '--release', ...packages]);
  }
  const bin = quick ? (process.env.PORTCULLIS_BIN_DIR ?? binaries()) : join(dirname(binaries()), 'release');
  run('Bench', [join(bin, 'portcullis-bench'), '--bin-dir', bin, ...args]);
});
