//! Fields of the fixed parts.

use crate::tables::Nothing;

/// A field of a fixed part, by its published name. The same name in several messages is the same field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field(u16);

impl Field {
    /// The published name, for example `ConnectionCallID`.
    pub fn name(self) -> &'static str {
        FIELDS[usize::from(self.0)].0
    }

    /// The value that means "nothing" in this field, if there is one.
    pub fn nothing(self) -> Option<u32> {
        self.rule().value()
    }

    pub(crate) fn rule(self) -> Nothing {
        FIELDS[usize::from(self.0)].1
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One row: constant, published name, which value means nothing.
macro_rules! fields {
    ($($name:ident $published:literal $nothing:ident;)*) => {
        /// Numbers the fields in the order of the table.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u16)]
        enum Row { $($name),* }

        $(
            #[doc = concat!("Field `", $published, "`.")]
            pub const $name: Field = Field(Row::$name as u16);
        )*

        static FIELDS: &[(&str, Nothing)] = &[$(($published, Nothing::$nothing)),*];
    };
}

fields! {
    ACTIVE_CONNECTION_CALL_ID "ActiveConnectionCallID" Wide;
    ACTIVE_CONNECTION_DEVICE_ID_TYPE "ActiveConnectionDeviceIDType" Short;
    ADDED_PARTY_DEVICE_TYPE "AddedPartyDeviceType" Never;
    AGENT_ACTION "AgentAction" Never;
    AGENT_AVAILABILITY_STATUS "AgentAvailabilityStatus" Never;
    AGENT_CONNECTION_CALL_ID "AgentConnectionCallID" Wide;
    AGENT_CONNECTION_DEVICE_ID_TYPE "AgentConnectionDeviceIDType" Short;
    AGENT_MODE "AgentMode" Never;
    AGENT_OUT_CALLS_HELD_SESSION "AgentOutCallsHeldSession" Never;
    AGENT_OUT_CALLS_HELD_TIME_SESSION "AgentOutCallsHeldTimeSession" Never;
    AGENT_OUT_CALLS_HELD_TIME_TO5 "AgentOutCallsHeldTimeTo5" Never;
    AGENT_OUT_CALLS_HELD_TIME_TO_HALF "AgentOutCallsHeldTimeToHalf" Never;
    AGENT_OUT_CALLS_HELD_TIME_TODAY "AgentOutCallsHeldTimeToday" Never;
    AGENT_OUT_CALLS_HELD_TO5 "AgentOutCallsHeldTo5" Never;
    AGENT_OUT_CALLS_HELD_TO_HALF "AgentOutCallsHeldToHalf" Never;
    AGENT_OUT_CALLS_HELD_TODAY "AgentOutCallsHeldToday" Never;
    AGENT_OUT_CALLS_SESSION "AgentOutCallsSession" Never;
    AGENT_OUT_CALLS_TALK_TIME_SESSION "AgentOutCallsTalkTimeSession" Never;
    AGENT_OUT_CALLS_TALK_TIME_TO5 "AgentOutCallsTalkTimeTo5" Never;
    AGENT_OUT_CALLS_TALK_TIME_TO_HALF "AgentOutCallsTalkTimeToHalf" Never;
    AGENT_OUT_CALLS_TALK_TIME_TODAY "AgentOutCallsTalkTimeToday" Never;
    AGENT_OUT_CALLS_TIME_SESSION "AgentOutCallsTimeSession" Never;
    AGENT_OUT_CALLS_TIME_TO5 "AgentOutCallsTimeTo5" Never;
    AGENT_OUT_CALLS_TIME_TO_HALF "AgentOutCallsTimeToHalf" Never;
    AGENT_OUT_CALLS_TIME_TODAY "AgentOutCallsTimeToday" Never;
    AGENT_OUT_CALLS_TO5 "AgentOutCallsTo5" Never;
    AGENT_OUT_CALLS_TO_HALF "AgentOutCallsToHalf" Never;
    AGENT_OUT_CALLS_TODAY "AgentOutCallsToday" Never;
    AGENT_SERVICE_REQ "AgentServiceReq" Never;
    AGENT_SKILL_TARGET_ID "AgentSkillTargetID" Never;
    AGENT_STATE "AgentState" Never;
    AGENT_STATE_MASK "AgentStateMask" Never;
    AGENT_WORK_MODE "AgentWorkMode" Never;
    AGENTS_APPLICATION_AVAILABLE "AgentsApplicationAvailable" Never;
    AGENTS_AVAIL "AgentsAvail" Never;
    AGENTS_BUSY_OTHER "AgentsBusyOther" Never;
    AGENTS_HOLD "AgentsHold" Never;
    AGENTS_ICM_AVAILABLE "AgentsICMAvailable" Never;
    AGENTS_LOGGED_ON "AgentsLoggedOn" Never;
    AGENTS_NOT_READY "AgentsNotReady" Never;
    AGENTS_READY "AgentsReady" Never;
    AGENTS_RESERVED "AgentsReserved" Never;
    AGENTS_TALKING_AUTO_OUT "AgentsTalkingAutoOut" Never;
    AGENTS_TALKING_IN "AgentsTalkingIn" Never;
    AGENTS_TALKING_OTHER "AgentsTalkingOther" Never;
    AGENTS_TALKING_OUT "AgentsTalkingOut" Never;
    AGENTS_TALKING_PREVIEW "AgentsTalkingPreview" Never;
    AGENTS_TALKING_RESERVATION "AgentsTalkingReservation" Never;
    AGENTS_WORK_NOT_READY "AgentsWorkNotReady" Never;
    AGENTS_WORK_READY "AgentsWorkReady" Never;
    ALERT_RINGS "AlertRings" Never;
    ALERTING_DEVICE_TYPE "AlertingDeviceType" Never;
    ALLOCATION_STATE "AllocationState" Never;
    ANSWER_DETECT_CONTROL1 "AnswerDetectControl1" Never;
    ANSWER_DETECT_CONTROL2 "AnswerDetectControl2" Never;
    ANSWER_DETECT_MODE "AnswerDetectMode" Never;
    ANSWER_DETECT_TIME "AnswerDetectTime" Never;
    ANSWERING_DEVICE_TYPE "AnsweringDeviceType" Never;
    ANSWERING_MACHINE "AnsweringMachine" Never;
    AUTO_OUT_CALLS_HELD_SESSION "AutoOutCallsHeldSession" Never;
    AUTO_OUT_CALLS_HELD_TIME_SESSION "AutoOutCallsHeldTimeSession" Never;
    AUTO_OUT_CALLS_HELD_TIME_TO5 "AutoOutCallsHeldTimeTo5" Never;
    AUTO_OUT_CALLS_HELD_TIME_TO_HALF "AutoOutCallsHeldTimeToHalf" Never;
    AUTO_OUT_CALLS_HELD_TIME_TODAY "AutoOutCallsHeldTimeToday" Never;
    AUTO_OUT_CALLS_HELD_TO5 "AutoOutCallsHeldTo5" Never;
    AUTO_OUT_CALLS_HELD_TO_HALF "AutoOutCallsHeldToHalf" Never;
    AUTO_OUT_CALLS_HELD_TODAY "AutoOutCallsHeldToday" Never;
    AUTO_OUT_CALLS_SESSION "AutoOutCallsSession" Never;
    AUTO_OUT_CALLS_TALK_TIME_SESSION "AutoOutCallsTalkTimeSession" Never;
    AUTO_OUT_CALLS_TALK_TIME_TO5 "AutoOutCallsTalkTimeTo5" Never;
    AUTO_OUT_CALLS_TALK_TIME_TO_HALF "AutoOutCallsTalkTimeToHalf" Never;
    AUTO_OUT_CALLS_TALK_TIME_TODAY "AutoOutCallsTalkTimeToday" Never;
    AUTO_OUT_CALLS_TIME_SESSION "AutoOutCallsTimeSession" Never;
    AUTO_OUT_CALLS_TIME_TO5 "AutoOutCallsTimeTo5" Never;
    AUTO_OUT_CALLS_TIME_TO_HALF "AutoOutCallsTimeToHalf" Never;
    AUTO_OUT_CALLS_TIME_TODAY "AutoOutCallsTimeToday" Never;
    AUTO_OUT_CALLS_TO5 "AutoOutCallsTo5" Never;
    AUTO_OUT_CALLS_TO_HALF "AutoOutCallsToHalf" Never;
    AUTO_OUT_CALLS_TODAY "AutoOutCallsToday" Never;
    AUTO_RECORD_ON_EMERGENCY "AutoRecordOnEmergency" Never;
    AVAIL_TIME_SESSION "AvailTimeSession" Never;
    AVAIL_TIME_TO5 "AvailTimeTo5" Never;
    AVAIL_TIME_TO_HALF "AvailTimeToHalf" Never;
    AVAIL_TIME_TODAY "AvailTimeToday" Never;
    BARGE_IN_CALLS_SESSION "BargeInCallsSession" Never;
    BARGE_IN_CALLS_TO5 "BargeInCallsTo5" Never;
    BARGE_IN_CALLS_TO_HALF "BargeInCallsToHalf" Never;
    BARGE_IN_CALLS_TODAY "BargeInCallsToday" Never;
    BIT_RATE "BitRate" Never;
    CALL_CONTROL_SUPPORTED "CallControlSupported" Never;
    CALL_EVENTS_SUPPORTED "CallEventsSupported" Never;
    CALL_MANNER_TYPE "CallMannerType" Never;
    CALL_MSG_MASK "CallMsgMask" Never;
    CALL_OPTION "CallOption" Never;
    CALL_PLACEMENT_TYPE "CallPlacementType" Never;
    CALL_TYPE "CallType" Short;
    CALL_TYPE_ID "CallTypeID" Never;
    CALL_VARIABLE_MASK "CallVariableMask" Never;
    CALLED_DEVICE_TYPE "CalledDeviceType" Never;
    CALLED_PARTY_DISPOSITION "CalledPartyDisposition" Never;
    CALLING_DEVICE_TYPE "CallingDeviceType" Never;
    CALLS_Q5 "CallsQ5" Never;
    CALLS_Q_HALF "CallsQHalf" Never;
    CALLS_Q_NOW "CallsQNow" Never;
    CALLS_Q_TIME5 "CallsQTime5" Never;
    CALLS_Q_TIME_HALF "CallsQTimeHalf" Never;
    CALLS_Q_TIME_NOW "CallsQTimeNow" Never;
    CALLS_Q_TIME_TODAY "CallsQTimeToday" Never;
    CALLS_Q_TODAY "CallsQToday" Never;
    CAMPAIGN_ID "CampaignID" Never;
    CLASS_OF_DEVICE "ClassOfDevice" Never;
    CLIENT_PORT "ClientPort" Never;
    CONFIG_END_STATUS "ConfigEndStatus" Never;
    CONFIG_INFORMATION "ConfigInformation" Never;
    CONFIG_KEY_STATUS "ConfigKeyStatus" Never;
    CONFIG_MSG_MASK "ConfigMsgMask" Never;
    CONFIG_OPERATION "ConfigOperation" Never;
    CONFIG_PARAM "ConfigParam" Never;
    CONFIG_TYPE "ConfigType" Never;
    CONNECTION_CALL_ID "ConnectionCallID" Wide;
    CONNECTION_DEVICE_ID_TYPE "ConnectionDeviceIDType" Short;
    CONSULT_TYPE "ConsultType" Never;
    CONTROLLER_DEVICE_TYPE "ControllerDeviceType" Never;
    DEPARTMENT_ID "DepartmentID" Never;
    DESK_SETTINGS_MASK "DeskSettingsMask" Never;
    DESTINATION_COUNTRY "DestinationCountry" Never;
    DIRECTION "Direction" Never;
    DISTRIBUTION "Distribution" Never;
    DIVERTING_DEVICE_TYPE "DivertingDeviceType" Never;
    ECHO_CANCELLATION "EchoCancellation" Never;
    EMERGENCY_CALL_METHOD "EmergencyCallMethod" Never;
    EMERGENCY_CALLS_SESSION "EmergencyCallsSession" Never;
    EMERGENCY_CALLS_TO5 "EmergencyCallsTo5" Never;
    EMERGENCY_CALLS_TO_HALF "EmergencyCallsToHalf" Never;
    EMERGENCY_CALLS_TODAY "EmergencyCallsToday" Never;
    EVENT_CAUSE "EventCause" Never;
    EVENT_CODE "EventCode" Never;
    EVENT_DEVICE_TYPE "EventDeviceType" Never;
    EVENT_REASON_CODE "EventReasonCode" Never;
    FACILITY_TYPE "FacilityType" Never;
    FAILING_DEVICE_TYPE "FailingDeviceType" Never;
    FAILURE_CODE "FailureCode" Never;
    FORCED_FLAG "ForcedFlag" Never;
    HANDLED_CALLS_AFTER_CALL_TIME_SESSION "HandledCallsAfterCallTimeSession" Never;
    HANDLED_CALLS_AFTER_CALL_TIME_TO5 "HandledCallsAfterCallTimeTo5" Never;
    HANDLED_CALLS_AFTER_CALL_TIME_TO_HALF "HandledCallsAfterCallTimeToHalf" Never;
    HANDLED_CALLS_AFTER_CALL_TIME_TODAY "HandledCallsAfterCallTimeToday" Never;
    HANDLED_CALLS_SESSION "HandledCallsSession" Never;
    HANDLED_CALLS_TALK_TIME_SESSION "HandledCallsTalkTimeSession" Never;
    HANDLED_CALLS_TALK_TIME_TO5 "HandledCallsTalkTimeTo5" Never;
    HANDLED_CALLS_TALK_TIME_TO_HALF "HandledCallsTalkTimeToHalf" Never;
    HANDLED_CALLS_TALK_TIME_TODAY "HandledCallsTalkTimeToday" Never;
    HANDLED_CALLS_TIME_SESSION "HandledCallsTimeSession" Never;
    HANDLED_CALLS_TIME_TO5 "HandledCallsTimeTo5" Never;
    HANDLED_CALLS_TIME_TO_HALF "HandledCallsTimeToHalf" Never;
    HANDLED_CALLS_TIME_TODAY "HandledCallsTimeToday" Never;
    HANDLED_CALLS_TO5 "HandledCallsTo5" Never;
    HANDLED_CALLS_TO_HALF "HandledCallsToHalf" Never;
    HANDLED_CALLS_TODAY "HandledCallsToday" Never;
    HELD_CONNECTION_CALL_ID "HeldConnectionCallID" Wide;
    HELD_CONNECTION_DEVICE_ID_TYPE "HeldConnectionDeviceIDType" Short;
    HOLDING_DEVICE_TYPE "HoldingDeviceType" Never;
    ICM_AGENT_ID "ICMAgentID" Never;
    ICM_AVAILABLE_TIME_SESSION "ICMAvailableTimeSession" Never;
    ICM_AVAILABLE_TIME_TODAY "ICMAvailableTimeToday" Never;
    ICM_CENTRAL_CONTROLLER_TIME "ICMCentralControllerTime" Never;
    IDLE_TIMEOUT "IdleTimeout" Never;
    INCOMING_CALLS_HELD_SESSION "IncomingCallsHeldSession" Never;
    INCOMING_CALLS_HELD_TIME_SESSION "IncomingCallsHeldTimeSession" Never;
    INCOMING_CALLS_HELD_TIME_TO5 "IncomingCallsHeldTimeTo5" Never;
    INCOMING_CALLS_HELD_TIME_TO_HALF "IncomingCallsHeldTimeToHalf" Never;
    INCOMING_CALLS_HELD_TIME_TODAY "IncomingCallsHeldTimeToday" Never;
    INCOMING_CALLS_HELD_TO5 "IncomingCallsHeldTo5" Never;
    INCOMING_CALLS_HELD_TO_HALF "IncomingCallsHeldToHalf" Never;
    INCOMING_CALLS_HELD_TODAY "IncomingCallsHeldToday" Never;
    INTERCEPT_CALLS_SESSION "InterceptCallsSession" Never;
    INTERCEPT_CALLS_TO5 "InterceptCallsTo5" Never;
    INTERCEPT_CALLS_TO_HALF "InterceptCallsToHalf" Never;
    INTERCEPT_CALLS_TODAY "InterceptCallsToday" Never;
    INTERNAL_CALLS_HELD_SESSION "InternalCallsHeldSession" Never;
    INTERNAL_CALLS_HELD_TIME_SESSION "InternalCallsHeldTimeSession" Never;
    INTERNAL_CALLS_HELD_TIME_TO5 "InternalCallsHeldTimeTo5" Never;
    INTERNAL_CALLS_HELD_TIME_TO_HALF "InternalCallsHeldTimeToHalf" Never;
    INTERNAL_CALLS_HELD_TIME_TODAY "InternalCallsHeldTimeToday" Never;
    INTERNAL_CALLS_HELD_TO5 "InternalCallsHeldTo5" Never;
    INTERNAL_CALLS_HELD_TO_HALF "InternalCallsHeldToHalf" Never;
    INTERNAL_CALLS_HELD_TODAY "InternalCallsHeldToday" Never;
    INTERNAL_CALLS_RCVD_SESSION "InternalCallsRcvdSession" Never;
    INTERNAL_CALLS_RCVD_TIME_SESSION "InternalCallsRcvdTimeSession" Never;
    INTERNAL_CALLS_RCVD_TIME_TO5 "InternalCallsRcvdTimeTo5" Never;
    INTERNAL_CALLS_RCVD_TIME_TO_HALF "InternalCallsRcvdTimeToHalf" Never;
    INTERNAL_CALLS_RCVD_TIME_TODAY "InternalCallsRcvdTimeToday" Never;
    INTERNAL_CALLS_RCVD_TO5 "InternalCallsRcvdTo5" Never;
    INTERNAL_CALLS_RCVD_TO_HALF "InternalCallsRcvdToHalf" Never;
    INTERNAL_CALLS_RCVD_TODAY "InternalCallsRcvdToday" Never;
    INTERNAL_CALLS_SESSION "InternalCallsSession" Never;
    INTERNAL_CALLS_TIME_SESSION "InternalCallsTimeSession" Never;
    INTERNAL_CALLS_TIME_TODAY "InternalCallsTimeToday" Never;
    INTERNAL_CALLS_TODAY "InternalCallsToday" Never;
    INVOKE_ID "InvokeID" Never;
    LAST_REDIRECT_DEVICE_TYPE "LastRedirectDeviceType" Never;
    LINE_HANDLE "LineHandle" Short;
    LINE_TYPE "LineType" Never;
    LOCAL_CONNECTION_STATE "LocalConnectionState" Never;
    LOGGED_ON_TIME_SESSION "LoggedOnTimeSession" Never;
    LOGGED_ON_TIME_TO5 "LoggedOnTimeTo5" Never;
    LOGGED_ON_TIME_TO_HALF "LoggedOnTimeToHalf" Never;
    LOGGED_ON_TIME_TODAY "LoggedOnTimeToday" Never;
    LOGOUT_NON_ACTIVITY_TIME "LogoutNonActivityTime" Never;
    LONGEST_CALL_Q5 "LongestCallQ5" Never;
    LONGEST_CALL_Q_HALF "LongestCallQHalf" Never;
    LONGEST_CALL_Q_NOW "LongestCallQNow" Never;
    LONGEST_CALL_Q_TODAY "LongestCallQToday" Never;
    LONGEST_ROUTER_CALL_Q_NOW "LongestRouterCallQNow" Never;
    MRDID "MRDID" Never;
    MAINTENANCE_MODE_ACCEPTED "MaintenanceModeAccepted" Never;
    MAINTENANCE_MODE_CONTINUE "MaintenanceModeContinue" Never;
    MAKE_CALL_SETUP "MakeCallSetup" Never;
    MAX_ACTIVE_CALLS "MaxActiveCalls" Never;
    MAX_DEVICES_IN_CONFERENCE "MaxDevicesInConference" Never;
    MAX_HELD_CALLS "MaxHeldCalls" Never;
    MAX_TASK_LIMIT "MaxTaskLimit" Never;
    MEDIA_FORKING_DEVICE_TYPE "MediaForkingDeviceType" Never;
    MONITOR_CALLS_SESSION "MonitorCallsSession" Never;
    MONITOR_CALLS_TO5 "MonitorCallsTo5" Never;
    MONITOR_CALLS_TO_HALF "MonitorCallsToHalf" Never;
    MONITOR_CALLS_TODAY "MonitorCallsToday" Never;
    MONITOR_ID "MonitorID" Never;
    MONITORED_DEVICE_TYPE "MonitoredDeviceType" Never;
    MORE "More" Never;
    NEW_CONNECTION_CALL_ID "NewConnectionCallID" Wide;
    NEW_CONNECTION_DEVICE_ID_TYPE "NewConnectionDeviceIDType" Short;
    NOT_READY_TIME_SESSION "NotReadyTimeSession" Never;
    NOT_READY_TIME_TO5 "NotReadyTimeTo5" Never;
    NOT_READY_TIME_TO_HALF "NotReadyTimeToHalf" Never;
    NOT_READY_TIME_TODAY "NotReadyTimeToday" Never;
    NUM_CTI_CLIENTS "NumCTIClients" Never;
    NUM_CALL_DEVICES "NumCallDevices" Never;
    NUM_CALLS "NumCalls" Never;
    NUM_FLT_SKILL_GROUPS "NumFltSkillGroups" Never;
    NUM_LINES "NumLines" Never;
    NUM_NAMED_ARRAYS "NumNamedArrays" Never;
    NUM_NAMED_VARIABLES "NumNamedVariables" Never;
    NUM_PARTIES "NumParties" Never;
    NUM_QUEUED "NumQueued" Never;
    NUM_RECORDS "NumRecords" Never;
    NUM_SKILL_GROUPS "NumSkillGroups" Never;
    NUM_TASKS "NumTasks" Never;
    NUMBER_OF_AGENT_TEAMS "NumberOfAgentTeams" Never;
    NUMBER_OF_AGENTS "NumberOfAgents" Never;
    OPERATION "Operation" Never;
    OTHER_CONNECTION_CALL_ID "OtherConnectionCallID" Wide;
    OTHER_CONNECTION_DEVICE_ID_TYPE "OtherConnectionDeviceIDType" Short;
    OTHER_FEATURES_SUPPORTED "OtherFeaturesSupported" Never;
    PG_STATUS "PGStatus" Never;
    PACKET_SIZE "PacketSize" Never;
    PAUSE_DURATION "PauseDuration" Never;
    PAYLOAD_TYPE "PayloadType" Never;
    PERIPHERAL_ERROR_CODE "PeripheralErrorCode" Never;
    PERIPHERAL_ID "PeripheralID" Wide;
    PERIPHERAL_ONLINE "PeripheralOnline" Never;
    PERIPHERAL_TYPE "PeripheralType" Never;
    POST_ROUTE "PostRoute" Never;
    PREVIEW_CALLS_HELD_SESSION "PreviewCallsHeldSession" Never;
    PREVIEW_CALLS_HELD_TIME_SESSION "PreviewCallsHeldTimeSession" Never;
    PREVIEW_CALLS_HELD_TIME_TO5 "PreviewCallsHeldTimeTo5" Never;
    PREVIEW_CALLS_HELD_TIME_TO_HALF "PreviewCallsHeldTimeToHalf" Never;
    PREVIEW_CALLS_HELD_TIME_TODAY "PreviewCallsHeldTimeToday" Never;
    PREVIEW_CALLS_HELD_TO5 "PreviewCallsHeldTo5" Never;
    PREVIEW_CALLS_HELD_TO_HALF "PreviewCallsHeldToHalf" Never;
    PREVIEW_CALLS_HELD_TODAY "PreviewCallsHeldToday" Never;
    PREVIEW_CALLS_SESSION "PreviewCallsSession" Never;
    PREVIEW_CALLS_TALK_TIME_SESSION "PreviewCallsTalkTimeSession" Never;
    PREVIEW_CALLS_TALK_TIME_TO5 "PreviewCallsTalkTimeTo5" Never;
    PREVIEW_CALLS_TALK_TIME_TO_HALF "PreviewCallsTalkTimeToHalf" Never;
    PREVIEW_CALLS_TALK_TIME_TODAY "PreviewCallsTalkTimeToday" Never;
    PREVIEW_CALLS_TIME_SESSION "PreviewCallsTimeSession" Never;
    PREVIEW_CALLS_TIME_TO5 "PreviewCallsTimeTo5" Never;
    PREVIEW_CALLS_TIME_TO_HALF "PreviewCallsTimeToHalf" Never;
    PREVIEW_CALLS_TIME_TODAY "PreviewCallsTimeToday" Never;
    PREVIEW_CALLS_TO5 "PreviewCallsTo5" Never;
    PREVIEW_CALLS_TO_HALF "PreviewCallsToHalf" Never;
    PREVIEW_CALLS_TODAY "PreviewCallsToday" Never;
    PRIMARY_CALL_ID "PrimaryCallID" Wide;
    PRIMARY_DEVICE_ID_TYPE "PrimaryDeviceIDType" Short;
    PRIORITY "Priority" Never;
    QUALITY_RECORDING_RATE "QualityRecordingRate" Never;
    QUERY_RULE_ID "QueryRuleID" Never;
    QUEUE_DEVICE_TYPE "QueueDeviceType" Never;
    RTP_TYPE "RTPType" Never;
    RECORD_FAILURE_CAUSE "RecordFailureCause" Never;
    RECORDING_DEVICE_TYPE "RecordingDeviceType" Never;
    RECORDING_MODE "RecordingMode" Never;
    RECORDING_TYPE "RecordingType" Never;
    REGISTERED_SERVICE_ID "RegisteredServiceID" Never;
    RELEASING_DEVICE_TYPE "ReleasingDeviceType" Never;
    RESERVATION "Reservation" Never;
    RESERVATION_CALLS_HELD_SESSION "ReservationCallsHeldSession" Never;
    RESERVATION_CALLS_HELD_TIME_SESSION "ReservationCallsHeldTimeSession" Never;
    RESERVATION_CALLS_HELD_TIME_TO5 "ReservationCallsHeldTimeTo5" Never;
    RESERVATION_CALLS_HELD_TIME_TO_HALF "ReservationCallsHeldTimeToHalf" Never;
    RESERVATION_CALLS_HELD_TIME_TODAY "ReservationCallsHeldTimeToday" Never;
    RESERVATION_CALLS_HELD_TO5 "ReservationCallsHeldTo5" Never;
    RESERVATION_CALLS_HELD_TO_HALF "ReservationCallsHeldToHalf" Never;
    RESERVATION_CALLS_HELD_TODAY "ReservationCallsHeldToday" Never;
    RESERVATION_CALLS_SESSION "ReservationCallsSession" Never;
    RESERVATION_CALLS_TALK_TIME_SESSION "ReservationCallsTalkTimeSession" Never;
    RESERVATION_CALLS_TALK_TIME_TO5 "ReservationCallsTalkTimeTo5" Never;
    RESERVATION_CALLS_TALK_TIME_TO_HALF "ReservationCallsTalkTimeToHalf" Never;
    RESERVATION_CALLS_TALK_TIME_TODAY "ReservationCallsTalkTimeToday" Never;
    RESERVATION_CALLS_TIME_SESSION "ReservationCallsTimeSession" Never;
    RESERVATION_CALLS_TIME_TO5 "ReservationCallsTimeTo5" Never;
    RESERVATION_CALLS_TIME_TO_HALF "ReservationCallsTimeToHalf" Never;
    RESERVATION_CALLS_TIME_TODAY "ReservationCallsTimeToday" Never;
    RESERVATION_CALLS_TO5 "ReservationCallsTo5" Never;
    RESERVATION_CALLS_TO_HALF "ReservationCallsToHalf" Never;
    RESERVATION_CALLS_TODAY "ReservationCallsToday" Never;
    RESERVED "Reserved" Never;
    RESERVED1 "Reserved1" Never;
    RESERVED2 "Reserved2" Never;
    RESERVED3 "Reserved3" Never;
    RETRIEVING_DEVICE_TYPE "RetrievingDeviceType" Never;
    RING_NO_ANSWER_DN "RingNoAnswerDN" Never;
    RING_NO_ANSWER_TIME "RingNoAnswerTime" Never;
    ROUTABLE_TIME_SESSION "RoutableTimeSession" Never;
    ROUTABLE_TIME_TODAY "RoutableTimeToday" Never;
    ROUTER_CALL_KEY_CALL_ID "RouterCallKeyCallID" Never;
    ROUTER_CALL_KEY_DAY "RouterCallKeyDay" Never;
    ROUTER_CALL_KEY_SEQUENCE_NUMBER "RouterCallKeySequenceNumber" Never;
    ROUTER_CALLS_Q_NOW "RouterCallsQNow" Never;
    SECONDARY_CALL_ID "SecondaryCallID" Wide;
    SECONDARY_DEVICE_ID_TYPE "SecondaryDeviceIDType" Short;
    SEGMENT_NUMBER "SegmentNumber" Never;
    SERVER_DATA "ServerData" Never;
    SERVER_MODE "ServerMode" Never;
    SERVICE_ID "ServiceID" Wide;
    SERVICE_NUMBER "ServiceNumber" Wide;
    SERVICES_GRANTED "ServicesGranted" Never;
    SERVICES_REQUESTED "ServicesRequested" Never;
    SESSION_ID "SessionID" Never;
    SESSION_TYPE "SessionType" Never;
    SILENT_MONITOR_AUDIBLE_INDICATION "SilentMonitorAudibleIndication" Never;
    SILENT_MONITOR_WARNING_MESSAGE "SilentMonitorWarningMessage" Never;
    SKILL_GROUP_ID "SkillGroupID" Wide;
    SKILL_GROUP_NUMBER "SkillGroupNumber" Wide;
    SKILL_GROUP_PRIORITY "SkillGroupPriority" Never;
    SKILL_GROUP_STATE "SkillGroupState" Never;
    SNAPSHOT_DEVICE_TYPE "SnapshotDeviceType" Never;
    STATE "State" Never;
    STATE_DURATION "StateDuration" Never;
    STATUS "Status" Never;
    SUPERVISOR_ASSIST_CALL_METHOD "SupervisorAssistCallMethod" Never;
    SUPERVISOR_CONNECTION_CALL_ID "SupervisorConnectionCallID" Wide;
    SUPERVISOR_CONNECTION_DEVICE_ID_TYPE "SupervisorConnectionDeviceIDType" Short;
    SUPERVISOR_ID "SupervisorID" Never;
    SUPERVISORY_ACTION "SupervisoryAction" Never;
    SYSTEM_EVENT_ARG1 "SystemEventArg1" Never;
    SYSTEM_EVENT_ARG2 "SystemEventArg2" Never;
    SYSTEM_EVENT_ARG3 "SystemEventArg3" Never;
    SYSTEM_EVENT_ID "SystemEventID" Never;
    TEAM_ID "TeamID" Never;
    TONE_DURATION "ToneDuration" Never;
    TRANSFER_CONFERENCE_SETUP "TransferConferenceSetup" Never;
    TRANSFERRED_DEVICE_TYPE "TransferredDeviceType" Never;
    TRANSFERRING_DEVICE_TYPE "TransferringDeviceType" Never;
    TRUNK_USED_DEVICE_TYPE "TrunkUsedDeviceType" Never;
    TYPE_OF_DEVICE "TypeOfDevice" Never;
    VERSION_NUMBER "VersionNumber" Never;
    WHISPER_CALLS_SESSION "WhisperCallsSession" Never;
    WHISPER_CALLS_TO5 "WhisperCallsTo5" Never;
    WHISPER_CALLS_TO_HALF "WhisperCallsToHalf" Never;
    WHISPER_CALLS_TODAY "WhisperCallsToday" Never;
    WORK_MODE_TIMER "WorkModeTimer" Never;
    WRAPUP_DATA_INCOMING_MODE "WrapupDataIncomingMode" Never;
    WRAPUP_DATA_OUTGOING_MODE "WrapupDataOutgoingMode" Never;
}
