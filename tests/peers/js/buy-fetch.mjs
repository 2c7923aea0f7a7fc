// Buys with @x402/fetch: version 2, exact and upto, and version 1 from sellers that speak nothing else.
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { ExactEvmScheme } from "@x402/evm";
import { UptoEvmScheme } from "@x402/evm/upto/client";
import { ExactEvmSchemeV1 } from "@x402/evm/v1";
import { privateKeyToAccount } from "viem/accounts";
import { call, key, report } from "./env.mjs";

const network = "eip155:84532";
const account = privateKeyToAccount(key());
// With a node it signs permits for Permit2 where the seller takes them.
const { PEER_RPC_URL: rpcUrl, PEER_ASSET: asset } = process.env;
const pay = wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [
    { network, client: new ExactEvmScheme(account, { rpcUrl }) },
    { network, client: new UptoEvmScheme(account, { rpcUrl }) },
    { network: "base-sepolia", client: new ExactEvmSchemeV1(account), x402Version: 1 },
  ],
  // By itself it takes the first offer, and only in tokens that it knows.
  ...(asset && {
    policies: [(_, offers) => offers.filter((offer) => offer.asset === asset)],
    spendControls: false,
  }),
});
const { url, method, body } = call();
const headers = body ? { "content-type": "application/json" } : {};
const answer = await pay(url, { method, body, headers });
report(answer.status, answer.headers, await answer.text());
