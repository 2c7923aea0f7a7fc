//! The version and the revision that a change asks for.

use x402_runtime::model::manifest::diff::Bump;

type Triple = [u64; 3];

/// The version that the new manifest has to have: its own, if that is high enough. `None` where one of the two is no
/// semantic version, or one that cannot grow.
pub(super) fn wanted(old: &str, new: &str, bump: Bump) -> Option<String> {
    let (before, after) = (triple(old)?, triple(new)?);
    let least = match (bump, before) {
        (Bump::None, _) => before,
        (Bump::Patch, [major, minor, patch]) => [major, minor, patch.checked_add(1)?],
        (Bump::Minor, [major, minor, _]) => [major, minor.checked_add(1)?, 0],
        (Bump::Major, [major, ..]) => [major.checked_add(1)?, 0, 0],
    };
    if bump == Bump::None || after >= least {
        return Some(new.to_owned());
    }
    let [major, minor, patch] = least;
    Some(format!("{major}.{minor}.{patch}"))
}

/// The revision that the new manifest has to have.
pub(super) fn revision(old: u64, new: u64, bump: Bump) -> u64 {
    match bump {
        Bump::None => new,
        _ => new.max(old.saturating_add(1)),
    }
}

/// The three numbers of a semantic version; what stands behind them is let go.
fn triple(text: &str) -> Option<Triple> {
    let numbers = text.split(['-', '+']).next()?;
    let mut parts = numbers.split('.');
    let mut part = || {
        let part = parts.next()?;
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let triple = [part()?, part()?, part()?];
    parts.next().is_none().then_some(triple)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_grow_by_what_changed_and_never_twice() {
        for (old, new, bump, expected) in [
            ("2.3.0", "2.3.0", Bump::None, "2.3.0"),
            ("2.3.0", "2.3.0", Bump::Patch, "2.3.1"),
            ("2.3.4", "2.3.4", Bump::Minor, "2.4.0"),
            ("2.3.4", "2.3.4", Bump::Major, "3.0.0"),
            ("2.3.0", "2.9.0", Bump::Minor, "2.9.0"),
            ("2.3.0", "2.2.0", Bump::Patch, "2.3.1"),
            ("0.9.9", "1.0.0-rc.1", Bump::Major, "1.0.0-rc.1"),
            ("1.0.0+a", "1.0.0", Bump::Minor, "1.1.0"),
        ] {
            let found = wanted(old, new, bump).unwrap();
            assert_eq!(found, expected, "{old} {new} {bump:?}");
            assert_eq!(wanted(old, &found, bump).unwrap(), found);
        }
        for odd in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "1..3",
            "+1.2.3",
            "99999999999999999999.0.0",
        ] {
            assert_eq!(wanted(odd, "1.0.0", Bump::Patch), None, "{odd}");
        }
        let most = u64::MAX.to_string();
        assert_eq!(wanted(&format!("{most}.0.0"), "1.0.0", Bump::Major), None);
    }

    #[test]
    fn revisions_grow_when_something_changed() {
        assert_eq!(revision(17, 17, Bump::None), 17);
        assert_eq!(revision(17, 17, Bump::Patch), 18);
        assert_eq!(revision(17, 3, Bump::Patch), 18);
        assert_eq!(revision(17, 40, Bump::Patch), 40);
    }
}
