// Makes planned calls with generated clients, and prints a line of JSON for each.
import { readFileSync } from "node:fs";
import { privateKeyToAccount } from "viem/accounts";

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

/** The argument of a method: members by their names, and those left out that are not given. */
function argument(call) {
  if (call.members === null) return undefined;
  const request = {};
  call.members.forEach((name, at) => {
    const last = at === call.members.length - 1;
    for (const value of call.arguments[at]) request[name] = call.bytes && last ? Uint8Array.from(value) : value;
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

async function made(client, quotes, call) {
  const request = argument(call);
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
      await keep(await client[call.method](...given));
    } else {
      for await (const page of client[call.method](request, call.cap.split(" ")[0])) await keep(page);
    }
  } catch (error) {
    said.error = { code: error.code ?? error.name, text: `${error.message} ${error.cause ?? ""}` };
  }
  return said;
}

const account = privateKeyToAccount(readFileSync(setting("PEER_KEY_FILE"), "utf8").trim());
for (const plan of JSON.parse(readFileSync(setting("PEER_PLAN"), "utf8"))) {
  const { Budget, Client, evmPayer, quotes } = await import(`./dist/${plan.name}.js`);
  const budget = new Budget({ total: "900", perCall: "900" });
  const client = new Client({ payer: evmPayer(account), budget, base: plan.origin });
  for (const call of plan.calls) {
    const said = await made(client, quotes, call);
    console.log(JSON.stringify({ case: plan.name, call: call.number, ...said }));
  }
}
