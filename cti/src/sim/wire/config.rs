//! Configuration records and teams.

use std::time::Instant;

use super::agents::{VOICE, count, seconds};
use super::{Audience, Scribe, confirm, failure};
use crate::enums::{
    agent_flags, agent_type, agent_type_ccx, config_end_status, config_information as info,
    config_information_ccx as info_ccx, config_key_status, config_operation, config_type,
    configuration_upload_ccx as upload_ccx, device_type, record_type, status_code, team_config_param,
    team_config_status, team_member_type, team_operation,
};
use crate::sim::core::world::World;
use crate::sim::session::Session;
use crate::{Dialect, Message, field, kind, tag};

/// Records in one configuration message (GED-188 `MAX_NUM_CONFIG_RECORDS`).
const RECORDS: usize = 10;
/// Members in one team message (GED-188 `MAX_NUM_TEAM_MEMBERS`).
const MEMBERS: usize = 64;
/// Number of the only desk settings record.
const DESK: u32 = 1;

pub(super) fn answer(
    scribe: &Scribe,
    world: &World,
    session: &mut Session,
    now: Instant,
    m: &Message,
    invoke: u32,
) -> Vec<Message> {
    match m.kind {
        kind::CONFIG_REQUEST_KEY_EVENT => vec![scribe.keys(kind::CONFIG_KEY_EVENT, world)],
        kind::CONFIG_REQUEST_EVENT => scribe.upload(world, m.raw(field::CONFIG_INFORMATION).unwrap_or(0)),
        kind::TEAM_CONFIG_REQ => {
            session.team_updates = true;
            let mut out = Vec::new();
            if m.raw(field::CONFIG_PARAM) == Some(team_config_param::INITIAL_CONFIGURATION) {
                for team in &world.config.teams {
                    let members = members(world, team.id);
                    scribe.team_events(world, team.id, team_operation::ADD_TEAM, &members, &[], &mut out);
                }
            }
            out.push(
                confirm(kind::TEAM_CONFIG_CONF, invoke).with(field::STATUS, team_config_status::SUCCESS),
            );
            out
        }
        kind::LIST_AGENT_TEAM_REQ => list_teams(world, m, invoke),
        kind::MONITOR_AGENT_TEAM_START_REQ => {
            let team = m.raw(field::TEAM_ID).unwrap_or(0);
            if !world.config.teams.iter().any(|t| t.id == team) {
                return vec![failure(invoke, status_code::TEAM_NOT_FOUND)];
            }
            let monitor = session.watch(team);
            let conf = confirm(kind::MONITOR_AGENT_TEAM_START_CONF, invoke).with(field::MONITOR_ID, monitor);
            let operation = config_operation::RESTORE_PERMANENT_CONFIGURATION;
            let mut out = vec![conf];
            scribe.watched_team(world, now, team, operation, &members(world, team), &mut out);
            out
        }
        _ => match session.unwatch(m.raw(field::MONITOR_ID).unwrap_or(0)) {
            true => vec![confirm(kind::MONITOR_AGENT_TEAM_STOP_CONF, invoke)],
            false => vec![failure(invoke, status_code::INVALID_MONITORID)],
        },
    }
}

fn members(world: &World, team: u32) -> Vec<usize> {
    (0..world.agents.len()).filter(|a| world.agents[*a].team == team).collect()
}

/// The teams of a supervisor, named by the routing side's number or the agent id; all teams for 0 or "nothing".
fn list_teams(world: &World, m: &Message, invoke: u32) -> Vec<Message> {
    let id = m.raw(field::SUPERVISOR_ID).unwrap_or(0);
    let all = id == 0 || id == u32::MAX;
    let named = |a: &&crate::sim::core::agent::Agent| a.target_id == id || *a.id == *id.to_string();
    let supervisor = world.agents.iter().find(named);
    if !all && !supervisor.is_some_and(|s| s.supervisor) {
        return vec![failure(invoke, status_code::SUPERVISOR_NOT_FOUND)];
    }
    let own = supervisor.map(|s| s.team);
    let teams: Vec<u32> =
        world.config.teams.iter().map(|t| t.id).filter(|t| all || own == Some(*t)).collect();
    let segments = teams.len().div_ceil(MEMBERS).max(1);
    (0..segments)
        .map(|segment| {
            let part = teams.iter().skip(segment * MEMBERS).take(MEMBERS);
            let mut answer = confirm(kind::LIST_AGENT_TEAM_CONF, invoke)
                .with(field::NUMBER_OF_AGENT_TEAMS, count(part.len()))
                .with(field::SEGMENT_NUMBER, count(segment + 1))
                .with(field::MORE, u32::from(segment + 1 < segments));
            for team in part {
                answer.push(tag::TEAM_ID, *team);
            }
            answer
        })
        .collect()
}

impl Scribe {
    /// The stamps of each kind of configuration data; they change with every change of a record.
    fn keys(&self, kind: crate::Kind, world: &World) -> Message {
        let stamp = u64::from(world.revision).to_be_bytes();
        let mut m = Message::new(kind).with(field::CONFIG_KEY_STATUS, config_key_status::SUCCESS);
        for key in [
            tag::SERVICE_CONFIG_KEY,
            tag::SKILL_GROUP_CONFIG_KEY,
            tag::AGENT_CONFIG_KEY,
            tag::DEVICE_CONFIG_KEY,
            tag::CALL_TYPE_CONFIG_KEY,
            tag::PERIPHERAL_CONFIG_KEY,
            tag::AGENT_DESK_SETTINGS_CONFIG_KEY,
        ] {
            if self.dialect == Dialect::Cce || key.0 <= tag::DEVICE_CONFIG_KEY.0 {
                m.push(key, stamp.as_slice());
            }
        }
        m
    }

    /// Each kind of data as a block of its own; all but the last end as partial.
    fn upload(&self, world: &World, wanted: u32) -> Vec<Message> {
        let kinds: [(u32, Vec<Message>); 6] = [
            (self.bit(info::SKILL_GROUP_INFORMATION, upload_ccx::CSQ_INFORMATION), self.skill_groups(world)),
            (self.bit(info::AGENT_INFORMATION, upload_ccx::AGENT_INFORMATION), self.agents(world)),
            (self.bit(info::DEVICE_INFORMATION, upload_ccx::DEVICE_INFORMATION), self.devices(world)),
            (self.bit(info::MEDIA_ROUTING_DOMAIN_INFORMATION, 0), vec![media_domain()]),
            (self.bit(info::PERIPHERAL_INFORMATION, 0), vec![self.peripheral_record()]),
            (self.bit(info::AGENT_DESK_SETTINGS_INFORMATION, 0), vec![desk_record(world)]),
        ];
        let blocks: Vec<_> = kinds.into_iter().filter(|(bit, _)| wanted & bit != 0).collect();
        if blocks.is_empty() {
            let end =
                Message::new(kind::CONFIG_END_EVENT).with(field::CONFIG_END_STATUS, config_end_status::EMPTY);
            return vec![self.begin(world, config_type::SOLICITED, wanted), end];
        }
        let last = blocks.len() - 1;
        let mut out = Vec::new();
        for (at, (bit, records)) in blocks.into_iter().enumerate() {
            out.push(self.begin(world, config_type::SOLICITED, bit));
            out.extend(records);
            let status = match at == last {
                true => config_end_status::SUCCESS,
                false => config_end_status::PARTIAL,
            };
            out.push(Message::new(kind::CONFIG_END_EVENT).with(field::CONFIG_END_STATUS, status));
        }
        out
    }

    fn bit(&self, cce: u32, ccx: u32) -> u32 {
        if self.dialect == Dialect::Cce { cce } else { ccx }
    }

    fn begin(&self, world: &World, kind_of_config: u32, bit: u32) -> Message {
        self.keys(kind::CONFIG_BEGIN_EVENT, world)
            .with(field::CONFIG_TYPE, kind_of_config)
            .with(field::CONFIG_INFORMATION, bit)
    }

    fn peripheral_id(&self) -> u32 {
        self.bit(self.peripheral, 0)
    }

    fn agents(&self, world: &World) -> Vec<Message> {
        let all: Vec<usize> = (0..world.agents.len()).collect();
        all.chunks(RECORDS).map(|part| self.agent_records(world, part, record_type::ADD)).collect()
    }

    fn agent_records(&self, world: &World, agents: &[usize], record: u32) -> Message {
        let mut m = Message::new(kind::CONFIG_AGENT_EVENT).with(field::NUM_RECORDS, count(agents.len()));
        for agent in agents {
            let agent = &world.agents[*agent];
            let plain = self.bit(agent_type::AGENT, agent_type_ccx::AGENT);
            let supervisor = self.bit(agent_type::SUPERVISOR, agent_type_ccx::SUPERVISOR);
            m.push(tag::RECORD_TYPE, record);
            m.push(tag::FLT_PERIPHERAL_ID, self.peripheral_id());
            m.push(tag::AGENT_TYPE, if agent.supervisor { supervisor } else { plain });
            m.push(tag::AGENT_DESK_SETTINGS_ID, DESK);
            m.push(tag::LOGIN_ID, &*agent.id);
            m.push(tag::LOGIN_NAME, agent.login_name.as_str());
            m.push(tag::LAST_NAME, agent.last_name.as_str());
            m.push(tag::FIRST_NAME, agent.first_name.as_str());
            m.push(tag::EXTENSION, agent.device.as_deref().unwrap_or_default());
            m.push(tag::AGENT_SKILL_TARGET_ID, agent.target_id);
            m.push(tag::NUM_SKILLS, count(agent.queues.len()));
            for queue in &agent.queues {
                m.push(tag::SKILL_GROUP_NUMBER, world.queues[*queue].number);
                m.push(tag::SKILL_GROUP_PRIORITY, 0u32);
            }
        }
        m
    }

    fn skill_groups(&self, world: &World) -> Vec<Message> {
        let indexed: Vec<_> = world.queues.iter().enumerate().collect();
        indexed
            .chunks(RECORDS)
            .map(|part| {
                let mut m =
                    Message::new(kind::CONFIG_SKILL_GROUP_EVENT).with(field::NUM_RECORDS, count(part.len()));
                for (index, queue) in part {
                    m.push(tag::RECORD_TYPE, record_type::ADD);
                    m.push(tag::FLT_PERIPHERAL_ID, self.peripheral_id());
                    m.push(tag::PERIPHERAL_NUMBER, queue.number);
                    m.push(tag::SKILL_GROUP_PRIORITY, 0u32);
                    m.push(tag::SKILL_GROUP_SKILL_TARGET_ID, self.bit(super::queue_target(*index), 0));
                    m.push(tag::PERIPHERAL_NAME, queue.name.as_str());
                }
                m
            })
            .collect()
    }

    fn devices(&self, world: &World) -> Vec<Message> {
        world
            .config
            .extensions
            .chunks(RECORDS)
            .map(|part| {
                let mut m =
                    Message::new(kind::CONFIG_DEVICE_EVENT).with(field::NUM_RECORDS, count(part.len()));
                for extension in part {
                    m.push(tag::RECORD_TYPE, record_type::ADD);
                    m.push(tag::FLT_PERIPHERAL_ID, self.peripheral_id());
                    m.push(tag::DEVICE_TYPE, device_type::AGENT_DEVICE_EXTENSION);
                    m.push(tag::EXTENSION, extension.as_str());
                }
                m
            })
            .collect()
    }

    fn peripheral_record(&self) -> Message {
        Message::new(kind::CONFIG_PERIPHERAL_EVENT)
            .with(field::NUM_RECORDS, 1u32)
            .with_tag(tag::RECORD_TYPE, record_type::ADD)
            .with_tag(tag::CONFIG_PERIPHERAL_ID, self.peripheral)
            .with_tag(tag::DEFAULT_AGENT_DESK_SETTINGS_ID, DESK)
    }

    /// An agent's record changed: configuration and teams.
    pub(super) fn agent_changed(
        &self,
        world: &World,
        agent: usize,
        left: Option<u32>,
        to: &mut Vec<(Audience, Message)>,
    ) {
        let audience = Audience::Config(self.bit(info::AGENT_INFORMATION, info_ccx::AGENT));
        let bit = self.bit(info::AGENT_INFORMATION, upload_ccx::AGENT_INFORMATION);
        let end =
            Message::new(kind::CONFIG_END_EVENT).with(field::CONFIG_END_STATUS, config_end_status::SUCCESS);
        to.push((audience, self.begin(world, config_type::UNSOLICITED, bit)));
        to.push((audience, self.agent_records(world, &[agent], record_type::CHANGE)));
        to.push((audience, end));
        let Some(left) = left else { return };
        let joined = world.agents[agent].team;
        let mut out = Vec::new();
        self.team_events(world, left, team_operation::CHANGE_TEAM, &[], &[agent], &mut out);
        self.watched_team_change(world, left, config_operation::REMOVE_AGENT, agent, &mut out);
        to.extend(out.drain(..).map(|m| (Audience::Team(left), m)));
        self.team_events(world, joined, team_operation::CHANGE_TEAM, &[agent], &[], &mut out);
        self.watched_team_change(world, joined, config_operation::ADD_AGENT, agent, &mut out);
        to.extend(out.drain(..).map(|m| (Audience::Team(joined), m)));
    }

    fn team_events(
        &self,
        world: &World,
        team: u32,
        operation: u32,
        added: &[usize],
        removed: &[usize],
        out: &mut Vec<Message>,
    ) {
        let name = world.config.teams.iter().find(|t| t.id == team).map_or("", |t| t.name.as_str());
        let records: Vec<(usize, u32)> = added
            .iter()
            .map(|a| (*a, record_type::ADD))
            .chain(removed.iter().map(|a| (*a, record_type::DELETE)))
            .collect();
        let empty: [&[(usize, u32)]; 1] = [&[]];
        let parts: Vec<&[(usize, u32)]> =
            if records.is_empty() { empty.to_vec() } else { records.chunks(MEMBERS).collect() };
        for part in parts {
            let mut m = Message::new(kind::TEAM_CONFIG_EVENT)
                .with(field::TEAM_ID, team)
                .with(field::NUM_RECORDS, count(part.len()))
                .with(field::OPERATION, operation)
                .with_tag(tag::TEAM_NAME, super::clip(name, 63));
            for (agent, record) in part {
                let agent = &world.agents[*agent];
                m.push(tag::AGENT_ID_LONG, &*agent.id);
                m.push(tag::AGENT_FLAGS, flags(agent.supervisor));
                m.push(tag::RECORD_TYPE, *record);
                m.push(tag::MEMBER_TYPE, team_member_type::AGENT_OR_SUPERVISOR);
            }
            out.push(m);
        }
    }

    fn watched_team(
        &self,
        world: &World,
        now: Instant,
        team: u32,
        operation: u32,
        agents: &[usize],
        out: &mut Vec<Message>,
    ) {
        let name = world.config.teams.iter().find(|t| t.id == team).map_or("", |t| t.name.as_str());
        for part in agents.chunks(MEMBERS) {
            let mut m = Message::new(kind::AGENT_TEAM_CONFIG_EVENT)
                .with(field::PERIPHERAL_ID, self.peripheral)
                .with(field::TEAM_ID, team)
                .with(field::NUMBER_OF_AGENTS, count(part.len()))
                .with(field::CONFIG_OPERATION, operation)
                .with(field::DEPARTMENT_ID, 0u32)
                .with_tag(tag::AGENT_TEAM_NAME, super::clip(name, 32));
            for agent in part {
                let agent = &world.agents[*agent];
                m.push(tag::ATC_AGENT_ID, &*agent.id);
                m.push(tag::AGENT_FLAGS, flags(agent.supervisor));
                m.push(tag::ATC_AGENT_STATE, agent.state.code());
                m.push(tag::ATC_STATE_DURATION, seconds(now.saturating_duration_since(agent.since)));
            }
            out.push(m);
        }
    }

    fn watched_team_change(
        &self,
        world: &World,
        team: u32,
        operation: u32,
        agent: usize,
        out: &mut Vec<Message>,
    ) {
        if self.dialect == Dialect::Cce {
            let since = world.agents[agent].since;
            self.watched_team(world, since, team, operation, &[agent], out);
        }
    }
}

fn flags(supervisor: bool) -> u32 {
    if supervisor { agent_flags::SUPERVISOR | agent_flags::PRIMARY_SUPERVISOR } else { 0 }
}

fn media_domain() -> Message {
    Message::new(kind::CONFIG_MRD_EVENT)
        .with(field::NUM_RECORDS, 1u32)
        .with_tag(tag::RECORD_TYPE, record_type::ADD)
        .with_tag(tag::FLT_MR_DOMAIN_ID, VOICE)
        .with_tag(tag::ENTERPRISE_NAME, "Cisco_Voice")
}

fn desk_record(world: &World) -> Message {
    let desk = &world.config.desk;
    Message::new(kind::CONFIG_AGENT_DESK_SETTINGS_EVENT)
        .with(field::NUM_RECORDS, 1u32)
        .with_tag(tag::RECORD_TYPE, record_type::ADD)
        .with_tag(tag::AGENT_DESK_SETTINGS_ID, DESK)
        .with_tag(tag::FLT_DESK_SETTINGS_MASK, super::query::desk_mask(world))
        .with_tag(tag::FLT_WRAP_UP_DATA_INCOMING_MODE, desk.wrap_up_incoming.code())
        .with_tag(tag::FLT_WRAP_UP_DATA_OUTGOING_MODE, desk.wrap_up_outgoing.code())
        .with_tag(tag::FLT_RING_NO_ANSWER_TIME, seconds(desk.ring_no_answer))
        .with_tag(tag::FLT_WORK_MODE_TIMER, seconds(desk.work_timer))
}
