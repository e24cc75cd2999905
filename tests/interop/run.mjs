// `npm run interop`: every official client with every server over every transport, direct and through Portcullis. Every
// pair that works direct must work proxied and see the same; a pair that works neither way is listed as such.
//
//   npm run interop                 everything
//   npm run interop -- --quick      the TypeScript clients (part of `npm test`)
import { isDeepStrictEqual, parseArgs } from "node:util";
import { install } from "../conformance/packages.mjs";
import { protect } from "../conformance/guard.mjs";

const { values } = parseArgs({ options: { quick: { type: "boolean" }, client: { type: "string", multiple: true } } });
install();
const [{ CLIENTS }, { serve }] = await Promise.all([import("./clients.mjs"), import("./servers.mjs")]);

const wanted = values.client ?? (values.quick ? ["TypeScript"] : [""]);
const clients = Object.entries(CLIENTS).filter(([name]) => wanted.some((part) => name.includes(part)));

/** What the client sees, or why it sees nothing. */
async function look(client, entry, env, call) {
  let timer;
  const patience = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer within 90 s")), 90_000);
  });
  try {
    return { seen: await Promise.race([client(entry, env, call), patience]) };
  } catch (error) {
    return { error: error.message };
  } finally {
    clearTimeout(timer);
  }
}

const brief = (outcome) => JSON.stringify(outcome).slice(0, 2000);

const servers = await serve({ quick: values.quick });
let guard;
let broken = 0;
try {
  guard = await protect(Object.fromEntries(servers.rows.map((row, n) => [`s${n}`, row.entry])));
  console.log(`${"".padEnd(24)}${clients.map(([name]) => name.padEnd(21)).join("")}`);
  const notes = [];
  for (const [n, { name, transport, call, entry }] of servers.rows.entries()) {
    const cells = [];
    for (const [clientName, client] of clients) {
      const pair = `${clientName} with ${name} over ${transport}`;
      const direct = await look(client, entry, {}, call);
      const proxied = await look(client, guard.entries[`s${n}`], guard.env, call);
      const same = isDeepStrictEqual(direct.seen, proxied.seen);
      if (direct.error && proxied.error) {
        cells.push("neither");
        notes.push(`${pair}: neither way (${direct.error})`);
      } else if (same) {
        cells.push("same");
      } else if (direct.error) {
        cells.push("only proxied");
        notes.push(`${pair}: works only through Portcullis; direct: ${direct.error}`);
      } else {
        broken++;
        cells.push("DIFFERENT");
        notes.push(`${pair}: DIFFERENT\n  direct  ${brief(direct)}\n  proxied ${brief(proxied)}`);
      }
    }
    console.log(`${`${name}, ${transport}`.padEnd(24)}${cells.map((cell) => cell.padEnd(21)).join("")}`);
  }
  for (const note of notes) console.log(note);
} finally {
  await guard?.close();
  await servers.close();
}
console.log(`${broken} pairs work direct and not, or otherwise, through Portcullis`);
process.exitCode = broken === 0 ? 0 : 1;
