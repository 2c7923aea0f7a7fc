"""What the buyers with x402 2 pay with: every scheme for EVM that both of them take."""

import os

from env import key
from eth_account import Account
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.mechanisms.evm.signers import EthAccountSigner, EthAccountSignerWithRPC
from x402.mechanisms.evm.upto import UptoEvmClientScheme


def equipped(client):
    """Gives a client the account that acts: exact in versions 1 and 2, and upto."""
    account = Account.from_key(key())
    # With a node it signs permits for Permit2 where the seller takes them.
    node = os.environ.get("PEER_RPC_URL")
    signer = EthAccountSignerWithRPC(account, node) if node else EthAccountSigner(account)
    register_exact_evm_client(client, signer)
    client.register("eip155:*", UptoEvmClientScheme(signer))
    if asset := os.environ.get("PEER_ASSET"):
        # By itself it takes the first offer, and only in tokens that it knows.
        client.set_spend_controls(False)
        client.register_policy(lambda _, offers: [offer for offer in offers if offer.asset == asset])
    return client
