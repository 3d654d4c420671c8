//! Names of nodes: they are REST paths.

/// A node that the server knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// `/finesse/api/SystemInfo`.
    SystemInfo,
    /// A feed of the user with this id.
    User(&'a str, UserFeed),
    /// A feed of the team with this number.
    Team(u32),
    /// `/finesse/api/Queue/{id}`.
    Queue(u32),
}

/// Feeds of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserFeed {
    /// State and attributes.
    User,
    /// Calls.
    Dialogs,
    /// Media routing domains; also under the name with the number of one.
    Media,
    /// Non-voice tasks.
    TaskDialogs,
    /// Queues.
    Queues,
    /// Messages to the team.
    TeamMessages,
    /// Requests for logs.
    ClientLog,
}

impl<'a> Node<'a> {
    /// Reads a name. Nothing is tolerated that is not byte for byte a name: clients compare them literally.
    pub fn parse(name: &'a str) -> Option<Self> {
        let mut segments = name.strip_prefix("/finesse/api/")?.split('/');
        let node = match (segments.next()?, segments.next()) {
            ("SystemInfo", None) => Self::SystemInfo,
            ("User", Some(id)) if !id.is_empty() => {
                let feed = match (segments.next(), segments.next()) {
                    (None, None) => UserFeed::User,
                    (Some("Dialogs"), None) => UserFeed::Dialogs,
                    (Some("Dialogs"), Some("Media")) => UserFeed::TaskDialogs,
                    (Some("Media"), None) => UserFeed::Media,
                    (Some("Media"), Some(domain)) if number(domain).is_some() => UserFeed::Media,
                    (Some("Queues"), None) => UserFeed::Queues,
                    (Some("TeamMessages"), None) => UserFeed::TeamMessages,
                    (Some("ClientLog"), None) => UserFeed::ClientLog,
                    _ => return None,
                };
                Self::User(id, feed)
            }
            ("Team", Some(id)) if matches!(segments.next()?, "Users" | "TeamMessages") => {
                Self::Team(number(id)?)
            }
            ("Queue", Some(id)) => Self::Queue(number(id)?),
            _ => return None,
        };
        segments.next().is_none().then_some(node)
    }
}

/// A number in the one way the server writes it: other spellings would be other nodes.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_to_the_letter() {
        let parse = |rest: &str| Node::parse(&format!("/finesse/api/{rest}")).map(|n| format!("{n:?}"));
        assert_eq!(parse("SystemInfo").as_deref(), Some("SystemInfo"));
        assert_eq!(parse("User/4711").as_deref(), Some("User(\"4711\", User)"));
        assert_eq!(parse("User/4711/Dialogs/Media").as_deref(), Some("User(\"4711\", TaskDialogs)"));
        assert_eq!(parse("Team/31/Users").as_deref(), Some("Team(31)"));
        assert_eq!(parse("Queue/5044").as_deref(), Some("Queue(5044)"));
        for wrong in ["systeminfo", "User", "User/", "User/1/", "User/1/dialogs", "Team/31", "Team/031/Users"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        for wrong in
            ["Team/+1/Users", "Team/1/Users/2", "Queue/x", "Queue/1/2", "SystemInfo/1", "User/1/Media/x"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    /// Requirement 37: the name with the number of a media routing domain is the same feed.
    #[test]
    fn n37_the_media_feed_has_an_alias_for_each_domain() {
        let feed = |name| Node::parse(name);
        assert_eq!(feed("/finesse/api/User/1/Media/5007"), feed("/finesse/api/User/1/Media"));
    }
}
