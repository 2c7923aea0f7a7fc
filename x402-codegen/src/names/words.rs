//! Words that have a meaning already.

/// Not identifiers in Rust, or names that every generated function uses.
#[rustfmt::skip]
pub(super) const RUST_WORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match",
    "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait",
    "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Not identifiers in Python, builtins that generated code uses, and names that pydantic gives a meaning.
#[rustfmt::skip]
pub(super) const PYTHON_WORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "case", "class", "continue", "def", "del", "elif", "else",
    "except", "false", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match", "none",
    "nonlocal", "not", "or", "pass", "raise", "return", "self", "true", "try", "type", "while", "with", "yield",
    "bool", "bytes", "construct", "copy", "dict", "field", "fields", "float", "int", "json", "list", "object",
    "property", "schema", "schema_json", "set", "str", "tuple", "update_forward_refs", "validate", "parse_file",
    "parse_obj", "parse_raw", "from_orm", "any", "literal", "optional", "union", "cls", "request", "options",
    "print",
];

/// Types that exist already in one of the languages or in the generated support code.
#[rustfmt::skip]
pub(crate) const TYPE_WORDS: &[&str] = &[
    // Rust
    "Box", "Vec", "String", "Option", "Some", "None", "Result", "Ok", "Err", "Self", "Send", "Sync", "Sized", "Drop",
    "Fn", "FnMut", "FnOnce", "Clone", "Copy", "Debug", "Default", "Display", "From", "Into", "TryFrom", "TryInto",
    "Iterator", "IntoIterator", "Eq", "Ord", "Hash", "ToString", "ToOwned", "AsRef", "AsMut", "Value", "BTreeMap",
    "Bool", "Str", "Char", "U8", "U16", "U32", "U64", "I8", "I16", "I32", "I64", "F32", "F64", "Usize", "Isize",
    "Serialize", "Deserialize", "Cow",
    // TypeScript
    "Any", "Array", "ArrayBuffer", "BigInt", "Boolean", "Date", "Error", "Infinity", "Intl", "JSON", "Map", "Math",
    "NaN", "Never", "Null", "Number", "Object", "Partial", "Pick", "Promise", "Proxy", "Readonly", "Reflect",
    "RegExp", "Request", "RequestInit", "Required", "Response", "Set", "Symbol", "Undefined", "Unknown", "URL",
    "Void", "WeakMap", "Blob", "Buffer", "Headers", "TextDecoder", "TextEncoder", "AbortSignal", "AsyncGenerator",
    "Extract", "Exclude", "Omit", "Uint8Array",
    // Python
    "True", "False", "Exception", "ValueError", "TypeError", "Literal", "Optional", "Union", "List", "Dict", "Tuple",
    "BaseModel", "ConfigDict", "Field", "Model", "Enum", "Fraction", "Decimal", "Bytes", "Int", "Float", "Callable",
    "ClassVar", "Generic", "TypeVar", "Generator", "AsyncIterator", "RootModel", "TypeAdapter", "Annotated", "Cutter", "Events", "Following",
    // Support code
    "Allowed", "Answered", "Argument", "Attempt", "Bounds", "Budget", "BudgetExceeded", "Call", "CallOptions", "Client",
    "AsyncClient", "Charged", "Cost", "CostAboveMax", "Decode", "Endpoint", "EndpointInfo", "Fetch", "Headed", "Mock",
    "MockTransport", "Money", "OutcomeUnknown", "Pages", "Paid", "Payer", "Payment", "PaymentPayload",
    "PaymentRequired", "Pending", "Pin", "Price", "PriceAboveContract", "PriceModel", "PriceRule", "PriceUnit",
    "Problem", "Quote", "Ratio", "Receipt", "Reservation", "ServiceError", "Support", "Wire", "Wallet", "Policy",
    "Action", "InvalidArgument", "NothingAcceptable", "TermsUnreadable", "NotSigned", "Unreachable", "DecodeError", "SetupError", "A", "D", "E", "T", "U", "K", "V",
    "Declined", "UnexpectedAnswer", "SpendCapReached", "Prices", "ClientOptions", "CallError", "Core", "DryRun", "JsonValue", "KnownError", "MockMode", "Place", "Tier", "Reading", "NoPrice", "ApiModel", "Quotes", "MockPayer", "Tag", "Discriminator", "TypeAliasType", "Protocol", "UptoEvmScheme", "ExactEvmScheme", "PaymentRequirements", "Mapping", "ApproveHook", "JsonValue", "Name", "Missing", "Members", "Parts",
];
