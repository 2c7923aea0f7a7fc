// Sells with x402-express, version 1.
import express from "express";
import { paymentMiddleware } from "x402-express";
import { listen, setting } from "./env.mjs";

const costs = (price) => ({
  price,
  network: "base-sepolia",
  config: { description: "A test", mimeType: "application/json" },
});

const app = express();
app.use(
  paymentMiddleware(
    setting("PEER_PAY_TO"),
    { "GET /weather": costs("$0.01"), "POST /echo": costs("$0.02") },
    { url: setting("PEER_FACILITATOR_URL") },
  ),
);
app.get("/weather", (_, response) => response.json({ celsius: 21 }));
app.post("/echo", express.json(), (request, response) => response.json({ echo: request.body }));
listen(app);
