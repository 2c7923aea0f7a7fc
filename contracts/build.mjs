// Compiles src/**/*.sol with the pinned npm `solc` and writes one JSON file per contract.
//
//   node build.mjs                      writes ./artifacts and the sandbox's copies of its contracts
//   node build.mjs --out DIR            writes only into DIR (the test compares it with what is committed)
//   node build.mjs --modules DIR        where node_modules with `solc` is (default: beside this file)
//
// The settings leave no trace of the machine in the bytecode: no metadata, fixed optimizer, fixed EVM version.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : resolve(process.argv[at + 1]);
};
const outside = option("--out");
const solc = createRequire(join(option("--modules") ?? here, "package.json"))("solc");

const source = join(here, "src");
const files = readdirSync(source, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith(".sol"))
  .map((file) => relative(here, join(source, file)).split(sep).join("/"))
  .sort();

// The sandbox must build from its own crate's files alone, so it keeps a copy of these.
const copies = {
  TestUsd: "test_usd.hex",
  TestPermitToken: "test_permit_token.hex",
  TestPermit2: "test_permit2.hex",
  TestExactProxy: "test_exact_proxy.hex",
  TestUptoProxy: "test_upto_proxy.hex",
};

const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "paris",
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: Object.fromEntries(files.map((file) => [file, { content: readFileSync(join(here, file), "utf8") }])),
      settings,
    }),
  ),
);
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
if ((output.errors ?? []).length > 0) process.exit(1);

const target = outside ?? join(here, "artifacts");
mkdirSync(target, { recursive: true });
for (const file of files) {
  for (const [name, contract] of Object.entries(output.contracts[file] ?? {})) {
    const creation = contract.evm.bytecode.object;
    if (creation === "" || name === "Keys") continue;
    const artifact = {
      contract: name,
      source: file,
      compiler: solc.version(),
      evmVersion: settings.evmVersion,
      optimizerRuns: settings.optimizer.runs,
      abi: contract.abi,
      creation: `0x${creation}`,
      runtime: `0x${contract.evm.deployedBytecode.object}`,
    };
    writeFileSync(join(target, `${name}.json`), `${JSON.stringify(artifact, null, 1)}\n`);
    if (name in copies) {
      const copy = outside ?? join(here, "..", "x402-runtime", "src", "sandbox");
      mkdirSync(copy, { recursive: true });
      writeFileSync(join(copy, copies[name]), `${contract.evm.deployedBytecode.object}\n`);
    }
    console.log(`${name}: ${contract.evm.deployedBytecode.object.length / 2} bytes`);
  }
}
