//! A package around the module.

use super::render;
use crate::error::CodegenError;
use crate::model::ClientModel;
use crate::package::{SourceFile, check_name, mark};

/// The files of a Python package: `pyproject.toml`, and `NAME/__init__.py` with a mark that it is typed.
///
/// It is private, as the packages of the other languages are: no index takes a package with that classifier.
///
/// # Errors
/// [`CodegenError::PackageName`].
pub fn package(model: &ClientModel, name: &str) -> Result<Vec<SourceFile>, CodegenError> {
    check_name(name)?;
    let module = name.replace('-', "_");
    // The scheme for metered prices reads what a seller sponsors with `jsonschema`, which x402 names in another of its extras.
    let project = format!(
        "# {mark}\n[build-system]\nrequires = [\"setuptools>=61\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
         [project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.10\"\n\
         classifiers = [\"Private :: Do Not Upload\"]\n\
         dependencies = [\"x402[evm,httpx]>=2.25\", \"pydantic>=2\", \"httpx>=0.28\", \"jsonschema>=4\"]\n\n\
         [tool.setuptools]\npackages = [\"{module}\"]\n\n\
         [tool.setuptools.package-data]\n{module} = [\"py.typed\"]\n",
        mark = mark(),
    );
    Ok(vec![
        SourceFile::new("pyproject.toml", project),
        SourceFile::new(format!("{module}/__init__.py"), render(model)),
        SourceFile::new(format!("{module}/py.typed"), String::new()),
    ])
}
