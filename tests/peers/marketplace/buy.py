"""Goes through the list of tests/tests/marketplace/list.rs with the Python client, and prints a line of JSON for each call.

PEER_MODE says which of the two clients buys: `sync` or `async`.
"""

import asyncio
import inspect
import json
import os
from dataclasses import asdict
from pathlib import Path

import httpx
import marketplace_client as market
from eth_account import Account
from x402.extensions.sign_in_with_x import SIGN_IN_WITH_X
from x402.extensions.sign_in_with_x.client import create_siwx_payload
from x402.extensions.sign_in_with_x.encode import encode_siwx_header
from x402.http import x402HTTPClientSync
from x402.mechanisms.evm.signers import EthAccountSignerWithRPC
from x402 import x402ClientSync

ACCOUNT = Account.from_key(Path(os.environ["PEER_KEY_FILE"]).read_text().strip())
ASYNC = os.environ["PEER_MODE"] == "async"
MARKET = os.environ["PEER_MARKET"]


async def signed_in(request, response):
    """The same request once more, with the challenge of the answer signed."""
    http = x402HTTPClientSync(x402ClientSync())
    terms = http.get_payment_required_response(response.headers.get, response.content)
    extension = terms.extensions[SIGN_IN_WITH_X]
    info = {**extension["info"], **extension["supportedChains"][0]}
    payload = await create_siwx_payload(info, ACCOUNT, str(request.url))
    headers = [*request.headers.raw, (SIGN_IN_WITH_X.encode(), encode_siwx_header(payload).encode())]
    return httpx.Request(request.method, request.url, headers=headers, content=request.content)


class SignIn(httpx.HTTPTransport):
    """The client signs payments; signing in is a matter of what it sends its requests through."""

    def handle_request(self, request):
        response = super().handle_request(request)
        if response.status_code != 402:
            return response
        response.read()
        return super().handle_request(asyncio.run(signed_in(request, response)))


class AsyncSignIn(httpx.AsyncHTTPTransport):
    """The same for the client that is awaited."""

    async def handle_async_request(self, request):
        response = await super().handle_async_request(request)
        if response.status_code != 402:
            return response
        await response.aread()
        return await super().handle_async_request(await signed_in(request, response))


def client(base, total, sign_in=False, budget=None, signer=None):
    budget = budget or market.Budget(total, "0.60")
    # With a node it signs the permits for Permit2 that the seller pays for.
    signer = signer or EthAccountSignerWithRPC(ACCOUNT, os.environ["PEER_RPC_URL"])
    of_kind, transport = (market.AsyncClient, AsyncSignIn) if ASYNC else (market.Client, SignIn)
    given = {"transport": transport()} if sign_in else {}
    return of_kind(market.evm_payer(signer), budget, base=base, **given), budget


async def count(words):
    """How many words a stream has, whether it is awaited or not."""
    listed = [word async for word in words] if ASYNC else list(words)
    return len([word for word in listed if isinstance(word.text, str)])


async def buy(call, budget, quote, make, show):
    """Makes a call and prints what came of it."""
    said = {"call": call, "quote": {"kind": quote.kind, "most": quote.most}}
    try:
        paid = make()
        if inspect.isawaitable(paid):
            paid = await paid
        value = show(paid.value)
        said["value"] = await value if inspect.isawaitable(value) else value
        # What a stream cost is known when it has ended.
        said["receipt"] = asdict(paid.receipt) if paid.receipt is not None else None
    except market.CallError as error:
        said["refused"] = [error.code, error.charged]
    print(json.dumps({**said, "spent": budget.spent}), flush=True)


async def close(client):
    """Closes the connections."""
    if ASYNC:
        await client.aclose()
    else:
        client.close()


async def main():
    quotes = market.Quotes
    first, budget = client(MARKET, "1")
    await buy("weather", budget, quotes.weather(city="oslo"), lambda: first.weather(city="oslo"), lambda it: it.city)
    short = "Agents pay."
    for call, body in [
        ("summarize_fast", market.SummaryRequest(text=short, sentences=1, quality="fast")),
        ("summarize_long", market.SummaryRequest(text="x" * 5000 + ".", sentences=1, quality="fast")),
        ("summarize_best", market.SummaryRequest(text=short, sentences=1)),
    ]:
        quote = quotes.summarize(body=body)
        await buy(call, budget, quote, lambda body=body: first.summarize(body=body), lambda it: it.sentences_read)
    prompt = market.CompletionRequest(prompt="agents pay sellers", max_words=20)
    quote = quotes.complete(body=prompt)
    await buy("complete", budget, quote, lambda: first.complete(body=prompt), lambda it: it.usage.model_dump())
    quote = quotes.complete_streamed(body=prompt)
    await buy("complete_streamed", budget, quote, lambda: first.complete_streamed(body=prompt), count)
    await buy("report", budget, quotes.report(), first.report, lambda it: it.model_dump())
    for call in ["quote", "quote_again"]:
        await buy(call, budget, quotes.quote(), first.quote, str)
    known, _ = client(MARKET, "1", sign_in=True, budget=budget)
    for call in ["sample_1", "sample_2", "sample_3"]:
        await buy(call, budget, quotes.sample(), known.sample, str)
    await buy("sample_paid", budget, quotes.sample(), first.sample, str)
    # A route that costs nothing stands in no manifest.
    health = httpx.get(MARKET + "/health").json()["status"]
    print(json.dumps({"call": "health", "value": health, "spent": budget.spent}), flush=True)

    careful, of_careful = client(MARKET, "1")
    empty = market.SummaryRequest(text=" ", sentences=1, quality="fast")
    await buy("empty", of_careful, quotes.summarize(body=empty), lambda: careful.summarize(body=empty), str)
    bare, of_bare = client(MARKET, "1", signer=ACCOUNT)
    unpaid = quotes.complete(body=prompt)
    await buy("without_approval", of_bare, unpaid, lambda: bare.complete(body=prompt), str)
    dear, of_dear = client(os.environ["PEER_DEAR"], "1")
    oslo = quotes.weather(city="oslo")
    await buy("dear", of_dear, oslo, lambda: dear.weather(city="oslo"), str)
    capped = market.CallOptions(max_cost="0.009")
    await buy("capped", of_careful, oslo, lambda: careful.weather(city="oslo", options=capped), str)
    poor, of_poor = client(MARKET, "0.015")
    await buy("weather_of_the_poor", of_poor, oslo, lambda: poor.weather(city="oslo"), lambda it: it.city)
    await buy("poor", of_poor, oslo, lambda: poor.weather(city="oslo"), str)
    for one in [first, known, careful, bare, dear, poor]:
        await close(one)


# The sync client is called from no running loop: signing in has one of its own.
def drive(steps):
    try:
        steps.send(None)
    except StopIteration:
        return
    raise RuntimeError("the sync client waits for nothing")


if ASYNC:
    asyncio.run(main())
else:
    drive(main())
