//! A writer of source text that knows how deep it is indented.

/// Source text being written, line by line.
#[derive(Debug)]
pub(crate) struct Out {
    text: String,
    depth: usize,
    indent: &'static str,
}

impl Out {
    /// An empty text whose levels are indented by `indent`.
    pub(crate) const fn new(indent: &'static str) -> Self {
        Self {
            text: String::new(),
            depth: 0,
            indent,
        }
    }

    /// Writes one line, or an empty one.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if !line.is_empty() {
            for _ in 0..self.depth {
                self.text.push_str(self.indent);
            }
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// Writes an empty line, unless there is one or a block has just begun.
    pub(crate) fn gap(&mut self) {
        let begun = ["\n\n", "{\n", ":\n", "(\n"];
        if !self.text.is_empty() && !begun.iter().any(|end| self.text.ends_with(end)) {
            self.text.push('\n');
        }
    }

    /// Writes lines between `open` and `close`, one level deeper.
    pub(crate) fn block(
        &mut self,
        open: impl AsRef<str>,
        close: &str,
        body: impl FnOnce(&mut Self),
    ) {
        self.line(open);
        self.indented(body);
        self.line(close);
    }

    /// Writes lines one level deeper.
    pub(crate) fn indented(&mut self, body: impl FnOnce(&mut Self)) {
        self.depth = self.depth.saturating_add(1);
        body(self);
        self.depth = self.depth.saturating_sub(1);
    }

    /// Writes text that is source already.
    pub(crate) fn verbatim(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The whole text.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// One line made of parts, written to an [`Out`].
macro_rules! line {
    ($out:expr, $($part:tt)+) => { $out.line(format!($($part)+)) };
}
pub(crate) use line;
