//! How a client goes from page to page: which argument takes the name of the next one, and what that name must be.

use crate::model::{ClientModel, EndpointModel, Output, Param, ParamPlace, Shape, TypeRef};
use x402_model::pointer;

/// How the pages of an endpoint follow each other.
pub(crate) struct Pages<'m> {
    /// The argument that takes the name of the next page.
    pub(crate) cursor: &'m str,
    /// Its type.
    pub(crate) ty: &'m TypeRef,
    /// Where the answer names the next page, a JSON pointer.
    pub(crate) next: &'m str,
    /// Whether every answer has that member, null on the last page.
    pub(crate) promised: bool,
    /// The type of a page.
    pub(crate) page: &'m TypeRef,
}

impl<'m> Pages<'m> {
    /// The pages of an endpoint whose arguments have these names; `None` if it has none, or none that can be asked for.
    pub(crate) fn of(
        model: &'m ClientModel,
        endpoint: &'m EndpointModel,
        members: &'m [(String, &'m Param)],
    ) -> Option<Self> {
        let (Some(pages), Output::Json(page)) = (&endpoint.pagination, &endpoint.output) else {
            return None;
        };
        let (cursor, param) = members.iter().find(|(_, param)| {
            param.place == ParamPlace::Query && param.field.wire == pages.parameter
        })?;
        Some(Self {
            cursor,
            ty: &param.field.ty,
            next: &pages.next,
            promised: promised(model, page, &pages.next),
            page,
        })
    }

    /// The kind of the name of a page, for languages without types at run time.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.ty {
            TypeRef::Bool => "boolean",
            TypeRef::Int { .. } => "integer",
            TypeRef::Float => "number",
            TypeRef::Text | TypeRef::Const(_) => "string",
            _ => "any",
        }
    }
}

/// Whether every value of a type has the member that a pointer leads to.
fn promised(model: &ClientModel, ty: &TypeRef, pointer: &str) -> bool {
    let mut at = ty;
    for name in pointer::tokens(pointer) {
        let Some(Shape::Object { fields, .. }) = shape(model, at) else {
            return false;
        };
        let mut fields = fields.iter();
        let Some(field) = fields.find(|field| field.wire == name && field.required) else {
            return false;
        };
        at = &field.ty;
    }
    true
}

/// The shape of a named type, other names for it left out.
fn shape<'m>(model: &'m ClientModel, ty: &'m TypeRef) -> Option<&'m Shape> {
    let mut ty = ty;
    for _ in 0..=model.types.len() {
        let TypeRef::Named(id) = ty else {
            return None;
        };
        match &model.types.get(*id)?.shape {
            Shape::Alias(inner) => ty = inner,
            shape => return Some(shape),
        }
    }
    None
}
