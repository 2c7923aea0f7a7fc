// Makes planned calls with generated clients, and prints a line of JSON for each.
import { readFileSync } from "node:fs";
import { privateKeyToAccount } from "viem/accounts";

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

/** The parts of a body: texts by their names, and files by their names with file name, media type and bytes. */
function parts(Parts, all) {
  const made = new Parts();
  for (const [name, text, type, bytes] of all) {
    if (type === undefined) made.text(name, text);
    else made.file(name, text, type, Uint8Array.from(bytes));
  }
  return made;
}

/** The argument of a method: members by their names, and those left out that are not given. */
function argument(Parts, call) {
  if (call.members === null) return undefined;
  const request = {};
  call.members.forEach((name, at) => {
    const last = at === call.members.length - 1;
    for (const value of call.arguments[at]) {
      if (call.parts && last) request[name] = parts(Parts, value);
      else request[name] = call.bytes && last ? Uint8Array.from(value) : value;
    }
  });
  return request;
}

/** An answer as JSON. */
async function plain(value) {
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return Array.from(value);
  if (typeof value !== "object" || value === null || !(Symbol.asyncIterator in value)) return value;
  const events = [];
  for await (const event of value) events.push(event);
  return events;
}

function receipt(paid) {
  if (paid === undefined) return null;
  const { amount, charged, network, asset, payTo, transaction } = paid;
  return { amount, charged, network, asset, payTo, transaction };
}

async function made(client, { Parts, quotes }, call) {
  const request = argument(Parts, call);
  const given = request === undefined ? [] : [request];
  const said = { quote: undefined, values: [], receipts: [], error: null };
  const keep = async (answer) => {
    said.values.push(await plain(answer.value));
    said.receipts.push(receipt(answer.receipt));
  };
  try {
    const quote = quotes[call.quote](...given);
    said.quote = { kind: quote.kind, least: quote.least, most: quote.amount ?? quote.most };
    if (call.cap === null) {
      await keep(await client[call.method](...given, { headers: call.headers }));
    } else {
      for await (const page of client[call.method](request, call.cap.split(" ")[0])) await keep(page);
    }
  } catch (error) {
    const { charged, message, cause } = error;
    said.error = { code: error.code ?? error.name, text: `${message} ${cause ?? ""}`, charged, receipt: receipt(error.receipt) };
  }
  return said;
}

const account = privateKeyToAccount(readFileSync(setting("PEER_KEY_FILE"), "utf8").trim());
for (const plan of JSON.parse(readFileSync(setting("PEER_PLAN"), "utf8"))) {
  const module = await import(`./dist/${plan.name}.js`);
  const { Budget, Client, evmPayer } = module;
  const budget = new Budget({ total: "900", perCall: "900" });
  const client = new Client({ payer: evmPayer(account), budget, base: plan.origin });
  for (const call of plan.calls) {
    const said = await made(client, module, call);
    console.log(JSON.stringify({ case: plan.name, call: call.number, ...said }));
  }
}
