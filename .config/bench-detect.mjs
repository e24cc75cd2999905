// What the shipped scanner finds in a labelled collection: `npm run bench:detect`. The collection is not part of the
// repository; without it (PORTCULLIS_CORPUS, or ../shared/corpus beside the checkout) there is nothing to do.
// Prints the scorer's table, what rules, concept scores and the model add to one another, counts per signature, latency
// by size, and what concept scores and model are worth on sources they never saw (`--quick` leaves that out: it fits and
// trains again and again).

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const root = resolve(import.meta.dirname, "..");
const corpus = resolve(process.env.PORTCULLIS_CORPUS ?? join(root, "..", "shared", "corpus"));
const records = join(corpus, "dev.jsonl.gz");
const needed = [records, join(corpus, "messages.py"), join(corpus, "score.py")];
const missing = needed.filter((path) => !existsSync(path));
if (missing.length > 0) {
  console.log(`bench:detect skipped: no collection at ${corpus} (set PORTCULLIS_CORPUS); missing: ${missing.map((path) => basename(path)).join(", ")}`);
  process.exit(0);
}
const quick = process.argv.includes("--quick");
const big = { maxBuffer: 1 << 30, encoding: "utf8" };
const say = (text) => console.log(text);

say("building …");
const build = ["build", "--quiet", "--profile", "start", "-p", "portcullis-daemon", "--bin", "portcullis", "--message-format=json"];
const built = execFileSync("cargo", build, { cwd: root, ...big, stdio: ["ignore", "pipe", "inherit"] });
const binary = built
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line).executable)
  .filter(Boolean)
  .at(-1);

const lines = gunzipSync(readFileSync(records)).toString().split("\n").filter(Boolean);
const scratch = mkdtempSync(join(tmpdir(), "portcullis-bench-"));
try {
  const messages = join(scratch, "messages.jsonl");
  const verdicts = join(scratch, "verdicts.jsonl");
  writeFileSync(messages, execFileSync("python3", [join(corpus, "messages.py"), records], big));
  say(`scanning ${lines.length} messages …`);
  // A home of its own: the person's own signatures and switches have no say here.
  const env = { ...process.env, PORTCULLIS_HOME: join(scratch, "home") };
  const scan = spawnSync(binary, ["scan", "--jsonl", "--timing", messages], { ...big, env });
  if (scan.status !== 0) throw new Error(`the scan ended with ${scan.status ?? scan.signal}: ${scan.stderr}`);
  writeFileSync(verdicts, scan.stdout);
  say(execFileSync("python3", [join(corpus, "score.py"), records, verdicts], big));

  const labels = new Map();
  for (const line of lines) {
    const { id, label, kind, source } = JSON.parse(line);
    labels.set(id, { label, kind, source });
  }
  report(scan.stdout, labels);
  say(`-- latency of judging one message (patterns are compiled when first needed; that counts)\n${scan.stderr.trim()}`);
  if (!quick) {
    const leftOut = (what, ...command) => {
      say(`-- ${what}, on sources left out of its making`);
      const left = spawnSync("cargo", ["xtask", ...command], { cwd: root, ...big, input: lines.join("\n") });
      say(left.status === 0 ? left.stdout.trim() : `not told: ${left.stderr.trim()}`);
    };
    leftOut("concept scores alone", "fit", "--evaluate");
    leftOut("the model alone", "train", "--evaluate", "--dry-run");
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The ids of the bundled signatures whose predicate is `name`. */
function using(name) {
  const folder = join(root, "signatures");
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".toml"));
  const has = (file) => readFileSync(join(folder, file), "utf8").includes(`predicate = { name = "${name}"`);
  return new Set(files.filter(has).map((file) => basename(file, ".toml")));
}

function report(answers, labels) {
  const concepts = using("concept-score");
  const model = using("local-score");
  const bySource = new Map();
  const bySignature = new Map();
  for (const line of answers.split("\n").filter(Boolean)) {
    const { id, verdict, findings } = JSON.parse(line);
    const { label, kind, source } = labels.get(id);
    const key = `${label}|${kind}|${source}`;
    const row = bySource.get(key) ?? { n: 0, rules: 0, withConcepts: 0, withModel: 0, block: 0 };
    const ids = new Set(findings.map((finding) => finding.signature));
    const byRules = [...ids].some((one) => !concepts.has(one) && !model.has(one));
    const byConcepts = [...ids].some((one) => concepts.has(one));
    row.n += 1;
    row.rules += byRules;
    row.withConcepts += byRules || byConcepts;
    row.withModel += ids.size > 0;
    row.block += verdict === "block";
    bySource.set(key, row);
    for (const one of ids) {
      const counts = bySignature.get(one) ?? { attack: 0, benign: 0 };
      counts[label] += 1;
      bySignature.set(one, counts);
    }
  }
  say("-- alerts, mean over sources:   rules   + concepts   + model; block");
  const groups = new Map();
  for (const [key, row] of bySource) {
    const group = key.split("|").slice(0, 2).join(" ");
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  const percent = (rows, what) => `${((100 * rows.reduce((sum, row) => sum + row[what] / row.n, 0)) / rows.length).toFixed(1)} %`;
  for (const [group, rows] of [...groups].sort()) {
    const cells = ["rules", "withConcepts", "withModel", "block"].map((what) => percent(rows, what).padStart(9));
    say(`${group.padEnd(28)}${cells.join("  ")}`);
  }
  say("-- per signature: hostile and ordinary messages it fired on");
  for (const [id, { attack, benign }] of [...bySignature].sort((a, b) => b[1].attack - a[1].attack)) {
    say(`${id.padEnd(40)} ${String(attack).padStart(5)} ${String(benign).padStart(5)}`);
  }
}
