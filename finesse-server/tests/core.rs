//! The model's task against the simulator over TCP: commands down, events up through the broker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use broker::{Address, Broker, OnConflict, Outbox, OutboxLimits, Parcel, Reach};
use cti::link::LinkConfig;
use cti::sim::{self, InboundCall, Simulator};
use finesse_server::config::Resources;
use finesse_server::core::{self, Core, Parts};
use finesse_server::directory::{Directory, Queue, Roles, Team, User};
use finesse_server::model::Settings;
use finesse_server::model::command::{Command, DialogBody, Password, Reply, UserBody, What};
use finesse_server::model::system::Identity;
use finesse_server::notify::Nodes;

const LONG: Duration = Duration::from_secs(10);

struct Nobody;

impl xmpp::Authenticator for Nobody {
    fn authenticate(&self, _: xmpp::Credentials) -> xmpp::auth::Verdict {
        Box::pin(async { Err(xmpp::AuthFailure::NotAuthorized) })
    }
}

fn directory() -> Arc<Directory> {
    let mut builder = Directory::builder().team(Team { id: 1, name: "Team".into() });
    for id in 1001..1005 {
        builder = builder.user(User {
            id: id.to_string().into(),
            login_name: format!("agent{id}"),
            first_name: String::new(),
            last_name: String::new(),
            roles: Roles { agent: true, ..Roles::default() },
            team: Some(1),
            supervises: vec![],
        });
    }
    let members = (1001..1005).map(|id: u32| id.to_string().into()).collect();
    Arc::new(builder.queue(Queue { id: 1, name: "Sales".into(), members }).build().unwrap())
}

/// A server without doors: simulator, model task, broker, and one listener for user 1002.
struct House {
    simulator: Simulator,
    core: Core,
    outbox: Outbox,
    _session: broker::Session,
    read: VecDeque<Parcel>,
}

impl House {
    async fn open() -> Self {
        let mut config = sim::Config::demo(4, "secret");
        config.behaviour.response_delay = Duration::ZERO;
        let simulator = Simulator::start(config).await.unwrap();
        let directory = directory();
        let nodes = Arc::new(Nodes::new(directory.clone()));
        let broker = Broker::with_source(broker::Config::default(), nodes.clone());
        let config = xmpp::Config::new("localhost".to_owned());
        let service = xmpp::Service::new(config, broker.clone(), Arc::new(Nobody), nodes);
        let identity = Identity { domain: "localhost".into(), ..Identity::default() };
        let sides = simulator.addrs().map(|a| a.to_string()).to_vec();
        let link = LinkConfig::new(sides, cti::client::Config::new(cti::Dialect::Cce, 20));
        let settings = Settings::new(cti::Dialect::Cce, 20, identity);
        let core =
            core::spawn(Parts { settings, directory, link, service, counted: Resources::All, pair: None });
        tokio::time::timeout(LONG, core.in_service()).await.unwrap();
        let outbox = Outbox::new(OutboxLimits::default());
        let address = Address { bare: "1002@localhost".into(), resource: Some("test".into()) };
        let session = broker.bind(address, outbox.clone(), OnConflict::Replace).unwrap();
        session.set_reach(Reach::All);
        Self { simulator, core, outbox, _session: session, read: VecDeque::new() }
    }

    async fn ask(&self, request_id: &str, what: What) -> Reply {
        let request_id = Some(request_id.to_owned());
        self.core.ask(Command { caller: "1002".into(), request_id, what }).await
    }

    async fn state(&self, request_id: &str, state: &str) {
        let body = UserBody {
            state: Some(state.into()),
            extension: Some("2002".into()),
            password: Some(Password::new("secret")),
            ..UserBody::default()
        };
        let what = What::ChangeUser { user: "1002".into(), body: Ok(body) };
        assert_eq!(self.ask(request_id, what).await, Reply::Accepted);
    }

    async fn act(&self, request_id: &str, dialog: &str, action: &str) {
        let body = DialogBody {
            requested_action: Some(action.into()),
            target_media_address: Some("2002".into()),
            ..DialogBody::default()
        };
        let what = What::ActOnDialog { dialog: dialog.into(), body: Ok(body) };
        assert_eq!(self.ask(request_id, what).await, Reply::Accepted);
    }

    /// Reads events until one has all of these texts; the document, unescaped once.
    async fn event(&mut self, wanted: &[&str]) -> String {
        let search = async {
            let mut seen = Vec::new();
            loop {
                while let Some(parcel) = self.read.pop_front() {
                    let Parcel::Event { event, .. } = parcel else { continue };
                    let text = String::from_utf8(event.bytes().to_vec()).unwrap();
                    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
                    if wanted.iter().all(|w| text.contains(w)) {
                        return text;
                    }
                    seen.push(text);
                }
                let (outbox, read) = (&self.outbox, &mut self.read);
                std::future::poll_fn(|cx| outbox.poll_take(cx, read, usize::MAX)).await.unwrap();
            }
        };
        match tokio::time::timeout(LONG, search).await {
            Ok(text) => text,
            Err(_) => panic!("no event with {wanted:?}"),
        }
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_an_agent() {
    let mut house = House::open().await;
    house.state("r1", "LOGIN").await;
    let login = house.event(&["<state>NOT_READY</state>", "<requestId>r1</requestId>"]).await;
    assert!(login.contains("<extension>2002</extension>"));
    assert!(!between(&login, "<wrapUpOnIncoming>", "</wrapUpOnIncoming>").is_empty(), "{login}");
    house.state("r2", "READY").await;
    house.event(&["<state>READY</state>", "<requestId>r2</requestId>"]).await;
    let call = InboundCall::to_queue("0301234", 1).with("callVariable1", "a<b&c");
    house.simulator.control().inject_call(call).unwrap();
    let post = house.event(&["<event>POST</event>", "<state>ALERTING</state>"]).await;
    let id = between(&post, "<id>", "</id>").to_owned();
    for part in
        ["<fromAddress>0301234</fromAddress>", "<queueName>Sales</queueName>", "<action>ANSWER</action>"]
    {
        assert!(post.contains(part), "{part} in {post}");
    }
    // The test unescapes twice nested text at once.
    assert!(post.contains("a<b&c") || post.contains("a&lt;b&amp;c"), "{post}");
    house.act("a", &id, "ANSWER").await;
    house.event(&["<requestId>a</requestId>", "<event>PUT</event>", "<action>HOLD</action>"]).await;
    house.act("h", &id, "HOLD").await;
    house.event(&["<requestId>h</requestId>", "<state>HELD</state>"]).await;
    house.act("t", &id, "RETRIEVE").await;
    house.event(&["<requestId>t</requestId>", "<dialog>"]).await;
    house.state("n", "NOT_READY").await;
    house.event(&["<requestId>n</requestId>", "<pendingState>NOT_READY</pendingState>"]).await;
    house.act("x", &id, "DROP").await;
    house.event(&["<requestId>x</requestId>", &format!("<id>{id}</id>")]).await;
    house.event(&["<event>DELETE</event>", &format!("<id>{id}</id>")]).await;
    house.core.stop().await;
    house.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_an_event_and_a_lost_link_is_out_of_service() {
    let mut house = House::open().await;
    let body = UserBody {
        state: Some("LOGIN".into()),
        extension: Some("9999".into()),
        password: Some(Password::new("secret")),
        ..UserBody::default()
    };
    let what = What::ChangeUser { user: "1002".into(), body: Ok(body) };
    assert_eq!(house.ask("bad", what).await, Reply::Accepted);
    house.event(&["<errorType>Invalid Device</errorType>", "<requestId>bad</requestId>"]).await;
    let control = house.simulator.control();
    control.drop_link(sim::Side::A);
    control.drop_link(sim::Side::B);
    house.event(&["<systemInfo>", "<status>OUT_OF_SERVICE</status>"]).await;
    house.event(&["<systemInfo>", "<status>IN_SERVICE</status>"]).await;
    house.core.stop().await;
    house.simulator.shutdown().await;
}
