::core::compile_error! {
    "a paid function has no generic parameters\nhelp: write the types out; a function with parameters can be called by several paid functions"
}
::core::compile_error! {
    "a paid function takes no `self`\nhelp: take shared data with `State(app): State<App>`"
}
::core::compile_error! {
    "a paid function has no variadic arguments"
}
::core::compile_error! {
    "an argument of a paid function has a named type\nhelp: `impl Trait` is a generic parameter in disguise: write the extractor's type"
}
async fn weather<T>(self, _: impl Send, ...)
where
    T: Send,
{}
