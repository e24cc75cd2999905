// Reads the totals out of what test runners print, so that `npm test` can add them up. Every figure in its last line
// comes from here; a runner whose totals are not recognised counts as a failure, never as nothing.

const number = (text, pattern) => Number(pattern.exec(text)?.[1] ?? 0);

/** `12 passed`, `1 failed`, `2 skipped` in any order on one line. */
const words = (line) => ({
  passed: number(line, /(\d+) passed/),
  failed: number(line, /(\d+) failed/) + number(line, /(\d+) timed out/),
  skipped: number(line, /(\d+) (?:skipped|ignored|todo|did not run)/),
});

const add = (all) => all.reduce(
  (sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed, skipped: sum.skipped + one.skipped }),
  { passed: 0, failed: 0, skipped: 0 },
);

const everyLine = (pattern) => (text) => [...text.matchAll(pattern)].map((match) => words(match[0]));
const lastLine = (pattern) => (text) => everyLine(pattern)(text).slice(-1);

/** One reader per runner. Each gives the totals it found, or none. */
const READERS = {
  // `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`, once per test binary
  cargo: everyLine(/^test result: .*$/gm),
  // `     Summary [   0.1s] 12 tests run: 11 passed, 1 failed, 0 skipped`
  nextest: lastLine(/^\s*Summary \[.*$/gm),
  // `      Tests  1 failed | 12 passed | 2 skipped (15)`
  vitest: everyLine(/^\s*Tests\s+.*\(\d+\)\s*$/gm),
  // `# pass 12` … (TAP) or `ℹ pass 12` … (spec)
  node: (text) => [...text.matchAll(/^[#ℹ] tests \d+$[^]*?^[#ℹ] todo \d+$/gm)].map(([block]) => ({
    passed: number(block, /^[#ℹ] pass (\d+)$/m),
    failed: number(block, /^[#ℹ] fail (\d+)$/m) + number(block, /^[#ℹ] cancelled (\d+)$/m),
    skipped: number(block, /^[#ℹ] skipped (\d+)$/m) + number(block, /^[#ℹ] todo (\d+)$/m),
  })),
  // `Ran 3 tests in 0.1s` … `FAILED (failures=1, errors=1, skipped=1)`
  unittest: (text) => [...text.matchAll(/^Ran (\d+) tests? in [^]*?^(OK|FAILED|NO TESTS RAN).*$/gm)].map(([block, ran]) => {
    const failed = number(block, /failures=(\d+)/) + number(block, /errors=(\d+)/) + number(block, /unexpected successes=(\d+)/);
    const skipped = number(block, /skipped=(\d+)/);
    return { passed: Math.max(0, Number(ran) - failed - skipped), failed, skipped };
  }),
  // Playwright's block: `  1 failed`, `  2 skipped`, `  12 passed (3.4s)`, each on its own line
  playwright: (text) => {
    const lines = [...text.matchAll(/^  (\d+) (passed \([\d.]+m?s\)|failed|flaky|skipped|did not run|interrupted)$/gm)];
    return lines.map(([line]) => ({ ...words(line), failed: number(line, /(\d+) (?:failed|flaky|interrupted)/) }));
  },
  // Our own scripts: `12 passed, 0 failed` alone on a line
  plain: everyLine(/^\d+ passed, \d+ failed(, \d+ skipped)?$/gm),
};

const plain = (output) => output.replace(/\x1b\[[0-9;]*m/g, '').replace(/\r/g, '');

/** `{ passed, failed, skipped }` of a runner's output, or undefined when it has no totals. */
export function totals(output) {
  const text = plain(output);
  const found = Object.values(READERS).flatMap((read) => read(text));
  return found.length === 0 ? undefined : add(found);
}

/** How each runner names a test that failed; the name is the last group that matched. */
const NAMES = [
  // cargo: `test area::name ... FAILED`
  /^test (\S+)(?: - should panic)? \.\.\. FAILED$/gm,
  // nextest: `        FAIL [   0.1s] (1/9) package binary area::name`, a test that hung `TIMEOUT [`, one that crashed `SIGABRT [`
  /^\s*(?:FAIL|TIMEOUT|SIG[A-Z]+|ABORT) \[.*?\](?: \([^)]*\))? +(\S.*)$/gm,
  // vitest: ` FAIL  file.test.ts > group > name`
  /^ FAIL {2}(\S.*)$/gm,
  // node: `not ok 3 - name` (TAP), `✖ name (12.3ms)` (spec)
  /^\s*not ok \d+ - (.*)$/gm,
  /^\s*✖ (.*) \([\d.]+ms\)$/gm,
  // unittest: `FAIL: name (module.Class)`, `ERROR: …`
  /^(?:FAIL|ERROR): (\S.*)$/gm,
];

/** The tests that a runner's output says failed, each once. */
export function failures(output) {
  const text = plain(output);
  return [...new Set(NAMES.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match.at(-1).trim())))];
}

/** The part of a finished step in the summary. `counted`: it runs tests, so it has to report how many. */
export function tally({ counted, code, output }) {
  if (!counted) return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const seen = totals(output) ?? { passed: 0, failed: 0, skipped: 0 };
  const silent = seen.passed + seen.failed === 0 || (code !== 0 && seen.failed === 0);
  return { ...seen, failed: seen.failed + (silent ? 1 : 0) };
}

export function summary(results) {
  const { passed, failed, skipped } = add(results);
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
