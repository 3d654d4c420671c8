//! What is asked of the database: four statements that SQL Server and PostgreSQL understand alike. Table and column
//! names are those of the published schema handbook of Unified ICM; installations that differ give statements of their
//! own, which have to name their columns as these do.

/// Which agents there are. Columns: `SkillTargetID`, `PeripheralNumber`, `LoginName`, `FirstName`, `LastName`,
/// `Password`, `LoginEnabled`, `SupervisorAgent`, `AgentTeamID`, `Deleted`; and `SsoEnabled`, which is optional.
pub(super) const AGENTS: &str = "\
SELECT a.SkillTargetID, a.PeripheralNumber, p.LoginName, p.FirstName, p.LastName, p.Password, p.LoginEnabled, \
a.SupervisorAgent, m.AgentTeamID, a.Deleted \
FROM Agent a JOIN Person p ON p.PersonID = a.PersonID \
LEFT JOIN Agent_Team_Member m ON m.SkillTargetID = a.SkillTargetID \
WHERE a.PeripheralID = @peripheral";

/// Which teams. Columns: `AgentTeamID`, `EnterpriseName`.
pub(super) const TEAMS: &str = "\
SELECT t.AgentTeamID, t.EnterpriseName FROM Agent_Team t WHERE t.PeripheralID = @peripheral";

/// Who supervises them. Columns: `AgentTeamID`, `SupervisorSkillTargetID`.
pub(super) const SUPERVISORS: &str = "\
SELECT s.AgentTeamID, s.SupervisorSkillTargetID FROM Agent_Team_Supervisor s";

/// Which skill groups, and who serves them: a row for each pair. Columns: `PeripheralNumber`, `EnterpriseName`,
/// `AgentSkillTargetID`.
pub(super) const QUEUES: &str = "\
SELECT g.PeripheralNumber, g.EnterpriseName, m.AgentSkillTargetID \
FROM Skill_Group g LEFT JOIN Skill_Group_Member m ON m.SkillTargetID = g.SkillTargetID \
WHERE g.PeripheralID = @peripheral AND g.Deleted = 'N'";

/// The four statements with the number of the peripheral in them, and the first once more for one agent.
#[derive(Clone, Debug)]
pub(super) struct Statements {
    pub(super) agents: String,
    /// For the agent whose number or login name is `@name`.
    pub(super) agent: String,
    pub(super) teams: String,
    pub(super) supervisors: String,
    pub(super) queues: String,
}

impl Statements {
    /// Texts of the configuration; an empty one means the one above.
    pub(super) fn new(own: [&str; 4], peripheral: u32) -> Statements {
        let defaults = [AGENTS, TEAMS, SUPERVISORS, QUEUES];
        let text = |at: usize| {
            let text = if own[at].trim().is_empty() { defaults[at] } else { own[at].trim() };
            text.trim_end_matches(';').replace("@peripheral", &peripheral.to_string())
        };
        let agents = text(0);
        let agent = format!(
            "SELECT q.* FROM ({agents}) q \
             WHERE LOWER(q.PeripheralNumber) = LOWER(@name) OR LOWER(q.LoginName) = LOWER(@name)"
        );
        Statements { agents, agent, teams: text(1), supervisors: text(2), queues: text(3) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_peripheral_is_put_in_and_own_texts_count() {
        let own = ["", "SELECT 1 AS AgentTeamID, 'x' AS EnterpriseName;", "", ""];
        let all = Statements::new(own, 5001);
        assert!(all.agents.ends_with("WHERE a.PeripheralID = 5001"));
        assert_eq!(all.teams, "SELECT 1 AS AgentTeamID, 'x' AS EnterpriseName");
        assert!(all.agent.contains("FROM (SELECT a.SkillTargetID") && all.agent.contains("@name"));
    }
}
