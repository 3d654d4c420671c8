//! Call events and media events as messages.

use std::sync::Arc;

use super::{Audience, Scribe, connection_type, data, device_type, push_device, queue_target};
use crate::enums::{call_event_mask as mask, call_type, line_type};
use crate::sim::core::call::{CallData, CallId};
use crate::sim::core::event::{CallNews, Ends, Merged, What};
use crate::sim::core::world::World;
use crate::{Message, Tag, field, kind, tag};

/// Base of the router call key's day, which only has to look like one.
const ROUTER_DAY: u32 = 150_000;

impl Scribe {
    pub(super) fn call_event(&self, world: &World, news: &CallNews) -> (Audience, Message) {
        let line = line_of(world, news.call);
        let (kind, bit) = kind_of(&news.what);
        let mut message = self.event(kind);
        if !matches!(news.what, What::Conferenced(_) | What::Transferred(_)) {
            message.set(field::CONNECTION_CALL_ID, news.call.0);
            message.set(field::CONNECTION_DEVICE_ID_TYPE, connection_type(&news.device));
            message.push(tag::CONNECTION_DEVICE_ID, &*news.device.id);
        }
        message.set(field::LOCAL_CONNECTION_STATE, news.leg.code());
        message.set(field::EVENT_CAUSE, news.cause);
        let m = &mut message;
        match &news.what {
            What::Begin { kind, disposition, data } => {
                self.push_context(m, news.call, *kind, *disposition, data)
            }
            What::DataUpdate { kind, disposition, data } => {
                m.set(field::NEW_CONNECTION_CALL_ID, news.call.0);
                m.set(field::NEW_CONNECTION_DEVICE_ID_TYPE, connection_type(&news.device));
                m.push(tag::NEW_CONNECTION_DEVICE_ID, &*news.device.id);
                self.push_context(m, news.call, *kind, *disposition, data);
                push_campaign(m, data);
            }
            What::End | What::Cleared => {}
            What::ServiceInitiated => {
                m.set(field::LINE_TYPE, line);
                push_device(m, field::CALLING_DEVICE_TYPE, tag::CALLING_DEVICE_ID, &news.device);
            }
            What::Originated { called } => {
                m.set(field::LINE_TYPE, line);
                push_device(m, field::CALLING_DEVICE_TYPE, tag::CALLING_DEVICE_ID, &news.device);
                push_device(m, field::CALLED_DEVICE_TYPE, tag::CALLED_DEVICE_ID, called);
            }
            What::Delivered { ends, queue, data } => {
                m.set(field::LINE_TYPE, line);
                push_device(m, field::ALERTING_DEVICE_TYPE, tag::ALERTING_DEVICE_ID, &news.device);
                push_ends(m, ends);
                self.push_queue(m, world, *queue);
                data::push(m, data);
            }
            What::Established { ends, queue } => {
                m.set(field::LINE_TYPE, line);
                push_device(m, field::ANSWERING_DEVICE_TYPE, tag::ANSWERING_DEVICE_ID, &news.device);
                push_ends(m, ends);
                self.push_queue(m, world, *queue);
            }
            What::Queued { ends, queue, waiting } => {
                push_ends(m, ends);
                self.push_waiting(m, world, *queue, *waiting);
            }
            What::Dequeued { queue, waiting } => self.push_waiting(m, world, *queue, *waiting),
            What::Held => push_device(m, field::HOLDING_DEVICE_TYPE, tag::HOLDING_DEVICE_ID, &news.device),
            What::Retrieved => {
                push_device(m, field::RETRIEVING_DEVICE_TYPE, tag::RETRIEVING_DEVICE_ID, &news.device);
            }
            What::Diverted { to } => {
                push_device(m, field::DIVERTING_DEVICE_TYPE, tag::DIVERTING_DEVICE_ID, &news.device);
                push_device(m, field::CALLED_DEVICE_TYPE, tag::CALLED_DEVICE_ID, to);
            }
            What::Failed { called } => {
                push_device(m, field::FAILING_DEVICE_TYPE, tag::FAILING_DEVICE_ID, &news.device);
                push_device(m, field::CALLED_DEVICE_TYPE, tag::CALLED_DEVICE_ID, called);
            }
            What::ReachedNetwork { called } => {
                m.set(field::LINE_TYPE, line);
                push_device(m, field::CALLED_DEVICE_TYPE, tag::CALLED_DEVICE_ID, called);
            }
            What::ConnectionCleared => {
                push_device(m, field::RELEASING_DEVICE_TYPE, tag::RELEASING_DEVICE_ID, &news.device);
            }
            What::Conferenced(merged) => {
                push_merged(m, news, merged);
                push_device(m, field::CONTROLLER_DEVICE_TYPE, tag::CONTROLLER_DEVICE_ID, &merged.controller);
                if let Some(added) = &merged.other {
                    push_device(m, field::ADDED_PARTY_DEVICE_TYPE, tag::ADDED_PARTY_DEVICE_ID, added);
                }
            }
            What::Transferred(merged) => {
                push_merged(m, news, merged);
                push_device(
                    m,
                    field::TRANSFERRING_DEVICE_TYPE,
                    tag::TRANSFERRING_DEVICE_ID,
                    &merged.controller,
                );
                if let Some(other) = &merged.other {
                    push_device(m, field::TRANSFERRED_DEVICE_TYPE, tag::TRANSFERRED_DEVICE_ID, other);
                }
            }
        }
        (Audience::Call(bit), message)
    }

    fn push_context(&self, m: &mut Message, call: CallId, kind: u32, disposition: u32, data: &CallData) {
        m.set(field::CALL_TYPE, kind);
        m.set(field::CALLED_PARTY_DISPOSITION, disposition);
        m.set(field::NUM_CTI_CLIENTS, 0u32);
        data::push(m, data);
        if self.dialect == crate::Dialect::Cce {
            m.push(tag::ROUTER_CALL_KEY_DAY, ROUTER_DAY);
            m.push(tag::ROUTER_CALL_KEY_CALL_ID, call.0);
            m.push(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER, 0u32);
        }
    }

    fn push_queue(&self, m: &mut Message, world: &World, queue: Option<usize>) {
        if let Some(queue) = queue {
            m.set(field::SKILL_GROUP_NUMBER, world.queues[queue].number);
            m.set(field::SKILL_GROUP_ID, queue_target(queue));
            m.set(field::SKILL_GROUP_PRIORITY, 0u32);
        }
    }

    fn push_waiting(&self, m: &mut Message, world: &World, queue: Option<usize>, waiting: usize) {
        m.set(field::NUM_QUEUED, u16::try_from(waiting).unwrap_or(u16::MAX));
        m.set(field::NUM_SKILL_GROUPS, u32::from(queue.is_some()));
        if let Some(queue) = queue {
            let number = world.queues[queue].number;
            m.set(field::QUEUE_DEVICE_TYPE, crate::enums::device_id_type::QUEUE);
            m.push(tag::QUEUE_DEVICE_ID, number.to_string());
            m.push(tag::SKILL_GROUP_NUMBER, number);
            m.push(tag::SKILL_GROUP_ID, queue_target(queue));
            m.push(tag::SKILL_GROUP_PRIORITY, 0u32);
        }
    }

    /// Two messages, one for each direction.
    pub(super) fn media_events(
        &self,
        world: &World,
        call: CallId,
        device: &Arc<str>,
        agent: Option<usize>,
        started: bool,
        to: &mut Vec<(Audience, Message)>,
    ) {
        let (kind, bit) = match started {
            true => (kind::RTP_STARTED_EVENT, mask::RTP_STARTED),
            false => (kind::RTP_STOPPED_EVENT, mask::RTP_STOPPED),
        };
        for direction in 0..2u32 {
            let mut m =
                self.event(kind).with(field::DIRECTION, direction).with(field::CONNECTION_CALL_ID, call.0);
            m.set(field::CONNECTION_DEVICE_ID_TYPE, crate::enums::connection_device_id_type::STATIC);
            m.set(field::CLIENT_PORT, 16_384u32 + direction);
            m.push(tag::CONNECTION_DEVICE_ID, &**device);
            if started {
                m.set(field::BIT_RATE, 64u32);
                m.set(field::PACKET_SIZE, 20u32);
            }
            m.push(tag::CLIENT_ADDRESS, "127.0.0.1");
            if let Some(agent) = agent {
                m = m.with_agent_id(self.dialect, &*world.agents[agent].id);
            }
            m.push(tag::AGENT_EXTENSION, &**device);
            m.push(tag::AGENT_INSTRUMENT, &**device);
            to.push((Audience::Call(bit), m));
        }
    }

    /// An agent calls for help.
    pub(super) fn help(
        &self,
        world: &World,
        call: CallId,
        device: &Arc<str>,
        agent: usize,
        emergency: bool,
        client: &str,
    ) -> Message {
        let kind = if emergency { kind::EMERGENCY_CALL_EVENT } else { kind::SUPERVISOR_ASSIST_EVENT };
        let mut m = Message::new(kind)
            .with(field::PERIPHERAL_ID, self.peripheral)
            .with(field::CONNECTION_CALL_ID, call.0)
            .with(field::CONNECTION_DEVICE_ID_TYPE, crate::enums::connection_device_id_type::STATIC)
            .with(field::SESSION_ID, 0u32)
            .with_tag(tag::CONNECTION_DEVICE_ID, &**device)
            .with_tag(tag::CLIENT_ID, client);
        if emergency {
            m = m
                .with_tag(tag::CLIENT_ADDRESS, "127.0.0.1")
                .with_agent_id(self.dialect, &*world.agents[agent].id);
            m.push(tag::AGENT_EXTENSION, &**device);
            m.push(tag::AGENT_INSTRUMENT, &**device);
        }
        m
    }

    pub(super) fn pre_call(
        &self,
        world: &World,
        agent: usize,
        queue: Option<usize>,
        data: &CallData,
    ) -> (Audience, Message) {
        let agent = &world.agents[agent];
        let mut m = self.event(kind::AGENT_PRE_CALL_EVENT).with(field::MRDID, 1i32);
        m.set(field::AGENT_SKILL_TARGET_ID, agent.target_id);
        m.push(tag::AGENT_INSTRUMENT, agent.device.as_deref().unwrap_or_default());
        m.push(tag::AGENT_ID, &*agent.id);
        self.push_queue(&mut m, world, queue);
        data::push(&mut m, data);
        (Audience::Call(mask::AGENT_PRE_CALL), m)
    }
}

fn kind_of(what: &What) -> (crate::Kind, u32) {
    match what {
        What::Begin { .. } => (kind::BEGIN_CALL_EVENT, mask::BEGIN_CALL),
        What::ServiceInitiated => (kind::CALL_SERVICE_INITIATED_EVENT, mask::CALL_SERVICE_INITIATED),
        What::Originated { .. } => (kind::CALL_ORIGINATED_EVENT, mask::CALL_ORIGINATED),
        What::Delivered { .. } => (kind::CALL_DELIVERED_EVENT, mask::CALL_DELIVERED),
        What::Queued { .. } => (kind::CALL_QUEUED_EVENT, mask::CALL_QUEUED),
        What::Dequeued { .. } => (kind::CALL_DEQUEUED_EVENT, mask::CALL_DEQUEUED),
        What::Established { .. } => (kind::CALL_ESTABLISHED_EVENT, mask::CALL_ESTABLISHED),
        What::Held => (kind::CALL_HELD_EVENT, mask::CALL_HELD),
        What::Retrieved => (kind::CALL_RETRIEVED_EVENT, mask::CALL_RETRIEVED),
        What::Diverted { .. } => (kind::CALL_DIVERTED_EVENT, mask::CALL_DIVERTED),
        What::Failed { .. } => (kind::CALL_FAILED_EVENT, mask::CALL_FAILED),
        What::ReachedNetwork { .. } => (kind::CALL_REACHED_NETWORK_EVENT, mask::CALL_REACHED_NETWORK),
        What::Conferenced(_) => (kind::CALL_CONFERENCED_EVENT, mask::CALL_CONFERENCED),
        What::Transferred(_) => (kind::CALL_TRANSFERRED_EVENT, mask::CALL_TRANSFERRED),
        What::ConnectionCleared => (kind::CALL_CONNECTION_CLEARED_EVENT, mask::CALL_CONNECTION_CLEARED),
        What::Cleared => (kind::CALL_CLEARED_EVENT, mask::CALL_CLEARED),
        What::DataUpdate { .. } => (kind::CALL_DATA_UPDATE_EVENT, mask::CALL_DATA_UPDATE),
        What::End => (kind::END_CALL_EVENT, mask::END_CALL),
    }
}

pub(super) fn line_of(world: &World, call: CallId) -> u32 {
    match world.calls.get(&call).map(|c| c.kind) {
        Some(call_type::OUT | call_type::PREVIEW | call_type::RESERVATION) => line_type::OUTBOUND,
        Some(call_type::RESERVATION_PREVIEW..=call_type::CUSTOMER_IVR) => line_type::OUTBOUND,
        Some(
            call_type::AGENT_INSIDE
            | call_type::CONSULT
            | call_type::SUPERVISOR_MONITOR
            | call_type::ASSIST
            | call_type::EMERGENCY,
        ) => line_type::INSIDE,
        Some(_) => line_type::INBOUND_ACD,
        None => line_type::UNKNOWN,
    }
}

/// What calls of a campaign have besides their variables.
fn push_campaign(m: &mut Message, data: &CallData) {
    m.set(field::CAMPAIGN_ID, data.campaign);
    m.set(field::QUERY_RULE_ID, data.campaign);
    for (tag, text) in
        [(tag::CUSTOMER_PHONE_NUMBER, &data.customer), (tag::CUSTOMER_ACCOUNT_NUMBER, &data.account)]
    {
        if let Some(text) = text {
            m.push(tag, super::clip(text, 19));
        }
    }
}

fn push_ends(m: &mut Message, ends: &Ends) {
    push_device(m, field::CALLING_DEVICE_TYPE, tag::CALLING_DEVICE_ID, &ends.calling);
    if let Some(called) = &ends.called {
        push_device(m, field::CALLED_DEVICE_TYPE, tag::CALLED_DEVICE_ID, called);
    }
    if let Some(from) = &ends.redirected_from {
        push_device(m, field::LAST_REDIRECT_DEVICE_TYPE, tag::LAST_REDIRECT_DEVICE_ID, from);
    }
}

fn push_merged(m: &mut Message, news: &CallNews, merged: &Merged) {
    m.set(field::PRIMARY_CALL_ID, news.call.0);
    m.set(field::PRIMARY_DEVICE_ID_TYPE, connection_type(&news.device));
    m.push(tag::PRIMARY_DEVICE_ID, &*news.device.id);
    match &merged.secondary {
        Some((call, device)) => {
            m.set(field::SECONDARY_CALL_ID, call.0);
            m.set(field::SECONDARY_DEVICE_ID_TYPE, connection_type(device));
            m.push(tag::SECONDARY_DEVICE_ID, &*device.id);
        }
        None => {
            m.push(tag::SECONDARY_DEVICE_ID, "");
        }
    }
    m.set(field::NUM_PARTIES, u16::try_from(merged.parties.len()).unwrap_or(u16::MAX));
    push_parties(m, news.call, &merged.parties);
}

/// The list of connected parties.
pub(super) fn push_parties(m: &mut Message, call: CallId, parties: &[crate::sim::core::event::Device]) {
    let members: [Tag; 3] =
        [tag::CONNECTED_PARTY_CALL_ID, tag::CONNECTED_PARTY_DEVICE_ID_TYPE, tag::CONNECTED_PARTY_DEVICE_ID];
    for device in parties.iter().take(16) {
        m.push(members[0], call.0);
        m.push(members[1], connection_type(device));
        m.push(members[2], &*device.id);
    }
}

/// Type of a device in lists of call devices.
pub(super) fn listed_type(device: &crate::sim::core::event::Device) -> u32 {
    device_type(device)
}
