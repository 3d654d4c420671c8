//! Agent state events and queries as messages.

use super::{Audience, Scribe, queue_target};
use crate::enums::{agent_availability_status as availability, agent_mode, call_direction};
use crate::sim::core::agent::AgentState;
use crate::sim::core::event::AgentNews;
use crate::sim::core::world::World;
use crate::{Dialect, Message, field, kind, tag};

/// The voice media routing domain.
pub(super) const VOICE: i32 = 1;

/// The bit of `AgentStateMask` that asks for events of a state.
///
/// CCX knows one work state and no hold, and has bits of its own for those who talk and will do something else then.
fn agent_mask(dialect: Dialect, state: AgentState, next: Option<AgentState>) -> u32 {
    use crate::enums::agent_state_mask_ccx as ccx;
    match (dialect, state, next) {
        (Dialect::Ccx, AgentState::Talking, Some(AgentState::NotReady)) => ccx::TALKING_PENDING_NOT_READY,
        (Dialect::Ccx, AgentState::Talking, Some(AgentState::WorkNotReady)) => ccx::TALKING_PENDING_WORK,
        (_, AgentState::Hold, _) => 0x200,
        (_, state, _) => 1 << state.code(),
    }
}

impl Scribe {
    pub(super) fn agent_event(&self, world: &World, news: &AgentNews, to: &mut Vec<(Audience, Message)>) {
        let agent = &world.agents[news.agent];
        let state = news.state.code();
        let mut m = self
            .event(kind::AGENT_STATE_EVENT)
            .with(field::SESSION_ID, 0u32)
            .with(field::SKILL_GROUP_STATE, state)
            .with(field::STATE_DURATION, seconds(news.duration))
            .with(field::SKILL_GROUP_PRIORITY, 0u32)
            .with(field::AGENT_STATE, state)
            .with(field::EVENT_REASON_CODE, news.reason)
            .with(field::NUM_FLT_SKILL_GROUPS, count(agent.queues.len().min(99)));
        self.push_media(&mut m, agent.target_id, news.state);
        m = m.with_agent_id(self.dialect, &*agent.id);
        if let Some(extension) = &news.extension {
            m.push(tag::AGENT_EXTENSION, &**extension);
            m.push(tag::AGENT_INSTRUMENT, &**extension);
        }
        if let Some(next) = news.next {
            m.push(tag::NEXT_AGENT_STATE, next.code());
        }
        let own = if news.outgoing { call_direction::OUT } else { call_direction::IN };
        let on_call = news.state.on_call() || (news.state == AgentState::Reserved && news.outbound.is_some());
        if on_call {
            m.push(tag::DIRECTION, news.outbound.unwrap_or(own));
        }
        push_skills(&mut m, world, news.agent, state, 99);
        let bit = agent_mask(self.dialect, news.state, news.next);
        to.push((Audience::Agent(bit), m));
    }

    pub(super) fn agent_state_conf(&self, world: &World, agent: usize, invoke_id: u32) -> Message {
        let record = &world.agents[agent];
        let state = record.state.code();
        let mut m = super::confirm(kind::QUERY_AGENT_STATE_CONF, invoke_id)
            .with(field::AGENT_STATE, state)
            .with(field::NUM_SKILL_GROUPS, count(record.queues.len().min(20)));
        self.push_media(&mut m, record.target_id, record.state);
        m = m.with_agent_id(self.dialect, &*record.id);
        if let Some(extension) = &record.device {
            m.push(tag::AGENT_EXTENSION, &**extension);
            m.push(tag::AGENT_INSTRUMENT, &**extension);
        }
        push_skills(&mut m, world, agent, state, 20);
        m.push(tag::INTERNAL_AGENT_STATE, state);
        m
    }

    /// The fields about media routing, which voice agents have as well.
    fn push_media(&self, m: &mut Message, target: u32, state: AgentState) {
        let free = state == AgentState::Available;
        let busy = state.on_call() || state == AgentState::Reserved;
        m.set(field::MRDID, VOICE);
        match self.dialect {
            Dialect::Ccx => {
                m.set(field::AGENT_AVAILABILITY_STATUS, availability::ICM_AVAILABLE);
                m.set(field::ICM_AGENT_ID, 0u32);
            }
            Dialect::Cce => {
                m.set(field::NUM_TASKS, u32::from(busy));
                m.set(field::AGENT_MODE, agent_mode::ROUTABLE);
                m.set(field::MAX_TASK_LIMIT, 1u32);
                m.set(field::ICM_AGENT_ID, target);
                m.set(
                    field::AGENT_AVAILABILITY_STATUS,
                    if free { availability::ICM_AVAILABLE } else { availability::NOT_AVAILABLE },
                );
                m.set(field::DEPARTMENT_ID, 0u32);
            }
        }
    }
}

fn push_skills(m: &mut Message, world: &World, agent: usize, state: u32, limit: usize) {
    for queue in world.agents[agent].queues.iter().take(limit) {
        m.push(tag::SKILL_GROUP_NUMBER, world.queues[*queue].number);
        m.push(tag::SKILL_GROUP_ID, queue_target(*queue));
        m.push(tag::SKILL_GROUP_PRIORITY, 0u32);
        m.push(tag::SKILL_GROUP_STATE, state);
    }
}

pub(super) fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
