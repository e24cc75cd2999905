// The part of the catalogue that says what a held call would do, and to what: the headline of a question. Each phrase
// follows "Cursor wants to" (a call) or "Cursor is about to" (an answer). `{what}` is what matched, `{to}` the hosts that
// the call names, `{server}` its server; a part in [brackets] falls away when it is not known. Only what the Signature
// saw is said: no motive, no guess. `lib/harm.ts` fills them in.

export type Phrases = { sends: string; reads: string };

/** For a Signature without a phrase of its own, one that somebody wrote for themselves above all. */
export const harmByCategory: Record<string, Phrases> = {
  arguments: {
    sends: "send a value that a program behind {server} could obey[: {what}]",
    reads: "read a value that a program could obey[: {what}]",
  },
  commands: {
    sends: "run a command that can do damage[: {what}]",
    reads: "read a command that can do damage[: {what}]",
  },
  definitions: {
    sends: "send a tool definition that gives a model orders",
    reads: "read a tool definition that gives the model orders",
  },
  drift: {
    sends: "use something that changed after it was approved[: {what}]",
    reads: "read a definition that changed after it was approved[: {what}]",
  },
  elicitation: {
    sends: "answer {server} with something private",
    reads: "show you a form that asks for something private",
  },
  exfiltration: {
    sends: "send data out through an address[: {to}]",
    reads: "read an address that carries data out[: {what}]",
  },
  "hidden-text": {
    sends: "send text that you cannot see",
    reads: "read text that you cannot see",
  },
  injection: {
    sends: "send text that gives a model orders",
    reads: "read text that gives the model orders",
  },
  network: {
    sends: "reach an internal or disguised address[: {what}]",
    reads: "read text that points at an internal or disguised address[: {what}]",
  },
  other: {
    sends: "send something that a judge of yours finds doubtful",
    reads: "read something that a judge of yours finds doubtful",
  },
  "personal-data": {
    sends: "send personal data to {server}[, in a call that names {to}]",
    reads: "read personal data",
  },
  protocol: {
    sends: "send a message that can be read in more than one way",
    reads: "read a message that can be read in more than one way",
  },
  secrets: {
    sends: "send a password, key or token to {server}[, in a call that names {to}]",
    reads: "read a password, key or token",
  },
  "self-protection": {
    sends: "change what protects you[: {what}]",
    reads: "read text about changing what protects you[: {what}]",
  },
};

/** A category that this dashboard does not know. */
export const harmUnknown: Phrases = {
  sends: "send something that a Signature found",
  reads: "read something that a Signature found",
};

const both = (words: string): Phrases => ({ sends: `send ${words}`, reads: `read ${words}` });

export const harmBySignature: Record<string, Partial<Phrases>> = {
  "credential-file": { sends: "open a file that keeps tokens or passwords[: {what}]" },
  "private-key-file": { sends: "open a private key, keychain or password store[: {what}]" },
  "traversal-to-secret": { sends: "climb out of its folder to a system or credential file[: {what}]" },
  "disguised-traversal": { sends: "open a path that hides where it leads[: {what}]" },
  "path-outside-roots": { sends: "open a path outside the folders that {server} was given[: {what}]" },
  "system-file": { sends: "open settings, logs or accounts of the operating system[: {what}]" },
  "jndi-lookup": { sends: "make a Java program load code from another machine[: {what}]" },
  shellshock: { sends: "start a command hidden in a shell function definition[: {what}]" },
  "sql-reaches-files": { sends: "have a database read or write files or run programs[: {what}]" },
  "sql-in-query": { sends: "run a query that a value has rewritten[: {what}]" },
  "sql-in-value": { sends: "rewrite a database query through a value[: {what}]" },
  "sql-statement-in-name": { sends: "run SQL in place of a name[: {what}]" },
  "web-shell-code": { sends: "write code that runs whatever a web request says[: {what}]" },

  "account-added": { sends: "create an account or widen its rights[: {what}]" },
  "command-in-path-or-host": { sends: "run a command hidden in a path or host name[: {what}]" },
  "container-breakout": { sends: "start a container that holds this whole machine[: {what}]" },
  "download-and-run": { sends: "run a script that it downloads[: {what}]" },
  "download-and-run-plain": { sends: "run a script from an unprotected connection[: {what}]" },
  "history-or-log-wiped": { sends: "wipe a history or log[: {what}]" },
  "library-preloaded": { sends: "make every program load a library[: {what}]" },
  "listener-or-connect-back": { sends: "open a network port that hands out a shell[: {what}]" },
  "miner-started": { sends: "start a coin miner[: {what}]" },
  "permissions-thrown-open": { sends: "open files to everybody[: {what}]" },
  "powershell-download-and-run": {
    sends: "run PowerShell that it downloads or decodes[: {what}]",
    reads: "read a PowerShell command that runs what it downloads or decodes[: {what}]",
  },
  "protection-switched-off": { sends: "switch off a protection of this machine[: {what}]" },
  "reads-secrets": { sends: "read a private key or system secret[: {what}]" },
  "reverse-shell": { sends: "open a shell on this machine to another one[: {what}]" },
  "runs-encoded-text": { sends: "decode a text and run it[: {what}]" },
  "sends-secrets": { sends: "send secret files or the environment over the network[: {what}]" },
  "startup-file-write": { sends: "write a file that runs by itself later[: {what}]" },
  "stays-for-later": { sends: "add a login key or something that runs later[: {what}]" },
  "wipes-data": { sends: "delete the home folder or the whole system[: {what}]" },
  "writes-over-disk": { sends: "write over a disk[: {what}]" },

  "asks-for-conversation": {
    reads: "read a tool definition that asks for the whole conversation or the system prompt",
  },
  "carries-command": { reads: "read a tool definition with a command that does harm[: {what}]" },
  "collects-secrets-from-person": {
    reads: "read a tool definition that has the model ask you for a password or code",
  },
  "conceal-and-collect": {
    reads: "read a tool definition that orders the model to collect something and keep it from you",
  },
  "declares-harm": { reads: "read a tool definition that describes theft, espionage or break-in" },
  "heavily-poisoned-wording": { reads: "read a tool definition made of orders, secrecy and secrets" },
  "intends-harm": { reads: "read a tool definition that means to deceive or damage" },
  "names-foreign-tool": { reads: "read a tool definition that gives orders about another server's tool" },
  "offensive-technique-named": { reads: "read a tool definition that names a technique of break-ins" },
  "decoded-orders": {
    reads: "read a disguised text that gives the model orders[: {what}]",
  },
  "encoded-command-in-definition": {
    reads: "read a tool definition that hides a shell command[: {what}]",
  },
  "orders-reading-secret-file": {
    reads: "read a tool definition that tells the model to read a secret file first",
  },
  "orders-sending-data": {
    reads: "read a tool definition that tells the model to send private data to an address",
  },
  "steals-data-by-purpose": { reads: "read a tool definition that takes data out unseen" },
  "look-alike-tool": { reads: "read a tool that copies another server's tool[: {what}]" },
  "differs-between-apps": { reads: "read a tool definition that another app got otherwise[: {what}]" },

  "asks-for-secret": { reads: "show you a form that asks for a password, key or card number" },
  "odd-sign-in-address": { reads: "send you to an address that is not what it looks like[: {what}]" },
  "sign-in-link-asks-code": { reads: "show you a form that asks for a code that only you should see" },

  "api-key-in-url": { sends: "send an API key in a URL[ to {to}]" },
  "card-number-leaves": { sends: "send the details of a payment card[, in a call that names {to}]" },
  "data-in-host-name": { sends: "look up a host name made of encoded data[: {what}]" },
  "encoded-text-in-url": { sends: "send encoded text in a URL[ to {to}]" },
  "secret-in-url": { sends: "send a key or token in a URL[ to {to}]" },

  "bidi-override": both("text that is shown in another order than it is read"),
  "decoded-command": both("an encoded command that does harm"),
  "tag-characters": both("text in invisible characters that only a model reads"),
  "terminal-rewrite": { reads: "read control sequences that hide or replace what a terminal shows" },
  "variation-selector-bytes": both("bytes hidden in invisible characters"),
  "zero-width-text": both("text split or spelled with invisible characters"),

  "conceal-from-person": { reads: "read text that tells the model to keep something from you" },
  "fake-tool-result-end": { reads: "read text that pretends to end and then speaks as the system" },
  "hidden-orders-in-markup": { reads: "read orders in a part of a page that is not shown" },
  "image-that-reports": { reads: "read an image address that carries data away when shown[: {what}]" },
  "new-orders": { reads: "read text that gives the model new orders" },
  "order-block": { reads: "read a marked block that gives the model orders" },
  "orders-sending-data-in-content": {
    reads: "read text that tells the model to send private data to an address",
  },
  "override-orders": { reads: "read text that tells the model to drop its instructions" },
  "override-orders-other-languages": { reads: "read text that tells the model to drop its instructions" },
  "plants-a-memory": { reads: "read text that tells the model to remember orders for later" },
  "redefines-the-model": { reads: "read text that gives the model a new identity or mode" },
  "sampling-wants-all-context": { reads: "hand what all other servers said to {server}" },
  "speaks-as-the-person": { reads: "read text that speaks as you, the system or the developer" },
  "waits-for-a-trigger": { reads: "read an order that waits until you say something" },

  "ambiguous-url": { sends: "open a URL whose host programs read differently[: {what}]" },
  "cloud-keys-fetched": { sends: "fetch the keys of this machine's cloud account[: {what}]" },
  "cloud-metadata": { sends: "reach the cloud metadata address[: {what}]" },
  "disguised-internal-address": { sends: "reach an internal address in disguise[: {what}]" },
  "link-local-address": { sends: "reach a link-local address[: {what}]" },
  "local-service-address": { sends: "reach a service on this machine or its network[: {what}]" },
  "odd-url": { sends: "open a URL that hides its host or speaks another protocol[: {what}]" },
  "request-recorder": { sends: "open a URL of a service that records who calls it[: {what}]" },

  "private-key-in-arguments": {
    sends: "send a private key to {server}[, in a call that names {to}]",
  },
  "private-key-leaves": { sends: "send a private key to {server}[, in a call that names {to}]" },
  "private-key-in-result": { reads: "read a private key" },
  "token-in-arguments": {
    sends: "send an access token or key to {server}[, in a call that names {to}]",
  },
  "token-in-result": { reads: "read an access token or key" },

  "app-config-write": { sends: "change the settings file of an AI app[: {what}]" },
  "loosens-portcullis": { sends: "stop, pause or overwrite Portcullis[: {what}]" },
  "own-state": { sends: "reach into the folder of Portcullis[: {what}]" },
};

export const harmText = {
  wants: (app: string, over: boolean) => `${app} ${over ? "wanted" : "wants"} to `,
  aboutTo: (app: string, over: boolean) => `${app} ${over ? "was" : "is"} about to `,
  more: (count: number) => ` and ${count} more`,
};
