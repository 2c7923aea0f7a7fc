"""Buys with x402 over httpx: version 2, and version 1 from sellers that speak nothing else."""

import asyncio

from env import call, key, report
from eth_account import Account
from x402 import x402Client
from x402.http.clients.httpx import wrapHttpxWithPayment
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.mechanisms.evm.signers import EthAccountSigner


async def main() -> None:
    client = x402Client()
    register_exact_evm_client(client, EthAccountSigner(Account.from_key(key())))
    made = call()
    body = made.pop("body", None)
    async with wrapHttpxWithPayment(client, timeout=60) as http:
        answer = await http.request(**made, content=body)
        report(answer.status_code, answer.headers, answer.text)


asyncio.run(main())
