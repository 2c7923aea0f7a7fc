// Compiles Permit2 from its published source with the compiler and the settings it was deployed with.
//
//   node build.mjs --modules DIR --out FILE     DIR holds node_modules; FILE gets the run-time code as hex
//
// The immutables stay zero, so the code believes it was deployed on chain 0 and computes its domain anew on every call:
// it can be placed on a chain of any id.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const option = (name) => resolve(process.argv[process.argv.indexOf(name) + 1]);
const modules = option("--modules");
const require = createRequire(join(modules, "package.json"));
const solc = require("solc");

const permit2 = join(modules, "node_modules/@uniswap/v4-periphery/lib/permit2");
const main = "src/Permit2.sol";
const read = (path) => readFileSync(join(permit2, path.startsWith("solmate/") ? "lib" : ".", path), "utf8");

const input = {
  language: "Solidity",
  sources: { [main]: { content: read(main) } },
  settings: {
    viaIR: true,
    optimizer: { enabled: true, runs: 1000000 },
    metadata: { bytecodeHash: "none" },
    outputSelection: { [main]: { Permit2: ["evm.deployedBytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (path) => ({ contents: read(path) }) }));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
if ((output.errors ?? []).some((problem) => problem.severity === "error")) process.exit(1);
writeFileSync(option("--out"), `${output.contracts[main].Permit2.evm.deployedBytecode.object}\n`);
