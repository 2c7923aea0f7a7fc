"""Buys with x402 over requests: version 2, exact and upto, and version 1 from sellers that speak nothing else."""

from env import call, report
from wallet import equipped
from x402 import x402ClientSync
from x402.http.clients.requests import x402_requests

made = call()
body = made.pop("body", None)
with x402_requests(equipped(x402ClientSync())) as http:
    answer = http.request(**made, data=body, timeout=60)
    report(answer.status_code, answer.headers, answer.text)
