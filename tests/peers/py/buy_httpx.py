"""Buys with x402 over httpx: version 2, exact and upto, and version 1 from sellers that speak nothing else."""

import asyncio

from env import call, report
from wallet import equipped
from x402 import x402Client
from x402.http.clients.httpx import wrapHttpxWithPayment


async def main() -> None:
    made = call()
    body = made.pop("body", None)
    async with wrapHttpxWithPayment(equipped(x402Client()), timeout=60) as http:
        answer = await http.request(**made, content=body)
        report(answer.status_code, answer.headers, answer.text)


asyncio.run(main())
