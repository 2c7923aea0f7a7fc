::core::compile_error! {
    "`#[paid]` goes on an `async fn`, and this is a struct\nhelp: the function that answers the request is what is paid for"
}
struct Weather;
