"""Sells with x402 and FastAPI, version 2."""

from env import serve, setting
from fastapi import FastAPI, Request
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.middleware.fastapi import payment_middleware
from x402.mechanisms.evm.exact import register_exact_evm_server
from x402.server import x402ResourceServer

NETWORK = "eip155:84532"


def costs(price: str) -> dict:
    offer = {"scheme": "exact", "price": price, "network": NETWORK}
    return {"accepts": {**offer, "payTo": setting("PEER_PAY_TO")}}


facilitator = HTTPFacilitatorClient(FacilitatorConfig(url=setting("PEER_FACILITATOR_URL")))
server = register_exact_evm_server(x402ResourceServer(facilitator), NETWORK)
gate = payment_middleware({"GET /weather": costs("$0.01"), "POST /echo": costs("$0.02")}, server)

app = FastAPI()
app.middleware("http")(gate)


@app.get("/weather")
async def weather() -> dict:
    return {"celsius": 21}


@app.post("/echo")
async def echo(request: Request) -> dict:
    return {"echo": await request.json()}


serve(app)
