// What a user does with clients of other people's services. Run by node once it is compiled.
import assert from "node:assert/strict";
import * as github from "./github.js";
import * as openai from "./openai.js";
import * as trek from "./star_trek.js";

let line = "";
let body = "";
const fetch: typeof globalThis.fetch = async (input, init) => {
  line = init?.method + " " + String(input) + " " + (new Headers(init?.headers).get("authorization") ?? "");
  body = new TextDecoder().decode(init?.body as Uint8Array | undefined);
  return new Response("[]");
};
const options = { fetch, base: "https://here.example" };
const hub = new github.Client({ ...options, payer: github.mockPayer, budget: new github.Budget({ total: "1", perCall: "1" }) });
const key = { headers: { authorization: "Bearer token" } };
const issues: github.Paid<github.Issue[]> = await hub.issuesListForRepo({ owner: "o", repo: "r/s", state: "closed", perPage: 10 }, key);
assert.deepEqual([issues.value, issues.receipt], [[], undefined]);
assert.equal(line, "GET https://here.example/repos/o/r%2Fs/issues?per_page=10&state=closed Bearer token");
assert.deepEqual(github.quotes.reposGet({ owner: "o", repo: "r" }), { kind: "unknown" });
assert.ok(github.ENDPOINTS.length > 1000 && github.ENDPOINTS.every((one) => one.cost === undefined && one.rails.length === 0));

const models = new openai.Client({ ...options, payer: openai.mockPayer, budget: new openai.Budget({ total: "1", perCall: "1" }) });
await models.createFile({ body: new openai.Parts().text("purpose", "batch") });
assert.match(body, /name="purpose"\r\n\r\nbatch\r\n/);
await models.createChatCompletion({ body: { model: "m", messages: [{ role: "user", content: "hello" }] } });
assert.equal(body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}");

const movies = new trek.Client({ ...options, payer: trek.mockPayer, budget: new trek.Budget({ total: "1", perCall: "1" }) });
await movies.postMovieSearch({ pageSize: 5, body: { title: "first & last" } });
assert.deepEqual([line.trim(), body], ["POST https://here.example/movie/search?pageSize=5", "title=first%20%26%20last"]);
console.log("done");
