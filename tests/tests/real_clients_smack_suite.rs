//! Smack's own integration tests. What is in scope here has to pass, and nothing else may: a change in either direction
//! has to be written down, here and in docs/clients.md.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use e2e::embedded::Embedded;
use e2e::suite::{Outcome, run};
use xmpp::Profile;
use xmpp::config::StreamManagement;

/// Classes about things that a notification service has.
const IN_SCOPE: &[&str] = &[
    "org.jivesoftware.smack.ChatTest",
    "org.jivesoftware.smack.LoginIntegrationTest",
    "org.jivesoftware.smack.StreamManagementTest",
    "org.jivesoftware.smack.WaitForClosingStreamElementTest",
    "org.jivesoftware.smack.XmppConnectionIntegrationTest",
    "org.jivesoftware.smack.c2s.ModularXmppClientToServerConnectionLowLevelIntegrationTest",
    "org.jivesoftware.smack.c2s.SimpleXmppConnectionIntegrationTest",
    "org.jivesoftware.smackx.ping.PingIntegrationTest",
    "org.jivesoftware.smackx.pubsub.PubSubIntegrationTest",
];

/// What passes over every connection and in both profiles.
const PASSING: &[&str] = &[
    "ChatTest.chatManagerTest",
    "ChatTest.testProperties",
    "LoginIntegrationTest.testInvalidLogin",
    "ModularXmppClientToServerConnectionLowLevelIntegrationTest.testDisconnectAfterConnect",
    "ModularXmppClientToServerConnectionLowLevelIntegrationTest.testDisconnectNeverConnected",
    "PingIntegrationTest.pingServer",
    "PubSubIntegrationTest.transientNotificationOnlyNodeWithItemTest",
    "PubSubIntegrationTest.transientNotificationOnlyNodeWithoutItemTest",
    "SimpleXmppConnectionIntegrationTest.createConnectionTest",
    "WaitForClosingStreamElementTest.waitForClosingStreamElementTest",
    "XmppConnectionIntegrationTest.allToAllMessageSendTest",
];

/// Pings between users: requests to another user's client are not passed on.
const NOT_PASSED_ON: &str = "PingIntegrationTest.pingAsync";

/// The class as a whole where stream management is off, the test where it is on.
const STREAM_MANAGEMENT: [&str; 2] =
    ["org.jivesoftware.smack.StreamManagementTest", "StreamManagementTest.testStreamManagement"];

async fn suite(profile: Profile, stream_management: bool, connection: &str) -> Result<()> {
    let mut config = xmpp::Config::new("localhost");
    config.profile = profile;
    config.stream_management = stream_management.then(StreamManagement::default);
    let server = Embedded::start(config).await?;
    let mut outcomes = run(&server, connection, IN_SCOPE).await?;

    let ping = outcomes.remove(NOT_PASSED_ON);
    ensure!(
        matches!(&ping, Some(Outcome::Failed(why)) if why.contains("service-unavailable")),
        "{NOT_PASSED_ON}: {ping:?}"
    );
    let [class, test] = STREAM_MANAGEMENT;
    if stream_management {
        ensure!(outcomes.remove(test) == Some(Outcome::Passed), "{outcomes:#?}");
    } else {
        ensure!(matches!(outcomes.remove(class), Some(Outcome::Impossible(_))), "{outcomes:#?}");
    }
    let (passed, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
        outcomes.into_iter().partition(|(_, outcome)| *outcome == Outcome::Passed);
    ensure!(rest.is_empty(), "{rest:#?}");
    let passed: BTreeSet<&str> = passed.keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = PASSING.iter().copied().collect();
    ensure!(passed == expected, "passed: {passed:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp_in_the_finesse_profile() -> Result<()> {
    suite(Profile::Finesse, false, "tcp").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp_in_the_strict_profile_with_stream_management() -> Result<()> {
    suite(Profile::Strict, true, "tcp").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_modular_connection_in_the_strict_profile_with_stream_management() -> Result<()> {
    suite(Profile::Strict, true, "modular").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_websocket_in_the_finesse_profile() -> Result<()> {
    suite(Profile::Finesse, false, "websocket").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_websocket_in_the_strict_profile_with_stream_management() -> Result<()> {
    suite(Profile::Strict, true, "websocket").await
}
