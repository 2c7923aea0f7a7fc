"""Sells through Permit2 with x402 and FastAPI: schemes exact and upto, with permits that the facilitator pays for."""

from env import serve, setting
from fastapi import FastAPI, Response
from x402.extensions.eip2612_gas_sponsoring import declare_eip2612_gas_sponsoring_extension
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.middleware.fastapi import payment_middleware, set_settlement_overrides
from x402.mechanisms.evm.exact import register_exact_evm_server
from x402.mechanisms.evm.upto import UptoEvmServerScheme
from x402.server import x402ResourceServer

NETWORK = "eip155:84532"


def costs(scheme: str, amount: str) -> dict:
    extra = {"assetTransferMethod": "permit2", "name": "USDC", "version": "2"}
    price = {"asset": setting("PEER_ASSET"), "amount": amount, "extra": extra}
    offer = {"scheme": scheme, "price": price, "network": NETWORK}
    return {
        "accepts": {**offer, "payTo": setting("PEER_PAY_TO")},
        "extensions": declare_eip2612_gas_sponsoring_extension(),
    }


facilitator = HTTPFacilitatorClient(FacilitatorConfig(url=setting("PEER_FACILITATOR_URL")))
server = register_exact_evm_server(x402ResourceServer(facilitator), NETWORK)
server.register(NETWORK, UptoEvmServerScheme())
routes = {"GET /exact": costs("exact", "10000"), "GET /metered": costs("upto", "50000")}

app = FastAPI()
app.middleware("http")(payment_middleware(routes, server))


@app.get("/exact")
async def exact() -> dict:
    return {"celsius": 21}


@app.get("/metered")
async def metered(response: Response) -> dict:
    set_settlement_overrides(response, {"amount": "12345"})
    return {"celsius": 23}


serve(app)
