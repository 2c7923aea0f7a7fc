"""Buys with x402 1.0 over requests, version 1."""

from env import call, key, report
from eth_account import Account
from x402.clients.requests import x402_requests

# The dearest route costs 0.50 USDC.
http = x402_requests(Account.from_key(key()), max_value=500_000)
made = call()
body = made.pop("body", None)
answer = http.request(**made, data=body, timeout=60)
report(answer.status_code, answer.headers, answer.text)
