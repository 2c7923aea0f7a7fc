// Buys with x402-fetch, version 1.
import { createSigner, wrapFetchWithPayment } from "x402-fetch";
import { call, key, report } from "./env.mjs";

const signer = await createSigner("base-sepolia", key());
// Its own limit is 0.10 USDC; the dearest route costs 0.50.
const pay = wrapFetchWithPayment(fetch, signer, 500_000n);
const { url, method, body } = call();
const headers = body ? { "content-type": "application/json" } : {};
const answer = await pay(url, { method, body, headers });
report(answer.status, answer.headers, await answer.text());
