// What the shipped scanner finds in a labelled collection: `npm run bench:detect`. The collection is not part of the
// repository; without it (PORTCULLIS_CORPUS, or ../shared/corpus beside the checkout) there is nothing to do.
// Prints the scorer's table, what each layer adds (rules, concept scores, local score), counts per signature, latency by
// size, and with --left-out what the concept scores alone are worth on sources that they were not fitted on.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const root = resolve(import.meta.dirname, "..");
const corpus = resolve(process.env.PORTCULLIS_CORPUS ?? join(root, "..", "shared", "corpus"));
const records = join(corpus, "dev.jsonl.gz");
if (!existsSync(records)) {
  console.log(`bench:detect skipped: no collection at ${corpus} (set PORTCULLIS_CORPUS)`);
  process.exit(0);
}
// Signatures that add up concepts instead of matching one thing.
const CONCEPTS = new Set(["poisoned-wording", "heavily-poisoned-wording", "orders-in-content", "orders-in-prompt"]);
// Signatures of the local score.
const MODEL = new Set(["scores-like-an-order", "scores-like-an-order-in-content", "scores-like-a-takeover-prompt"]);
const big = { maxBuffer: 1 << 30, encoding: "utf8" };

const build = ["build", "--quiet", "--profile", "start", "-p", "portcullis-daemon", "--bin", "portcullis", "--message-format=json"];
const built = execFileSync("cargo", build, { cwd: root, ...big, stdio: ["ignore", "pipe", "inherit"] });
const binary = built
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line).executable)
  .filter(Boolean)
  .at(-1);

const scratch = mkdtempSync(join(tmpdir(), "portcullis-bench-"));
try {
  const messages = join(scratch, "messages.jsonl");
  const verdicts = join(scratch, "verdicts.jsonl");
  writeFileSync(messages, execFileSync("python3", [join(corpus, "messages.py"), records], big));
  // A home of its own: the person's own signatures and switches have no say here.
  const env = { ...process.env, PORTCULLIS_HOME: join(scratch, "home") };
  const scan = spawnSync(binary, ["scan", "--jsonl", "--timing", messages], { ...big, env });
  if (scan.status !== 0) throw new Error(`the scan ended with ${scan.status}: ${scan.stderr}`);
  writeFileSync(verdicts, scan.stdout);
  console.log(execFileSync("python3", [join(corpus, "score.py"), records, verdicts], big));

  const labels = new Map();
  for (const line of gunzipSync(readFileSync(records)).toString().split("\n").filter(Boolean)) {
    const { id, label, kind, source } = JSON.parse(line);
    labels.set(id, { label, kind, source });
  }
  report(scan.stdout, labels);
  if (process.argv.includes("--left-out")) {
    const fit = ["run", "--quiet", "--profile", "start", "-p", "portcullis-xtask", "--", "fit", "--evaluate"];
    console.log("-- concept scores alone, every family of sources scored by weights fitted on the others");
    console.log(execFileSync("cargo", fit, { cwd: root, ...big, input: gunzipSync(readFileSync(records)) }));
  }
  console.log(`-- latency of judging one message\n${scan.stderr.trim()}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function report(lines, labels) {
  const bySource = new Map();
  const bySignature = new Map();
  for (const line of lines.split("\n").filter(Boolean)) {
    const { id, verdict, findings } = JSON.parse(line);
    const { label, kind, source } = labels.get(id);
    const key = `${label}|${kind}|${source}`;
    const row = bySource.get(key) ?? { n: 0, rules: 0, concepts: 0, all: 0, block: 0 };
    const ids = new Set(findings.map((finding) => finding.signature));
    const byConcepts = [...ids].some((one) => CONCEPTS.has(one));
    const byRules = [...ids].some((one) => !CONCEPTS.has(one) && !MODEL.has(one));
    row.n += 1;
    row.rules += byRules;
    row.concepts += byRules || byConcepts;
    row.all += ids.size > 0;
    row.block += verdict === "block";
    bySource.set(key, row);
    for (const one of ids) {
      const counts = bySignature.get(one) ?? { attack: 0, benign: 0 };
      counts[label] += 1;
      bySignature.set(one, counts);
    }
  }
  console.log("-- alerts by rules, with concept scores, with the local score; blocks (mean over sources)");
  const groups = new Map();
  for (const [key, row] of bySource) {
    const group = key.split("|").slice(0, 2).join(" ");
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  const percent = (rows, what) => ((100 * rows.reduce((sum, row) => sum + row[what] / row.n, 0)) / rows.length).toFixed(1);
  for (const [group, rows] of [...groups].sort()) {
    const shares = ["rules", "concepts", "all", "block"].map((what) => `${percent(rows, what)} %`.padStart(7));
    console.log(`${group.padEnd(24)} ${shares.join("  ")}`);
  }
  console.log("-- per signature: hostile and ordinary messages it fired on");
  for (const [id, { attack, benign }] of [...bySignature].sort((a, b) => b[1].attack - a[1].attack)) {
    console.log(`${id.padEnd(40)} ${String(attack).padStart(5)} ${String(benign).padStart(5)}`);
  }
}
