//! Who may do what to whom: the authorisation matrix of the REST API as one table. A row is an operation, a column what
//! the caller is to the object of the request, a cell what he is answered. The guide states the cells resource by
//! resource ("Security constraints"); where it is silent, `docs/rest.md` says what was chosen.

use crate::directory::{Directory, User};
use crate::model::error::ApiError;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reason codes, wrap-up reasons, layouts, phone books and workflows of a user (`User/{id}/…`).
    ReadUserResources,
    /// The same of a team (`TeamResource/{id}/…`).
    ReadTeamResources,
    /// What is assigned to a team (`Team/{id}/ReasonCodes` and the like).
    ReadTeamAssignments,
    /// Messages to a team (`Team/{id}/TeamMessages`).
    ReadTeamMessages,
    /// A message to a team.
    SendTeamMessage,
    /// One's own messages to teams; to send and delete any.
    ReadOwnMessages,
    /// A log of the desktop (`User/{id}/ClientLog`).
    SendClientLog,
    /// What every user may read: `ReasonCode/{id}`, `ECCVariableConfig`, `ChatConfig`, `Devices`.
    ReadShared,
    /// The configuration: `ReasonCodes`, `PhoneBooks`, `Teams` and the like.
    ReadConfiguration,
}

/// What the caller is to the user or team of the path; without one, what he is by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The user himself; a member of the team.
    Own,
    /// A supervisor of the user's team or of the team; any supervisor.
    Supervisor,
    /// A supervisor of other teams only.
    OtherSupervisor,
    /// An agent with no such tie.
    Agent,
    /// An administrator.
    Administrator,
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go ahead.
    Allow,
    /// 401 `Authorization Failure`: the role may not use this API.
    Role,
    /// 401 `Invalid Authorization User Specified`: the credentials are not those of the user in the path.
    OtherUser,
    /// 401 `Invalid Authorization`: not the caller's team.
    OtherTeam,
}

/// Columns: [`Standing`] in its order.
const COLUMNS: [Standing; 5] = [
    Standing::Own,
    Standing::Supervisor,
    Standing::OtherSupervisor,
    Standing::Agent,
    Standing::Administrator,
];

use Operation as O;
use Verdict::{Allow, OtherTeam, OtherUser, Role};

/// The matrix.
#[rustfmt::skip]
const MATRIX: [(Operation, [Verdict; 5]); 9] = [
    //                         Own    Supervisor OtherSupervisor Agent      Administrator
    (O::ReadUserResources,   [Allow, OtherUser, OtherUser,      OtherUser, Allow]),
    (O::ReadTeamResources,   [Allow, Allow,     OtherTeam,      OtherTeam, Allow]),
    (O::ReadTeamAssignments, [Role,  Role,      Role,           Role,      Allow]),
    (O::ReadTeamMessages,    [Allow, Allow,     Role,           Role,      Allow]),
    (O::SendTeamMessage,     [Role,  Allow,     Role,           Role,      Allow]),
    (O::ReadOwnMessages,     [Role,  Allow,     Role,           Role,      Allow]),
    (O::SendClientLog,       [Allow, OtherUser, OtherUser,      OtherUser, OtherUser]),
    (O::ReadShared,          [Allow, Allow,     Allow,          Allow,     Allow]),
    (O::ReadConfiguration,   [Role,  Role,      Role,           Role,      Allow]),
];

/// What is asked about: the object in the path, which need not exist.
#[derive(Clone, Copy, Debug)]
pub enum Object<'a> {
    /// A user, by id or login name.
    User(&'a str),
    /// A team, by number.
    Team(&'a str),
    /// Nobody in particular.
    Nothing,
}

/// Judges whether `caller` may do this. An object that does not exist is a stranger's: whether it exists is not told
/// to those who may not ask.
///
/// # Errors
/// 401 as the cell says.
pub fn judge(
    directory: &Directory,
    operation: Operation,
    caller: &User,
    object: Object<'_>,
) -> Result<(), ApiError> {
    let mut refusal = None;
    for standing in standings(directory, caller, object).into_iter().flatten() {
        match verdict(operation, standing) {
            Verdict::Allow => return Ok(()),
            other => refusal = refusal.or(Some(other)),
        }
    }
    Err(error(refusal.unwrap_or(Verdict::Role), caller, object))
}

/// The cell of an operation and a standing.
pub fn verdict(operation: Operation, standing: Standing) -> Verdict {
    let column = COLUMNS.iter().position(|column| *column == standing);
    let row = MATRIX.iter().find(|(row, _)| *row == operation);
    // A cell that is not in the table allows nothing.
    row.zip(column).map_or(Verdict::Role, |((_, row), column)| row[column])
}

/// What the caller is to the object: as an agent or supervisor, and as an administrator.
fn standings(directory: &Directory, caller: &User, object: Object<'_>) -> [Option<Standing>; 2] {
    let supervisor = caller.roles.supervisor;
    let (own, supervised) = match object {
        Object::User(id) => directory
            .resolve(id)
            .map_or((false, false), |user| (user.id == caller.id, directory.supervises(caller, user))),
        Object::Team(id) => id.parse().map_or((false, false), |id| {
            (caller.team == Some(id), supervisor && caller.supervises.contains(&id))
        }),
        Object::Nothing => (false, supervisor),
    };
    let tie = match (supervised, own, supervisor, caller.roles.agent) {
        (_, true, ..) if matches!(object, Object::User(_)) => Some(Standing::Own),
        (true, ..) => Some(Standing::Supervisor),
        (_, true, ..) => Some(Standing::Own),
        (_, _, true, _) => Some(Standing::OtherSupervisor),
        (_, _, _, true) => Some(Standing::Agent),
        _ => None,
    };
    [tie, caller.roles.administrator.then_some(Standing::Administrator)]
}

fn error(verdict: Verdict, caller: &User, object: Object<'_>) -> ApiError {
    let id = match object {
        Object::User(id) | Object::Team(id) => id,
        Object::Nothing => "",
    };
    match verdict {
        Verdict::OtherUser => ApiError::other_user(id),
        Verdict::OtherTeam => {
            ApiError::new(401, "Invalid Authorization", "The team of the URI is not a team of the user", id)
        }
        Verdict::Allow | Verdict::Role => ApiError::unauthorized(&*caller.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::directory;

    /// Who stands how to user 1002 and team 1, and to nobody: an agent, a supervisor, an administrator.
    fn cases(operation: Operation) -> Vec<(Standing, &'static str, Object<'static>)> {
        let object = match operation {
            O::ReadUserResources | O::SendClientLog => Object::User("1002"),
            O::ReadTeamResources | O::ReadTeamAssignments | O::ReadTeamMessages | O::SendTeamMessage => {
                Object::Team("1")
            }
            O::ReadShared | O::ReadConfiguration | O::ReadOwnMessages => {
                return vec![
                    (Standing::Agent, "1002", Object::Nothing),
                    (Standing::Supervisor, "1001", Object::Nothing),
                    (Standing::Administrator, "admin", Object::Nothing),
                ];
            }
        };
        let foreign = match object {
            Object::User(_) => Object::User("MKeller"),
            _ => Object::Team("2"),
        };
        vec![
            (Standing::Own, "1002", object),
            (Standing::Supervisor, "1001", object),
            (Standing::OtherSupervisor, "1001", foreign),
            (Standing::Agent, "MKeller", object),
            (Standing::Administrator, "admin", object),
        ]
    }

    /// Every cell, with a caller and an object that lead to it.
    #[test]
    fn each_cell_is_what_a_caller_is_answered() {
        let directory = directory();
        for (operation, row) in MATRIX {
            for (standing, caller, object) in cases(operation) {
                let expected = row[COLUMNS.iter().position(|column| *column == standing).unwrap()];
                let caller = directory.user(caller).unwrap();
                let answer = judge(&directory, operation, caller, object);
                let what = format!("{operation:?} {standing:?}");
                match (expected, answer) {
                    (Allow, answer) => assert_eq!(answer, Ok(()), "{what}"),
                    (Role, Err(e)) => {
                        assert_eq!((e.status, e.kind), (401, "Authorization Failure"), "{what}")
                    }
                    (OtherUser, Err(e)) => {
                        assert_eq!(
                            (e.status, e.kind),
                            (401, "Invalid Authorization User Specified"),
                            "{what}"
                        );
                    }
                    (OtherTeam, Err(e)) => {
                        assert_eq!((e.status, e.kind), (401, "Invalid Authorization"), "{what}");
                    }
                    (expected, Ok(())) => panic!("{what}: allowed instead of {expected:?}"),
                }
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_a_strangers() {
        let directory = directory();
        let agent = directory.user("1002").unwrap();
        let on = |object| judge(&directory, O::ReadUserResources, agent, object).unwrap_err();
        assert_eq!(on(Object::User("9999")).kind, on(Object::User("1001")).kind);
        let admin = directory.user("admin").unwrap();
        assert_eq!(judge(&directory, O::ReadTeamResources, admin, Object::Team("99")), Ok(()));
        let error = judge(&directory, O::ReadTeamResources, agent, Object::Team("x")).unwrap_err();
        assert_eq!(error.kind, "Invalid Authorization");
    }

    /// Two roles are judged by the better of the two.
    #[test]
    fn a_supervisor_who_is_an_administrator_may_what_either_may() {
        let directory = directory();
        let mut both = (**directory.user("1001").unwrap()).clone();
        both.roles.administrator = true;
        assert_eq!(judge(&directory, O::ReadConfiguration, &both, Object::Nothing), Ok(()));
        assert_eq!(judge(&directory, O::ReadUserResources, &both, Object::User("MKeller")), Ok(()));
    }
}
