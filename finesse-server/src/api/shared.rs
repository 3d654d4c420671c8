//! Small resources: teams as a list, page layouts, variables, chat, devices, and what the configuration amounts to.

use super::define::{Collection, Field, Resource};
use crate::catalogue::{Chat, Device, EccVariable};
use crate::directory::Team;

/// `Team` in the list of all teams.
static TEAM: Resource<Team> = Resource {
    name: "Team",
    about: "A team.",
    fields: &[
        Field::integer("id", "Number of the team.", |team| Some(team.id.into())),
        Field::text("name", "Name for people.", |team| team.name.as_str().into()),
        Field::text("uri", "Path of the object.", |team| format!("/finesse/api/Team/{}", team.id).into()),
    ],
};

/// `Teams`.
pub static TEAMS: Collection<Team> =
    Collection { name: "Teams", about: "All teams.", attribute: None, of: &TEAM };

/// `LayoutConfig` (guide, "LayoutConfig"), read off the layout document.
pub static LAYOUT_CONFIG: Resource<String> = Resource {
    name: "LayoutConfig",
    about: "Which pages and gadgets a desktop has.",
    fields: &[
        Field::text("layoutxml", "The layout document, escaped.", |xml| xml.as_str().into()),
        Field::text("uri", "Path of the object.", |_| "/finesse/api/LayoutConfig/default".into()),
    ],
};

/// The layout of a team.
pub struct TeamLayout {
    /// The layout document.
    pub xml: String,
    /// Whether it is the default one.
    pub default: bool,
}

/// `TeamLayoutConfig` (guide, "Team").
pub static TEAM_LAYOUT_CONFIG: Resource<TeamLayout> = Resource {
    name: "TeamLayoutConfig",
    about: "Which pages and gadgets the desktops of a team have.",
    fields: &[
        Field::text("layoutxml", "The layout document, escaped.", |layout| layout.xml.as_str().into()),
        Field::boolean("useDefault", "Whether the team has none of its own.", |layout| layout.default),
    ],
};

static ECC_VARIABLE: Resource<EccVariable> = Resource {
    name: "ECCVariable",
    about: "An expanded call context variable.",
    fields: &[
        Field::integer("length", "Most bytes of its value.", |variable| Some(variable.length.into())),
        Field::text("name", "Its name, with user. in front.", |variable| variable.name.as_str().into()),
    ],
};

/// `ECCVariableConfig` (guide, "ECCVariableConfig").
pub static ECC_VARIABLES: Collection<EccVariable> = Collection {
    name: "ECCVariableConfig",
    about: "Expanded call context variables.",
    attribute: None,
    of: &ECC_VARIABLE,
};

/// `ChatConfig` (guide, "ChatConfig").
pub static CHAT_CONFIG: Resource<Chat> = Resource {
    name: "ChatConfig",
    about: "Where the chat servers are.",
    fields: &[
        Field::text("primaryNode", "URL of the first.", |chat| chat.primary.as_str().into()),
        Field::text("secondaryNode", "URL of the second.", |chat| chat.secondary.as_str().into()),
        Field::text("uri", "Path of the object.", |_| "/finesse/api/ChatConfig".into()),
    ],
};

/// How much is configured.
pub struct Totals {
    /// Queues.
    pub queues: usize,
    /// Users who are supervisors.
    pub supervisors: usize,
    /// Teams.
    pub teams: usize,
    /// Users.
    pub users: usize,
}

fn count(number: usize) -> Option<i64> {
    i64::try_from(number).ok()
}

/// `ConfigInfo` (guide, "ConfigInfo").
pub static CONFIG_INFO: Resource<Totals> = Resource {
    name: "ConfigInfo",
    about: "How much is configured.",
    fields: &[
        Field::integer("totalSkillGroups", "Queues.", |totals| count(totals.queues)),
        Field::integer("totalSupervisors", "Supervisors.", |totals| count(totals.supervisors)),
        Field::integer("totalTeams", "Teams.", |totals| count(totals.teams)),
        Field::integer("totalUsers", "Users.", |totals| count(totals.users)),
        Field::text("uri", "Path of the object.", |_| "/finesse/api/ConfigInfo".into()),
        Field::text("versionInfo", "Version of the server.", |_| env!("CARGO_PKG_VERSION").into()),
    ],
};

static DEVICE: Resource<Device> = Resource {
    name: "Device",
    about: "A phone.",
    fields: &[
        Field::text("deviceId", "Its name; what activeDeviceId of a sign-in refers to.", |d| {
            d.id.as_str().into()
        }),
        Field::integer("deviceType", "Kind of terminal.", |d| Some(d.kind.into())),
        Field::text("deviceTypeName", "The same for people.", |d| d.kind_name.as_str().into()),
    ],
};

/// `Devices` (guide, "Devices").
pub static DEVICES: Collection<Device> =
    Collection { name: "Devices", about: "Phones of an extension.", attribute: None, of: &DEVICE };
