"""Buys with x402 1.0 over httpx, version 1."""

import asyncio

from env import call, key, report
from eth_account import Account
from x402.clients.httpx import x402HttpxClient


async def main() -> None:
    made = call()
    body = made.pop("body", None)
    # The dearest route costs 0.50 USDC.
    async with x402HttpxClient(Account.from_key(key()), max_value=500_000, timeout=60) as http:
        answer = await http.request(**made, content=body)
        report(answer.status_code, answer.headers, await answer.aread() and answer.text)


asyncio.run(main())
