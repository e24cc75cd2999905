// `npm run fuzz -- json|sse [--seconds N]`: the fuzz targets of src-tauri/fuzz with libFuzzer on the toolchain of the product.
// No cargo-fuzz and no nightly: the coverage pass of LLVM is asked for by hand, and without `unsafe` there is nothing that the
// sanitizers, which need nightly, would find. The corpus is kept in src-tauri/fuzz/corpus; a crash is written to artifacts.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, say } from './setup.mjs';

const COVERAGE = ['level=4', 'inline-8bit-counters', 'pc-table', 'trace-compares'];
const FLAGS = ['--cfg=fuzzing', '-Cpasses=sancov-module', '-Cdebug-assertions', '-Ccodegen-units=1', ...COVERAGE.map((what) => `-Cllvm-args=-sanitizer-coverage-${what}`)];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string', default: '60' } } });
const [target] = positionals;
if (!['json', 'sse'].includes(target)) {
  say('npm run fuzz -- json|sse [--seconds N]');
  process.exit(64);
}

const folder = join(root, 'src-tauri/fuzz');
const built = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'fuzz');
const host = /host: (\S+)/.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout)[1];
const run = (command, args, options) => {
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit', cwd: folder, ...options });
  if (status !== 0) process.exit(status ?? (say(`ended by ${signal}`), 1));
};

// `--target`: the flags are for the targets alone and not for build scripts.
const build = ['build', '--release', '--target', host, '--target-dir', built, '--bin', target];
run('cargo', build, { env: { ...process.env, RUSTFLAGS: FLAGS.join(' ') } });
const [corpus, artifacts] = [join(folder, 'corpus', target), join(folder, 'artifacts', target)];
for (const made of [corpus, artifacts]) mkdirSync(made, { recursive: true });
const limits = [`-max_total_time=${Number(values.seconds)}`, '-max_len=4096', '-timeout=10', '-rss_limit_mb=1024', `-dict=${join(folder, `${target}.dict`)}`];
run(join(built, host, 'release', target), [...limits, '-print_final_stats=1', `-artifact_prefix=${artifacts}/`, corpus]);
