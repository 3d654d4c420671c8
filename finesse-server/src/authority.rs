//! Who may do what to whom: the authorisation matrix of the REST API as one table, and the only place where that is decided.
//! A row is an operation, a column what the caller is to the object of the request, a cell what he is answered. The guide
//! states the cells resource by resource ("Security constraints"); where it is silent, `docs/rest.md` says what was chosen, with
//! the same table for people.

use crate::directory::{Directory, User};
use crate::model::DropParticipantFor;
use crate::model::error::ApiError;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The state of the server.
    ReadSystem,
    /// A user and the user's calls.
    ReadUser,
    /// All users.
    ReadUsers,
    /// Reason codes, wrap-up reasons, layouts, phone books and workflows of a user (`User/{id}/…`).
    ReadUserResources,
    /// To sign in.
    SignIn,
    /// Any other change of state.
    ChangeState,
    /// To call from a user's phone, listening included.
    MakeCall,
    /// To listen to the agent at a phone, or join a call there; without a phone, to anybody at all.
    Supervise,
    /// A call.
    ReadDialog,
    /// To act with the leg of a phone.
    ControlCall,
    /// What those on a call may: change its data, have it recorded, drop others from it.
    TakePart,
    /// Media other than voice.
    ReadMedia,
    /// To change the state in a medium other than voice.
    ChangeMedia,
    /// A team with the states of its members.
    ReadTeam,
    /// Reason codes, wrap-up reasons, layouts, phone books and workflows of a team (`TeamResource/{id}/…`).
    ReadTeamResources,
    /// What is assigned to a team (`Team/{id}/ReasonCodes` and the like).
    ReadTeamAssignments,
    /// Messages to a team (`Team/{id}/TeamMessages`).
    ReadTeamMessages,
    /// A message to a team.
    SendTeamMessage,
    /// One's own messages to teams; to send and delete any.
    ReadOwnMessages,
    /// To delete a message that somebody sent.
    DeleteTeamMessage,
    /// A log of the desktop (`User/{id}/ClientLog`).
    SendClientLog,
    /// What every user may read: queues, `ReasonCode/{id}`, `ECCVariableConfig`, `ChatConfig`, `Devices`.
    ReadShared,
    /// The configuration: `ReasonCodes`, `PhoneBooks`, `Teams` and the like.
    ReadConfiguration,
}

/// What the caller is to the object of the request; without one, what he is by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The user himself; a member of the team; somebody on the call; whose phone it is; who sent the message.
    Own,
    /// A supervisor of the user's team, of the team, of somebody on the call, of whose phone it is; any supervisor.
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
    /// 401 `Invalid Authorization User Specified`: the caller is no supervisor, or has no phone.
    NoSupervisor,
    /// 401 `Invalid Supervisor`: the user is in no team of this supervisor.
    OtherTeams,
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
use Verdict::{Allow, NoSupervisor, OtherTeam, OtherTeams, OtherUser, Role};

/// The matrix.
#[rustfmt::skip]
const MATRIX: [(Operation, [Verdict; 5]); 23] = [
    //                         Own           Supervisor    OtherSupervisor Agent         Administrator
    (O::ReadSystem,          [Allow,        Allow,        Allow,          Allow,        Allow]),
    (O::ReadUser,            [Allow,        Allow,        OtherUser,      OtherUser,    Allow]),
    (O::ReadUsers,           [Role,         Role,         Role,           Role,         Allow]),
    (O::ReadUserResources,   [Allow,        OtherUser,    OtherUser,      OtherUser,    Allow]),
    (O::SignIn,              [Allow,        OtherUser,    OtherUser,      OtherUser,    NoSupervisor]),
    (O::ChangeState,         [Allow,        Allow,        OtherTeams,     OtherUser,    NoSupervisor]),
    (O::MakeCall,            [Allow,        OtherUser,    OtherUser,      OtherUser,    NoSupervisor]),
    (O::Supervise,           [NoSupervisor, Allow,        OtherTeams,     NoSupervisor, NoSupervisor]),
    (O::ReadDialog,          [Allow,        Allow,        OtherUser,      OtherUser,    Allow]),
    (O::ControlCall,         [Allow,        OtherUser,    OtherUser,      OtherUser,    NoSupervisor]),
    (O::TakePart,            [Allow,        OtherUser,    OtherUser,      OtherUser,    NoSupervisor]),
    (O::ReadMedia,           [Allow,        Allow,        OtherUser,      OtherUser,    Allow]),
    (O::ChangeMedia,         [Allow,        Allow,        OtherTeams,     OtherUser,    NoSupervisor]),
    (O::ReadTeam,            [Role,         Allow,        Role,           Role,         Allow]),
    (O::ReadTeamResources,   [Allow,        Allow,        OtherTeam,      OtherTeam,    Allow]),
    (O::ReadTeamAssignments, [Role,         Role,         Role,           Role,         Allow]),
    (O::ReadTeamMessages,    [Allow,        Allow,        Role,           Role,         Allow]),
    (O::SendTeamMessage,     [Role,         Allow,        Role,           Role,         Allow]),
    (O::ReadOwnMessages,     [Role,         Allow,        Role,           Role,         Allow]),
    (O::DeleteTeamMessage,   [Allow,        Role,         Role,           Role,         Allow]),
    (O::SendClientLog,       [Allow,        OtherUser,    OtherUser,      OtherUser,    OtherUser]),
    (O::ReadShared,          [Allow,        Allow,        Allow,          Allow,        Allow]),
    (O::ReadConfiguration,   [Role,         Role,         Role,           Role,         Allow]),
];

/// What is asked about. Users, teams and calls need not exist.
#[derive(Clone, Copy, Debug)]
pub enum Object<'a> {
    /// A user, by id or login name.
    User(&'a str),
    /// A team, by number.
    Team(&'a str),
    /// A call, by id, and the agents on it.
    Call(&'a str, &'a [&'a User]),
    /// A phone, by number, and the agent who is signed in there.
    Phone(&'a str, Option<&'a User>),
    /// A message, by id of who sent it.
    Message(&'a str),
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

/// Whether somebody on a call may drop others from it: the one right that the configuration decides.
pub fn may_drop(setting: DropParticipantFor, supervisor: bool, controller: bool) -> bool {
    match setting {
        DropParticipantFor::SupervisorOnly => supervisor,
        DropParticipantFor::ConferenceControllerAndSupervisor => supervisor || controller,
        DropParticipantFor::All => true,
    }
}

/// What the caller is to the object: as an agent or supervisor, and as an administrator.
fn standings(directory: &Directory, caller: &User, object: Object<'_>) -> [Option<Standing>; 2] {
    let (agent, supervisor) = (caller.roles.agent, caller.roles.supervisor);
    let of_user = |user: &User| (user.id == caller.id && agent, directory.supervises(caller, user));
    let (own, supervised) = match object {
        Object::User(id) => directory.resolve(id).map_or((false, false), |user| of_user(user)),
        Object::Phone(_, holder) => holder.map_or((false, false), of_user),
        Object::Call(_, parties) => parties.iter().fold((false, false), |all, party| {
            let one = of_user(party);
            (all.0 || one.0, all.1 || one.1)
        }),
        Object::Team(id) => id.parse().map_or((false, false), |id| {
            (caller.team == Some(id), supervisor && caller.supervises.contains(&id))
        }),
        Object::Message(sender) => (*sender == *caller.id, false),
        Object::Nothing => (false, supervisor),
    };
    let tie = match (supervised, own) {
        // Who supervises the own team reads it as a supervisor; in everything else one is oneself first.
        (true, true) if matches!(object, Object::Team(_)) => Some(Standing::Supervisor),
        (_, true) => Some(Standing::Own),
        (true, _) => Some(Standing::Supervisor),
        _ if supervisor => Some(Standing::OtherSupervisor),
        _ => agent.then_some(Standing::Agent),
    };
    [tie, caller.roles.administrator.then_some(Standing::Administrator)]
}

fn error(verdict: Verdict, caller: &User, object: Object<'_>) -> ApiError {
    let id = match object {
        Object::User(id) | Object::Team(id) | Object::Call(id, _) | Object::Phone(id, _) => id,
        Object::Message(_) | Object::Nothing => &*caller.id,
    };
    match verdict {
        Verdict::OtherUser => ApiError::other_user(id),
        Verdict::NoSupervisor => ApiError::not_supervisor(&caller.id),
        Verdict::OtherTeams => ApiError::invalid_supervisor(id),
        Verdict::OtherTeam => {
            ApiError::new(401, "Invalid Authorization", "The team of the URI is not a team of the user", id)
        }
        Verdict::Allow | Verdict::Role => ApiError::unauthorized(&*caller.id),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::testing::directory;

    /// Every operation with its requests and its row, as `docs/rest.md` has it: `requests` tells what belongs to an operation.
    pub(crate) fn table(requests: impl Fn(Operation) -> String) -> String {
        let cell = |verdict: &Verdict| match verdict {
            Allow => "yes",
            Role => "AF",
            OtherUser | NoSupervisor => "IU",
            OtherTeams => "IS",
            OtherTeam => "IA",
        };
        let row = |(operation, cells): &(Operation, [Verdict; 5])| {
            let cells: Vec<&str> = cells.iter().map(cell).collect();
            format!("| {} | {} |\n", requests(*operation), cells.join(" | "))
        };
        let head = "| Request | Own | Supervisor | Other supervisor | Agent | Administrator |\n|---|---|---|---|---|---|\n";
        head.to_owned() + &MATRIX.iter().map(row).collect::<String>()
    }

    /// Callers and objects that lead to the cells of a row: for each standing, who asks about what.
    fn cases(directory: &Directory, operation: Operation, check: &mut dyn FnMut(Standing, &str, Object<'_>)) {
        use Standing::{Administrator, Agent, OtherSupervisor, Own, Supervisor};
        let user = |id: &str| &**directory.user(id).unwrap();
        let (on_call, elsewhere) = ([user("1002")], [user("MKeller")]);
        let (object, foreign) = match operation {
            O::ReadUser
            | O::ReadUserResources
            | O::SignIn
            | O::ChangeState
            | O::MakeCall
            | O::ReadMedia
            | O::ChangeMedia
            | O::SendClientLog => (Object::User("1002"), Object::User("MKeller")),
            O::ReadTeam
            | O::ReadTeamResources
            | O::ReadTeamAssignments
            | O::ReadTeamMessages
            | O::SendTeamMessage => (Object::Team("1"), Object::Team("2")),
            O::ReadDialog | O::TakePart => (Object::Call("7", &on_call), Object::Call("7", &elsewhere)),
            O::ControlCall | O::Supervise => {
                (Object::Phone("2002", Some(user("1002"))), Object::Phone("2004", Some(user("MKeller"))))
            }
            O::DeleteTeamMessage => {
                check(Own, "1001", Object::Message("1001"));
                check(OtherSupervisor, "1001", Object::Message("admin"));
                check(Agent, "1002", Object::Message("1001"));
                return check(Administrator, "admin", Object::Message("1001"));
            }
            O::ReadSystem | O::ReadUsers | O::ReadShared | O::ReadConfiguration | O::ReadOwnMessages => {
                check(Supervisor, "1001", Object::Nothing);
                check(Agent, "1002", Object::Nothing);
                return check(Administrator, "admin", Object::Nothing);
            }
        };
        check(Own, "1002", object);
        check(Supervisor, "1001", object);
        check(OtherSupervisor, "1001", foreign);
        check(Agent, "MKeller", object);
        check(Administrator, "admin", object);
    }

    /// Every cell, with a caller and an object that lead to it.
    #[test]
    fn each_cell_is_what_a_caller_is_answered() {
        let directory = directory();
        let mut checked = 0;
        for (operation, row) in MATRIX {
            cases(&directory, operation, &mut |standing, caller, object| {
                checked += 1;
                let what = format!("{operation:?} {standing:?}");
                let answer = judge(&directory, operation, directory.user(caller).unwrap(), object);
                let answer = answer.map_err(|e| (e.status, e.kind, e.data));
                let id = match object {
                    Object::User(id) | Object::Team(id) | Object::Call(id, _) | Object::Phone(id, _) => id,
                    Object::Message(_) | Object::Nothing => caller,
                };
                let refused = |kind, data: &str| Err((401, kind, data.to_owned()));
                let expected = match row[COLUMNS.iter().position(|column| *column == standing).unwrap()] {
                    Allow => Ok(()),
                    Role => refused("Authorization Failure", caller),
                    OtherUser => refused("Invalid Authorization User Specified", id),
                    NoSupervisor => refused("Invalid Authorization User Specified", caller),
                    OtherTeams => refused("Invalid Supervisor", id),
                    OtherTeam => refused("Invalid Authorization", id),
                };
                assert_eq!(answer, expected, "{what}");
            });
        }
        assert_eq!(checked, 17 * 5 + 4 + 5 * 3);
    }

    #[test]
    fn the_configuration_decides_who_may_drop_others() {
        use DropParticipantFor::{All, ConferenceControllerAndSupervisor, SupervisorOnly};
        for (setting, supervisor, controller, agent) in [
            (SupervisorOnly, true, false, false),
            (ConferenceControllerAndSupervisor, true, true, false),
            (All, true, true, true),
        ] {
            assert_eq!(may_drop(setting, true, false), supervisor, "{setting:?}");
            assert_eq!(may_drop(setting, false, true), controller, "{setting:?}");
            assert_eq!(may_drop(setting, false, false), agent, "{setting:?}");
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
        let error = judge(&directory, O::ChangeState, &both, Object::User("MKeller")).unwrap_err();
        assert_eq!(error.kind, "Invalid Supervisor");
    }

    /// Who has no phone has nothing of his own to sign in.
    #[test]
    fn an_administrator_is_no_agent() {
        let directory = directory();
        let admin = directory.user("admin").unwrap();
        for operation in [O::SignIn, O::ChangeState, O::MakeCall] {
            let error = judge(&directory, operation, admin, Object::User("admin")).unwrap_err();
            assert_eq!(error.kind, "Invalid Authorization User Specified", "{operation:?}");
        }
        assert_eq!(judge(&directory, O::ReadUser, admin, Object::User("admin")), Ok(()));
    }
}
