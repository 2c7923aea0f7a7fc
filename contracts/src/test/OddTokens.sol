// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {TestUsd} from "../TestUsd.sol";

/// Keeps one percent of every transfer: the payee gets less than was authorized.
contract FeeOnTransferToken is TestUsd {
    address public constant COLLECTOR = address(0xFEE);

    function _move(address from, address to, uint256 value) internal override {
        uint256 fee = value / 100;
        super._move(from, COLLECTOR, fee);
        super._move(from, to, value - fee);
    }
}

/// Reports a used nonce with an event of its own instead of reverting, so the call succeeds and moves nothing.
contract SilentNonceToken is TestUsd {
    event AuthorizationAlreadyUsed(address indexed authorizer, bytes32 indexed nonce);

    function _transferAuthorized(Terms memory terms, bytes memory signature) internal override {
        if (spentNonces[terms.from][terms.nonce]) {
            emit AuthorizationAlreadyUsed(terms.from, terms.nonce);
            return;
        }
        super._transferAuthorized(terms, signature);
    }
}

/// Says that the authorization was used, but its Transfer event is missing (`lie` 0), has another value (1),
/// another payee (2), or another payer (3). No balance moves.
contract LyingToken is TestUsd {
    uint8 public lie;

    function setLie(uint8 lie_) external {
        lie = lie_;
    }

    function _move(address from, address to, uint256 value) internal override {
        if (lie == 1) emit Transfer(from, to, value - 1);
        if (lie == 2) emit Transfer(from, from, value);
        if (lie == 3) emit Transfer(to, to, value);
    }
}

/// Burns `appetite` gas in each authorized transfer.
contract GasGuzzlerToken is TestUsd {
    uint256 public appetite;
    uint256 private sink;

    function setAppetite(uint256 gasToBurn) external {
        appetite = gasToBurn;
    }

    function _transferAuthorized(Terms memory terms, bytes memory signature) internal override {
        uint256 start = gasleft();
        uint256 goal = appetite;
        uint256 rounds;
        while (start - gasleft() < goal) rounds++;
        sink = rounds;
        super._transferAuthorized(terms, signature);
    }
}

/// Knows keys only: an ERC-1271 wallet's approval is worth nothing to it.
contract EcrecoverOnlyToken is TestUsd {
    function _checkSignature(address signer, bytes32 structHash, bytes memory signature) internal view override {
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR(), structHash));
        require(_signedByKey(signer, digest, signature), "EcrecoverOnlyToken: invalid signature");
    }
}

/// Has code and a balance, but nothing of EIP-3009.
contract PlainToken {
    mapping(address => uint256) public balanceOf;
    string public name = "Plain";
}
