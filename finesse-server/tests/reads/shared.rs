//! Small resources: endpoints 38, 40 and 47 of the guide.

use crate::centre::Centre;

const SHARED: &str = r#"
[desktop]
chat_primary = "https://chat.example:5280/http-bind"
[[ecc_variable]]
name = "user.contractNo"
length = 20
[[device]]
id = "SEP1"
extension = "60211"
type = 503
type_name = "Soft & hard"
[[device]]
id = "SEP2"
extension = "60212"
type = 7
"#;

#[tokio::test]
async fn every_user_reads_variables_chat_and_devices() {
    let centre = Centre::new(SHARED);
    for user in ["1001", "1002", "admin"] {
        assert_eq!(
            centre.document(user, "ECCVariableConfig").await,
            "<ECCVariableConfig><ECCVariable><length>20</length><name>user.contractNo</name></ECCVariable>\
             </ECCVariableConfig>"
        );
        assert_eq!(
            centre.document(user, "ChatConfig").await,
            "<ChatConfig><primaryNode>https://chat.example:5280/http-bind</primaryNode>\
             <secondaryNode></secondaryNode><uri>/finesse/api/ChatConfig</uri></ChatConfig>"
        );
        assert_eq!(
            centre.document(user, "Devices?extension=60211").await,
            "<Devices><Device><deviceId>SEP1</deviceId><deviceType>503</deviceType>\
             <deviceTypeName>Soft &amp; hard</deviceTypeName></Device></Devices>"
        );
    }
}

#[tokio::test]
async fn devices_need_an_extension_and_a_deployment_that_has_them() {
    let centre = Centre::new(SHARED);
    assert_eq!(centre.refused("1002", "Devices?extension=9").await, "404 Not Found");
    for path in ["Devices", "Devices?extension=", "Devices?extension=a-b"] {
        assert_eq!(centre.refused("1002", path).await, "400 Bad Request", "{path}");
    }
    let old = Centre::new(&format!("{SHARED}[cti]\nversion = 23\n"));
    assert_eq!(old.refused("1002", "Devices?extension=60211").await, "400 Bad Request");
    let express = Centre::new(&format!("{SHARED}[server]\ndeployment = \"ccx\"\n"));
    assert_eq!(express.refused("1002", "Devices?extension=60211").await, "400 Bad Request");
    assert_eq!(express.refused("1002", "ECCVariableConfig").await, "501 Not Implemented");
}

#[tokio::test]
async fn administrators_read_teams_and_totals() {
    let centre = Centre::new("");
    assert_eq!(
        centre.document("admin", "Teams").await,
        "<Teams><Team><id>1</id><name>Sales</name><uri>/finesse/api/Team/1</uri></Team>\
         <Team><id>2</id><name>Billing &amp; Co</name><uri>/finesse/api/Team/2</uri></Team></Teams>"
    );
    assert_eq!(
        centre.document("admin", "ConfigInfo").await,
        format!(
            "<ConfigInfo><totalSkillGroups>0</totalSkillGroups><totalSupervisors>1</totalSupervisors>\
             <totalTeams>2</totalTeams><totalUsers>5</totalUsers><uri>/finesse/api/ConfigInfo</uri>\
             <versionInfo>{}</versionInfo></ConfigInfo>",
            env!("CARGO_PKG_VERSION")
        )
    );
    for path in ["Teams", "ConfigInfo"] {
        assert_eq!(centre.refused("1001", path).await, "401 Authorization Failure", "{path}");
    }
}
