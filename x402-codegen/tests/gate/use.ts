// What a user does with the generated clients. Run by node once it is compiled.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { inspect } from "node:util";
import * as example from "./example.js";
import * as hostile from "./hostile.js";
import * as shapes from "./openapi_shapes.js";
import * as pagination from "./pagination.js";
import * as given from "./price_free.js";
import * as rails from "./rails.js";
import * as tiered from "./price_tiered.js";
import * as usage from "./price_usage.js";
import * as streaming from "./streaming.js";

const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as example.CallError).code;
  }
  return "nothing was thrown";
};

const codeOf = async (work: Promise<unknown>): Promise<example.CallError> => {
  try {
    await work;
  } catch (error) {
    return error as example.CallError;
  }
  throw new Error("nothing was thrown");
};

// Quotes are what the document says.
const render = tiered.quotes.render;
assert.deepEqual(render({ format: "pdf", body: { pages: ["a"] } }), { kind: "exact", amount: "0.01" });
assert.deepEqual(render({ format: "png", body: { pages: Array(11).fill("a"), hd: true } }), { kind: "exact", amount: "0.075" });
assert.deepEqual(tiered.quotes.search(), { kind: "exact", amount: "0.0015" });
assert.deepEqual(tiered.quotes.search({ depth: 3, region: "north pole", xSpeed: "fast" }), { kind: "exact", amount: "0.0147" });
assert.equal(code(() => render({ format: "gif", body: { pages: [] } })), "no_price");
assert.equal(code(() => render({ format: "..", body: { pages: [] } })), "invalid_argument");
assert.equal(code(() => render({ format: "", body: { pages: [] } })), "invalid_argument");
assert.deepEqual([tiered.RENDER_MIN_COST, tiered.RENDER_MAX_COST], ["0.005", "0.12"]);
assert.deepEqual(usage.quotes.complete({ body: { prompt: "x".repeat(300) } }), { kind: "up-to", most: "0.00042" });
for (const info of [...tiered.ENDPOINTS, ...example.ENDPOINTS]) {
  assert.ok(info.examples.every((one) => JSON.parse(one.input) !== null));
}

// A call is paid once, within its budget, and says what it cost.
const client = (mode: example.MockMode, budget = new example.Budget({ total: "0.01", perCall: "0.005" })) =>
  new example.Client({ payer: example.mockPayer, budget, fetch: example.mockFetch(mode) });
const free = await client("answer").getWeather({ city: "lisbon" });
assert.equal(free.value.sky, "clear");
assert.equal(free.receipt, undefined);
const budget = new example.Budget({ total: "0.0025", perCall: "0.005" });
const paid = await client("pay", budget).getWeather({ city: "lisbon" });
assert.deepEqual([paid.receipt?.amount, paid.receipt?.attempts, paid.receipt?.revision], ["0.001", 1, 17]);
assert.deepEqual([budget.spent, budget.left], ["0.001", "0.0015"]);
const both = await Promise.allSettled([1, 2].map(() => client("pay", budget).getWeather({ city: "oslo" })));
assert.deepEqual(both.map((one) => one.status).sort(), ["fulfilled", "rejected"]);
assert.equal((await codeOf(client("pay", budget).getWeather({ city: "oslo" }))).code, "over_budget");
assert.equal((await codeOf(client("price-rise").getWeather({ city: "oslo" }))).code, "price_above_contract");
assert.equal((await codeOf(client("pay").getWeather({ city: "oslo" }, { maxCost: "0.0009" }))).code, "cost_above_max");
assert.equal((await codeOf(client("pay").getWeather({ city: "oslo" }, { dryRun: true }))).code, "dry_run");
const silent = await codeOf(client("timeout").getWeather({ city: "oslo" }));
assert.deepEqual([silent.code, silent.retryable, silent.charged], ["unreachable", true, false]);
assert.equal(silent.message, "api.example.com was not reached by GET: TimeoutError");

// Who was not reached and why is told, but no header.
const unreached = async (base: string, fetch?: typeof globalThis.fetch) => {
  const once = new example.Budget({ total: "1", perCall: "1" });
  const lost = new example.Client({ payer: example.mockPayer, budget: once, base, ...(fetch === undefined ? {} : { fetch }) });
  const error = await codeOf(lost.getWeather({ city: "oslo" }, { headers: { authorization: "Bearer secret" } }));
  assert.ok(error instanceof example.Unreachable);
  assert.deepEqual([error.code, error.action, error.retryable, error.charged], ["unreachable", "wait", true, false]);
  assert.equal(error.message, error.host + " was not reached by " + error.method + ": " + error.reason);
  assert.ok(!inspect(error, { depth: 9 }).includes("secret"));
  return [error.method, error.host, error.reason];
};
const closed = await new Promise<number>((found) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => found(port));
  });
});
assert.deepEqual(await unreached("http://127.0.0.1:" + closed + "/v1/"), ["GET", "127.0.0.1:" + closed, "ECONNREFUSED"]);
const fails = (error: unknown) => unreached("https://user:secret@api.example.com", () => Promise.reject(error));
const talks = new TypeError("Bearer secret is no header", { cause: { code: "Bearer secret", message: "secret" } });
assert.deepEqual(await fails(talks), ["GET", "api.example.com", "TypeError"]);
const several = new TypeError("fetch failed", { cause: { errors: [{ code: "ENETUNREACH" }, { code: "EHOSTUNREACH" }] } });
assert.deepEqual(await fails(several), ["GET", "api.example.com", "ENETUNREACH"]);
assert.deepEqual(await fails("secret"), ["GET", "api.example.com", "no answer"]);
assert.deepEqual(await unreached("secret"), ["GET", "the service", "ERR_INVALID_URL"]);
const refused = await codeOf(client({ refuse: "rate_limited" }).getWeather({ city: "oslo" }));
assert.ok(refused instanceof example.RateLimitedError);
assert.deepEqual([refused.retryable, refused.action, refused.charged], [true, "wait", false]);
const unknown = await codeOf(client({ refuse: "__proto__" }).getWeather({ city: "oslo" }));
assert.deepEqual([unknown.code, unknown.retryable, unknown.action], ["__proto__", false, "stop"]);
const declined = new example.Client({
  payer: example.mockPayer,
  budget: new example.Budget({ total: "0.001", perCall: "0.001" }),
  fetch: example.mockFetch("pay"),
  approve: () => false,
});
assert.equal((await codeOf(declined.getWeather({ city: "oslo" }))).code, "declined");

// The very same payment is presented while its outcome is open, and a service that asks for another payee gets nothing.
const sent: (string | null)[] = [];
let signed = 0;
const broken = new example.Client({
  payer: { pay: (required) => ((signed += 1), example.mockPayer.pay(required)) },
  budget: new example.Budget({ total: "1", perCall: "1" }),
  presentations: 3,
  fetch: async (input, init) => {
    const payment = new Headers(init?.headers).get("payment-signature");
    if (payment === null) return example.mockFetch("pay")(input, init);
    sent.push(payment);
    throw new TypeError("connection reset");
  },
});
const open = await codeOf(broken.getWeather({ city: "oslo" }));
assert.ok(open instanceof example.OutcomeUnknown);
assert.deepEqual([open.charged, open.action, sent.length, new Set(sent).size, signed], ["maybe", "retry-same-id", 3, 1, 1]);

// An answer that breaks off has not arrived, and is asked for with the same payment.
let answers = 0;
const cut = new example.Client({
  payer: example.mockPayer,
  budget: new example.Budget({ total: "0.001", perCall: "0.001" }),
  fetch: async (input, init) => {
    const answer = await example.mockFetch("pay")(input, init);
    if (!answer.ok) return answer;
    answers += 1;
    return answers > 1 ? answer : new Response(new ReadableStream({ pull: (body) => body.error(new TypeError("terminated")) }));
  },
});
assert.equal((await cut.getWeather({ city: "oslo" })).value.sky, "clear");
assert.equal(answers, 2);
const thief = new example.Client({
  payer: example.mockPayer,
  budget: new example.Budget({ total: "1", perCall: "1" }),
  fetch: async (input, init) => {
    const answer = await example.mockFetch("pay")(input, init);
    const terms = JSON.parse(atob(answer.headers.get("payment-required") ?? ""));
    terms.accepts[0].payTo = "0x000000000000000000000000000000000000dEaD";
    return new Response("{}", { status: 402, headers: { "payment-required": btoa(JSON.stringify(terms)) } });
  },
});
assert.equal((await codeOf(thief.getWeather({ city: "oslo" }))).code, "nothing_acceptable");

// Pages stop at their cap.
const list = new pagination.Client({
  payer: pagination.mockPayer,
  budget: new pagination.Budget({ total: "1", perCall: "1" }),
  fetch: pagination.mockFetch(),
});
const pages = [];
for await (const page of list.listPages({}, "0.002")) pages.push(page.value.items[0]?.id);
assert.deepEqual(pages, [1]);
assert.equal((await codeOf(list.listPages({}, "0.001").next())).code, "spend_cap_reached");

// Events end at empty lines, whatever ends a line and wherever the parts of the answer end; one that never ends is given up.
const reads = async (parts: Iterable<Uint8Array>): Promise<string[]> => {
  const from = parts[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = from.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
  const client = new streaming.Client({
    payer: streaming.mockPayer,
    budget: new streaming.Budget({ total: "1", perCall: "1" }),
    fetch: async () => new Response(body),
  });
  const found = [];
  for await (const chunk of (await client.chat({ body: { prompt: "x" } })).value) found.push(chunk.text);
  return found;
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
for (const end of ["\n", "\r\n", "\r"]) {
  const text = ["\ufeffdata: {\"text\":\"a\u2028\u0085\"}", ":", "", "data:{\"text\":", "data: \"\u{1f600}\"}", "id", "", "", "data: {\"text\":\"z\"}"].join(end);
  const wanted = ["a\u2028\u0085", "\u{1f600}", "z"];
  const all = bytes(text + end + end);
  assert.deepEqual(await reads([all]), wanted);
  assert.deepEqual(await reads([...all].map((byte) => Uint8Array.of(byte))), wanted);
  assert.deepEqual(await reads([bytes(text)]), wanted);
}
const mebibyte = "x".repeat(1024 * 1024);
const heap = function* (part: string): Generator<Uint8Array> {
  for (let count = 0; count < 20; count += 1) yield bytes(part);
};
assert.equal((await reads(heap("data: {\"text\":\"" + mebibyte + "\"}\n\n"))).length, 20);
for (const part of [mebibyte, "data: " + mebibyte + "\n", "data\n".repeat(1024 * 1024)]) {
  assert.equal((await codeOf(reads(heap(part)))).code, "unexpected_answer");
}

// What a service sells for so many atomic units of its first way to pay.
const sells =
  (pin: example.Pin | undefined, amount: string, answer: () => Response): typeof globalThis.fetch =>
  async (_, init) => {
    if (new Headers(init?.headers).has("payment-signature")) return answer();
    assert.ok(pin);
    const { scheme, network, asset, payTo } = pin;
    const offer = { scheme, network, asset, payTo, amount, maxTimeoutSeconds: 60, extra: {} };
    const terms = { x402Version: 2, resource: { url: "https://api.example.com/" }, accepts: [offer] };
    return new Response("{}", { status: 402, headers: { "payment-required": btoa(JSON.stringify(terms)) } });
  };

// What keeps a client from paying has the same name in every language.
{
  const pin = example.PINS[0];
  const weather = (): Response => new Response("{\"city\":\"oslo\",\"tempC\":1,\"sky\":\"clear\"}");
  const shop = (units: string, total: string, perCall: string, payTo = pin?.payTo ?? "") => {
    const fetch = sells(pin && { ...pin, payTo }, units, weather);
    return new example.Client({ payer: example.mockPayer, budget: new example.Budget({ total, perCall }), fetch });
  };
  const asks = (terms: unknown) => {
    const headers = { "payment-required": btoa(JSON.stringify(terms)) };
    const budget = new example.Budget({ total: "1", perCall: "1" });
    return new example.Client({ payer: example.mockPayer, budget, fetch: async () => new Response("{}", { status: 402, headers }) });
  };
  const oslo = { city: "oslo" };
  const thief = "0x000000000000000000000000000000000000dEaD";
  const poor = shop("1000", "0.0015", "1");
  await poor.getWeather(oslo);
  const fetch = sells(given.PINS[0], "10000", weather);
  const gift = new given.Client({ payer: given.mockPayer, budget: new given.Budget({ total: "1", perCall: "1" }), fetch });
  const cases: { [name: string]: () => Promise<unknown> } = {
    "more than a call may cost by the budget": () => shop("1000", "1", "0.0005").getWeather(oslo),
    "more than the budget ever had": () => shop("1000", "0.0005", "1").getWeather(oslo),
    "more than the budget has left": () => poor.getWeather(oslo),
    "more than the caller's most": () => shop("1000", "1", "1").getWeather(oslo, { maxCost: "0.0009" }),
    "more than the document's most": () => shop("2000", "1", "1").getWeather(oslo),
    "more than both": () => shop("2000", "1", "1").getWeather(oslo, { maxCost: "0.0009" }),
    "anything for a free call": () => gift.status(),
    "nothing that may be paid": () => shop("1000", "1", "1", thief).getWeather(oslo),
    "no payment at all": () => asks({ x402Version: 2, resource: { url: "https://api.example.com/v1/weather/oslo" }, accepts: [] }).getWeather(oslo),
    "too much for somebody else": () => shop("2000", "0.001", "1", thief).getWeather(oslo),
    "nobody knows what": () => asks(7).getWeather(oslo),
  };
  const found: { [name: string]: unknown } = {};
  for (const [name, call] of Object.entries(cases)) {
    const { code, action, charged, retryable } = await codeOf(call());
    assert.deepEqual([charged, retryable], [false, false], name);
    found[name] = { code, action };
  }
  assert.deepEqual(found, JSON.parse(readFileSync("refusals.json", "utf8")));
  const left = async (budget: example.Budget) => {
    const payer = example.mockPayer;
    const error = await codeOf(new example.Client({ payer, budget, fetch: sells(pin, "1000", weather) }).getWeather(oslo));
    assert.ok(error instanceof example.BudgetExceeded);
    return [error.code, error.needed, error.left, error.message];
  };
  assert.deepEqual(await left(new example.Budget({ total: "1", perCall: "0.0005" })), ["over_call_cap", "0.001", "0.0005", "needs 0.001, and 0.0005 is the most for a call"]);
  assert.deepEqual(await left(new example.Budget({ total: "0.0007", perCall: "1" })), ["over_budget", "0.001", "0.0007", "needs 0.001, and 0.0007 is left"]);
  const perEndpoint = new Map([["getWeather", "0.0002"]]);
  const share = await left(new example.Budget({ total: "1", perCall: "1", perEndpoint }));
  assert.deepEqual(share, ["over_endpoint_cap", "0.001", "0.0002", "needs 0.001, and 0.0002 is left for the endpoint"]);
}

// A page that does not name the next one as the document says was paid all the same.
const walk = (answer: string) =>
  new pagination.Client({
    payer: pagination.mockPayer,
    budget: new pagination.Budget({ total: "1", perCall: "1" }),
    fetch: sells(pagination.PINS[0], "2000", () => new Response(answer)),
  });
for (const meta of ["\"text\"", "{\"next\":{\"a\":1}}", "{\"next\":\"7\"}", "{\"next\":true}", "{\"next\":1.5}", "[1]"]) {
  const found = walk("{\"items\":[],\"meta\":" + meta + "}").walkPages({}, "1");
  assert.deepEqual((await found.next()).value?.value.items, []);
  const wrong = await codeOf(found.next());
  assert.ok(wrong instanceof pagination.UnexpectedAnswer, meta);
  assert.deepEqual([wrong.charged, wrong.receipt?.amount], [true, "0.002"]);
}
for (const meta of ["null", "{}", "{\"next\":null}", "{\"next\":\"\"}"]) {
  const found = walk("{\"items\":[],\"meta\":" + meta + "}").walkPages({}, "1");
  assert.equal((await found.next()).done, false);
  assert.equal((await found.next()).done, true);
}
const rolled = walk("{\"items\":[]}").rollPages({}, "1");
await rolled.next();
assert.equal((await codeOf(rolled.next())).code, "unexpected_answer");

// Each way to pay has its own payee; terms that are not as they should be are unreadable, and offers like that are not acceptable.
const asking = async (terms: unknown): Promise<string> => {
  const client = new rails.Client({
    payer: rails.mockPayer,
    budget: new rails.Budget({ total: "1", perCall: "1" }),
    fetch: async (_, init) => {
      if (new Headers(init?.headers).has("payment-signature")) return new Response("{}");
      return new Response("{}", { status: 402, headers: { "payment-required": btoa(JSON.stringify(terms)) } });
    },
  });
  return client.get().then(
    () => "paid",
    (error) => error.code,
  );
};
const offering = (pin: rails.Pin, more: object = {}): unknown => {
  const { scheme, network, asset, payTo } = pin;
  const offer = { scheme, network, asset, payTo, amount: "1000", maxTimeoutSeconds: 60, extra: {}, ...more };
  return { x402Version: 2, resource: { url: "https://api.example.com/" }, accepts: [null, {}, offer] };
};
const [one, two] = rails.PINS;
assert.ok(one && two && one.payTo !== two.payTo);
for (const pin of [one, two]) {
  assert.equal(await asking(offering(pin)), "paid");
  assert.equal(await asking(offering(pin, { payTo: pin.payTo.toUpperCase().replace("0X", "0x"), asset: pin.asset.toLowerCase() })), "paid");
}
assert.equal(await asking(offering(one, { payTo: two.payTo })), "nothing_acceptable");
assert.equal(await asking(offering(two, { payTo: one.payTo })), "nothing_acceptable");
assert.equal(await asking(offering(one, { asset: two.asset })), "nothing_acceptable");
for (const more of [{ amount: 1000 }, { amount: "-1" }, { amount: "1.0" }, { amount: "9".repeat(79) }, { asset: null }, { extra: 7 }, { maxTimeoutSeconds: "60" }]) {
  assert.equal(await asking(offering(one, more)), "nothing_acceptable", JSON.stringify(more));
}
for (const terms of [null, 7, "x", [], {}, { x402Version: 2 }, { x402Version: 2, accepts: {} }, { x402Version: 2, accepts: [], extensions: 7 }, { x402Version: 3, accepts: [] }]) {
  assert.equal(await asking(terms), "terms_unreadable", JSON.stringify(terms));
}
assert.equal(await asking({ x402Version: 1, accepts: [] }), "nothing_acceptable");
const odd = { ...(offering(one) as object), extensions: { "payment-identifier": { info: "text" } } };
assert.equal(await asking(odd), "paid");

// What a refusal says is read with care.
const refusal = (status: number, text: string, after?: string) =>
  codeOf(
    new example.Client({
      payer: example.mockPayer,
      budget: new example.Budget({ total: "1", perCall: "1" }),
      fetch: async () => new Response(text, { status, headers: after === undefined ? {} : { "retry-after": after } }),
    }).getWeather({ city: "oslo" }),
  );
assert.equal((await refusal(500, "[".repeat(60000))).code, "http_500");
assert.equal((await refusal(500, "{\"code\":\"\"}")).code, "http_500");
for (const [after, seconds] of [["7", 7], ["0x10", undefined], ["-1", undefined], ["1e3", undefined], ["9".repeat(5000), undefined]] as const) {
  const error = await refusal(429, "{\"code\":\"rate_limited\"}", after);
  assert.ok(error instanceof example.ServiceError);
  assert.deepEqual([error.code, error.retryAfter], ["rate_limited", seconds], after);
}
for (const said of ["true", "[5]", "\"5\"", "-5", "1.5"]) {
  const error = await refusal(429, "{\"code\":\"rate_limited\",\"retryAfter\":" + said + "}");
  assert.ok(error instanceof example.ServiceError);
  assert.equal(error.retryAfter, undefined, said);
}

// Streams are read as they come.
const chat = new streaming.Client({
  payer: streaming.mockPayer,
  budget: new streaming.Budget({ total: "1", perCall: "1" }),
  fetch: async () => new Response("data: {\"text\":\"a\"}\r\n\r\n: note\n\ndata: {\"text\":\ndata: \"b\"}\n\ndata: [DONE]\n\n"),
});
const words = [];
for await (const chunk of (await chat.chat({ body: { prompt: "x" } })).value) words.push(chunk.text);
assert.deepEqual(words, ["a", "b"]);

// The end of a metered stream is about its payment: it is no answer, and goes into the receipt, or says what went wrong.
const metered = (end: string, budget = new streaming.Budget({ total: "1", perCall: "1" })) =>
  new streaming.Client({
    payer: streaming.mockPayer,
    budget,
    fetch: sells(streaming.PINS[0], "50000", () => new Response("data: {\"text\":\"a\"}\n\n" + end)),
  });
const settlement = btoa(JSON.stringify({ success: true, transaction: "0x01", network: "eip155:84532", payer: "0x02", amount: "3000" }));
const metering = new streaming.Budget({ total: "1", perCall: "1" });
const told = await metered("event: x402-payment-response\ndata: " + settlement + "\n\n", metering).chat({ body: { prompt: "x" } });
assert.deepEqual([told.receipt?.settled, metering.spent], [false, "0.05"]);
const heard = [];
for await (const chunk of told.value) heard.push(chunk.text);
assert.deepEqual(heard, ["a"]);
assert.deepEqual([told.receipt?.settled, told.receipt?.charged, told.receipt?.transaction], [true, "0.003", "0x01"]);
assert.equal(metering.spent, "0.003");
const lost = metered("event: x402-problem\ndata: {\"code\":\"rate_limited\",\"charged\":false,\"action\":\"wait\"}\n\n");
const gone = (await lost.chat({ body: { prompt: "x" } })).value;
assert.equal((await gone.next()).value?.text, "a");
const brokeOff = await codeOf(gone.next());
assert.ok(brokeOff instanceof streaming.RateLimitedError);
assert.deepEqual([brokeOff.status, brokeOff.charged, brokeOff.action, brokeOff.receipt?.amount], [500, false, "wait", "0.05"]);

// An answer that is no stream is held up to a bound.
let handed = 0;
const endless = (status = 200) =>
  new Response(new ReadableStream({ pull: (to) => (handed += 1, to.enqueue(new Uint8Array(1024))) }), { status });
const bounded = (fetch: typeof globalThis.fetch, more: { presentations?: number } = {}) =>
  new example.Client({ payer: example.mockPayer, budget: new example.Budget({ total: "1", perCall: "1" }), fetch, maxBytes: 4096, ...more });
const tooLong = await codeOf(bounded(sells(example.PINS[0], "1000", endless)).getWeather({ city: "oslo" }));
assert.ok(tooLong instanceof example.UnexpectedAnswer);
assert.deepEqual([tooLong.charged, tooLong.receipt?.amount, tooLong.receipt?.attempts], [true, "0.001", 1]);
const unpaid = await codeOf(bounded(async () => endless()).getWeather({ city: "oslo" }));
assert.ok(unpaid instanceof example.UnexpectedAnswer);
assert.deepEqual([unpaid.charged, unpaid.receipt], [false, undefined]);
assert.equal((await codeOf(bounded(async () => endless(500)).getWeather({ city: "oslo" }))).code, "http_500");
assert.ok(handed < 100, String(handed));

// A stream may last, as long as something comes.
const wait = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
const lasting = (events: number, attemptMs: number) => {
  let signal: AbortSignal | null | undefined;
  const stream = () =>
    new ReadableStream({
      async start(to) {
        signal?.addEventListener("abort", () => to.error(signal?.reason));
        for (let at = 0; at < events; at += 1) {
          await wait(250);
          to.enqueue(new TextEncoder().encode("data: {\"text\":\"a\"}\n\n"));
        }
        if (events > 0) to.close();
      },
    });
  const service = sells(streaming.PINS[0], "50000", () => new Response(stream()));
  const fetch: typeof globalThis.fetch = (input, init) => ((signal = init?.signal), service(input, init));
  const budget = new streaming.Budget({ total: "1", perCall: "1" });
  return new streaming.Client({ payer: streaming.mockPayer, budget, fetch, attemptMs });
};
const long = [];
for await (const chunk of (await lasting(8, 1500).chat({ body: { prompt: "x" } })).value) long.push(chunk.text);
assert.equal(long.length, 8);
const quiet = (await lasting(0, 200).chat({ body: { prompt: "x" } })).value;
assert.ok((await codeOf(quiet.next())) instanceof streaming.UnexpectedAnswer);

// What was paid for and is not what the document says is not lost.
const strange = await codeOf(bounded(sells(example.PINS[0], "1000", () => new Response("<p>21 \u00b0C</p>")), {}).getWeather({ city: "oslo" }));
assert.ok(strange instanceof example.UnexpectedAnswer);
assert.deepEqual([strange.charged, strange.body], [true, "<p>21 \u00b0C</p>"]);

// A server that fails without a word is asked again with the same payment; whoever answers with something else is not.
const answered = async (status: number) =>
  codeOf(bounded(sells(example.PINS[0], "1000", () => new Response("oops", { status })), { presentations: 2 }).getWeather({ city: "oslo" }));
const failed = await answered(500);
assert.ok(failed instanceof example.OutcomeUnknown);
assert.equal(failed.receipt.attempts, 2);
const moved = await answered(404);
assert.deepEqual([moved.code, moved.charged, moved.action], ["http_404", "maybe", "ask-human"]);

// Whoever calls a call off does not wait for more attempts.
const off = new AbortController();
const leaves = () => {
  off.abort();
  throw new Error("gone");
};
const calledOff = bounded(sells(example.PINS[0], "1000", leaves), { presentations: 3 });
const left = await codeOf(calledOff.getWeather({ city: "oslo" }, { signal: off.signal }));
assert.ok(left instanceof example.OutcomeUnknown);
assert.equal(left.receipt.attempts, 1);

// Requests have the shapes that the document says.
let last: { line: string; headers: Headers; body: string } | undefined;
let answer: () => Response = () => new Response("{\"id\":1}");
const shaped = new shapes.Client({
  payer: shapes.mockPayer,
  budget: new shapes.Budget({ total: "1", perCall: "1" }),
  fetch: async (input, init) => {
    const body = init?.body as Uint8Array | undefined;
    last = { line: init?.method + " " + String(input).slice(25), headers: new Headers(init?.headers), body: new TextDecoder().decode(body) };
    return answer();
  },
});
const job = await shaped.cancelJob({ id: 7 }, { headers: { authorization: "Bearer x" } });
assert.deepEqual([job.value?.id, last?.line, last?.headers.get("authorization")], [1, "POST /jobs/7:cancel", "Bearer x"]);
await shaped.compare({ base: "a/b", head: "c" });
assert.equal(last?.line, "GET /compare/a%2Fb...c?beta=true");
assert.equal((await codeOf(shaped.compare({ base: "..", head: "c" }))).code, "invalid_argument");
for (const name of ["a b", "", "a:b", "a\r\nb", "\u00e9"]) {
  assert.equal((await codeOf(shaped.compare({ base: "b", head: "c" }, { headers: { [name]: "1" } }))).code, "invalid_argument", name);
}
await shaped.find({
  tags: ["x", "y"], ids: [1, 2], short: ["a", "b"], piped: ["c", "d"], range: { gt: 3, in: ["p", "q"] }, page: { offset: 4 },
  filter: { gt: 5 }, xTrace: ["t", "u"],
});
assert.equal(
  last?.line,
  "GET /find/x%2Cy?filter=%7B%22gt%22%3A5%7D&ids=1&ids=2&offset=4&piped=c%7Cd&range%5Bgt%5D=3&range%5Bin%5D=p&range%5Bin%5D=q&short=a%2Cb",
);
assert.equal(last?.headers.get("x-trace"), "t,u");
await shaped.charge({ body: { amount: 5, card: { name: "n&m" }, expand: ["a b", "c"] } });
assert.equal(last?.body, "amount=5&card%5Bname%5D=n%26m&expand=a%20b&expand=c");
assert.equal(last?.headers.get("content-type"), "application/x-www-form-urlencoded");
const file = new TextEncoder().encode("hello");
await shaped.upload({ body: new shapes.Parts().text("purpose", "x402-part-0").file("file", "a\"b.txt", "text/plain", file) });
assert.equal(last?.headers.get("content-type"), "multipart/form-data; boundary=x402-part-1");
assert.equal(
  last?.body,
  "--x402-part-1\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nx402-part-0\r\n" +
    "--x402-part-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n" +
    "--x402-part-1--\r\n",
);
await shaped.patchFiles({ body: { gt: 1 } });
assert.deepEqual([last?.headers.get("content-type"), last?.body], ["application/merge-patch+json", "{\"gt\":1}"]);
const raw = await shaped.raw("OPTIONS", "/files?x=1", undefined, { headers: { "x-a": "b" } });
assert.deepEqual([last?.line, last?.headers.get("x-a"), await raw.value.text()], ["OPTIONS /files?x=1", "b", "{\"id\":1}"]);
assert.equal((await codeOf(shaped.raw("GET", ".evil.example/"))).code, "invalid_argument");
const charges = new shapes.Client({ payer: shapes.mockPayer, budget: new shapes.Budget({ total: "1", perCall: "1" }), fetch: sells(example.PINS[0], "1", answer) });
assert.equal((await codeOf(charges.raw("GET", "/dear"))).code, "price_above_contract");
answer = () => new Response(null, { status: 204 });
assert.equal((await shaped.cancelJob({ id: 7 })).value, undefined);

// Foreign text stays text.
assert.equal((globalThis as { pwned?: unknown }).pwned, undefined);
assert.ok(hostile.ENDPOINTS.length > 20);
console.log("done");
