//! Layouts and workflows: endpoints 13, 14, 16, 29, 30, 44, 46 to 48 of the guide.

use crate::centre::Centre;

const DESKTOP: &str = r#"
[[media_layout]]
id = 3
name = "Billing"
description = "invoices"
header = { property = "callVariable1", display = "Customer", pop_over = true }
left = [{ property = "user.contractNo", editable = true }]
[[workflow_action]]
id = 2
name = "Open"
type = "BROWSER_POP"
params = [{ name = "path", value = "https://crm.example/?a&b" }]
variables = [{ name = "no", node = "//Dialog/id", test_value = "7" }]
[[workflow]]
id = 5
name = "Pop"
teams = [1]
trigger = "CALL_ARRIVES"
triggers = [{ variable = "mediaType", node = "//Dialog/mediaType", comparator = "IS_EQUAL", value = "Voice" }]
conditions = [{ variable = "callVariable1", comparator = "CONTAINS", value = "K-" }]
actions = [2]
[[team_layout]]
team = 1
layout = "<finesseLayout><a/></finesseLayout>"
"#;

const BILLING: &str = "<MediaPropertiesLayout><column><entry><displayName></displayName>\
    <mediaProperty>user.contractNo</mediaProperty><showInPopOver>false</showInPopOver><uiEditable>true</uiEditable>\
    </entry></column><column></column><description>invoices</description><header><entry>\
    <displayName>Customer</displayName><mediaProperty>callVariable1</mediaProperty><showInPopOver>true</showInPopOver>\
    <uiEditable>false</uiEditable></entry></header><name>Billing</name><type>CUSTOM</type>\
    <uri>/finesse/api/MediaPropertiesLayout/3</uri></MediaPropertiesLayout>";

const SUMMARY: &str = "<WorkflowAction><name>Open</name><type>BROWSER_POP</type>\
    <uri>/finesse/api/WorkflowAction/2</uri></WorkflowAction>";

const ACTION: &str = "<WorkflowAction><actionVariables><ActionVariable><name>no</name><node>//Dialog/id</node>\
    <testValue>7</testValue><type>CUSTOM</type></ActionVariable></actionVariables>\
    <handledBy>FINESSE_DESKTOP</handledBy><name>Open</name><params><Param><name>path</name>\
    <value>https://crm.example/?a&amp;b</value></Param></params><type>BROWSER_POP</type>\
    <uri>/finesse/api/WorkflowAction/2</uri></WorkflowAction>";

fn workflow(action: &str) -> String {
    format!(
        "<Workflow><ConditionSet><applyMethod>ALL</applyMethod><conditions><Condition>\
         <comparator>CONTAINS</comparator><value>K-</value><Variable><name>callVariable1</name><node></node>\
         <type>SYSTEM</type></Variable></Condition></conditions></ConditionSet><description></description>\
         <media>1</media><name>Pop</name><TriggerSet>\
         <allowOverlappingCallWorkflow>false</allowOverlappingCallWorkflow><name>CALL_ARRIVES</name><triggers>\
         <Trigger><comparator>IS_EQUAL</comparator><value>Voice</value><Variable><name>mediaType</name>\
         <node>//Dialog/mediaType</node><type>CUSTOM</type></Variable></Trigger></triggers><type>SYSTEM</type>\
         </TriggerSet><uri>/finesse/api/Workflow/5</uri><workflowActions>{action}</workflowActions></Workflow>"
    )
}

#[tokio::test]
async fn layouts_are_the_default_one_and_the_others() {
    let centre = Centre::new(DESKTOP);
    let default = centre.document("1002", "User/1002/MediaPropertiesLayout").await;
    assert!(default.contains("<type>DEFAULT</type><uri>/finesse/api/MediaPropertiesLayout/default</uri>"));
    assert_eq!(default.matches("<mediaProperty>callVariable").count(), 10);
    let all = format!("<MediaPropertiesLayouts>{default}{BILLING}</MediaPropertiesLayouts>");
    assert_eq!(centre.document("1002", "User/1002/MediaPropertiesLayouts").await, all);
    assert_eq!(centre.document("1001", "TeamResource/1/MediaPropertiesLayouts").await, all);
    assert_eq!(centre.document("admin", "MediaPropertiesLayouts").await, all);
    assert_eq!(centre.document("admin", "MediaPropertiesLayout/default").await, default);
    assert_eq!(centre.document("admin", "MediaPropertiesLayout/3").await, BILLING);
    assert_eq!(centre.refused("admin", "MediaPropertiesLayout/0").await, "404 Not Found");
    assert_eq!(centre.refused("1001", "MediaPropertiesLayouts").await, "401 Authorization Failure");
    let replaced = Centre::new(&DESKTOP.replace("id = 3", "id = 0"));
    assert!(
        replaced.document("1002", "User/1002/MediaPropertiesLayout").await.contains("<name>Billing</name>")
    );
}

#[tokio::test]
async fn workflows_are_the_teams_with_all_that_their_actions_need() {
    let centre = Centre::new(DESKTOP);
    let full = format!("<Workflows>{}</Workflows>", workflow(ACTION));
    assert_eq!(centre.document("1002", "User/1002/Workflows").await, full);
    assert_eq!(centre.document("1001", "TeamResource/1/Workflows").await, full);
    for (user, path) in [("1003", "User/1003/Workflows"), ("1004", "User/1004/Workflows")] {
        assert_eq!(centre.document(user, path).await, "<Workflows></Workflows>");
    }
    let short = format!("<Workflows>{}</Workflows>", workflow(SUMMARY));
    assert_eq!(centre.document("admin", "Workflows").await, short);
    assert_eq!(centre.document("admin", "Team/1/Workflows").await, short);
    assert_eq!(centre.document("admin", "Workflow/5").await, workflow(SUMMARY));
    assert_eq!(centre.document("admin", "WorkflowAction/2").await, ACTION);
    let actions = format!("<WorkflowActions>{ACTION}</WorkflowActions>");
    assert_eq!(centre.document("admin", "WorkflowActions").await, actions);
    let variables = centre.document("admin", "SystemVariables").await;
    let node = "<SystemVariable><name>dialedNumber</name><node>//Dialog/mediaProperties/dialedNumber</node></SystemVariable>";
    assert!(variables.starts_with("<SystemVariables>") && variables.contains(node), "{variables}");
    for path in ["Workflow/6", "WorkflowAction/6"] {
        assert_eq!(centre.refused("admin", path).await, "404 Not Found");
        assert_eq!(centre.refused("1002", path).await, "401 Authorization Failure");
    }
}

#[tokio::test]
async fn a_team_has_its_own_pages_or_the_default_ones() {
    let centre = Centre::new(DESKTOP);
    let own = "<TeamLayoutConfig><layoutxml>&lt;finesseLayout&gt;&lt;a/&gt;&lt;/finesseLayout&gt;</layoutxml>\
               <useDefault>false</useDefault></TeamLayoutConfig>";
    assert_eq!(centre.document("1002", "TeamResource/1/LayoutConfig").await, own);
    assert_eq!(centre.document("admin", "Team/1/LayoutConfig").await, own);
    let other = centre.document("1003", "TeamResource/2/LayoutConfig").await;
    assert!(other.contains("<useDefault>true</useDefault>"), "{other}");
    let default = centre.document("admin", "LayoutConfig/default").await;
    let xml = default.split("</layoutxml>").next().unwrap().split("<layoutxml>").nth(1).unwrap();
    assert!(xml.starts_with("&lt;finesseLayout") && other.contains(xml), "{default}");
    assert!(default.ends_with("<uri>/finesse/api/LayoutConfig/default</uri></LayoutConfig>"));
    assert_eq!(centre.refused("1001", "LayoutConfig/default").await, "401 Authorization Failure");
    assert_eq!(centre.refused("1003", "TeamResource/1/LayoutConfig").await, "401 Invalid Authorization");
}
