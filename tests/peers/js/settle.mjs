// A facilitator made of @x402/core and @x402/evm: versions 1 and 2, EIP-3009 and Permit2, exact and upto.
import express from "express";
import { createWalletClient, http, publicActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { baseSepolia } from "viem/chains";
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { registerExactEvmScheme } from "@x402/evm/exact/facilitator";
import { UptoEvmScheme } from "@x402/evm/upto/facilitator";
import { key, listen, setting } from "./env.mjs";

const account = privateKeyToAccount(key());
const wallet = createWalletClient({
  account,
  chain: baseSepolia,
  transport: http(setting("PEER_RPC_URL")),
  pollingInterval: 100,
}).extend(publicActions);
const signer = toFacilitatorEvmSigner(Object.assign(wallet, { address: account.address }));
const facilitator = new x402Facilitator();
registerExactEvmScheme(facilitator, { signer, networks: "eip155:84532" });
facilitator.register("eip155:84532", new UptoEvmScheme(signer));

const app = express();
app.use(express.json());
app.get("/supported", (_, response) => response.json(facilitator.getSupported()));
for (const step of ["verify", "settle"]) {
  app.post(`/${step}`, async (request, response) => {
    try {
      const { paymentPayload, paymentRequirements } = request.body;
      const answer = await facilitator[step](paymentPayload, paymentRequirements);
      if (!(answer.isValid ?? answer.success)) console.error(answer);
      response.json(answer);
    } catch (error) {
      console.error(error);
      response.status(500).json({ error: String(error) });
    }
  });
}
listen(app);
