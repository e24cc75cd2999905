// `npm run judge:onnx`: builds the program for a classifier of your own (src-tauri/onnx) and puts it beside the others,
// where the daemon looks for it. Not part of `npm start`: its runtime is heavy. `-- --test` runs its tests instead.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { binaries, root, say } from './setup.mjs';

const testing = process.argv.includes('--test');
const target = join(root, 'target/onnx');
const place = ['--locked', '--manifest-path', join(root, 'src-tauri/onnx/Cargo.toml'), '--target-dir', target];
const { status } = spawnSync('cargo', testing ? ['test', ...place] : ['build', '--release', ...place], { stdio: 'inherit', cwd: root });
if (status !== 0) process.exit(status ?? 1);
if (!testing) {
  const name = process.platform === 'win32' ? 'portcullis-onnx.exe' : 'portcullis-onnx';
  mkdirSync(binaries(), { recursive: true });
  copyFileSync(join(target, 'release', name), join(binaries(), name));
  say(`${name} lies in ${binaries()} now. Use it with: portcullis judges set onnx --file <model.onnx>`);
}
