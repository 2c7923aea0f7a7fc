// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// The one question that an ERC-1271 wallet answers.
interface ISignatureWallet {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
}

/// A stable-coin stand-in for tests and for the sandbox: EIP-20 with EIP-3009 transfers
/// and EIP-2612 approvals, as USDC has them.
///
/// Anybody may mint, so it is worth nothing and must never be sold as money. There is no constructor:
/// `initialize` sets the EIP-712 domain once, so the run-time code can be placed at any address
/// (a genesis account, `anvil_setCode`) and still have the domain of that address.
contract TestUsd {
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    /// Half of the order of secp256k1: a larger `s` is the malleable twin of a valid signature.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    bytes4 private constant ERC1271_MAGIC = 0x1626ba7e;

    string public name;
    string public symbol;
    string public version;
    uint8 public decimals;
    bool private initialized;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => mapping(bytes32 => bool)) internal spentNonces;
    mapping(address => uint256) public nonces;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    struct Terms {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    function initialize(string calldata name_, string calldata symbol_, string calldata version_, uint8 decimals_)
        external
    {
        require(!initialized, "TestUsd: already initialized");
        initialized = true;
        name = name_;
        symbol = symbol_;
        version = version_;
        decimals = decimals_;
    }

    /// Open to everybody: a test token.
    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        require(block.timestamp <= deadline, "TestUsd: permit is expired");
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        _checkSignature(owner, structHash, abi.encodePacked(r, s, v));
        _approve(owner, spender, value);
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= value, "TestUsd: amount exceeds allowance");
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        _move(from, to, value);
        return true;
    }

    /// Not cached: the domain must follow the address and the chain that the code is placed on.
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return keccak256(
            abi.encode(
                DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256(bytes(version)), block.chainid, address(this)
            )
        );
    }

    /// True when the nonce was used or cancelled: it does not tell which.
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool) {
        return spentNonces[authorizer][nonce];
    }

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _transferAuthorized(Terms(from, to, value, validAfter, validBefore, nonce), abi.encodePacked(r, s, v));
    }

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external {
        _transferAuthorized(Terms(from, to, value, validAfter, validBefore, nonce), signature);
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _receiveAuthorized(Terms(from, to, value, validAfter, validBefore, nonce), abi.encodePacked(r, s, v));
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external {
        _receiveAuthorized(Terms(from, to, value, validAfter, validBefore, nonce), signature);
    }

    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        _cancel(authorizer, nonce, abi.encodePacked(r, s, v));
    }

    function cancelAuthorization(address authorizer, bytes32 nonce, bytes memory signature) external {
        _cancel(authorizer, nonce, signature);
    }

    function _transferAuthorized(Terms memory terms, bytes memory signature) internal virtual {
        _checkTimes(terms);
        _requireUnspent(terms.from, terms.nonce);
        _checkSignature(terms.from, _termsHash(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, terms), signature);
        _useAndMove(terms);
    }

    function _receiveAuthorized(Terms memory terms, bytes memory signature) internal {
        require(terms.to == msg.sender, "TestUsd: caller is not the payee");
        _checkTimes(terms);
        _requireUnspent(terms.from, terms.nonce);
        _checkSignature(terms.from, _termsHash(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, terms), signature);
        _useAndMove(terms);
    }

    function _cancel(address authorizer, bytes32 nonce, bytes memory signature) internal {
        _requireUnspent(authorizer, nonce);
        bytes32 structHash = keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce));
        _checkSignature(authorizer, structHash, signature);
        spentNonces[authorizer][nonce] = true;
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function _approve(address owner, address spender, uint256 value) private {
        allowance[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    function _useAndMove(Terms memory terms) internal {
        spentNonces[terms.from][terms.nonce] = true;
        emit AuthorizationUsed(terms.from, terms.nonce);
        _move(terms.from, terms.to, terms.value);
    }

    function _move(address from, address to, uint256 value) internal virtual {
        require(to != address(0), "TestUsd: transfer to the zero address");
        uint256 balance = balanceOf[from];
        require(balance >= value, "TestUsd: amount exceeds balance");
        balanceOf[from] = balance - value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    function _checkTimes(Terms memory terms) internal view {
        require(block.timestamp > terms.validAfter, "TestUsd: authorization is not yet valid");
        require(block.timestamp < terms.validBefore, "TestUsd: authorization is expired");
    }

    function _requireUnspent(address authorizer, bytes32 nonce) internal view {
        require(!spentNonces[authorizer][nonce], "TestUsd: authorization is used or canceled");
    }

    function _termsHash(bytes32 typeHash, Terms memory terms) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                typeHash, terms.from, terms.to, terms.value, terms.validAfter, terms.validBefore, terms.nonce
            )
        );
    }

    /// Accounts with code answer for themselves (ERC-1271); all others sign with their key.
    function _checkSignature(address signer, bytes32 structHash, bytes memory signature) internal view virtual {
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR(), structHash));
        bool valid = signer.code.length == 0
            ? _signedByKey(signer, digest, signature)
            : _approvedByWallet(signer, digest, signature);
        require(valid, "TestUsd: invalid signature");
    }

    function _signedByKey(address signer, bytes32 digest, bytes memory signature) internal pure returns (bool) {
        if (signature.length != 65) return false;
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
        if (uint256(s) > MAX_S || (v != 27 && v != 28)) return false;
        address recovered = ecrecover(digest, v, r, s);
        return recovered != address(0) && recovered == signer;
    }

    function _approvedByWallet(address wallet, bytes32 digest, bytes memory signature)
        internal
        view
        returns (bool)
    {
        (bool answered, bytes memory answer) =
            wallet.staticcall(abi.encodeCall(ISignatureWallet.isValidSignature, (digest, signature)));
        return answered && answer.length >= 32 && bytes32(answer) == bytes32(ERC1271_MAGIC);
    }
}
