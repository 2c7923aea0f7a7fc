// Sells through Permit2 with @x402/express and settles by itself with @x402/core: schemes exact and upto, gas sponsored.
import express from "express";
import { createWalletClient, http, publicActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { baseSepolia } from "viem/chains";
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { registerExactEvmScheme } from "@x402/evm/exact/facilitator";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { UptoEvmScheme as UptoFacilitator } from "@x402/evm/upto/facilitator";
import { UptoEvmScheme } from "@x402/evm/upto/server";
import { paymentMiddleware, setSettlementOverrides, x402ResourceServer } from "@x402/express";
import {
  EIP2612_GAS_SPONSORING,
  createErc20ApprovalGasSponsoringExtension,
  declareEip2612GasSponsoringExtension,
  declareErc20ApprovalGasSponsoringExtension,
} from "@x402/extensions";
import { key, listen, setting } from "./env.mjs";

const network = "eip155:84532";
const account = privateKeyToAccount(key());
const wallet = createWalletClient({
  account,
  chain: baseSepolia,
  transport: http(setting("PEER_RPC_URL")),
  pollingInterval: 100,
}).extend(publicActions);
const signer = toFacilitatorEvmSigner(Object.assign(wallet, { address: account.address }));

/** Sends a buyer's approval and the settlement after it. */
async function sendTransactions(transactions) {
  const hashes = [];
  for (const transaction of transactions) {
    const hash =
      typeof transaction === "string"
        ? await wallet.sendRawTransaction({ serializedTransaction: transaction })
        : await wallet.sendTransaction({ to: transaction.to, data: transaction.data, gas: transaction.gas });
    await wallet.waitForTransactionReceipt({ hash });
    hashes.push(hash);
  }
  return hashes;
}

const facilitator = new x402Facilitator();
registerExactEvmScheme(facilitator, { signer, networks: network });
facilitator.register(network, new UptoFacilitator(signer));
facilitator.registerExtension(EIP2612_GAS_SPONSORING);
// No node simulates two transactions in a row: that the approval is good shows when it is sent.
const simulateTransactions = async () => true;
facilitator.registerExtension(
  createErc20ApprovalGasSponsoringExtension({ ...signer, sendTransactions, simulateTransactions }),
);
const inside = {
  getSupported: async () => facilitator.getSupported(),
  verify: (payment, terms) => facilitator.verify(payment, terms),
  settle: (payment, terms) => facilitator.settle(payment, terms),
};

const server = new x402ResourceServer(inside)
  .register(network, new ExactEvmScheme())
  .register(network, new UptoEvmScheme());
const costs = (scheme, asset, amount, extensions) => ({
  accepts: {
    scheme,
    network,
    payTo: setting("PEER_PAY_TO"),
    price: { asset, amount, extra: { assetTransferMethod: "permit2", name: "USDC", version: "2" } },
  },
  extensions,
});
const usdc = setting("PEER_ASSET");
const permit = declareEip2612GasSponsoringExtension();
const approval = declareErc20ApprovalGasSponsoringExtension();

const app = express();
app.use(
  paymentMiddleware(
    {
      "GET /exact": costs("exact", usdc, "10000", permit),
      "GET /metered": costs("upto", usdc, "50000", permit),
      "GET /wrapped": costs("exact", setting("PEER_SECOND_ASSET"), "10000", approval),
    },
    server,
  ),
);
app.get("/exact", (_, response) => response.json({ celsius: 21 }));
app.get("/wrapped", (_, response) => response.json({ celsius: 22 }));
app.get("/metered", (_, response) => {
  setSettlementOverrides(response, { amount: "12345" });
  response.json({ celsius: 23 });
});
listen(app);
