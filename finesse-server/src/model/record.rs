//! `START_RECORDING` (Finesse guide, "Dialog", recording; CCX). There is no way to stop: a recording ends with its call.

use cti::{Message, field, kind, tag};

use super::Model;
use super::act::required;
use super::command::{DialogBody, Reply};
use super::dialog::{Connection, Leg};
use super::error::ApiError;
use super::requests::Job;
use super::seat::{Expect, Line};
use super::time::Now;
use crate::authority::Operation;
use crate::directory::User;

impl Model {
    /// Whether calls are recorded here.
    pub(super) fn records(&self) -> bool {
        self.settings.ccx() && self.settings.recording
    }

    /// `START_RECORDING` of `PUT Dialog/{id}`: the own call, or for a supervisor who listens, the agent's.
    pub(super) fn start_recording(
        &mut self,
        now: Now,
        caller: &User,
        call: u32,
        body: &DialogBody,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        if !self.records() {
            return Err(ApiError::not_implemented("START_RECORDING"));
        }
        let target = required(&body.target_media_address, "targetMediaAddress")?;
        let (at, recorded, call, connection) = self.to_record(caller, call, target)?;
        let message = self.recording_request(recorded, call, &connection);
        let job = Job { message, expect: Expect::Nothing(call), request_id, by: None };
        self.enqueue(now, at, Line::Phone, job)?;
        Ok(Reply::Accepted)
    }

    /// The position of `caller`; the agent, call and connection that he may record under `target`.
    fn to_record(
        &self,
        caller: &User,
        call: u32,
        target: &str,
    ) -> Result<(usize, usize, u32, Connection), ApiError> {
        let dialog = self.calls.dialog(call).ok_or_else(|| ApiError::dialog_not_found(call.to_string()))?;
        let (at, own) = self.part_of(caller, dialog)?;
        let overheard = dialog.parties.iter().find(|p| dialog.overhears(p)).map(|p| p.address.as_str());
        if overheard != Some(target) {
            self.judge(Operation::ControlCall, caller, self.phone(target).1)?;
        }
        let silent =
            || ApiError::new(401, "Invalid State", "There is nothing to record now", call.to_string());
        if !dialog.is_monitor() {
            return match own.leg {
                Leg::Held => Err(silent()),
                _ => Ok((at, at, call, own.connection.clone())),
            };
        }
        let agent = overheard.and_then(|address| self.by_device.get(address).copied());
        let talks = agent.and_then(|agent| self.talks_on(agent).map(|(d, c)| (at, agent, d.id, c.clone())));
        talks.ok_or_else(silent)
    }

    fn recording_request(&self, agent: usize, call: u32, connection: &Connection) -> Message {
        self.on_call(agent, kind::START_RECORDING_REQ, call, connection)
            .with(field::CLIENT_PORT, 0u32)
            .with(field::BIT_RATE, 0u32)
            .with(field::PACKET_SIZE, 0u32)
            .with(field::DIRECTION, 0u32)
            .with(field::RTP_TYPE, 0u32)
            .with(field::ECHO_CANCELLATION, 0u32)
            .with(field::PAYLOAD_TYPE, 0u32)
            .with_tag(tag::AGENT_EXTENSION, self.seats[agent].view.extension.as_str())
    }
}
