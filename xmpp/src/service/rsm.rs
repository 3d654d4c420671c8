//! Result set management (XEP-0059): cuts one page out of an ordered list.

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
    first: Option<(String, usize)>,
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
            first: entries.first().map(|entry| (key(entry).to_owned(), start)),
            last: entries.last().map(|entry| key(entry).to_owned()),
            told: self.asked || entries.len() < count,
            entries,
            count,
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
            push_attr(out, "index", &index.to_string());
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
