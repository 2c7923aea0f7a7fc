//! Recursive length prefix (RLP), as far as transactions need it, and only in its one canonical form.

/// Why bytes are not canonical RLP of the expected shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// One item: its payload, and whether it is a list.
struct Item<'a> {
    list: bool,
    payload: &'a [u8],
}

/// Splits the first item off.
fn split<'a>(bytes: &mut &'a [u8]) -> Result<Item<'a>, Malformed> {
    let (&first, rest) = bytes.split_first().ok_or(Malformed)?;
    let (list, base) = match first {
        0x00..=0x7f => {
            let (payload, after) = bytes.split_at_checked(1).ok_or(Malformed)?;
            *bytes = after;
            return Ok(Item {
                list: false,
                payload,
            });
        }
        0x80..=0xbf => (false, 0x80),
        0xc0..=0xff => (true, 0xc0),
    };
    let short = first - base;
    let (len, rest) = if short <= 55 {
        (usize::from(short), rest)
    } else {
        long_length(rest, usize::from(short - 55))?
    };
    let (payload, after) = rest.split_at_checked(len).ok_or(Malformed)?;
    // A small byte stands for itself; writing it as a string of one is a second spelling.
    if !list && matches!(payload, [0x00..=0x7f]) {
        return Err(Malformed);
    }
    *bytes = after;
    Ok(Item { list, payload })
}

/// A length that has bytes of its own: without leading zeros, and not one that would have fitted into the prefix.
fn long_length(bytes: &[u8], width: usize) -> Result<(usize, &[u8]), Malformed> {
    let (digits, rest) = bytes.split_at_checked(width).ok_or(Malformed)?;
    if digits.first() == Some(&0) || width > 4 {
        return Err(Malformed);
    }
    let len = digits
        .iter()
        .fold(0_usize, |len, byte| (len << 8) | usize::from(*byte));
    if len <= 55 {
        return Err(Malformed);
    }
    Ok((len, rest))
}

/// The members of a list, read one after another.
pub(super) struct List<'a>(&'a [u8]);

impl<'a> List<'a> {
    /// The list that the bytes are, whole.
    pub(super) fn read(mut bytes: &'a [u8]) -> Result<Self, Malformed> {
        let item = split(&mut bytes)?;
        if !item.list || !bytes.is_empty() {
            return Err(Malformed);
        }
        Ok(Self(item.payload))
    }

    /// The next member as a byte string.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let item = split(&mut self.0)?;
        if item.list {
            Err(Malformed)
        } else {
            Ok(item.payload)
        }
    }

    /// The next member as an integer of at most `N` bytes, which has no leading zeros.
    pub(super) fn integer<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let digits = self.bytes()?;
        let mut word = [0; N];
        let start = N.checked_sub(digits.len()).ok_or(Malformed)?;
        if digits.first() == Some(&0) {
            return Err(Malformed);
        }
        word.get_mut(start..)
            .ok_or(Malformed)?
            .copy_from_slice(digits);
        Ok(word)
    }

    /// The next member, which has to be an empty list.
    pub(super) fn empty_list(&mut self) -> Result<(), Malformed> {
        let item = split(&mut self.0)?;
        if item.list && item.payload.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// Writes a byte string.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes {
        [byte @ 0x00..=0x7f] => out.push(*byte),
        _ => {
            put_prefix(out, 0x80, bytes.len());
            out.extend_from_slice(bytes);
        }
    }
}

/// Writes an integer given in big-endian bytes.
pub(super) fn put_integer(out: &mut Vec<u8>, bytes: &[u8]) {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    put_bytes(out, bytes.get(zeros..).unwrap_or_default());
}

/// A list of members that are written already.
pub(super) fn list(members: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(members.len() + 9);
    put_prefix(&mut out, 0xc0, members.len());
    out.extend_from_slice(members);
    out
}

fn put_prefix(out: &mut Vec<u8>, base: u8, len: usize) {
    match u8::try_from(len) {
        Ok(short @ 0..=55) => out.push(base + short),
        _ => {
            let digits = len.to_be_bytes();
            let used = digits.iter().skip_while(|byte| **byte == 0);
            let width = used.clone().fold(0_u8, |width, _| width.saturating_add(1));
            out.push(base + 55 + width);
            out.extend(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_lists_of_every_length_read_back() {
        for len in [0, 1, 2, 55, 56, 255, 256, 70_000] {
            let bytes = vec![0x80; len];
            let mut members = Vec::new();
            put_bytes(&mut members, &bytes);
            put_integer(&mut members, &[0, 0, 7]);
            let list = list(&members);
            let mut read = List::read(&list).unwrap();
            assert_eq!(read.bytes(), Ok(bytes.as_slice()), "{len}");
            assert_eq!(read.integer::<4>(), Ok([0, 0, 0, 7]));
            assert_eq!(read.end(), Ok(()));
        }
    }

    #[test]
    fn a_second_spelling_of_anything_is_refused() {
        for bad in [
            &[][..],
            &[0x80],             // a string where a list is due
            &[0xc0, 0x00],       // something behind the list
            &[0xc1],             // shorter than it says
            &[0xf8, 0x01, 0x00], // a long length for a short list
            &[0xf9, 0x00, 0x40], // a length with a leading zero
            &[0xff; 40],         // a length beyond everything
        ] {
            assert!(List::read(bad).is_err(), "{bad:?}");
        }
        // A small byte written as a string of one, an integer with a leading zero, an integer that is too long.
        assert!(List::read(&[0xc2, 0x81, 0x7f]).unwrap().bytes().is_err());
        assert!(List::read(&[0xc1, 0x00]).unwrap().integer::<8>().is_err());
        assert!(
            List::read(&[0xc3, 0x82, 0x00, 0x01])
                .unwrap()
                .integer::<8>()
                .is_err()
        );
        assert!(
            List::read(&[0xc3, 0x82, 0x01, 0x01])
                .unwrap()
                .integer::<1>()
                .is_err()
        );
        assert!(List::read(&[0xc1, 0xc0]).unwrap().bytes().is_err());
        assert!(
            List::read(&[0xc2, 0xc1, 0x05])
                .unwrap()
                .empty_list()
                .is_err()
        );
        assert!(List::read(&[0xc1, 0x05]).unwrap().end().is_err());
    }
}
