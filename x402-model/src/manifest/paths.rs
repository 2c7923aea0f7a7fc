//! Where a service shows its documents: the one table of their paths.

/// The price manifest.
pub const MANIFEST: &str = "/.well-known/x402-manifest.json";

/// The OpenAPI document.
pub const OPENAPI: &str = "/openapi.json";

/// The OpenAPI document for readers of version 3.0.
pub const OPENAPI_30: &str = "/openapi-3.0.json";

/// The page for language models.
pub const LLMS_TXT: &str = "/llms.txt";

/// The tools of an MCP server that sells the same calls: the answer of its `tools/list`.
pub const MCP_TOOLS: &str = "/mcp-tools.json";

/// The API catalog of RFC 9727.
pub const API_CATALOG: &str = "/.well-known/api-catalog";

/// What crawlers of several formats look for.
pub const WELL_KNOWN_X402: &str = "/.well-known/x402";

/// The A2A agent card.
pub const AGENT_CARD: &str = "/.well-known/agent-card.json";

/// The documents that a manifest links to: the names of the links, and where the documents are unless a link says otherwise.
pub const LINKS: [(&str, &str); 6] = [
    ("self", MANIFEST),
    ("openapi", OPENAPI),
    ("wellKnownX402", WELL_KNOWN_X402),
    ("llmsTxt", LLMS_TXT),
    ("apiCatalog", API_CATALOG),
    ("mcpTools", MCP_TOOLS),
];
