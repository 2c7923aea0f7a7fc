// Buys with @x402/fetch: version 2, and version 1 from sellers that speak nothing else.
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { ExactEvmScheme } from "@x402/evm";
import { ExactEvmSchemeV1 } from "@x402/evm/v1";
import { privateKeyToAccount } from "viem/accounts";
import { call, key, report } from "./env.mjs";

const account = privateKeyToAccount(key());
const pay = wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [
    { network: "eip155:84532", client: new ExactEvmScheme(account) },
    { network: "base-sepolia", client: new ExactEvmSchemeV1(account), x402Version: 1 },
  ],
});
const { url, method, body } = call();
const headers = body ? { "content-type": "application/json" } : {};
const answer = await pay(url, { method, body, headers });
report(answer.status, answer.headers, await answer.text());
