// Puts the views of price manifests to the packages that read them, and prints what each says as JSON.
//
// Usage: node check.mjs <folder>, where each folder in it holds the views of one manifest.

import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import {
  checkL2ForOpenAPI,
  checkL4ForOpenAPI,
  getL3ForOpenAPI,
  getOpenAPI,
  getWarningsForL2,
  getWarningsForL3,
  getWarningsForL4,
  getWarningsForOpenAPI,
  validatePaymentRequiredDetailed,
} from "@agentcash/discovery";
import { OpenApiDocSchema, StructuredPaymentInfoSchema } from "@agentcash/discovery/schemas";
import { ListToolsResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { validate as validateOpenApi } from "@readme/openapi-parser";
import { parsePaymentRequired } from "@x402/core/schemas";
import {
  extractDiscoveryInfo,
  validateDiscoveryExtension,
  validateDiscoveryExtensionSpec,
} from "@x402/extensions/bazaar";
import Ajv2020 from "ajv/dist/2020.js";
import { validate as validateMpp } from "mppx/discovery";

const verdicts = [];

/** Records a verdict; `refusals` is empty when the reader accepts. */
function tell(reader, document, refusals) {
  const ok = refusals.length === 0;
  verdicts.push({ reader, document, ok, detail: ok ? null : refusals });
}

/** The refusals of a zod schema. */
function zod(schema, value) {
  const result = schema.safeParse(value);
  return result.success ? [] : [String(result.error)];
}

const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const copy = (value) => structuredClone(value);

function* operations(openapi) {
  for (const [path, item] of Object.entries(openapi.paths)) {
    for (const [method, operation] of Object.entries(item)) yield { path, method, operation };
  }
}

/** What @agentcash/discovery says about the document when it fetches it. */
async function fetched(openapi) {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify(openapi));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  try {
    const found = await getOpenAPI(`http://127.0.0.1:${server.address().port}`);
    if (found.isErr() || found.value === null) return ["not found"];
    const source = found.value;
    const warnings = getWarningsForOpenAPI(source);
    if (source.parseFailure) return warnings;
    const l2 = checkL2ForOpenAPI(source);
    warnings.push(...getWarningsForL2(l2));
    const routes = [...operations(openapi)];
    for (const { path, method, operation } of routes) {
      const route = l2.routes.find((it) => it.path === path && it.method === method.toUpperCase());
      const paid = operation["x-payment-info"] ? "paid" : "unprotected";
      if (route?.authMode !== paid) warnings.push(`${method} ${path} is ${route?.authMode}, not ${paid}`);
      if (paid === "paid") warnings.push(...l3(source, path, method));
    }
    if (l2.routes.length !== routes.length) warnings.push("not all routes were found");
    const guidance = checkL4ForOpenAPI(source);
    if (openapi.info["x-guidance"] && guidance === null) warnings.push("no guidance was found");
    warnings.push(...getWarningsForL4(guidance));
    return warnings;
  } finally {
    server.close();
  }
}

/** What @agentcash/discovery misses in the schemas of one operation. Operations that take and give no JSON have none. */
function l3(source, path, method) {
  return getWarningsForL3(getL3ForOpenAPI(source, path, method.toUpperCase())).map(
    (warning) => `${method} ${path}: ${warning.code}`,
  );
}

async function openApi(name, openapi, lowered) {
  const document = `${name}/openapi.json`;
  tell("@agentcash/discovery OpenApiDocSchema", document, zod(OpenApiDocSchema, openapi));
  for (const { path, method, operation } of operations(openapi)) {
    const info = operation["x-payment-info"];
    if (info === undefined) continue;
    const refusals = zod(StructuredPaymentInfoSchema, info);
    tell("@agentcash/discovery PaymentInfoSchema", `${document} ${method} ${path}`, refusals);
  }
  tell("@agentcash/discovery getOpenAPI", document, await fetched(openapi));
  tell("mppx validate", document, validateMpp(openapi));
  for (const [file, value] of [[document, openapi], [`${name}/openapi-3.0.json`, lowered]]) {
    const result = await validateOpenApi(copy(value));
    tell("@readme/openapi-parser validate", file, result.valid ? [] : result.errors);
  }
}

function required(document, value) {
  const bazaar = value.extensions.bazaar;
  // This reader knows calls by HTTP only.
  if (bazaar.info.input.type === "http") {
    tell("@agentcash/discovery validatePaymentRequiredDetailed", document, detailed(value).issues);
  }
  const parsed = parsePaymentRequired(value);
  tell("@x402/core parsePaymentRequired", document, parsed.success ? [] : [String(parsed.error)]);
  tell("@x402/extensions validateDiscoveryExtension", document, extension(bazaar));
  const spec = validateDiscoveryExtensionSpec(bazaar);
  tell("@x402/extensions validateDiscoveryExtensionSpec", document, spec.valid ? [] : spec.errors);
  tell("@x402/extensions extractDiscoveryInfo", document, extracted(value));
  tell("ajv bazaar schemas", document, ajv(bazaar.schema, [bazaar.info]));
}

function detailed(value) {
  const result = validatePaymentRequiredDetailed(value, { requireInputSchema: true, requireOutputSchema: true });
  // An answer that is not valid without saying why would pass for one without issues.
  if (!result.valid && result.issues.length === 0) result.issues.push({ code: "not valid" });
  return result;
}

function extension(bazaar) {
  const result = validateDiscoveryExtension(bazaar);
  return result.valid ? [] : result.errors;
}

/** What a facilitator makes of a payment for these terms, as it lists it. */
function extracted(value) {
  const payload = { x402Version: 2, ...copy(value), accepted: value.accepts[0], payload: {} };
  const found = extractDiscoveryInfo(payload, value.accepts[0]);
  if (found === null) return ["nothing was extracted"];
  const refusals = [];
  const { routeTemplate } = value.extensions.bazaar;
  if (routeTemplate !== undefined && !found.resourceUrl.endsWith(routeTemplate)) {
    refusals.push(`listed as ${found.resourceUrl}, not by its template`);
  }
  const tags = value.resource.tags;
  if (tags?.length > 0 && JSON.stringify(found.tags) !== JSON.stringify(tags)) refusals.push("tags were lost");
  if (found.serviceName !== value.resource.serviceName) refusals.push("the name was lost");
  if (found.iconUrl !== value.resource.iconUrl) refusals.push("the picture was lost");
  return refusals;
}

/** What a strict reader of JSON Schema says about a schema, and about values that must fit it. */
function ajv(schema, values) {
  const reader = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true, validateFormats: false });
  reader.addVocabulary(["x-open-enum"]);
  try {
    const check = reader.compile(schema);
    return values.filter((value) => !check(value)).map((value) => ({ value, errors: copy(check.errors) }));
  } catch (error) {
    return [String(error)];
  }
}

function tools(name, list) {
  tell("@modelcontextprotocol/sdk ListToolsResultSchema", `${name}/mcp-tools.json`, zod(ListToolsResultSchema, list));
  for (const tool of list.tools) {
    const refusals = ajv(tool.inputSchema, tool._meta?.examples ?? []);
    if (tool.outputSchema) refusals.push(...ajv(tool.outputSchema, []));
    tell("ajv tool schemas", `${name}/mcp-tools.json ${tool.name}`, refusals);
  }
}

/** Documents with one known fault each: a reader that accepts them proves nothing by accepting the others. */
async function controls(folder) {
  const openapi = read(join(folder, "openapi.json"));
  const weather = read(join(folder, "402/getWeather.json"));
  const list = read(join(folder, "mcp-tools.json"));
  const changed = (value, change) => {
    const other = copy(value);
    change(other);
    return other;
  };
  const info = (change) => changed(openapi.paths["/v1/weather/{city}"].get["x-payment-info"], change);
  const api = (change) => changed(openapi, (it) => change(it.paths["/v1/weather/{city}"].get, it));
  const terms = (change) => changed(weather, (it) => change(it.extensions.bazaar, it));
  const codes = (value) => detailed(value).issues.map((issue) => issue.code);
  const nested = { city: { $ref: "#/$defs/City" } };
  const definitions = { City: { type: "string" } };
  const found = {
    "currency USDC": zod(StructuredPaymentInfoSchema, info((it) => (it.price.currency = "USDC"))).length > 0,
    "a decimal amount beside the price": validateMpp(api((it) => (it["x-payment-info"].amount = "0.001"))).length > 0,
    "offers beside a flat amount":
      validateMpp(api((it) => Object.assign(it["x-payment-info"], { offers: [{ amount: "1" }], amount: "1" }))).length > 0,
    "no 402": validateMpp(api((it) => delete it.responses["402"])).length > 0,
    "no query parameters": codes(
      terms((it) => {
        delete it.info.input.queryParams;
        delete it.schema.properties.input.properties.queryParams;
      }),
    ).includes("SCHEMA_INPUT_MISSING"),
    "no output schema": codes(terms((it) => delete it.schema.properties.output)).includes("SCHEMA_OUTPUT_MISSING"),
    "definitions that stay nested":
      extension(
        terms((it) => {
          Object.assign(it.schema.properties.input.properties.pathParams, { properties: nested, $defs: definitions });
        }).extensions.bazaar,
      ).length > 0,
    "an $id": extension(terms((it) => (it.schema.properties.input.$id = "https://example.com/x")).extensions.bazaar).length > 0,
    "an example that does not fit":
      extension(terms((it) => (it.info.input.pathParams.city = 7)).extensions.bazaar).length > 0,
    "a reference that leads nowhere": !(
      await validateOpenApi(
        api((it) => (it.responses["200"].content["application/json"].schema = { $ref: "#/components/schemas/Nobody" })),
      )
    ).valid,
    "a tool without a schema of objects":
      zod(ListToolsResultSchema, changed(list, (it) => (it.tools[0].inputSchema = { type: "string" }))).length > 0,
  };
  for (const [control, refused] of Object.entries(found)) {
    tell("control", control, refused ? [] : ["was accepted"]);
  }
}

const folder = process.argv[2];
// Some of the packages log to standard output, where only the verdicts belong.
console.log = console.error;
console.warn = console.error;
console.info = console.error;
for (const name of readdirSync(folder).sort()) {
  const at = (file) => join(folder, name, file);
  await openApi(name, read(at("openapi.json")), read(at("openapi-3.0.json")));
  for (const file of readdirSync(at("402")).sort()) required(`${name}/402/${file}`, read(at(`402/${file}`)));
  tools(name, read(at("mcp-tools.json")));
  // The faults are made in this one.
  if (name === "example") await controls(at(""));
}
process.stdout.write(JSON.stringify(verdicts));
