//! A package around the module.

use serde_json::json;

use super::render;
use crate::error::CodegenError;
use crate::model::ClientModel;
use crate::package::{SourceFile, check_name, mark};

/// The files of an npm package: `package.json`, `tsconfig.json` and `src/index.ts`.
///
/// # Errors
/// [`CodegenError::PackageName`].
pub fn package(model: &ClientModel, name: &str) -> Result<Vec<SourceFile>, CodegenError> {
    check_name(name)?;
    let manifest = json!({
        "//": mark(),
        "name": name,
        "version": "0.1.0",
        "private": true,
        "type": "module",
        "exports": "./dist/index.js",
        "types": "./dist/index.d.ts",
        "scripts": { "build": "tsc" },
        "dependencies": { "@x402/evm": "^2.27.0", "@x402/fetch": "^2.27.0", "viem": "^2.57.0" },
        "devDependencies": { "typescript": "^5.9.0" },
    });
    let config = json!({
        "//": mark(),
        "compilerOptions": {
            "target": "ES2022",
            "module": "NodeNext",
            "lib": ["ES2022", "DOM", "DOM.AsyncIterable"],
            "strict": true,
            "skipLibCheck": true,
            "declaration": true,
            "rootDir": "src",
            "outDir": "dist",
        },
        "include": ["src"],
    });
    Ok(vec![
        SourceFile::new("package.json", format!("{manifest:#}\n")),
        SourceFile::new("tsconfig.json", format!("{config:#}\n")),
        SourceFile::new("src/index.ts", render(model)),
    ])
}
