// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {MintableToken} from "../TestPermitToken.sol";

/// Like DAI: no signed transfers, and signed approvals of a form of its own, all or nothing. A facilitator that calls
/// EIP-2612's `permit` finds no such function.
contract DaiLikeToken is MintableToken {
    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)");

    mapping(address => uint256) public nonces;

    function version() external view returns (string memory) {
        return domainVersion;
    }

    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparator();
    }

    function permit(
        address holder,
        address spender,
        uint256 nonce,
        uint256 expiry,
        bool allowed,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        require(expiry == 0 || block.timestamp <= expiry, "permit is expired");
        require(nonce == nonces[holder]++, "invalid permit nonce");
        bytes32 digest = _digest(keccak256(abi.encode(PERMIT_TYPEHASH, holder, spender, nonce, expiry, allowed)));
        address signer = ecrecover(digest, v, r, s);
        require(signer != address(0) && signer == holder, "invalid permit signature");
        _approve(holder, spender, allowed ? type(uint256).max : 0);
    }
}

/// Like WETH: nothing signed at all, and a fallback that takes any call without a word.
contract WethLikeToken is MintableToken {
    fallback() external payable {
        _deposit();
    }

    receive() external payable {
        _deposit();
    }

    function _deposit() private {
        balanceOf[msg.sender] += msg.value;
        totalSupply += msg.value;
    }
}

/// Moves less than it was asked for, and says so in its event only.
contract ShortTransferToken is MintableToken {
    function _move(address from, address to, uint256 value) internal override {
        super._move(from, to, value - value / 100);
    }
}
