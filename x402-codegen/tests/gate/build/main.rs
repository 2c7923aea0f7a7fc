//! A program with a client that its build script has written.

include!(concat!(env!("OUT_DIR"), "/service.rs"));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wallet = x402_client::Wallet::view_only([1; 20].into());
    let budget = x402_client::Budget::new("5 USD", "1 USD")?;
    let client = service::Client::with(x402_client::Client::new(wallet, budget));
    let request = service::GetWeatherRequest::new("lisbon".into());
    println!("{:?}", client.get_weather(&request).quote()?.most().map(ToString::to_string));
    Ok(())
}
