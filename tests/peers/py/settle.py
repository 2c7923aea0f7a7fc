"""A facilitator made of x402 for Python: versions 1 and 2, EIP-3009 and Permit2, exact and upto."""

import os
import sys

from env import key, serve, setting
from fastapi import FastAPI, Request
from x402 import x402FacilitatorSync
from x402.mechanisms.evm.exact import register_exact_evm_facilitator
from x402.mechanisms.evm.signers import FacilitatorWeb3Signer
from x402.mechanisms.evm.upto import UptoEvmFacilitatorScheme
from x402.schemas import parse_payment_payload, parse_payment_requirements

facilitator = x402FacilitatorSync()
signer = FacilitatorWeb3Signer(key(), setting("PEER_RPC_URL"))
register_exact_evm_facilitator(facilitator, signer, "eip155:84532")
if os.environ.get("PEER_SCHEMES") != "exact":
    facilitator.register(["eip155:84532"], UptoEvmFacilitatorScheme(signer))
app = FastAPI()


@app.get("/supported")
def supported() -> dict:
    return facilitator.get_supported().model_dump(by_alias=True, exclude_none=True)


async def step(act, request: Request) -> dict:
    asked = await request.json()
    payment = parse_payment_payload(asked["paymentPayload"])
    terms = parse_payment_requirements(payment.x402_version, asked["paymentRequirements"])
    answer = act(payment, terms).model_dump(by_alias=True, exclude_none=True)
    if not answer.get("isValid", answer.get("success")):
        print(answer, file=sys.stderr, flush=True)
    return answer


@app.post("/verify")
async def verify(request: Request) -> dict:
    return await step(facilitator.verify, request)


@app.post("/settle")
async def settle(request: Request) -> dict:
    return await step(facilitator.settle, request)


serve(app)
