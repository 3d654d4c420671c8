//! What administrators and circumstances do to the centre.

use super::event::Event;
use super::world::{World, refusal};
use crate::enums::control_failure_code as cf;
use crate::sim::{AgentChange, Refused};

impl World {
    /// The peripheral goes offline or comes back. Calls and agents stay as they are.
    pub(crate) fn set_online(&mut self, online: bool) {
        if self.online != online {
            self.online = online;
            self.attention = true;
            self.push(Event::Peripheral { online });
        }
    }

    /// Changes an agent's record and tells of it.
    pub(crate) fn change_agent(&mut self, agent: &str, change: &AgentChange) -> Result<(), Refused> {
        let unknown = refusal(cf::INVALID_AGENT_ID_SPECIFIED);
        let index = *self.agent_index.get(agent).ok_or(unknown)?;
        if let Some(team) = change.team.filter(|t| !self.config.teams.iter().any(|c| c.id == *t)) {
            return Err(Refused::Unknown(team));
        }
        let position = |number: &u32| {
            self.queues.iter().position(|q| q.number == *number).ok_or(Refused::Unknown(*number))
        };
        let queues = match &change.queues {
            Some(numbers) => Some(numbers.iter().map(position).collect::<Result<Vec<usize>, Refused>>()?),
            None => None,
        };
        let record = &mut self.agents[index];
        let left = change.team.filter(|t| *t != record.team).map(|_| record.team);
        record.first_name = change.first_name.clone().unwrap_or_else(|| record.first_name.clone());
        record.last_name = change.last_name.clone().unwrap_or_else(|| record.last_name.clone());
        record.team = change.team.unwrap_or(record.team);
        if let Some(queues) = queues {
            record.queues = queues;
            self.attention = true;
        }
        self.revision += 1;
        self.push(Event::AgentChanged { agent: index, left });
        Ok(())
    }
}
