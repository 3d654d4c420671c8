//! Tags of the floating fields.

use crate::tables::{self, Nothing, TagInfo, Type};

/// The tag of a floating field. Any number can occur; the constants of this module are the published ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u16);

impl Tag {
    /// The published name, for example `ConnectionDeviceID`.
    pub fn name(self) -> Option<&'static str> {
        tables::tag(self).map(|t| t.name)
    }

    /// Whether its value is a credential, which never appears in logs.
    pub fn is_secret(self) -> bool {
        matches!(self, CLIENT_PASSWORD | AGENT_PASSWORD | CLIENT_SHARE_KEY)
    }

    /// The tag of CallVariable`n`, `n` from 1 to 10.
    pub fn call_variable(n: u8) -> Option<Self> {
        (1..=10).contains(&n).then(|| Self(CALL_VARIABLE1.0 + u16::from(n) - 1))
    }

    pub(crate) fn rule(self) -> Nothing {
        tables::tag(self).map_or(Nothing::Never, |t| t.nothing)
    }
}

/// One row: number, constant, published name, type, upper limit in bytes, first version, which value means nothing.
macro_rules! tags {
    ($($tag:literal $name:ident $published:literal $ty:ident $max:literal $since:literal $nothing:ident;)*) => {
        $(
            #[doc = concat!("Tag ", $tag, ", `", $published, "`, since version ", $since, ".")]
            pub const $name: Tag = Tag($tag);
        )*

        /// The rows, by rising number.
        pub(crate) static TAGS: &[TagInfo] = &[$(TagInfo {
            tag: $name,
            name: $published,
            ty: Type::$ty,
            max: $max,
            since: $since,
            nothing: Nothing::$nothing,
        }),*];
    };
}

tags! {
    1 CLIENT_ID "ClientID" String 64 13 Never;
    2 CLIENT_PASSWORD "ClientPassword" Unspec 64 13 Never;
    3 CLIENT_SIGNATURE "ClientSignature" String 64 13 Never;
    4 AGENT_EXTENSION "AgentExtension" String 16 13 Never;
    5 AGENT_ID "AgentID" String 12 13 Never;
    6 AGENT_INSTRUMENT "AgentInstrument" String 64 13 Never;
    7 TEXT "Text" String 255 13 Never;
    8 ANI "ANI" String 40 13 Never;
    9 USER_TO_USER_INFO "UserToUserInfo" Unspec 131 13 Never;
    10 DNIS "DNIS" String 32 13 Never;
    11 DIALED_NUMBER "DialedNumber" String 40 13 Never;
    12 CALLER_ENTERED_DIGITS "CallerEnteredDigits" String 40 13 Never;
    13 CALL_VARIABLE1 "CallVariable1" String 41 13 Never;
    14 CALL_VARIABLE2 "CallVariable2" String 41 13 Never;
    15 CALL_VARIABLE3 "CallVariable3" String 41 13 Never;
    16 CALL_VARIABLE4 "CallVariable4" String 41 13 Never;
    17 CALL_VARIABLE5 "CallVariable5" String 41 13 Never;
    18 CALL_VARIABLE6 "CallVariable6" String 41 13 Never;
    19 CALL_VARIABLE7 "CallVariable7" String 41 13 Never;
    20 CALL_VARIABLE8 "CallVariable8" String 41 13 Never;
    21 CALL_VARIABLE9 "CallVariable9" String 41 13 Never;
    22 CALL_VARIABLE10 "CallVariable10" String 41 13 Never;
    23 CTI_CLIENT_SIGNATURE "CTIClientSignature" String 64 13 Never;
    24 CTI_CLIENT_TIMESTAMP "CTIClientTimestamp" Time 4 13 Never;
    25 CONNECTION_DEVICE_ID "ConnectionDeviceID" String 64 13 Never;
    26 ALERTING_DEVICE_ID "AlertingDeviceID" String 64 13 Never;
    27 CALLING_DEVICE_ID "CallingDeviceID" String 64 13 Never;
    28 CALLED_DEVICE_ID "CalledDeviceID" String 64 13 Never;
    29 LAST_REDIRECT_DEVICE_ID "LastRedirectDeviceID" String 64 13 Never;
    30 ANSWERING_DEVICE_ID "AnsweringDeviceID" String 64 13 Never;
    31 HOLDING_DEVICE_ID "HoldingDeviceID" String 64 13 Never;
    32 RETRIEVING_DEVICE_ID "RetrievingDeviceID" String 64 13 Never;
    33 RELEASING_DEVICE_ID "ReleasingDeviceID" String 64 13 Never;
    34 FAILING_DEVICE_ID "FailingDeviceID" String 64 13 Never;
    35 PRIMARY_DEVICE_ID "PrimaryDeviceID" String 64 13 Never;
    36 SECONDARY_DEVICE_ID "SecondaryDeviceID" String 64 13 Never;
    37 CONTROLLER_DEVICE_ID "ControllerDeviceID" String 64 13 Never;
    38 ADDED_PARTY_DEVICE_ID "AddedPartyDeviceID" String 64 13 Never;
    39 CONNECTED_PARTY_CALL_ID "ConnectedPartyCallID" Uint 4 13 Wide;
    40 CONNECTED_PARTY_DEVICE_ID_TYPE "ConnectedPartyDeviceIDType" Ushort 2 13 Short;
    41 CONNECTED_PARTY_DEVICE_ID "ConnectedPartyDeviceID" String 64 13 Never;
    42 TRANSFERRING_DEVICE_ID "TransferringDeviceID" String 64 13 Never;
    43 TRANSFERRED_DEVICE_ID "TransferredDeviceID" String 64 13 Never;
    44 DIVERTING_DEVICE_ID "DivertingDeviceID" String 64 13 Never;
    45 QUEUE_DEVICE_ID "QueueDeviceID" String 64 13 Never;
    46 CALL_WRAPUP_DATA "CallWrapupData" String 40 13 Never;
    47 NEW_CONNECTION_DEVICE_ID "NewConnectionDeviceID" String 64 13 Never;
    48 TRUNK_USED_DEVICE_ID "TrunkUsedDeviceID" String 64 13 Never;
    49 AGENT_PASSWORD "AgentPassword" String 64 13 Never;
    50 ACTIVE_CONNECTION_DEVICE_ID "ActiveConnectionDeviceID" String 64 13 Never;
    51 FACILITY_CODE "FacilityCode" String 40 13 Never;
    52 OTHER_CONNECTION_DEVICE_ID "OtherConnectionDeviceID" String 64 13 Never;
    53 HELD_CONNECTION_DEVICE_ID "HeldConnectionDeviceID" String 64 13 Never;
    56 CALL_CONNECTION_CALL_ID "CallConnectionCallID" Uint 4 13 Wide;
    57 CALL_CONNECTION_DEVICE_ID_TYPE "CallConnectionDeviceIDType" Ushort 2 13 Short;
    58 CALL_CONNECTION_DEVICE_ID "CallConnectionDeviceID" String 64 13 Never;
    59 CALL_DEVICE_TYPE "CallDeviceType" Ushort 2 13 Never;
    60 CALL_DEVICE_ID "CallDeviceID" String 64 13 Never;
    61 CALL_DEVICE_CONNECTION_STATE "CallDeviceConnectionState" Ushort 2 13 Never;
    62 SKILL_GROUP_NUMBER "SkillGroupNumber" Uint 4 13 Wide;
    63 SKILL_GROUP_ID "SkillGroupID" Uint 4 13 Wide;
    64 SKILL_GROUP_PRIORITY "SkillGroupPriority" Ushort 2 13 Never;
    65 SKILL_GROUP_STATE "SkillGroupState" Ushort 2 13 Never;
    66 OBJECT_NAME "ObjectName" String 128 13 Never;
    67 DTMF_STRING "DTMFString" String 32 13 Never;
    68 POSITION_ID "PositionID" String 12 13 Never;
    69 SUPERVISOR_ID "SupervisorID" String 12 13 Never;
    70 LINE_HANDLE "LineHandle" Ushort 2 13 Short;
    71 LINE_TYPE "LineType" Ushort 2 13 Never;
    72 ROUTER_CALL_KEY_DAY "RouterCallKeyDay" Uint 4 13 Never;
    73 ROUTER_CALL_KEY_CALL_ID "RouterCallKeyCallID" Uint 4 13 Never;
    75 CALL_STATE "CallState" Ushort 2 13 Never;
    76 MONITORED_DEVICE_ID "MonitoredDeviceID" String 64 13 Never;
    77 AUTHORIZATION_CODE "AuthorizationCode" String 40 13 Never;
    78 ACCOUNT_CODE "AccountCode" String 40 13 Never;
    79 ORIGINATING_DEVICE_ID "OriginatingDeviceID" String 64 13 Never;
    80 ORIGINATING_LINE_ID "OriginatingLineID" String 40 13 Never;
    81 CLIENT_ADDRESS "ClientAddress" String 64 13 Never;
    82 NAMED_VARIABLE "NamedVariable" NamedVariable 251 13 Never;
    83 NAMED_ARRAY "NamedArray" NamedArray 252 13 Never;
    84 CCT "CCT" String 4 13 Never;
    85 SUPERVISOR_INSTRUMENT "SupervisorInstrument" String 64 13 Never;
    86 ATC_AGENT_ID "AtcAgentID" String 12 13 Never;
    87 AGENT_FLAGS "AgentFlags" Ushort 2 13 Never;
    88 ATC_AGENT_STATE "AtcAgentState" Ushort 2 13 Never;
    89 ATC_STATE_DURATION "AtcStateDuration" Uint 4 13 Never;
    90 AGENT_CONNECTION_DEVICE_ID "AgentConnectionDeviceID" String 64 13 Never;
    91 SUPERVISOR_CONNECTION_DEVICE_ID "SupervisorConnectionDeviceID" String 64 13 Never;
    92 TEAM_ID "TeamID" Uint 4 13 Never;
    93 DEFAULT_DEVICE_PORT_ADDRESS "DefaultDevicePortAddress" String 32 13 Never;
    94 SERVICE_NAME "ServiceName" String 64 13 Never;
    95 CUSTOMER_PHONE_NUMBER "CustomerPhoneNumber" String 20 13 Never;
    96 CUSTOMER_ACCOUNT_NUMBER "CustomerAccountNumber" String 32 13 Never;
    97 APPLICATION_PATH_ID "ApplicationPathID" Int 4 13 Never;
    99 SCRIPT_SELECTOR "ScriptSelector" String 0 13 Never;
    100 APPLICATION_STRING1 "ApplicationString1" String 0 13 Never;
    101 APPLICATION_STRING2 "ApplicationString2" String 0 13 Never;
    110 ROUTER_CALL_KEY_SEQUENCE_NUMBER "RouterCallKeySequenceNumber" Uint 4 13 Never;
    121 TRUNK_NUMBER "TrunkNumber" Uint 4 13 Never;
    122 TRUNK_GROUP_NUMBER "TrunkGroupNumber" Uint 4 13 Never;
    123 NEXT_AGENT_STATE "NextAgentState" Ushort 2 13 Never;
    124 DEQUEUE_TYPE "DequeueType" Ushort 2 13 Never;
    125 SENDING_ADDRESS "SendingAddress" String 64 13 Never;
    126 SENDING_PORT "SendingPort" Uint 4 13 Never;
    129 MAX_QUEUED "MaxQueued" Uint 4 13 Never;
    130 QUEUE_ID "QueueID" Uint 4 13 Never;
    131 CUSTOMER_ID "CustomerID" Uint 4 13 Never;
    132 SERVICE_SKILL_TARGET_ID "ServiceSkillTargetID" Uint 4 13 Never;
    133 PERIPHERAL_NAME "PeripheralName" String 64 13 Never;
    134 DESCRIPTION "Description" String 128 13 Never;
    135 SERVICE_MEMBER_ID "ServiceMemberID" Uint 4 13 Never;
    136 SERVICE_MEMBER_PRIORITY "ServiceMemberPriority" Ushort 2 13 Never;
    137 FIRST_NAME "FirstName" String 32 13 Never;
    138 LAST_NAME "LastName" String 32 13 Never;
    139 SKILL_GROUP "SkillGroup" Unspec 0 13 Never;
    141 AGENT_SKILL_TARGET_ID "AgentSkillTargetID" Uint 4 13 Never;
    142 SERVICE "Service" Unspec 0 13 Never;
    150 DURATION "Duration" Uint 4 13 Never;
    173 EXTENSION "Extension" String 16 13 Never;
    174 SERVICE_LEVEL_THRESHOLD "ServiceLevelThreshold" Uint 4 13 Never;
    175 SERVICE_LEVEL_TYPE "ServiceLevelType" Uint 4 13 Never;
    176 CONFIG_PARAM "ConfigParam" String 255 13 Never;
    177 SERVICE_CONFIG_KEY "ServiceConfigKey" Unspec 8 13 Never;
    178 SKILL_GROUP_CONFIG_KEY "SkillGroupConfigKey" Unspec 8 13 Never;
    179 AGENT_CONFIG_KEY "AgentConfigKey" Unspec 8 13 Never;
    180 DEVICE_CONFIG_KEY "DeviceConfigKey" Unspec 8 13 Never;
    183 RECORD_TYPE "RecordType" Ushort 2 13 Never;
    184 PERIPHERAL_NUMBER "PeripheralNumber" Uint 4 13 Never;
    185 AGENT_SKILL_TARGET_ID185 "AgentSkillTargetID185" Uint 4 13 Never;
    186 NUM_SERVICE_MEMBERS "NumServiceMembers" Ushort 2 13 Never;
    187 SERVICE_MEMBER "ServiceMember" UintArray 0 13 Never;
    188 SERVICE_PRIORITY "ServicePriority" UshortArray 0 13 Never;
    189 AGENT_TYPE "AgentType" Ushort 2 13 Never;
    190 LOGIN_ID "LoginID" String 64 13 Never;
    191 NUM_SKILLS "NumSkills" Ushort 2 13 Never;
    192 SKILL_GROUP_SKILL_TARGET_ID "SkillGroupSkillTargetID" Uint 4 13 Never;
    193 FLT_SERVICE_ID "FltServiceID" Uint 4 13 Wide;
    194 AGENT_ID_LONG "AgentIDLong" String 129 13 Never;
    195 DEVICE_TYPE "DeviceType" Ushort 2 13 Never;
    198 ENABLE "Enable" Unspec 0 13 Never;
    199 DEVICE_ID "DeviceID" String 0 13 Never;
    200 TIMEOUT "Timeout" Uint 4 13 Never;
    201 CURRENT_ROUTE "CurrentRoute" String 0 13 Never;
    202 SECONDARY_CONNECTION_CALL_ID "SecondaryConnectionCallID" Uint 4 13 Wide;
    203 PRIORITY_QUEUE_NUMBER "PriorityQueueNumber" Ushort 2 13 Never;
    204 TEAM_NAME "TeamName" String 50 13 Never;
    205 MEMBER_TYPE "MemberType" Ushort 2 13 Never;
    206 EVENT_DEVICE_ID "EventDeviceID" String 64 13 Never;
    207 LOGIN_NAME "LoginName" String 255 13 Never;
    208 FLT_PERIPHERAL_ID "FltPeripheralID" Uint 4 13 Wide;
    209 CALL_TYPE_CONFIG_KEY "CallTypeConfigKey" Unspec 8 13 Never;
    210 FLT_CALL_TYPE_ID "FltCallTypeID" Uint 4 13 Never;
    211 CUSTOMER_DEFINITION_ID "CustomerDefinitionID" Uint 4 13 Never;
    212 ENTERPRISE_NAME "EnterpriseName" String 32 13 Never;
    213 OLD_PERIPHERAL_NUMBER "OldPeripheralNumber" Uint 4 13 Never;
    214 OLD_LOGIN_ID "OldLoginID" String 64 13 Never;
    215 ANI_II "ANI_II" String 2 13 Never;
    216 FLT_MR_DOMAIN_ID "FltMRDomainID" Uint 4 13 Never;
    217 CTIOSCIL_CLIENT_ID "CTIOSCILClientID" String 64 13 Never;
    218 SILENT_MONITOR_STATUS "SilentMonitorStatus" Ushort 2 13 Never;
    219 REQUESTING_DEVICE_ID "RequestingDeviceID" String 64 14 Never;
    220 REQUESTING_DEVICE_ID_TYPE "RequestingDeviceIDType" Ushort 2 14 Never;
    221 PRE_CALL_INVOKE_ID "PreCallInvokeID" Uint 4 14 Never;
    222 ENTERPRISE_QUEUE_TIME "EnterpriseQueueTime" Uint 4 14 Never;
    223 CALL_REFERENCE_ID "CallReferenceID" Unspec 32 14 Never;
    224 MULTILINE_AGENT_CONTROL "MultilineAgentControl" Ushort 2 14 Never;
    225 NETWORK_CONTROLLED "NetworkControlled" Unspec 0 14 Never;
    226 CLIENT_ADDRESS_IPV6 "ClientAddressIPv6" String 0 14 Never;
    227 SENDING_ADDRESS_IPV6 "SendingAddressIPv6" String 0 14 Never;
    228 NUM_PERIPHERALS "NumPeripherals" Ushort 2 14 Never;
    229 COC_CONNECTION_CALL_ID "COCConnectionCallID" Uint 4 14 Wide;
    230 COC_CONNECTION_DEVICE_ID_TYPE "COCConnectionDeviceIDType" Ushort 2 14 Short;
    231 COC_CONNECTION_DEVICE_ID "COCConnectionDeviceID" String 64 14 Never;
    232 CALL_ORIGINATED_FROM "CallOriginatedFrom" Uchar 1 14 Never;
    233 SET_APP_DATA_CALL_ID "SetAppDataCallID" Unspec 0 14 Never;
    234 CLIENT_SHARE_KEY "ClientShareKey" Unspec 0 14 Never;
    243 AGENT_TEAM_NAME "AgentTeamName" String 32 16 Never;
    244 DIRECTION "Direction" Uint 4 16 Never;
    245 OPTIONS "Options" Unspec 0 17 Never;
    246 FLT_MRDID "FltMRDID" Uint 4 18 Never;
    247 MEDIA_CLASS_ID "MediaClassID" Uint 4 18 Never;
    248 TASK_LIFE "TaskLife" Uint 4 18 Never;
    249 TASK_START_TIMEOUT "TaskStartTimeout" Uint 4 18 Never;
    250 FLT_MAX_TASK_DURATION "FltMaxTaskDuration" Uint 4 18 Never;
    251 FLT_INTERRUPTIBLE "FltInterruptible" Bool 2 18 Never;
    252 MAX_CALLS_IN_QUEUE "MaxCallsInQueue" Uint 4 18 Never;
    253 MAX_CALLS_IN_QUEUE_PER_CALL_TYPE "MaxCallsInQueuePerCallType" Uint 4 18 Never;
    254 MAX_TIME_IN_QUEUE "MaxTimeInQueue" Uint 4 18 Never;
    255 INTERNAL_AGENT_STATE "InternalAgentState" Ushort 2 19 Never;
    257 SSO_ENABLED "SSOEnabled" Ushort 2 20 Never;
    258 FLT_TASK_ID "FltTaskID" Unspec 12 20 Never;
    259 FLT_ICM_DISPOSITION "FltICMDisposition" Uint 4 20 Never;
    260 FLT_APP_DISPOSITION "FltAppDisposition" Uint 4 20 Never;
    261 NUM_MR_DS "NumMRDs" Ushort 2 21 Never;
    262 FLT_AGENT_MRDID "FltAgentMRDID" UintArray 0 21 Never;
    263 FLT_AGENT_MRD_STATE "FltAgentMRDState" UshortArray 0 21 Never;
    264 FLT_PRECISION_QUEUE_ID "FltPrecisionQueueID" Uint 4 22 Never;
    265 FLT_PRECISION_QUEUE_NAME "FltPrecisionQueueName" String 32 22 Never;
    266 MAX_BEYOND_TASK_LIMIT "MaxBeyondTaskLimit" Uint 4 22 Never;
    267 AGENT_DESK_SETTINGS_ID "AgentDeskSettingsID" Uint 4 22 Wide;
    268 XFER_IN_WHILE_LOGGED_OUT "XferInWhileLoggedOut" Unspec 0 22 Never;
    269 PERIPHERAL_CONFIG_KEY "PeripheralConfigKey" Unspec 8 22 Never;
    270 AGENT_DESK_SETTINGS_CONFIG_KEY "AgentDeskSettingsConfigKey" Unspec 8 22 Never;
    271 CONFIG_PERIPHERAL_ID "ConfigPeripheralID" Uint 4 22 Wide;
    272 DEFAULT_AGENT_DESK_SETTINGS_ID "DefaultAgentDeskSettingsID" Uint 4 22 Never;
    273 FLT_DESK_SETTINGS_MASK "FltDeskSettingsMask" Uint 4 22 Never;
    274 FLT_WRAP_UP_DATA_INCOMING_MODE "FltWrapUpDataIncomingMode" Uint 4 22 Never;
    275 FLT_WRAP_UP_DATA_OUTGOING_MODE "FltWrapUpDataOutgoingMode" Uint 4 22 Never;
    276 FLT_LOGOUT_NON_ACTIVITY_TIME "FltLogoutNonActivityTime" Uint 4 22 Never;
    277 FLT_QUALITY_RECORDING_RATE "FltQualityRecordingRate" Uint 4 22 Never;
    278 FLT_RING_NO_ANSWER_TIME "FltRingNoAnswerTime" Uint 4 22 Never;
    279 FLT_SILENT_MONITOR_WARNING_MESSAGE "FltSilentMonitorWarningMessage" Uint 4 22 Never;
    280 FLT_SILENT_MONITOR_AUDIBLE_INDICATION "FltSilentMonitorAudibleIndication" Uint 4 22 Never;
    281 FLT_SUPERVISOR_ASSIST_CALL_METHOD "FltSupervisorAssistCallMethod" Uint 4 22 Never;
    282 FLT_EMERGENCY_CALL_METHOD "FltEmergencyCallMethod" Uint 4 22 Never;
    283 FLT_AUTO_RECORD_ON_EMERGENCY "FltAutoRecordOnEmergency" Uint 4 22 Never;
    284 FLT_RECORDING_MODE "FltRecordingMode" Uint 4 22 Never;
    285 FLT_WORK_MODE_TIMER "FltWorkModeTimer" Uint 4 22 Never;
    286 FLT_RING_NO_ANSWER_DN_ID "FltRingNoAnswerDnId" Uint 4 22 Never;
    287 FLT_DEFAULT_DEVICE_PORT_ADDRESS "FltDefaultDevicePortAddress" String 32 22 Never;
    288 DESKTOP_CONNECTED_FLAG "DesktopConnectedFlag" Unspec 0 23 Never;
    289 PLAY_TONE_DIRECTION "PlayToneDirection" Ushort 2 23 Never;
    290 INVOCATION_TYPE "InvocationType" Ushort 2 23 Never;
    291 RECORDER_ADDRESS "RecorderAddress" String 64 23 Never;
    292 TERMINAL_NAME "TerminalName" String 64 23 Never;
    293 MEDIA_FORKING_DEVICE_NAME "MediaForkingDeviceName" String 64 23 Never;
    294 PROTOCOL_REFERENCE_GUID "ProtocolReferenceGUID" String 64 23 Never;
    295 MEDIA_FORKING_CLUSTER_ID "MediaForkingClusterID" String 64 23 Never;
    296 RECORDER_URI "RecorderURI" String 64 23 Never;
    297 RECORDER_ERROR_MSG "RecorderErrorMsg" String 64 23 Never;
    298 RECORDER_TYPE "RecorderType" Ushort 2 23 Never;
    299 RECORDER_STATUS "RecorderStatus" Ushort 2 23 Never;
    300 RECORDING_DEVICE_ID "RecordingDeviceID" String 64 23 Never;
    302 TERMINAL_TYPE "TerminalType" Ushort 2 24 Never;
    303 TERMINAL_DEVICE_NAME "TerminalDeviceName" String 64 24 Never;
    304 TERMINAL_TYPE_NAME "TerminalTypeName" String 100 24 Never;
    305 NUM_INSTRUMENTS "NumInstruments" Ushort 2 24 Never;
    306 ACD_SHARED_LINE_USAGE "ACDSharedLineUsage" Uint 4 24 Never;
    307 PLAY_ZIP_TONE "PlayZipTone" Uint 4 24 Never;
    309 FLT_ENABLED_SERVICES "FltEnabledServices" UshortArray 0 24 Never;
    310 NUM_OF_ENABLED_SERVICES "NumOfEnabledServices" Ushort 2 24 Never;
    311 CCAI_CONFIG_ID "CcaiConfigId" String 40 24 Never;
    312 MEDIA_TYPE "MediaType" Unspec 0 25 Never;
    313 MEDIA_PROVIDER "MediaProvider" Unspec 0 25 Never;
}
