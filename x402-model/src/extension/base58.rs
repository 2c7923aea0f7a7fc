//! Base58 in Bitcoin's alphabet, as Solana writes keys and signatures.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Longest text that is decoded. A signature of 64 bytes has 88 characters; the work grows with the square of the length.
const MAX_LEN: usize = 128;

/// Decodes at most 128 characters. `None` for longer texts and for characters outside of the alphabet.
///
/// ```
/// use x402_model::extension::base58::{decode, encode};
/// assert_eq!(decode("1112"), Some(vec![0, 0, 0, 1]));
/// assert_eq!(encode(&[0, 0, 0, 1]), "1112");
/// assert_eq!(decode("0OIl"), None);
/// ```
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_LEN {
        return None;
    }
    // Little-endian digits in base 256.
    let mut number: Vec<u8> = Vec::with_capacity(text.len());
    for character in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == character)?;
        let mut carry = u32::try_from(digit).ok()?;
        for byte in &mut number {
            carry += u32::from(*byte) * 58;
            let [low, ..] = carry.to_le_bytes();
            *byte = low;
            carry >>= 8;
        }
        if carry > 0 {
            let [low, ..] = carry.to_le_bytes();
            number.push(low);
        }
    }
    let zeros = text.bytes().take_while(|byte| *byte == b'1').count();
    number.extend(core::iter::repeat_n(0, zeros));
    number.reverse();
    Some(number)
}

/// Encodes bytes. Meant for keys and signatures: the work grows with the square of the length.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    // Little-endian digits in base 58.
    let mut number: Vec<u8> = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut number {
            carry += u32::from(*digit) << 8;
            let [low, ..] = (carry % 58).to_le_bytes();
            *digit = low;
            carry /= 58;
        }
        while carry > 0 {
            let [low, ..] = (carry % 58).to_le_bytes();
            number.push(low);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    number.extend(core::iter::repeat_n(0, zeros));
    number
        .iter()
        .rev()
        .filter_map(|digit| ALPHABET.get(usize::from(*digit)).copied().map(char::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_pairs_both_ways() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"\0", "1"),
            (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
            (b"\0\0\x28\x7f\xb4\xcd", "11233QC4"),
            (&[0xff; 32], "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        assert_eq!(decode(&"2".repeat(129)), None);
        assert_eq!(decode("é"), None);
    }
}
