// Goes through the list of tests/tests/marketplace/list.rs with the TypeScript client, and prints a line of JSON for each call.
import { readFileSync } from "node:fs";
import { wrapFetchWithSIWx } from "@x402/extensions/sign-in-with-x";
import { toClientEvmSigner } from "@x402/evm";
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import * as market from "./marketplace.js";

/** A value that the test must give. */
function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(name + " must be set");
  return value;
}

const account = privateKeyToAccount(readFileSync(setting("PEER_KEY_FILE"), "utf8").trim() as `0x${string}`);
const base = setting("PEER_MARKET");
// With a node it signs the permits for Permit2 that the seller pays for.
const signer = toClientEvmSigner(account, createPublicClient({ transport: http(setting("PEER_RPC_URL")) }));

function client(base: string, total: string, payer = market.evmPayer(signer)): [market.Client, market.Budget] {
  const budget = new market.Budget({ total, perCall: "0.60" });
  return [new market.Client({ payer, budget, base }), budget];
}

function most(quote: market.Quote): { kind: string; most: string } {
  if (quote.kind === "unknown") throw new Error("a call without a price");
  return { kind: quote.kind, most: quote.kind === "exact" ? quote.amount : quote.most };
}

/** Makes a call and prints what came of it. */
async function buy<T>(
  call: string,
  budget: market.Budget,
  quote: market.Quote,
  made: Promise<market.Paid<T>>,
  show: (value: T) => unknown | Promise<unknown>,
): Promise<void> {
  const said: { [name: string]: unknown } = { call, quote: most(quote) };
  try {
    const paid = await made;
    said["value"] = await show(paid.value);
    // What a stream cost is known when it has ended.
    said["receipt"] = paid.receipt;
  } catch (error) {
    if (!(error instanceof market.CallError)) throw error;
    said["refused"] = [error.code, error.charged];
  }
  console.log(JSON.stringify({ ...said, spent: budget.spent }));
}

async function count(words: AsyncGenerator<market.Word>): Promise<number> {
  let count = 0;
  for await (const word of words) count += typeof word.text === "string" ? 1 : 0;
  return count;
}

const { quotes } = market;
const nothing = () => null;
const oslo = { city: "oslo" };
const [first, budget] = client(base, "1");
await buy("weather", budget, quotes.weather(oslo), first.weather(oslo), (it) => it.city);
const short = "Agents pay.";
const texts: [string, market.SummaryRequest][] = [
  ["summarize_fast", { text: short, sentences: 1, quality: "fast" }],
  ["summarize_long", { text: "x".repeat(5000) + ".", sentences: 1, quality: "fast" }],
  ["summarize_best", { text: short, sentences: 1 }],
];
for (const [call, body] of texts) {
  await buy(call, budget, quotes.summarize({ body }), first.summarize({ body }), (it) => it.sentences_read);
}
const prompt = { body: { prompt: "agents pay sellers", max_words: 20 } };
await buy("complete", budget, quotes.complete(prompt), first.complete(prompt), (it) => it.usage);
await buy("complete_streamed", budget, quotes.completeStreamed(prompt), first.completeStreamed(prompt), count);
await buy("report", budget, quotes.report(), first.report(), (it) => it);
for (const call of ["quote", "quote_again"]) {
  await buy(call, budget, quotes.quote(), first.quote(), (it) => it);
}
// The client signs payments; signing in is a matter of the function that it fetches with.
const known = new market.Client({ payer: market.evmPayer(account), budget, base, fetch: wrapFetchWithSIWx(fetch, account) });
for (const call of ["sample_1", "sample_2", "sample_3"]) {
  await buy(call, budget, quotes.sample(), known.sample(), (it) => it);
}
await buy("sample_paid", budget, quotes.sample(), first.sample(), (it) => it);
// A route that costs nothing stands in no manifest.
const health = (await (await fetch(base + "/health")).json()) as { status: string };
console.log(JSON.stringify({ call: "health", value: health.status, spent: budget.spent }));

const [careful, of_careful] = client(base, "1");
const empty: market.SummarizeRequest = { body: { text: " ", sentences: 1, quality: "fast" } };
await buy("empty", of_careful, quotes.summarize(empty), careful.summarize(empty), nothing);
const [bare, of_bare] = client(base, "1", market.evmPayer(account));
await buy("without_approval", of_bare, quotes.complete(prompt), bare.complete(prompt), nothing);
const [dear, of_dear] = client(setting("PEER_DEAR"), "1");
await buy("dear", of_dear, quotes.weather(oslo), dear.weather(oslo), nothing);
await buy("capped", of_careful, quotes.weather(oslo), careful.weather(oslo, { maxCost: "0.009" }), nothing);
const [poor, of_poor] = client(base, "0.015");
await buy("weather_of_the_poor", of_poor, quotes.weather(oslo), poor.weather(oslo), (it) => it.city);
await buy("poor", of_poor, quotes.weather(oslo), poor.weather(oslo), nothing);
