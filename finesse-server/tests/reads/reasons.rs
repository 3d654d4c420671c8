//! Reason codes and wrap-up reasons: endpoints 9 to 12, 29, 41, 43 and 47 of the guide.

use crate::centre::Centre;

const REASONS: &str = r#"
[[reason_code]]
id = 7
category = "NOT_READY"
code = 21
label = "Coaching"
[[reason_code]]
id = 8
category = "NOT_READY"
code = 22
label = "Training <1>"
teams = [2]
[[reason_code]]
id = 9
category = "LOGOUT"
code = 21
label = "End of shift"
[[wrap_up_reason]]
id = 12
label = "Invoice"
[[wrap_up_reason]]
id = 13
label = "R&D"
teams = [2]
"#;

const COACHING: &str = "<ReasonCode><category>NOT_READY</category><code>21</code><forAll>true</forAll><id>7</id>\
                        <label>Coaching</label><systemCode>false</systemCode>\
                        <uri>/finesse/api/ReasonCode/7</uri></ReasonCode>";
const TRAINING: &str = "<ReasonCode><category>NOT_READY</category><code>22</code><forAll>false</forAll><id>8</id>\
                        <label>Training &lt;1&gt;</label><systemCode>false</systemCode>\
                        <uri>/finesse/api/ReasonCode/8</uri></ReasonCode>";

fn list(category: &str, codes: &[&str]) -> String {
    format!("<ReasonCodes category=\"{category}\">{}</ReasonCodes>", codes.concat())
}

#[tokio::test]
async fn reason_codes_of_a_user_are_the_global_ones_and_the_teams() {
    let centre = Centre::new(REASONS);
    let path = |user: &str| format!("User/{user}/ReasonCodes?category=NOT_READY");
    assert_eq!(centre.document("1002", &path("1002")).await, list("NOT_READY", &[COACHING]));
    assert_eq!(centre.document("1003", &path("1003")).await, list("NOT_READY", &[COACHING, TRAINING]));
    assert_eq!(centre.document("1004", &path("1004")).await, list("NOT_READY", &[COACHING]));
    assert_eq!(centre.document("1001", &path("anna")).await, list("NOT_READY", &[COACHING]));
    assert_eq!(centre.document("admin", &path("1003")).await.matches("<ReasonCode>").count(), 2);
    let none = Centre::new("");
    assert_eq!(none.document("1002", "User/1002/ReasonCodes?category=LOGOUT").await, list("LOGOUT", &[]));
    for query in ["", "?category=", "?category=ALL", "?category=not_ready", "?nocache=1"] {
        let path = format!("User/1002/ReasonCodes{query}");
        assert_eq!(centre.refused("1002", &path).await, "400 Bad Request", "{query}");
    }
}

#[tokio::test]
async fn one_reason_code_is_found_where_its_list_has_it() {
    let centre = Centre::new(REASONS);
    assert_eq!(centre.document("1002", "User/1002/ReasonCode/7").await, COACHING);
    assert_eq!(centre.document("1002", "ReasonCode/8").await, TRAINING);
    assert_eq!(centre.document("admin", "ReasonCode/8").await, TRAINING);
    for path in ["User/1002/ReasonCode/8", "User/1002/ReasonCode/x", "ReasonCode/99", "ReasonCode/-1"] {
        assert_eq!(centre.refused("1002", path).await, "404 Not Found", "{path}");
    }
}

#[tokio::test]
async fn wrap_up_reasons_of_a_user_are_addressed_below_the_user() {
    let centre = Centre::new(REASONS);
    let invoice = |base: &str| {
        format!(
            "<WrapUpReason><forAll>true</forAll><label>Invoice</label>\
             <uri>/finesse/api/{base}WrapUpReason/12</uri></WrapUpReason>"
        )
    };
    let research = |base: &str| {
        format!(
            "<WrapUpReason><forAll>false</forAll><label>R&amp;D</label>\
             <uri>/finesse/api/{base}WrapUpReason/13</uri></WrapUpReason>"
        )
    };
    let all = |reasons: &[String]| format!("<WrapUpReasons>{}</WrapUpReasons>", reasons.concat());
    let own = "User/1002/";
    assert_eq!(centre.document("1002", "User/1002/WrapUpReasons").await, all(&[invoice(own)]));
    assert_eq!(centre.document("1002", "User/1002/WrapUpReason/12").await, invoice(own));
    assert_eq!(centre.refused("1002", "User/1002/WrapUpReason/13").await, "404 Not Found");
    let both = all(&[invoice(""), research("")]);
    assert_eq!(centre.document("1003", "TeamResource/2/WrapUpReasons").await, both);
    assert_eq!(centre.document("admin", "WrapUpReasons").await, both);
    assert_eq!(centre.document("admin", "WrapUpReason/13").await, research(""));
    assert_eq!(centre.document("admin", "Team/2/WrapUpReasons").await, all(&[research("")]));
    assert_eq!(centre.document("admin", "Team/1/WrapUpReasons").await, all(&[]));
}

#[tokio::test]
async fn a_team_has_all_categories_at_once() {
    let centre = Centre::new(REASONS);
    let all = centre.document("1003", "TeamResource/2/ReasonCodes?category=ALL").await;
    assert!(
        all.starts_with("<ReasonCodes category=\"ALL\">") && all.matches("<ReasonCode>").count() == 3,
        "{all}"
    );
    let logout = centre.document("1001", "TeamResource/1/ReasonCodes?category=LOGOUT").await;
    assert!(logout.contains("<label>End of shift</label>") && !logout.contains("NOT_READY"));
    assert_eq!(centre.refused("1001", "TeamResource/1/ReasonCodes").await, "400 Bad Request");
    let path = "Team/2/ReasonCodes?category=NOT_READY";
    assert_eq!(centre.document("admin", path).await, list("NOT_READY", &[TRAINING]));
    assert_eq!(
        centre.document("admin", "ReasonCodes?category=NOT_READY").await,
        list("NOT_READY", &[COACHING, TRAINING])
    );
}

#[tokio::test]
async fn rights_come_before_existence_and_existence_before_the_query() {
    let centre = Centre::new(REASONS);
    for (user, path, error) in [
        ("1002", "User/1003/ReasonCodes", "401 Invalid Authorization User Specified"),
        ("1001", "User/1002/WrapUpReasons", "401 Invalid Authorization User Specified"),
        ("1002", "User/9999/WrapUpReasons", "401 Invalid Authorization User Specified"),
        ("admin", "User/9999/ReasonCodes", "404 Not Found"),
        ("1002", "TeamResource/2/ReasonCodes", "401 Invalid Authorization"),
        ("1001", "TeamResource/2/WrapUpReasons", "401 Invalid Authorization"),
        ("admin", "TeamResource/99/ReasonCodes", "404 TeamId Not Found"),
        ("admin", "Team/99/ReasonCodes", "404 finesse.api.team.team_assignment_invalid_team"),
        ("1001", "Team/1/WrapUpReasons", "401 Authorization Failure"),
        ("1001", "WrapUpReasons", "401 Authorization Failure"),
        ("1002", "WrapUpReason/12", "401 Authorization Failure"),
        ("1002", "ReasonCodes?category=ALL", "401 Authorization Failure"),
    ] {
        assert_eq!(centre.refused(user, path).await, error, "{user} {path}");
    }
}

#[tokio::test]
async fn out_of_service_only_the_configuration_answers() {
    let centre = Centre::new(REASONS);
    centre.out_of_service();
    for path in ["User/1002/WrapUpReasons", "TeamResource/1/WrapUpReasons", "ReasonCode/7"] {
        let got = centre.get("1002", path).await;
        assert_eq!(got.error(), "503 Service Unavailable", "{path}");
        assert_eq!(got.headers["retry-after"], "5");
    }
    centre.document("admin", "WrapUpReasons").await;
    centre.document("admin", "Team/1/WrapUpReasons").await;
}

/// A configuration that is read again is what is answered from then on.
#[tokio::test]
async fn a_changed_configuration_takes_effect_at_once() {
    let centre = Centre::new(REASONS);
    let changed = crate::centre::parse(&REASONS.replace("Invoice", "Refund"));
    centre.rest.reconfigure(crate::centre::settings(&changed));
    assert!(centre.document("1002", "User/1002/WrapUpReasons").await.contains("<label>Refund</label>"));
}
