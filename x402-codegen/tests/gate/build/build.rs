//! Writes the client of a service before the crate is compiled.

fn main() -> Result<(), x402_codegen::build::BuildError> {
    x402_codegen::build::client("service.json", "service")
}
