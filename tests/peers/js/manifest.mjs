// Checks the signatures of a price manifest with viem, and prints what it finds as JSON.
//
// Usage: node manifest.mjs <file>

import { readFileSync } from "node:fs";
import { isAddressEqual, recoverMessageAddress, recoverTypedDataAddress } from "viem";

const manifest = JSON.parse(readFileSync(process.argv[2], "utf8"));
const signatures = manifest.integrity.signatures;
const of = (format) => signatures.find((one) => one.format === format);

const statement = of("eip712");
const typed = {
  domain: { name: "x402 manifest", version: "1", chainId: 1 },
  types: {
    Manifest: [
      { name: "version", type: "uint256" },
      { name: "origin", type: "string" },
      { name: "serviceVersion", type: "string" },
      { name: "revision", type: "uint256" },
      { name: "contentHash", type: "bytes32" },
      { name: "issuedAt", type: "uint256" },
      { name: "validUntil", type: "uint256" },
    ],
  },
  primaryType: "Manifest",
};
const message = (payload) => ({
  ...payload,
  version: BigInt(payload.version),
  revision: BigInt(payload.revision),
  issuedAt: BigInt(payload.issuedAt),
  validUntil: BigInt(payload.validUntil),
});
const recover = (payload) => recoverTypedDataAddress({ ...typed, message: message(payload), signature: statement.signature });

const signer = await recover(statement.payload);
const other = await recover({ ...statement.payload, revision: statement.payload.revision + 1 });
const proof = of("eip191-origin");
const prover = await recoverMessageAddress({ message: manifest.service.origin, signature: proof.signature });
const hash = manifest.integrity.contentHash.replace("sha-256:", "0x");

console.log(
  JSON.stringify({
    signer,
    prover,
    signerIsNamed: isAddressEqual(signer, statement.signer),
    proverIsNamed: isAddressEqual(prover, proof.signer),
    hashIsSigned: statement.payload.contentHash === hash,
    anotherRevisionIsSomebodyElse: !isAddressEqual(other, signer),
  }),
);
