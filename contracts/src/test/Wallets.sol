// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// Recovers the key behind a 65-byte signature; zero for anything else.
library Keys {
    function recover(bytes32 hash, bytes calldata signature) internal pure returns (address) {
        if (signature.length < 65) return address(0);
        return ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
    }
}

/// A wallet that approves what its owner's key has signed. Bytes after the first 65 are ignored, so that tests can
/// make signatures of any length.
contract ERC1271Wallet {
    address public immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        address signer = Keys.recover(hash, signature);
        return signer != address(0) && signer == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

/// Code for an EIP-7702 delegation: the account's own key stays its ERC-1271 signer.
contract SelfSignerDelegate {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        address signer = Keys.recover(hash, signature);
        return signer != address(0) && signer == address(this) ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

/// Code for an EIP-7702 delegation that knows nothing of ERC-1271.
contract MuteDelegate {
    receive() external payable {}
}

/// Deploys wallets at addresses known in advance: the factory of an ERC-6492 signature.
contract WalletFactory {
    event Deployed(address wallet);

    function deploy(address owner, bytes32 salt) external returns (address) {
        ERC1271Wallet wallet = new ERC1271Wallet{salt: salt}(owner);
        emit Deployed(address(wallet));
        return address(wallet);
    }

    function predict(address owner, bytes32 salt) external view returns (address) {
        bytes32 codeHash = keccak256(abi.encodePacked(type(ERC1271Wallet).creationCode, abi.encode(owner)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, codeHash)))));
    }
}

/// The one function of Multicall3 that simulating an undeployed wallet's payment needs.
contract TryAggregate {
    struct Call {
        address target;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    function tryAggregate(bool requireSuccess, Call[] calldata calls)
        external
        payable
        returns (Result[] memory results)
    {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success, bytes memory data) = calls[i].target.call(calls[i].callData);
            require(success || !requireSuccess, "TryAggregate: call failed");
            results[i] = Result(success, data);
        }
    }
}
