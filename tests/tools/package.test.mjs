// What the packages do before they go: the script itself, called as dpkg and rpm call it, with stand-ins for `getent`,
// `runuser` and `portcullis` that write down what they were asked. The packages themselves are not
// built here; one that was is looked into.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const script = join(root, '.config/package/before-removal.sh');

function machine() {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  const bin = join(folder, 'bin');
  const home = (name) => join(folder, 'home', name);
  for (const name of ['eve', 'bob']) mkdirSync(join(home(name), '.portcullis/journal'), { recursive: true });
  mkdirSync(home('new'), { recursive: true });
  mkdirSync(bin);
  const program = (name, text) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const people = ['eve', 'bob', 'new'].map((name, n) => `${name}:x:${1000 + n}:1000::${home(name)}:/bin/sh`);
  people.push(`odd:x:1009:1000::${folder}/o'; touch ${folder}/owned; ':/bin/sh`, 'nobody:x:65534:65534::/nonexistent:/bin/false');
  program('getent', `cat <<'END'\n${people.join('\n')}\nEND`);
  program('runuser', `[ "$1" = -u ] && [ "$3" = -- ] || exit 9\nuser=$2; shift 3\necho "as $user: $*" >> ${folder}/log\nexec "$@"`);
  program('portcullis', `echo "$HOME \${SECRET-clean}: $*" >> ${folder}/log\ncase "$HOME" in *bob) echo "Cursor is running" >&2; exit 75;; esac`);
  const run = (...args) => spawnSync('/bin/sh', [script, ...args], { env: { PATH: `${bin}:/usr/bin:/bin`, SECRET: 'x' }, encoding: 'utf8' });
  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8').trim().split('\n') : []);
  return { folder, home, bin, run, log, close: () => rmSync(folder, { recursive: true }) };
}

for (const [tool, args] of [['dpkg', ['remove']], ['rpm', ['0']]]) {
  test(`${tool} removes the package: each person who has used it gets the configs back`, () => {
    const { folder, home, bin, run, log, close } = machine();
    const { status, stderr } = run(...args);
    assert.equal(status, 0, 'a removal is never stopped');
    const call = (name) => `as ${name}: env -i HOME=${home(name)} PATH=${bin}:/usr/bin:/bin ${bin}/portcullis restore --all --yes`;
    assert.deepEqual(log(), [call('eve'), `${home('eve')} clean: restore --all --yes`, call('bob'), `${home('bob')} clean: restore --all --yes`]);
    assert.match(stderr, /Cursor is running\nPortcullis could not give bob every app's config back/);
    assert.doesNotMatch(stderr, /give eve/);
    assert.ok(!existsSync(join(folder, 'owned')), 'a home is a name, not a command');
    close();
  });
}

test('an upgrade changes nothing', () => {
  const { run, log, close } = machine();
  for (const args of [['upgrade', '0.2.0'], ['deconfigure'], ['failed-upgrade', '0.1.0'], ['1']]) assert.equal(run(...args).status, 0);
  assert.deepEqual(log(), []);
  close();
});

test('the packages carry the programs and the script, which any shell reads', () => {
  const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).bundle;
  const { linux, windows } = read('tauri.conf.json');
  for (const one of [linux.deb, linux.rpm]) assert.equal(join(root, one.preRemoveScript), script);
  assert.deepEqual(read('.config/package/bundle.json').externalBin, ['target/package/portcullis', 'target/package/portcullis-shim']);
  assert.match(readFileSync(join(root, windows.nsis.installerHooks), 'utf8'), /!macro NSIS_HOOK_PREUNINSTALL[^]*restore --all --yes/);
  execFileSync('/bin/sh', ['-n', script]);
});

const onPath = (name) => spawnSync(name, [], { stdio: 'ignore' }).error === undefined;

test('the Windows hook compiles where Tauri puts it', { skip: !onPath('makensis') && 'makensis is not here' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nsis-'));
  writeFileSync(join(folder, 'portcullis.exe'), 'MZ');
  // What Tauri's installer has around the hook.
  writeFileSync(join(folder, 'installer.nsi'), `Unicode true
!include LogicLib.nsh
Name "Portcullis"
OutFile "portcullis-x64.exe"
InstallDir "$LOCALAPPDATA\\Portcullis"
Var UpdateMode
!include "${join(root, '.config/package/before-removal.nsh')}"
Section Install
  SetOutPath $INSTDIR
  File "/oname=portcullis.exe" "portcullis.exe"
  WriteUninstaller "$INSTDIR\\uninstall.exe"
SectionEnd
Function un.onInit
  StrCpy $UpdateMode 0
FunctionEnd
Section Uninstall
  !insertmacro NSIS_HOOK_PREUNINSTALL
  Delete "$INSTDIR\\portcullis.exe"
SectionEnd
`);
  const { status, stdout } = spawnSync('makensis', ['-WX', 'installer.nsi'], { cwd: folder, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(status, 0, stdout);
});

/** The newest deb that `npm run package` left. */
function built() {
  const inside = (folder) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []);
  const found = inside(join(root, 'target')).flatMap((profile) => inside(join(profile, 'bundle/deb'))).filter((path) => path.endsWith('.deb'));
  return found.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

const deb = built();
const skip = deb === undefined ? 'no deb here: `npm run package` builds it' : !onPath('dpkg-deb') && 'dpkg-deb is not here';
test('the built deb holds the app, the command line, the shim, icons, and the script that runs before removal', { skip }, () => {
  const ask = (...args) => execFileSync('dpkg-deb', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const listed = ask('--contents', deb).trim().split('\n').map((line) => line.split(/\s+/));
  const files = new Map(listed.map(([mode, owner, , , , path]) => [path.replace(/^\.?\//, ''), `${mode} ${owner}`]));
  for (const name of ['portcullis-app', 'portcullis', 'portcullis-shim']) assert.match(files.get(`usr/bin/${name}`) ?? 'missing', /^-rwxr-xr-x (root\/root|0\/0)$/, name);
  for (const size of ['32x32', '128x128', '512x512']) assert.ok(files.has(`usr/share/icons/hicolor/${size}/apps/portcullis-app.png`), size);
  const folder = mkdtempSync(join(tmpdir(), 'deb-'));
  ask('--control', deb, folder);
  assert.equal(readFileSync(join(folder, 'prerm'), 'utf8'), readFileSync(script, 'utf8'));
  assert.ok(statSync(join(folder, 'prerm')).mode & 0o100);
  assert.match(readFileSync(join(folder, 'control'), 'utf8'), /^Package: portcullis$[^]*^Depends: (?=.*libwebkit2gtk-4\.1-0).*libayatana-appindicator3-1/m);
  ask('--extract', deb, folder);
  const entry = readFileSync(join(folder, 'usr/share/applications/Portcullis.desktop'), 'utf8');
  assert.match(entry, /^Exec=portcullis-app$[^]*^Icon=portcullis-app$[^]*^Name=Portcullis$/m);
  for (const name of ['portcullis', 'portcullis-shim']) {
    const said = execFileSync(join(folder, 'usr/bin', name), ['--version'], { encoding: 'utf8' });
    assert.match(said, /\d+\.\d+\.\d+/, name);
  }
  rmSync(folder, { recursive: true });
});
