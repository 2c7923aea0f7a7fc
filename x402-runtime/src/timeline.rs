//! Things that hold one after the other: which of them does at a time.

/// Something that holds until the next one does. The first holds from the beginning.
#[derive(Debug, Clone)]
pub(crate) struct Timeline<T> {
    first: T,
    /// From when on, unix milliseconds, in the order of time.
    later: Vec<(u64, T)>,
}

impl<T> Timeline<T> {
    /// Something that holds always.
    pub(crate) const fn always(first: T) -> Self {
        Self {
            first,
            later: Vec::new(),
        }
    }

    /// The same, until something else holds from then on. Times are given in order.
    pub(crate) fn then(mut self, from_ms: u64, next: T) -> Self {
        self.later.push((from_ms, next));
        self
    }

    /// What holds at a time.
    pub(crate) fn at(&self, now_ms: u64) -> &T {
        let mut latest = self.later.iter().rev();
        let holds = latest.find(|(from_ms, _)| *from_ms <= now_ms);
        holds.map_or(&self.first, |(_, one)| one)
    }

    /// All of them, in the order of time.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        let later = self.later.iter().map(|(_, one)| one);
        std::iter::once(&self.first).chain(later)
    }

    /// The same times with other things.
    pub(crate) fn map<U>(&self, mut with: impl FnMut(&T) -> U) -> Timeline<U> {
        Timeline {
            first: with(&self.first),
            later: self
                .later
                .iter()
                .map(|(from_ms, one)| (*from_ms, with(one)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holds_from_its_time_to_the_next() {
        let line = Timeline::always("a").then(10, "b").then(20, "c");
        let at = [0, 9, 10, 19, 20, u64::MAX].map(|now| *line.at(now));
        assert_eq!(at, ["a", "a", "b", "b", "c", "c"]);
        assert_eq!(*line.map(|one| one.len()).at(15), 1);
        assert_eq!(line.all().copied().collect::<String>(), "abc");
        assert_eq!(*Timeline::always(0).at(5), 0);
    }
}
