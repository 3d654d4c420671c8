//! Team messages with their events: endpoint 31 of the guide.

use crate::centre::Centre;

const BODY: &str = "<TeamMessage><content>Queue &lt;overloaded&gt;</content><duration>300</duration>\
                    <teams><team>1</team></teams></TeamMessage>";

/// The text of an element.
fn text<'a>(document: &'a str, name: &str) -> &'a str {
    document.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap()
}

async fn post(centre: &Centre, user: &str, path: &str, body: &str) -> crate::centre::Got {
    let headers = [("Content-Type", "application/xml"), ("requestId", "r-1")];
    centre.send(user, "POST", path, &headers, body).await
}

#[tokio::test]
async fn a_message_reaches_its_team_until_it_is_deleted() {
    let centre = Centre::new("");
    let got = post(&centre, "1001", "TeamMessage", BODY).await;
    assert_eq!((got.status, got.body.as_str()), (200, ""));
    let list = centre.document("1002", "Team/1/TeamMessages").await;
    let id = list.split("/TeamMessage/").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let message = format!(
        "<TeamMessage><content>Queue &lt;overloaded&gt;</content><createdAt>{}</createdAt><createdBy>\
         <firstName></firstName><id>1001</id><lastName></lastName></createdBy><duration>300</duration><id>{id}</id>\
         <teams><team>1</team></teams><uri>/finesse/api/TeamMessage/{id}</uri></TeamMessage>",
        text(&list, "createdAt")
    );
    assert_eq!(list, format!("<TeamMessages>{message}</TeamMessages>"));
    assert_eq!(got.headers["location"], format!("/finesse/api/TeamMessage/{id}"));
    assert_eq!(centre.document("1001", "TeamMessages").await, list);
    assert_eq!(centre.document("admin", "TeamMessages").await, "<TeamMessages></TeamMessages>");
    assert_eq!(centre.document("1003", "Team/2/TeamMessages").await, "<TeamMessages></TeamMessages>");
    let event = |event: &str, request: &str| {
        let node = "/finesse/api/Team/1/TeamMessages";
        let update = format!(
            "<Update><data>{message}</data><event>{event}</event><requestId>{request}</requestId>\
             <source>{node}</source></Update>"
        );
        (node.to_owned(), update)
    };
    assert_eq!(centre.published(), [event("POST", "r-1")]);
    let path = format!("TeamMessage/{id}");
    assert_eq!(centre.send("admin", "DELETE", &path, &[], "").await.status, 200);
    assert_eq!(centre.published(), [event("DELETE", "")]);
    assert_eq!(centre.document("1002", "Team/1/TeamMessages").await, "<TeamMessages></TeamMessages>");
    assert_eq!(centre.send("1001", "DELETE", &path, &[], "").await.error(), "404 Not Found");
}

#[tokio::test]
async fn supervisors_tell_their_teams_and_administrators_all() {
    let centre = Centre::new("");
    let to = |teams: &str| BODY.replace("<team>1</team>", teams);
    for (user, body, error) in [
        ("1002", BODY.to_owned(), "401 Authorization Failure"),
        ("1001", to("<team>1</team><team>2</team>"), "401 Authorization Failure"),
        ("1001", to("<team>9</team>"), "401 Authorization Failure"),
        ("admin", to("<team>9</team>"), "404 Not Found"),
        ("admin", to(""), "400 Parameter Missing"),
        ("admin", BODY.replace("300", "0"), "400 Invalid Input"),
        ("admin", BODY.replace("300", "604801"), "400 Invalid Input"),
        ("admin", BODY.replace("Queue", &"x".repeat(256)), "400 Invalid Input"),
        ("admin", BODY.replace("duration", "other"), "400 Parameter Missing"),
        ("admin", "<User/>".into(), "400 Bad Request"),
        ("admin", "<TeamMessage>".into(), "400 Bad Request"),
    ] {
        assert_eq!(post(&centre, user, "TeamMessage", &body).await.error(), error, "{user} {body}");
    }
    assert!(centre.published().is_empty());
    let both = to("<team>1</team><team>2</team><team>1</team>");
    assert_eq!(post(&centre, "admin", "TeamMessages", &both).await.status, 200);
    assert_eq!(centre.published().len(), 2, "one event for each team");
    for (user, path, error) in [
        ("1002", "Team/2/TeamMessages", "401 Authorization Failure"),
        ("1001", "Team/2/TeamMessages", "401 Authorization Failure"),
        ("1002", "TeamMessages", "401 Authorization Failure"),
    ] {
        assert_eq!(centre.refused(user, path).await, error, "{user} {path}");
    }
    let id = text(&centre.document("1003", "Team/2/TeamMessages").await, "uri")
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    for user in ["1001", "1002"] {
        let got = centre.send(user, "DELETE", &format!("TeamMessage/{id}"), &[], "").await;
        assert_eq!(got.error(), "401 Authorization Failure", "{user}");
    }
    centre.out_of_service();
    assert_eq!(post(&centre, "admin", "TeamMessage", BODY).await.error(), "503 Service Unavailable");
    assert_eq!(
        centre.send("admin", "DELETE", "TeamMessage/x", &[], "").await.error(),
        "503 Service Unavailable"
    );
}

#[tokio::test]
async fn there_are_no_more_than_the_limit() {
    let centre = Centre::new("[limits]\nteam_messages = 2\n");
    for _ in 0..2 {
        assert_eq!(post(&centre, "admin", "TeamMessage", BODY).await.status, 200);
    }
    let got = post(&centre, "admin", "TeamMessage", BODY).await;
    assert_eq!(got.error(), "400 System Resource Limit Exceeded");
    assert!(got.body.contains("<ErrorData>teammessage.max.limit.exceeded</ErrorData>"));
    assert!(got.body.contains("<ErrorMessage>MAX_ACTIVE_MESSAGE_LIMIT_EXCEEDED</ErrorMessage>"));
}
