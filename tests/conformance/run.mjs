// `npm run conformance`: the official suites with our fixtures, direct and through Portcullis, compared check by check.
// Exit code 0 means that not one check came out differently.
//
//   npm run conformance                         every peer, every leg
//   npm run conformance -- --quick              the required sets with the first fixture (part of `npm test`)
//   npm run conformance -- --peer rmcp --leg 2026-07-28
import { parseArgs } from "node:util";
import { APPS, FIXTURES, STDIO_FIXTURES } from "./fixtures.mjs";
import { freePort, protect } from "./guard.mjs";
import { install } from "./packages.mjs";
import { bridge, through } from "./ways.mjs";
import { CLIENT_LEGS, count, differences, ofApp, ofServer, SERVER_LEGS } from "./suite.mjs";

const { values } = parseArgs({
  options: { quick: { type: "boolean" }, peer: { type: "string", multiple: true }, leg: { type: "string", multiple: true } },
});

/** A fixture that speaks HTTP: the suite asks it, then it asks Portcullis before it. */
async function overHttp(fixture, legs, compare) {
  const port = await freePort();
  const direct = `http://127.0.0.1:${port}/mcp`;
  const server = await fixture(port);
  let guard;
  try {
    guard = await protect({ fixture: { url: direct } });
    for (const leg of legs) await compare(leg, () => ofServer(direct, leg), () => ofServer(guard.entries.fixture.url, leg));
  } finally {
    await guard?.close();
    await server.end();
  }
}

/** A fixture that speaks stdio, behind the same bridge to HTTP without and with the shim. */
async function overStdio(command, legs, compare) {
  const guard = await protect({ fixture: command });
  const bridges = [];
  try {
    for (const entry of [command, guard.entries.fixture]) bridges.push(await bridge(entry, guard.env));
    for (const leg of legs) await compare(leg, () => ofServer(bridges[0].url, leg), () => ofServer(bridges[1].url, leg));
  } finally {
    for (const one of bridges) await one.end();
    await guard.close();
  }
}

/** A real app; the suite is the server. */
async function asApp(command, legs, compare) {
  for (const leg of legs) await compare(leg, () => ofApp(through("direct", command), leg), () => ofApp(through("proxied", command), leg));
}

const KINDS = [
  { suffix: "", peers: FIXTURES, legs: SERVER_LEGS, run: overHttp },
  { suffix: " stdio", peers: STDIO_FIXTURES, legs: SERVER_LEGS, run: overStdio },
  { suffix: " app", peers: APPS, legs: CLIENT_LEGS, run: asApp },
];

install();
const wanted = values.leg ?? (values.quick ? ["required"] : [""]);
const peers = values.peer ?? (values.quick ? [Object.keys(FIXTURES)[0]] : [""]);
console.log(`${"peer".padEnd(18)}${"leg".padEnd(22)}${"direct".padStart(8)}${"proxied".padStart(9)}${"differences".padStart(13)}   (checks passed/failed)`);
let broken = 0;
for (const kind of KINDS) {
  if (values.quick && kind.suffix) continue;
  const legs = Object.keys(kind.legs).filter((leg) => wanted.some((part) => leg.includes(part)));
  for (const [name, peer] of Object.entries(kind.peers)) {
    const label = `${name}${kind.suffix}`;
    if (legs.length === 0 || !peers.some((part) => label.includes(part))) continue;
    await kind.run(peer(), legs, async (leg, direct, proxied) => {
      const [one, other] = [await direct(), await proxied()];
      const found = differences(one, other);
      broken += found.length;
      const tally = (of) => `${count(of, "SUCCESS")}/${count(of, "FAILURE")}`.padStart(8);
      console.log(`${label.padEnd(18)}${leg.padEnd(22)}${tally(one)} ${tally(other)}${String(found.length).padStart(13)}`);
      for (const line of found) console.log(`    ${line}`);
    });
  }
}
console.log(`${broken} differences`);
process.exitCode = broken === 0 ? 0 : 1;
