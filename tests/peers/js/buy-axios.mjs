// Buys with @x402/axios, version 2.
import axios from "axios";
import { wrapAxiosWithPaymentFromConfig } from "@x402/axios";
import { ExactEvmScheme } from "@x402/evm";
import { privateKeyToAccount } from "viem/accounts";
import { call, key, report } from "./env.mjs";

const api = wrapAxiosWithPaymentFromConfig(axios.create({ proxy: false, responseType: "text" }), {
  schemes: [{ network: "eip155:84532", client: new ExactEvmScheme(privateKeyToAccount(key())) }],
});
const { url, method, body } = call();
const headers = body ? { "content-type": "application/json" } : {};
const answer = await api.request({ url, method, data: body, headers });
report(answer.status, answer.headers, answer.data);
