// Sells with @x402/express, version 2.
import express from "express";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { listen, setting } from "./env.mjs";

const network = "eip155:84532";
const facilitator = new HTTPFacilitatorClient({ url: setting("PEER_FACILITATOR_URL") });
const server = new x402ResourceServer(facilitator).register(network, new ExactEvmScheme());
const costs = (price) => ({
  accepts: { scheme: "exact", price, network, payTo: setting("PEER_PAY_TO") },
});

const app = express();
app.use(paymentMiddleware({ "GET /weather": costs("$0.01"), "POST /echo": costs("$0.02") }, server));
app.get("/weather", (_, response) => response.json({ celsius: 21 }));
app.post("/echo", express.json(), (request, response) => response.json({ echo: request.body }));
listen(app);
