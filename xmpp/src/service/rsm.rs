//! Result set management (XEP-0059): cuts one page out of an ordered list.

use std::sync::Arc;

use minidom::Element;

use super::ns;
use super::stanza::{Condition, StanzaError, push, push_attr, push_leaf};

/// Longest page, also for those who did not ask for pages.
pub(crate) const PAGE: usize = 500;

/// What a client asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    max: Option<usize>,
    after: Option<String>,
    /// `Some("")`: the last page.
    before: Option<String>,
    index: Option<usize>,
    asked: bool,
}

/// A page: what of the list, and where it stands.
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    /// Key of the first entry, and its place in the whole list where that is known.
    first: Option<(String, Option<usize>)>,
    last: Option<String>,
    count: usize,
    told: bool,
}

impl Wish {
    /// Reads `<set/>` below `parent`; none is a wish for everything that fits a page.
    pub(crate) fn parse(parent: &Element) -> Result<Self, StanzaError> {
        let Some(set) = parent.get_child("set", ns::RSM) else { return Ok(Self::default()) };
        let text = |name: &str| set.get_child(name, ns::RSM).map(Element::text);
        let number = |name: &str| match text(name) {
            Some(text) => text.trim().parse().map(Some).map_err(|_| Condition::BadRequest.into()),
            None => Ok::<_, StanzaError>(None),
        };
        Ok(Self {
            max: number("max")?,
            after: text("after"),
            before: text("before"),
            index: number("index")?,
            asked: true,
        })
    }

    /// Cuts the page. `key` names an entry; an unknown `after` or `before` is `item-not-found` (§2.2).
    pub(crate) fn cut<T>(&self, list: Vec<T>, key: impl Fn(&T) -> &str) -> Result<Page<T>, StanzaError> {
        let count = list.len();
        let max = self.max.unwrap_or(PAGE).min(PAGE);
        let find =
            |wanted: &str| list.iter().position(|entry| key(entry) == wanted).ok_or(Condition::ItemNotFound);
        let (start, end) = match (&self.after, &self.before, self.index) {
            (Some(after), ..) => {
                let start = find(after)? + 1;
                (start, start.saturating_add(max).min(count))
            }
            (None, Some(before), _) => {
                let end = if before.is_empty() { count } else { find(before)? };
                (end.saturating_sub(max), end)
            }
            (None, None, Some(index)) => {
                if index > count {
                    return Err(Condition::ItemNotFound.into());
                }
                (index, index.saturating_add(max).min(count))
            }
            (None, None, None) => (0, max.min(count)),
        };
        let entries: Vec<T> = list.into_iter().skip(start).take(end.saturating_sub(start)).collect();
        Ok(Page {
            first: entries.first().map(|entry| (key(entry).to_owned(), Some(start))),
            last: entries.last().map(|entry| key(entry).to_owned()),
            told: self.asked || entries.len() < count,
            entries,
            count,
        })
    }
}

/// A list that is too long to be looked at as a whole, in the order of its keys.
pub(crate) trait Long {
    /// At most `max` keys behind `after` (`None`: from the first on), in their order.
    fn after(&self, after: Option<&str>, max: usize) -> Vec<Arc<str>>;
    /// At most `max` keys in front of `before` (`None`: from the last on), the nearest first.
    fn before(&self, before: Option<&str>, max: usize) -> Vec<Arc<str>>;
    /// Whether there is such an entry and the asking client may see it.
    fn shows(&self, key: &str) -> bool;
    /// How many there are, those that are not shown included: an estimate will do (§2.7).
    fn estimate(&self) -> usize;
}

/// Entries that are fetched at once, and looked at for one page before it is told as it is.
const CHUNK: usize = 500;
const LOOKED_AT: usize = 20_000;

impl Wish {
    /// Cuts a page out of a long list at a cost that does not grow with the list. Places are not known there:
    /// a page asked for by `index` is `feature-not-implemented` (§2.6).
    pub(crate) fn walk(&self, list: &impl Long) -> Result<Page<Arc<str>>, StanzaError> {
        let max = self.max.unwrap_or(PAGE).min(PAGE);
        let cursor = self.after.as_deref().or(self.before.as_deref().filter(|key| !key.is_empty()));
        if cursor.is_some_and(|cursor| !list.shows(cursor)) {
            return Err(Condition::ItemNotFound.into());
        }
        let backward = self.after.is_none() && self.before.is_some();
        if self.after.is_none() && !backward && self.index.is_some_and(|index| index > 0) {
            return Err(Condition::FeatureNotImplemented.into());
        }
        let mut entries: Vec<Arc<str>> = Vec::new();
        let mut place: Option<Arc<str>> = cursor.map(Into::into);
        let mut looked_at = 0;
        while entries.len() < max && looked_at < LOOKED_AT {
            let chunk = match backward {
                true => list.before(place.as_deref(), CHUNK),
                false => list.after(place.as_deref(), CHUNK),
            };
            let Some(last) = chunk.last() else { break };
            place = Some(last.clone());
            looked_at += chunk.len();
            let missing = max - entries.len();
            entries.extend(chunk.into_iter().filter(|key| list.shows(key)).take(missing));
        }
        if backward {
            entries.reverse();
        }
        Ok(Page {
            first: entries.first().map(|key| ((**key).to_owned(), None)),
            last: entries.last().map(|key| (**key).to_owned()),
            told: true,
            entries,
            count: list.estimate(),
        })
    }
}

impl<T> Page<T> {
    /// Appends `<set/>` where the client asked for pages or did not get everything.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        if !self.told {
            return;
        }
        push(out, &["<set xmlns=\"", ns::RSM, "\">"]);
        if let (Some((first, index)), Some(last)) = (&self.first, &self.last) {
            push(out, &["<first"]);
            if let Some(index) = index {
                push_attr(out, "index", &index.to_string());
            }
            out.push(b'>');
            crate::xml::push_text(out, first);
            push(out, &["</first>"]);
            push_leaf(out, "last", last);
        }
        push_leaf(out, "count", &self.count.to_string());
        push(out, &["</set>"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(set: &str) -> Result<(Vec<String>, String), StanzaError> {
        let xml = format!("<query xmlns='urn:q'>{set}</query>");
        let list: Vec<String> = (0..10).map(|n| format!("n{n}")).collect();
        let page = Wish::parse(&xml.parse().unwrap())?.cut(list, |entry| entry.as_str())?;
        let mut out = Vec::new();
        page.push(&mut out);
        Ok((page.entries, String::from_utf8(out).unwrap()))
    }

    fn set(inner: &str) -> String {
        format!("<set xmlns='http://jabber.org/protocol/rsm'>{inner}</set>")
    }

    #[test]
    fn pages_forward_backward_and_by_index() {
        let (entries, out) = page(&set("<max>2</max>")).unwrap();
        assert_eq!(entries, ["n0", "n1"]);
        assert_eq!(
            out,
            "<set xmlns=\"http://jabber.org/protocol/rsm\"><first index=\"0\">n0</first><last>n1</last><count>10</count></set>"
        );
        assert_eq!(page(&set("<max>2</max><after>n8</after>")).unwrap().0, ["n9"]);
        assert_eq!(page(&set("<max>2</max><before/>")).unwrap().0, ["n8", "n9"]);
        assert_eq!(page(&set("<max>2</max><before>n1</before>")).unwrap().0, ["n0"]);
        assert_eq!(page(&set("<max>2</max><index>4</index>")).unwrap().0, ["n4", "n5"]);
        assert_eq!(page(&set("<max>2</max><index>10</index>")).unwrap().0, [""; 0]);
    }

    #[test]
    fn max_zero_counts_only() {
        let (entries, out) = page(&set("<max>0</max>")).unwrap();
        assert!(entries.is_empty());
        assert_eq!(out, "<set xmlns=\"http://jabber.org/protocol/rsm\"><count>10</count></set>");
    }

    /// Names of four digits, of which a client sees every tenth.
    struct Numbers(usize);

    impl Numbers {
        fn name(number: usize) -> Arc<str> {
            format!("{number:04}").into()
        }
    }

    impl Long for Numbers {
        fn after(&self, after: Option<&str>, max: usize) -> Vec<Arc<str>> {
            let start = after.map_or(0, |after| after.parse::<usize>().unwrap() + 1);
            (start..self.0).take(max).map(Self::name).collect()
        }

        fn before(&self, before: Option<&str>, max: usize) -> Vec<Arc<str>> {
            let end = before.map_or(self.0, |before| before.parse().unwrap());
            (0..end).rev().take(max).map(Self::name).collect()
        }

        fn shows(&self, key: &str) -> bool {
            key.parse::<usize>().is_ok_and(|number| number < self.0 && number % 10 == 0)
        }

        fn estimate(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn x69_long_lists_are_walked_page_by_page_in_both_directions() {
        let list = Numbers(9000);
        let walk = |inner: &str| {
            let xml = format!("<query xmlns='urn:q'>{}</query>", set(inner));
            Wish::parse(&xml.parse().unwrap())?.walk(&list)
        };
        let mut seen: Vec<Arc<str>> = Vec::new();
        let mut wish = "<max>70</max>".to_owned();
        loop {
            let page = walk(&wish).unwrap();
            let Some(last) = page.entries.last() else { break };
            wish = format!("<max>70</max><after>{last}</after>");
            seen.extend(page.entries);
        }
        assert_eq!(seen, (0..9000).step_by(10).map(Numbers::name).collect::<Vec<_>>());
        let page = walk("<max>2</max><before/>").unwrap();
        assert_eq!(page.entries, [Numbers::name(8980), Numbers::name(8990)]);
        assert_eq!(page.count, 9000);
        assert_eq!(walk("<max>1</max><before>0010</before>").unwrap().entries, [Numbers::name(0)]);
        assert!(walk("<max>0</max>").unwrap().entries.is_empty());
        for (wish, condition) in [
            ("<after>0011</after>", Condition::ItemNotFound),
            ("<after>zz</after>", Condition::ItemNotFound),
            ("<before>9990</before>", Condition::ItemNotFound),
            ("<index>5</index>", Condition::FeatureNotImplemented),
        ] {
            assert_eq!(walk(wish).err(), Some(condition.into()), "{wish}");
        }
    }

    #[test]
    fn unknown_places_and_bad_numbers_are_errors() {
        let not_found = Err(Condition::ItemNotFound.into());
        assert_eq!(page(&set("<after>zz</after>")), not_found);
        assert_eq!(page(&set("<before>zz</before>")), not_found);
        assert_eq!(page(&set("<index>11</index>")), not_found);
        assert_eq!(page(&set("<max>-1</max>")), Err(Condition::BadRequest.into()));
    }

    #[test]
    fn nobody_who_did_not_ask_is_told_of_pages_that_he_has_in_full() {
        assert_eq!(page("").unwrap().1, "");
    }
}
