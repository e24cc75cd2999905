// What the runners really print, and what `npm test` makes of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failures, summary, tally, totals } from '../../.config/totals.mjs';

const RUNNERS = {
  'cargo test, several binaries': [
    'running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\ntest result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n',
    [5, 2, 1],
  ],
  'nextest, green': ['------------\n     Summary [   0.012s] 12 tests run: 12 passed, 1 skipped\n', [12, 0, 1]],
  'nextest, red, timed out': ['     Summary [   1.0s] 9 tests run: 7 passed, 1 failed, 1 timed out, 0 skipped\n', [7, 2, 0]],
  'vitest in colour': ['\x1b[2m Test Files \x1b[22m 1 failed | 2 passed (3)\n\x1b[2m      Tests \x1b[22m \x1b[31m1 failed\x1b[39m | \x1b[32m12 passed\x1b[39m | 2 skipped (15)\n', [12, 1, 2]],
  'node, TAP': ['# tests 5\n# suites 0\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n# duration_ms 7\n', [3, 1, 1]],
  'node, spec': ['ℹ tests 2\nℹ suites 0\nℹ pass 1\nℹ fail 0\nℹ cancelled 1\nℹ skipped 0\nℹ todo 0\n', [1, 1, 0]],
  'unittest, red': ['Ran 6 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)\n', [3, 2, 1]],
  'unittest, green': ['Ran 1 test in 0.1s\n\nOK\n', [1, 0, 0]],
  playwright: ['Running 8 tests using 2 workers\n\n  1 failed\n    [chromium] › a.spec.ts:3:1 › x\n  1 flaky\n  1 skipped\n  5 passed (3.4s)\n', [5, 2, 1]],
  'our own': ['checking\n7 passed, 0 failed\n', [7, 0, 0]],
};
for (const [name, [output, [passed, failed, skipped]]] of Object.entries(RUNNERS)) {
  test(`totals of ${name}`, () => assert.deepEqual(totals(output), { passed, failed, skipped }));
}

const FAILED = {
  'cargo test': ['test area::good ... ok\ntest area::bad ... FAILED\n\nfailures:\n    area::bad\n', ['area::bad']],
  nextest: [
    '        PASS [   0.012s] (1/3) portcullis-audit store::ok\n        FAIL [   0.071s] (2/3) portcullis-audit store::bad\n     TIMEOUT [  60.0s] (3/3) portcullis-shim::pipes hangs\n        FAIL [   0.071s] (2/3) portcullis-audit store::bad\n',
    ['portcullis-audit store::bad', 'portcullis-shim::pipes hangs'],
  ],
  'vitest in colour': ['\x1b[41m\x1b[1m FAIL \x1b[22m\x1b[49m large.test.ts\x1b[2m > \x1b[22mrows stay\n', ['large.test.ts > rows stay']],
  'node, TAP': ['ok 1 - good\nnot ok 2 - bad one\n', ['bad one']],
  'node, spec': ['✔ good (0.2ms)\n✖ bad one (12.5ms)\n', ['bad one']],
  unittest: ['FAIL: test_bad (suite.Case.test_bad)\n', ['test_bad (suite.Case.test_bad)']],
};
for (const [name, [output, names]] of Object.entries(FAILED)) {
  test(`the failed tests of ${name} are named`, () => assert.deepEqual(failures(output), names));
}

test('prose about passing is no total', () => {
  assert.equal(totals('the 3 passed over 2 failed attempts\nall 12 passed\n'), undefined);
});
test('a runner that says nothing fails, whatever its exit code', () => {
  assert.deepEqual(tally({ counted: true, code: 0, output: '' }), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(tally({ counted: true, code: 0, output: '0 passed, 0 failed' }), { passed: 0, failed: 1, skipped: 0 });
});
test('a runner that dies after green totals fails', () => {
  assert.deepEqual(tally({ counted: true, code: 101, output: '4 passed, 0 failed' }), { passed: 4, failed: 1, skipped: 0 });
});
test('failures are not counted twice', () => {
  assert.deepEqual(tally({ counted: true, code: 1, output: '4 passed, 2 failed' }), { passed: 4, failed: 2, skipped: 0 });
});
test('a check is one test', () => {
  assert.deepEqual(tally({ code: 0, output: '' }), { passed: 1, failed: 0, skipped: 0 });
  assert.deepEqual(tally({ code: 3, output: '' }), { passed: 0, failed: 1, skipped: 0 });
});
test('the last line', () => {
  assert.equal(summary([{ passed: 2, failed: 0, skipped: 0 }, { passed: 1, failed: 1, skipped: 0 }]), '3 passed, 1 failed');
  assert.equal(summary([{ passed: 2, failed: 0, skipped: 1 }]), '2 passed, 0 failed, 1 skipped');
});
