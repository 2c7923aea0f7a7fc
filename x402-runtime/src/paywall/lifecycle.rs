//! Whether buyers have the time that they need: warnings about what endpoints say will change.

use x402_model::endpoint::MIN_SUNSET_DAYS;
use x402_model::extension::timestamp::print_seconds;

use super::warning::Warning;
use crate::bind::BoundEndpoint;

/// What is probably not meant, at this time.
pub(super) fn warnings(endpoints: &[BoundEndpoint], now_seconds: u64) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for endpoint in endpoints {
        let id = || endpoint.id().to_owned();
        let deprecation = endpoint.spec().lifecycle.deprecation;
        let Some((deprecation, sunset)) = deprecation.and_then(|one| Some((one, one.sunset?)))
        else {
            continue;
        };
        let days = deprecation.notice_days().unwrap_or_default();
        if sunset <= now_seconds {
            warnings.push(Warning::SunsetPassed {
                endpoint: id(),
                sunset: print_seconds(sunset),
            });
        } else if days < MIN_SUNSET_DAYS {
            warnings.push(Warning::SunsetSoon {
                endpoint: id(),
                days,
            });
        }
    }
    warnings
}
