"""Buys with x402 over requests: version 2, and version 1 from sellers that speak nothing else."""

from env import call, key, report
from eth_account import Account
from x402 import x402ClientSync
from x402.http.clients.requests import x402_requests
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.mechanisms.evm.signers import EthAccountSigner

client = x402ClientSync()
register_exact_evm_client(client, EthAccountSigner(Account.from_key(key())))
made = call()
body = made.pop("body", None)
with x402_requests(client) as http:
    answer = http.request(**made, data=body, timeout=60)
    report(answer.status_code, answer.headers, answer.text)
