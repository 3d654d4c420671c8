//! Lists in the floating part: which fields belong to which element.

use crate::tag::{self, Tag};
use crate::value::Value;

/// One element of a list: the fields that belong to it, in wire order. Any of them may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    fields: Vec<&'a (Tag, Value)>,
}

impl<'a> Group<'a> {
    /// The first field of the element with this tag.
    pub fn tag_value(&self, tag: Tag) -> Option<&'a Value> {
        self.all(tag).next()
    }

    /// The text of the first field with this tag.
    pub fn tag_text(&self, tag: Tag) -> Option<&'a str> {
        self.tag_value(tag)?.as_text()
    }

    /// The integer of the first field with this tag. `None` also when it means "nothing".
    pub fn tag_uint(&self, tag: Tag) -> Option<u32> {
        tag.rule().filter(self.tag_value(tag)?.as_uint()?)
    }

    /// Every field of the element with this tag.
    pub fn all(&self, tag: Tag) -> impl Iterator<Item = &'a Value> + use<'_, 'a> {
        self.fields.iter().filter(move |(known, _)| *known == tag).map(|(_, value)| value)
    }

    /// The elements of an array field, whether it came as one field or as several.
    pub fn array(&self, tag: Tag) -> Vec<u32> {
        elements(self.all(tag))
    }

    /// A list nested in this element, for example the skill groups of an agent record.
    pub fn groups(&self, opener: Tag) -> Vec<Group<'a>> {
        split(self.fields.iter().copied(), opener)
    }

    /// The fields of the element in wire order.
    pub fn fields(&self) -> impl Iterator<Item = (Tag, &'a Value)> + use<'_, 'a> {
        self.fields.iter().map(|(tag, value)| (*tag, value))
    }
}

/// Which tags belong to the list that a tag opens. Records and unlisted openers take everything up to the next one.
fn members(opener: Tag) -> Option<&'static [Tag]> {
    Some(match opener {
        tag::CTI_CLIENT_SIGNATURE => &[tag::CTI_CLIENT_SIGNATURE, tag::CTI_CLIENT_TIMESTAMP],
        tag::CONNECTED_PARTY_CALL_ID => &[
            tag::CONNECTED_PARTY_CALL_ID,
            tag::CONNECTED_PARTY_DEVICE_ID_TYPE,
            tag::CONNECTED_PARTY_DEVICE_ID,
        ],
        tag::CALL_CONNECTION_CALL_ID => &[
            tag::CALL_CONNECTION_CALL_ID,
            tag::CALL_CONNECTION_DEVICE_ID_TYPE,
            tag::CALL_CONNECTION_DEVICE_ID,
            tag::CALL_DEVICE_TYPE,
            tag::CALL_DEVICE_ID,
            tag::CALL_DEVICE_CONNECTION_STATE,
            tag::CALL_STATE,
            tag::SILENT_MONITOR_STATUS,
        ],
        tag::SKILL_GROUP_NUMBER => {
            &[tag::SKILL_GROUP_NUMBER, tag::SKILL_GROUP_ID, tag::SKILL_GROUP_PRIORITY, tag::SKILL_GROUP_STATE]
        }
        tag::LINE_HANDLE => &[tag::LINE_HANDLE, tag::LINE_TYPE],
        tag::ATC_AGENT_ID => {
            &[tag::ATC_AGENT_ID, tag::AGENT_FLAGS, tag::ATC_AGENT_STATE, tag::ATC_STATE_DURATION]
        }
        tag::TEAM_ID => &[tag::TEAM_ID],
        tag::AGENT_ID_LONG => &[tag::AGENT_ID_LONG, tag::AGENT_FLAGS, tag::RECORD_TYPE, tag::MEMBER_TYPE],
        tag::FLT_PERIPHERAL_ID => &[tag::FLT_PERIPHERAL_ID, tag::MULTILINE_AGENT_CONTROL],
        _ => return None,
    })
}

/// Splits fields into the elements of the list that `opener` opens.
pub(super) fn split<'a>(fields: impl Iterator<Item = &'a (Tag, Value)>, opener: Tag) -> Vec<Group<'a>> {
    match members(opener) {
        Some(members) => split_members(fields, opener, members),
        None => split_records(fields, opener),
    }
}

fn split_members<'a>(
    fields: impl Iterator<Item = &'a (Tag, Value)>,
    opener: Tag,
    members: &[Tag],
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for field in fields.filter(|(tag, _)| members.contains(tag)) {
        match groups.last_mut() {
            Some(open) if field.0 != opener && open.tag_value(field.0).is_none() => open.fields.push(field),
            _ => groups.push(Group { fields: vec![field] }),
        }
    }
    groups
}

fn split_records<'a>(fields: impl Iterator<Item = &'a (Tag, Value)>, opener: Tag) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for field in fields {
        match groups.last_mut() {
            Some(open) if field.0 != opener => open.fields.push(field),
            None if field.0 != opener => {}
            _ => groups.push(Group { fields: vec![field] }),
        }
    }
    groups
}

/// The elements of array fields, one after the other.
pub(super) fn elements<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<u32> {
    let mut all = Vec::new();
    for value in values {
        match value {
            Value::UintArray(some) => all.extend_from_slice(some),
            Value::Uint(one) => all.push(*one),
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::{Message, kind, tag};

    #[test]
    fn a_repeated_member_without_opener_opens_an_element() {
        let message = Message::new(kind::AGENT_STATE_EVENT)
            .with_tag(tag::SKILL_GROUP_NUMBER, 1u32)
            .with_tag(tag::SKILL_GROUP_STATE, 3u16)
            .with_tag(tag::AGENT_ID, "1001")
            .with_tag(tag::SKILL_GROUP_STATE, 2u16)
            .with_tag(tag::SKILL_GROUP_NUMBER, 3u32);
        let groups = message.groups(tag::SKILL_GROUP_NUMBER);
        let numbers: Vec<_> = groups.iter().map(|g| g.tag_uint(tag::SKILL_GROUP_NUMBER)).collect();
        let states: Vec<_> = groups.iter().map(|g| g.tag_uint(tag::SKILL_GROUP_STATE)).collect();
        assert_eq!(numbers, [Some(1), None, Some(3)]);
        assert_eq!(states, [Some(3), Some(2), None]);
    }

    #[test]
    fn agent_records_hold_nested_skill_groups_and_arrays() {
        let message = Message::new(kind::CONFIG_AGENT_EVENT)
            .with_tag(tag::RECORD_TYPE, 0u16)
            .with_tag(tag::LOGIN_ID, "1001")
            .with_tag(tag::SKILL_GROUP_NUMBER, 11u32)
            .with_tag(tag::SKILL_GROUP_PRIORITY, 1u16)
            .with_tag(tag::SKILL_GROUP_NUMBER, 12u32)
            .with_tag(tag::FLT_AGENT_MRDID, vec![1u32])
            .with_tag(tag::FLT_AGENT_MRDID, vec![2u32, 3])
            .with_tag(tag::RECORD_TYPE, 2u16)
            .with_tag(tag::LOGIN_ID, "1002");
        let records = message.records();
        assert_eq!(records.len(), 2);
        let skills = records[0].groups(tag::SKILL_GROUP_NUMBER);
        assert_eq!(skills.len(), 2);
        assert_eq!(skills[0].tag_uint(tag::SKILL_GROUP_PRIORITY), Some(1));
        assert_eq!(skills[1].tag_uint(tag::SKILL_GROUP_PRIORITY), None);
        assert_eq!(records[0].array(tag::FLT_AGENT_MRDID), [1, 2, 3]);
        assert_eq!(records[1].tag_text(tag::LOGIN_ID), Some("1002"));
        assert!(records[1].groups(tag::SKILL_GROUP_NUMBER).is_empty());
    }

    #[test]
    fn team_members_carry_their_record_type_inside() {
        let message = Message::new(kind::TEAM_CONFIG_EVENT)
            .with_tag(tag::TEAM_NAME, "Sales")
            .with_tag(tag::AGENT_ID_LONG, "1001")
            .with_tag(tag::RECORD_TYPE, 0u16)
            .with_tag(tag::AGENT_ID_LONG, "1002")
            .with_tag(tag::RECORD_TYPE, 2u16);
        let members = message.records();
        assert_eq!(members.len(), 2);
        assert_eq!(members[1].tag_uint(tag::RECORD_TYPE), Some(2));
    }

    #[test]
    fn agent_service_records_open_with_either_field() {
        let late = Message::new(kind::CONFIG_AGENT_SERVICE_EVENT)
            .with_tag(tag::AGENT_SKILL_TARGET_ID, 1u32)
            .with_tag(tag::RECORD_TYPE, 0u16)
            .with_tag(tag::AGENT_SKILL_TARGET_ID, 2u32)
            .with_tag(tag::RECORD_TYPE, 1u16);
        let early = Message::new(kind::CONFIG_AGENT_SERVICE_EVENT)
            .with_tag(tag::RECORD_TYPE, 0u16)
            .with_tag(tag::AGENT_SKILL_TARGET_ID, 1u32)
            .with_tag(tag::RECORD_TYPE, 1u16)
            .with_tag(tag::AGENT_SKILL_TARGET_ID, 2u32);
        for message in [late, early] {
            let types: Vec<_> = message.records().iter().map(|r| r.tag_uint(tag::RECORD_TYPE)).collect();
            assert_eq!(types, [Some(0), Some(1)]);
        }
    }
}
