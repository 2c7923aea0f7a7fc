//! Named types: pydantic models, open enumerations, unions.

use super::{Context, docs};
use crate::escape::py_string;
use crate::model::{Field, Shape, TypeDef, TypeRef};
use crate::names::{Scope, python_value};
use crate::out::{Out, line};

/// What all models have in common.
const BASE: &str = r#"

class ApiModel(BaseModel):
    """An object of the service. Unknown members are ignored, unless a model keeps them."""

    model_config = ConfigDict(populate_by_name=True, protected_namespaces=(), extra="ignore")
    _always: ClassVar[frozenset[str]] = frozenset()

    def model_post_init(self, _context: Any, /) -> None:
        """Members that have only one value are sent, too."""
        self.__pydantic_fields_set__.update(self._always)


def _tagged(tag: str, known: Mapping[str, str], classes: Mapping[str, str]) -> Callable[[Any], str]:
    """Tells objects apart by a member; what is not known stays a dict."""

    def told(value: Any) -> str:
        if isinstance(value, dict):
            found = value.get(tag)
            return known.get(found, "other") if isinstance(found, str) else "other"
        return classes.get(type(value).__name__, "other")

    return told
"#;

/// Writes all named types.
pub(super) fn write(out: &mut Out, context: &Context<'_>) {
    out.verbatim(BASE);
    let mut order: Vec<(usize, &TypeDef)> = context.model.types.iter().enumerate().collect();
    order.sort_by(|(_, left), (_, right)| left.name.cmp(&right.name));
    let looped = |id: usize| context.looped.get(id) == Some(&true);
    for (id, def) in &order {
        out.gap();
        match &def.shape {
            Shape::Alias(ty) if looped(*id) => {
                let open = format!("class {}(RootModel[{}]):", def.name, context.quoted(ty));
                out.block(open, "", |out| {
                    docs(out, def.docs.as_deref().unwrap_or_default(), &[]);
                    out.line("pass");
                });
            }
            Shape::Object { fields, rest } => object(out, context, def, fields, rest.is_some()),
            shape => {
                line!(
                    out,
                    "{} = TypeAliasType({}, {})",
                    def.name,
                    py_string(&def.name),
                    alias(context, shape)
                );
                docs(out, def.docs.as_deref().unwrap_or_default(), &[]);
            }
        }
    }
    out.gap();
    for (id, def) in &order {
        if matches!(def.shape, Shape::Object { .. }) || looped(*id) {
            line!(out, "{}.model_rebuild()", def.name);
        }
    }
}

fn alias(context: &Context<'_>, shape: &Shape) -> String {
    match shape {
        Shape::Object { .. } => "Any".to_owned(),
        Shape::Enum { values } => {
            // A value that came later must not break this client.
            let all: Vec<String> = values.iter().map(|value| py_string(value)).collect();
            format!("Union[Literal[{}], str]", all.join(", "))
        }
        Shape::Tagged { tag, variants } => {
            let (mut all, mut known, mut classes) = (Vec::new(), Vec::new(), Vec::new());
            for (number, (value, ty)) in variants.iter().enumerate() {
                all.push(format!(
                    "Annotated[{}, Tag(\"{number}\")]",
                    context.quoted(ty)
                ));
                known.push(format!("{}: \"{number}\"", py_string(value)));
                classes.push(format!("{}: \"{number}\"", context.quoted(ty)));
            }
            all.push("Annotated[Dict[str, Any], Tag(\"other\")]".to_owned());
            format!(
                "Annotated[Union[{}], Discriminator(_tagged({}, {{{}}}, {{{}}}))]",
                all.join(", "),
                py_string(tag),
                known.join(", "),
                classes.join(", ")
            )
        }
        Shape::Untagged { variants } => {
            let all: Vec<String> = variants.iter().map(|ty| context.quoted(ty)).collect();
            format!("Union[{}, Any]", all.join(", "))
        }
        Shape::Alias(ty) => context.quoted(ty),
    }
}

fn object(out: &mut Out, context: &Context<'_>, def: &TypeDef, fields: &[Field], open: bool) {
    let reserved: &[&str] = &["always", "model_config"];
    let mut scope = Scope::with(reserved);
    let names: Vec<String> = fields
        .iter()
        .map(|field| scope.unique(&python_value(&field.wire, "value")))
        .collect();
    out.block(format!("class {}(ApiModel):", def.name), "", |out| {
        docs(out, def.docs.as_deref().unwrap_or_default(), &[]);
        out.gap();
        if open {
            out.line("model_config = ConfigDict(extra=\"allow\")");
        }
        let constants: Vec<String> = fields
            .iter()
            .zip(&names)
            .filter(|(field, _)| field.required && matches!(field.ty, TypeRef::Const(_)))
            .map(|(_, name)| py_string(name))
            .collect();
        if !constants.is_empty() {
            line!(
                out,
                "_always: ClassVar[frozenset[str]] = frozenset({{{}}})",
                constants.join(", ")
            );
        }
        for (field, name) in fields.iter().zip(&names) {
            let ty = context.ty(&field.ty);
            let mut arguments = Vec::new();
            let ty = match &field.ty {
                TypeRef::Const(value) if field.required => {
                    arguments.push(format!("default={}", py_string(value)));
                    ty
                }
                _ if field.required => ty,
                _ => {
                    arguments.push("default=None".to_owned());
                    format!("Optional[{ty}]")
                }
            };
            let wire = py_string(&field.wire);
            arguments.push(format!("validation_alias={wire}"));
            arguments.push(format!("serialization_alias={wire}"));
            line!(out, "{name}: {ty} = Field({})", arguments.join(", "));
            docs(out, field.docs.as_deref().unwrap_or_default(), &[]);
        }
        if fields.is_empty() && !open {
            out.line("pass");
        }
    });
}

impl Context<'_> {
    /// A type in an annotation, which is not evaluated at once.
    pub(super) fn ty(&self, ty: &TypeRef) -> String {
        self.written(ty, false)
    }

    /// A type in an expression: names in quotes, because they may follow.
    pub(super) fn quoted(&self, ty: &TypeRef) -> String {
        self.written(ty, true)
    }

    fn written(&self, ty: &TypeRef, quoted: bool) -> String {
        match ty {
            TypeRef::Any => "Any".to_owned(),
            TypeRef::Null => "None".to_owned(),
            TypeRef::Bool => "bool".to_owned(),
            TypeRef::Int { .. } => "int".to_owned(),
            TypeRef::Float => "float".to_owned(),
            TypeRef::Text => "str".to_owned(),
            TypeRef::Const(value) => format!("Literal[{}]", py_string(value)),
            TypeRef::Array(inner) => format!("List[{}]", self.written(inner, quoted)),
            TypeRef::Map(inner) => format!("Dict[str, {}]", self.written(inner, quoted)),
            TypeRef::Nullable(inner) => format!("Optional[{}]", self.written(inner, quoted)),
            TypeRef::Named(id) => {
                let def = self.model.types.get(*id);
                let name = def.map_or("Any", |def| def.name.as_str());
                if quoted {
                    format!("\"{name}\"")
                } else {
                    name.to_owned()
                }
            }
        }
    }
}
