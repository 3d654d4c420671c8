//! What a realm adds to the directory of the configuration file.

use std::collections::HashSet;

use super::{Builder, Directory, DirectoryError, Queue, Team, User};

/// People, teams and queues that live elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The users.
    pub users: Vec<User>,
    /// Their teams.
    pub teams: Vec<Team>,
    /// What they serve.
    pub queues: Vec<Queue>,
}

impl Builder {
    /// Adds what a realm knows and builds the directory after `former`. What the configuration file says comes first: of
    /// two users with one id, or two teams or queues with one number, that of the file counts. Contradictions in
    /// what the realm says do not keep the rest out: they are left out, and returned.
    pub fn build_with(mut self, roster: &Roster, former: &Directory) -> (Directory, Vec<DirectoryError>) {
        let mut left_out = Vec::new();
        let teams: HashSet<u32> = self.teams.iter().map(|team| team.id).collect();
        self.teams.extend(roster.teams.iter().filter(|team| !teams.contains(&team.id)).cloned());
        let queues: HashSet<u32> = self.queues.iter().map(|queue| queue.id).collect();
        self.queues.extend(roster.queues.iter().filter(|queue| !queues.contains(&queue.id)).cloned());
        self.users.extend(roster.users.iter().cloned());
        let mut directory = Directory::empty_after(former);
        for team in self.teams {
            left_out.extend(directory.add_team(team).err());
        }
        for mut user in self.users {
            let known = |team: &u32| directory.teams.contains_key(team);
            if let Some(team) = user.team.iter().chain(&user.supervises).find(|team| !known(team)) {
                left_out.push(DirectoryError::UnknownTeam { by: format!("user {:?}", user.id), team: *team });
            }
            user.team = user.team.filter(known);
            user.supervises.retain(|team| user.roles.supervisor && known(team));
            if directory.by_login_name.contains_key(&user.login_name.to_lowercase()) {
                left_out.push(DirectoryError::DuplicateLoginName(std::mem::take(&mut user.login_name)));
            }
            left_out.extend(directory.add_user(user, former).err());
        }
        directory.leave_vacant(former);
        for mut queue in self.queues {
            queue.members.retain(|member| directory.by_id.contains_key(member));
            left_out.extend(directory.add_queue(queue).err());
        }
        for mut code in self.reason_codes {
            // One that is for teams that are gone must not become one for all.
            code.teams.retain(|team| directory.teams.contains_key(team));
            left_out.extend(directory.add_reason_code(code).err());
        }
        (directory, left_out)
    }
}
