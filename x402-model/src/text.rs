//! Characters that people do not see but programs obey: the one table for all places that show or check texts.

/// Whether a character has no look of its own: it turns the direction of text, has no width, or changes another one.
///
/// These are the characters that Unicode lets programs ignore, its two separators of lines and the marks of annotations. Controls are
/// told apart: some of them are line breaks.
///
/// ```
/// use x402_model::text::is_invisible;
/// assert!(is_invisible('\u{202e}') && is_invisible('\u{e0041}') && is_invisible('\u{200d}'));
/// assert!(!is_invisible('a') && !is_invisible(' ') && !is_invisible('ß'));
/// ```
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character hides something in a text that people write: a control, or what is invisible and no part of words or pictures.
///
/// The joiners of Arabic and Indic words and of pictures are such parts, and so is the choice between a picture and its sign.
///
/// ```
/// use x402_model::text::is_hiding;
/// assert!(is_hiding('\u{202e}') && is_hiding('\u{7}') && is_hiding('\u{e0100}'));
/// assert!(!is_hiding('\u{200d}') && !is_hiding('\u{fe0f}'));
/// ```
#[must_use]
pub fn is_hiding(c: char) -> bool {
    let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
    c.is_control() || (is_invisible(c) && !joins)
}
