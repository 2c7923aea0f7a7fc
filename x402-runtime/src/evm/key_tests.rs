use std::path::PathBuf;

use super::*;

const KEY: &str = "0x4646464646464646464646464646464646464646464646464646464646464646";

fn write(dir: &tempfile::TempDir, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    path
}

#[test]
fn a_key_file_is_read_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let key = SettlerKey::from_file(write(&dir, "key", &format!("{KEY}\n"), 0o600)).unwrap();
    assert_eq!(
        key.address(),
        alloy_primitives::address!("0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F")
    );
    assert!(!key.is_well_known_dev_key());
    let shown = format!("{key:?}");
    assert!(
        shown.contains("0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F") || shown.contains("0x9d8a"),
        "{shown}"
    );
    assert!(!shown.contains("4646"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [0o644, 0o640, 0o604] {
        let error = SettlerKey::from_file(write(&dir, "key", KEY, mode)).unwrap_err();
        assert!(
            matches!(error, KeyError::File(SecretFileError::Permissions { mode: found, .. }) if found == mode),
            "{error}"
        );
    }
}

#[test]
fn errors_do_not_repeat_the_secret() {
    let dir = tempfile::tempdir().unwrap();
    for (text, what) in [
        ("hunter2", "short"),
        (&"zz".repeat(32), "not hex"),
        (&"00".repeat(32), "zero"),
    ] {
        let error = SettlerKey::from_file(write(&dir, "key", text, 0o600)).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(matches!(error, KeyError::NotAKey(_)), "{what}: {shown}");
        assert!(!shown.contains(text), "{what}: {shown}");
    }
    let error = SettlerKey::from_file(write(&dir, "key", &"4".repeat(20_000), 0o600)).unwrap_err();
    assert!(matches!(
        error,
        KeyError::File(SecretFileError::TooLarge { .. })
    ));
    assert!(matches!(
        SettlerKey::from_env("X402_TEST_NO_SUCH_KEY").unwrap_err(),
        KeyError::Environment(_)
    ));
}

#[test]
fn a_keystore_needs_the_right_password() {
    let dir = tempfile::tempdir().unwrap();
    // Made with the smallest scrypt cost so that the test is quick.
    let keystore = write(
        &dir,
        "keystore.json",
        include_str!("../../tests/data/keystore.json"),
        0o600,
    );
    let right = write(&dir, "right", "correct horse\n", 0o600);
    let wrong = write(&dir, "wrong", "battery staple", 0o600);
    let key = SettlerKey::from_keystore(&keystore, &right).unwrap();
    assert_eq!(
        key.address(),
        alloy_primitives::address!("0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F")
    );
    let error = SettlerKey::from_keystore(&keystore, &wrong).unwrap_err();
    assert!(matches!(error, KeyError::Keystore { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("battery"));
}

#[cfg(feature = "sandbox")]
#[test]
fn the_public_accounts_are_those_of_the_public_keys() {
    for (key, address) in crate::sandbox::PUBLIC_KEYS
        .iter()
        .zip(x402_model::evm::DEVELOPMENT_ACCOUNTS)
    {
        let key = SettlerKey::from_signer(PrivateKeySigner::from_bytes(key).unwrap());
        assert_eq!(key.address(), address);
        assert!(key.is_well_known_dev_key());
    }
}

#[test]
fn it_signs_a_manifest_too() {
    let dir = tempfile::tempdir().unwrap();
    let key = SettlerKey::from_file(write(&dir, "key", KEY, 0o600)).unwrap();
    let digest = B256::repeat_byte(9);
    let signature = ManifestSigner::sign(&key, digest).unwrap();
    let parts = signature.split().unwrap();
    assert!(parts.is_low_s());
    assert_eq!(signature.as_bytes().len(), 65);
    assert_eq!(
        crate::verify::recover(digest, &parts),
        Some(ManifestSigner::address(&key))
    );
}
