//! Message numbers.

use crate::tables::{self, Category, Dialects, Direction, MessageInfo};

/// The number of a message (MessageType in its header). Any number can occur; the constants of this module are the
/// published ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u32);

impl Kind {
    /// The published name, for example `BEGIN_CALL_EVENT`.
    pub fn name(self) -> Option<&'static str> {
        tables::message(self).map(|m| m.name)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "MESSAGE_{}", self.0),
        }
    }
}

/// One row: number, name, direction, category, first version, dialects.
macro_rules! kinds {
    ($($id:literal $name:ident $direction:ident $category:ident $since:literal $dialects:ident;)*) => {
        $(
            #[doc = concat!("Message ", $id, ", since version ", $since, ".")]
            pub const $name: Kind = Kind($id);
        )*

        /// The rows, by rising number.
        pub(crate) static MESSAGES: &[MessageInfo] = &[$(MessageInfo::row(
            $id,
            stringify!($name),
            Direction::$direction,
            Category::$category,
            $since,
            Dialects::$dialects,
        )),*];
    };
}

kinds! {
    1 FAILURE_CONF ToClient Failure 13 Both;
    2 FAILURE_EVENT ToClient Failure 13 Both;
    3 OPEN_REQ ToServer Session 13 Both;
    4 OPEN_CONF ToClient Session 13 Both;
    5 HEARTBEAT_REQ ToServer Session 13 Both;
    6 HEARTBEAT_CONF ToClient Session 13 Both;
    7 CLOSE_REQ ToServer Session 13 Both;
    8 CLOSE_CONF ToClient Session 13 Both;
    9 CALL_DELIVERED_EVENT ToClient CallEvent 13 Both;
    10 CALL_ESTABLISHED_EVENT ToClient CallEvent 13 Both;
    11 CALL_HELD_EVENT ToClient CallEvent 13 Both;
    12 CALL_RETRIEVED_EVENT ToClient CallEvent 13 Both;
    13 CALL_CLEARED_EVENT ToClient CallEvent 13 Both;
    14 CALL_CONNECTION_CLEARED_EVENT ToClient CallEvent 13 Both;
    15 CALL_ORIGINATED_EVENT ToClient CallEvent 13 Both;
    16 CALL_FAILED_EVENT ToClient CallEvent 13 Both;
    17 CALL_CONFERENCED_EVENT ToClient CallEvent 13 Both;
    18 CALL_TRANSFERRED_EVENT ToClient CallEvent 13 Both;
    19 CALL_DIVERTED_EVENT ToClient CallEvent 13 Both;
    20 CALL_SERVICE_INITIATED_EVENT ToClient CallEvent 13 Both;
    21 CALL_QUEUED_EVENT ToClient CallEvent 13 Both;
    22 CALL_TRANSLATION_ROUTE_EVENT ToClient CallEvent 13 Cce;
    23 BEGIN_CALL_EVENT ToClient CallEvent 13 Both;
    24 END_CALL_EVENT ToClient CallEvent 13 Both;
    25 CALL_DATA_UPDATE_EVENT ToClient CallEvent 13 Both;
    26 SET_CALL_DATA_REQ ToServer CallData 13 Both;
    27 SET_CALL_DATA_CONF ToClient CallData 13 Both;
    28 RELEASE_CALL_REQ ToServer CallData 13 Cce;
    29 RELEASE_CALL_CONF ToClient CallData 13 Cce;
    30 AGENT_STATE_EVENT ToClient AgentEvent 13 Both;
    31 SYSTEM_EVENT ToClient Misc 13 Both;
    32 CLIENT_EVENT_REPORT_REQ ToServer Misc 13 Cce;
    33 CLIENT_EVENT_REPORT_CONF ToClient Misc 13 Cce;
    34 CALL_REACHED_NETWORK_EVENT ToClient CallEvent 13 Cce;
    35 CONTROL_FAILURE_CONF ToClient Failure 13 Both;
    36 QUERY_AGENT_STATE_REQ ToServer AgentControl 13 Both;
    37 QUERY_AGENT_STATE_CONF ToClient AgentControl 13 Both;
    38 SET_AGENT_STATE_REQ ToServer AgentControl 13 Both;
    39 SET_AGENT_STATE_CONF ToClient AgentControl 13 Both;
    40 ALTERNATE_CALL_REQ ToServer CallControl 13 Both;
    41 ALTERNATE_CALL_CONF ToClient CallControl 13 Both;
    42 ANSWER_CALL_REQ ToServer CallControl 13 Both;
    43 ANSWER_CALL_CONF ToClient CallControl 13 Both;
    44 CLEAR_CALL_REQ ToServer CallControl 13 Both;
    45 CLEAR_CALL_CONF ToClient CallControl 13 Both;
    46 CLEAR_CONNECTION_REQ ToServer CallControl 13 Both;
    47 CLEAR_CONNECTION_CONF ToClient CallControl 13 Both;
    48 CONFERENCE_CALL_REQ ToServer CallControl 13 Both;
    49 CONFERENCE_CALL_CONF ToClient CallControl 13 Both;
    50 CONSULTATION_CALL_REQ ToServer CallControl 13 Both;
    51 CONSULTATION_CALL_CONF ToClient CallControl 13 Both;
    52 DEFLECT_CALL_REQ ToServer CallControl 13 Cce;
    53 DEFLECT_CALL_CONF ToClient CallControl 13 Cce;
    54 HOLD_CALL_REQ ToServer CallControl 13 Both;
    55 HOLD_CALL_CONF ToClient CallControl 13 Both;
    56 MAKE_CALL_REQ ToServer CallControl 13 Both;
    57 MAKE_CALL_CONF ToClient CallControl 13 Both;
    58 MAKE_PREDICTIVE_CALL_REQ ToServer CallControl 13 Cce;
    59 MAKE_PREDICTIVE_CALL_CONF ToClient CallControl 13 Cce;
    60 RECONNECT_CALL_REQ ToServer CallControl 13 Both;
    61 RECONNECT_CALL_CONF ToClient CallControl 13 Both;
    62 RETRIEVE_CALL_REQ ToServer CallControl 13 Both;
    63 RETRIEVE_CALL_CONF ToClient CallControl 13 Both;
    64 TRANSFER_CALL_REQ ToServer CallControl 13 Both;
    65 TRANSFER_CALL_CONF ToClient CallControl 13 Both;
    78 QUERY_DEVICE_INFO_REQ ToServer Snapshot 13 Both;
    79 QUERY_DEVICE_INFO_CONF ToClient Snapshot 13 Both;
    82 SNAPSHOT_CALL_REQ ToServer Snapshot 13 Both;
    83 SNAPSHOT_CALL_CONF ToClient Snapshot 13 Both;
    84 SNAPSHOT_DEVICE_REQ ToServer Snapshot 13 Both;
    85 SNAPSHOT_DEVICE_CONF ToClient Snapshot 13 Both;
    86 CALL_DEQUEUED_EVENT ToClient CallEvent 13 Both;
    91 SEND_DTMF_SIGNAL_REQ ToServer CallControl 13 Both;
    92 SEND_DTMF_SIGNAL_CONF ToClient CallControl 13 Both;
    93 MONITOR_START_REQ ToServer Monitor 13 Cce;
    94 MONITOR_START_CONF ToClient Monitor 13 Cce;
    95 MONITOR_STOP_REQ ToServer Monitor 13 Cce;
    96 MONITOR_STOP_CONF ToClient Monitor 13 Cce;
    97 CHANGE_MONITOR_MASK_REQ ToServer Monitor 13 Cce;
    98 CHANGE_MONITOR_MASK_CONF ToClient Monitor 13 Cce;
    99 CLIENT_SESSION_OPENED_EVENT ToClient ClientMonitor 13 Cce;
    100 CLIENT_SESSION_CLOSED_EVENT ToClient ClientMonitor 13 Cce;
    101 SESSION_MONITOR_START_REQ ToServer ClientMonitor 13 Cce;
    102 SESSION_MONITOR_START_CONF ToClient ClientMonitor 13 Cce;
    103 SESSION_MONITOR_STOP_REQ ToServer ClientMonitor 13 Cce;
    104 SESSION_MONITOR_STOP_CONF ToClient ClientMonitor 13 Cce;
    105 AGENT_PRE_CALL_EVENT ToClient AgentEvent 13 Cce;
    106 AGENT_PRE_CALL_ABORT_EVENT ToClient AgentEvent 13 Cce;
    107 USER_MESSAGE_REQ ToServer Misc 13 Cce;
    108 USER_MESSAGE_CONF ToClient Misc 13 Cce;
    109 USER_MESSAGE_EVENT ToClient Misc 13 Cce;
    110 REGISTER_VARIABLES_REQ ToServer Misc 13 Cce;
    111 REGISTER_VARIABLES_CONF ToClient Misc 13 Cce;
    112 QUERY_AGENT_STATISTICS_REQ ToServer Statistics 13 Both;
    113 QUERY_AGENT_STATISTICS_CONF ToClient Statistics 13 Both;
    114 QUERY_SKILL_GROUP_STATISTICS_REQ ToServer Statistics 13 Both;
    115 QUERY_SKILL_GROUP_STATISTICS_CONF ToClient Statistics 13 Both;
    116 RTP_STARTED_EVENT ToClient CallEvent 13 Both;
    117 RTP_STOPPED_EVENT ToClient CallEvent 13 Both;
    118 SUPERVISOR_ASSIST_REQ ToServer Supervisor 13 Both;
    119 SUPERVISOR_ASSIST_CONF ToClient Supervisor 13 Both;
    120 SUPERVISOR_ASSIST_EVENT ToClient Supervisor 13 Both;
    121 EMERGENCY_CALL_REQ ToServer Supervisor 13 Both;
    122 EMERGENCY_CALL_CONF ToClient Supervisor 13 Both;
    123 EMERGENCY_CALL_EVENT ToClient Supervisor 13 Both;
    124 SUPERVISE_CALL_REQ ToServer Supervisor 13 Both;
    125 SUPERVISE_CALL_CONF ToClient Supervisor 13 Both;
    126 AGENT_TEAM_CONFIG_REQ ToServer Supervisor 13 Cce;
    127 AGENT_TEAM_CONFIG_CONF ToClient Supervisor 13 Cce;
    128 AGENT_TEAM_CONFIG_EVENT ToClient Supervisor 13 Cce;
    129 SET_APP_DATA_REQ ToServer Misc 13 Cce;
    130 SET_APP_DATA_CONF ToClient Misc 13 Cce;
    131 AGENT_DESK_SETTINGS_REQ ToServer Misc 13 Cce;
    132 AGENT_DESK_SETTINGS_CONF ToClient Misc 13 Cce;
    133 LIST_AGENT_TEAM_REQ ToServer Supervisor 13 Cce;
    134 LIST_AGENT_TEAM_CONF ToClient Supervisor 13 Cce;
    135 MONITOR_AGENT_TEAM_START_REQ ToServer Supervisor 13 Cce;
    136 MONITOR_AGENT_TEAM_START_CONF ToClient Supervisor 13 Cce;
    137 MONITOR_AGENT_TEAM_STOP_REQ ToServer Supervisor 13 Cce;
    138 MONITOR_AGENT_TEAM_STOP_CONF ToClient Supervisor 13 Cce;
    139 BAD_CALL_REQ ToServer Supervisor 13 Cce;
    140 BAD_CALL_CONF ToClient Supervisor 13 Cce;
    141 SET_DEVICE_ATTRIBUTES_REQ ToServer CallData 13 Cce;
    142 SET_DEVICE_ATTRIBUTES_CONF ToClient CallData 13 Cce;
    143 REGISTER_SERVICE_REQ ToServer ServerService 13 Cce;
    144 REGISTER_SERVICE_CONF ToClient ServerService 13 Cce;
    145 UNREGISTER_SERVICE_REQ ToServer ServerService 13 Cce;
    146 UNREGISTER_SERVICE_CONF ToClient ServerService 13 Cce;
    147 START_RECORDING_REQ Both Recording 13 Cce;
    148 START_RECORDING_CONF Both Recording 13 Cce;
    149 STOP_RECORDING_REQ Both Recording 13 Cce;
    150 STOP_RECORDING_CONF Both Recording 13 Cce;
    151 MEDIA_LOGIN_REQ ToServer Task 13 Cce;
    152 MEDIA_LOGIN_RESP ToClient Task 13 Cce;
    153 MEDIA_LOGOUT_IND ToServer Task 13 Cce;
    154 MAKE_AGENT_ROUTABLE_IND ToServer Task 13 Cce;
    155 MAKE_AGENT_NOT_ROUTABLE_REQ ToServer Task 13 Cce;
    156 MAKE_AGENT_NOT_ROUTABLE_RESP ToClient Task 13 Cce;
    157 MAKE_AGENT_READY_IND ToServer Task 13 Cce;
    158 MAKE_AGENT_NOT_READY_REQ ToServer Task 13 Cce;
    159 MAKE_AGENT_NOT_READY_RESP ToClient Task 13 Cce;
    160 OFFER_TASK_IND ToServer Task 13 Cce;
    161 OFFER_APPLICATION_TASK_REQ ToServer Task 13 Cce;
    162 OFFER_APPLICATION_TASK_RESP ToClient Task 13 Cce;
    163 START_TASK_IND ToServer Task 13 Cce;
    164 START_APPLICATION_TASK_REQ ToServer Task 13 Cce;
    165 START_APPLICATION_TASK_RESP ToClient Task 13 Cce;
    166 PAUSE_TASK_IND ToServer Task 13 Cce;
    167 RESUME_TASK_IND ToServer Task 13 Cce;
    168 WRAPUP_TASK_IND ToServer Task 13 Cce;
    169 END_TASK_IND ToServer Task 13 Cce;
    170 AGENT_MADE_NOT_ROUTABLE_EVENT ToClient Task 13 Cce;
    171 AGENT_INTERRUPT_ADVISORY_EVENT ToClient Task 13 Cce;
    172 AGENT_INTERRUPT_ACCEPTED_IND ToServer Task 13 Cce;
    173 AGENT_INTERRUPT_UNACCEPTED_IND ToServer Task 13 Cce;
    174 AGENT_INTERRUPT_DONE_ADVISORY_EVENT ToClient Task 13 Cce;
    175 AGENT_INTERRUPT_DONE_ACCEPTED_IND ToServer Task 13 Cce;
    176 CHANGE_MAX_TASK_LIMIT_REQ ToServer Task 13 Cce;
    177 CHANGE_MAX_TASK_LIMIT_RESP ToClient Task 13 Cce;
    178 OVERRIDE_LIMIT_REQ ToServer Task 13 Cce;
    179 OVERRIDE_LIMIT_RESP ToClient Task 13 Cce;
    180 UPDATE_TASK_CONTEXT_IND ToServer Task 13 Cce;
    181 BEGIN_AGENT_INIT_IND ToServer Task 13 Cce;
    182 AGENT_INIT_REQ ToServer Task 13 Cce;
    183 AGENT_INIT_RESP ToClient Task 13 Cce;
    184 END_AGENT_INIT_IND ToServer Task 13 Cce;
    185 TASK_INIT_IND ToServer Task 13 Cce;
    186 AGENT_INIT_READY_EVENT ToClient Task 13 Cce;
    187 GET_PRECALL_MESSAGES_REQ ToServer Task 13 Cce;
    188 GET_PRECALL_MESSAGES_RESP ToClient Task 13 Cce;
    189 AGENT_LEGACY_PRE_CALL_EVENT ToClient Task 13 Cce;
    190 FAILURE_RESP ToClient Task 13 Cce;
    191 BEGIN_TASK_EVENT ToClient Task 13 Cce;
    192 QUEUED_TASK_EVENT ToClient Task 13 Cce;
    193 DEQUEUED_TASK_EVENT ToClient Task 13 Cce;
    194 OFFER_TASK_EVENT ToClient Task 13 Cce;
    195 START_TASK_EVENT ToClient Task 13 Cce;
    196 PAUSE_TASK_EVENT ToClient Task 13 Cce;
    197 RESUME_TASK_EVENT ToClient Task 13 Cce;
    198 WRAPUP_TASK_EVENT ToClient Task 13 Cce;
    199 END_TASK_EVENT ToClient Task 13 Cce;
    200 TASK_DATA_UPDATE_EVENT ToClient Task 13 Cce;
    201 TASK_MONITOR_START_REQ ToServer Task 13 Cce;
    202 TASK_MONITOR_START_CONF ToClient Task 13 Cce;
    203 TASK_MONITOR_STOP_REQ ToServer Task 13 Cce;
    204 TASK_MONITOR_STOP_CONF ToClient Task 13 Cce;
    205 CHANGE_TASK_MONITOR_MASK_REQ ToServer Task 13 Cce;
    206 CHANGE_TASK_MONITOR_MASK_CONF ToClient Task 13 Cce;
    207 MAX_TASK_LIFETIME_EXCEEDED_EVENT ToClient Task 13 Cce;
    208 SET_APP_PATH_DATA_IND ToServer Task 13 Cce;
    209 TASK_INIT_REQ ToServer Task 13 Cce;
    210 TASK_INIT_RESP ToClient Task 13 Cce;
    211 ROUTE_REGISTER_EVENT ToServer Route 13 Cce;
    212 ROUTE_REGISTER_REPLY_EVENT ToClient Route 13 Cce;
    213 ROUTE_REQUEST_EVENT ToClient Route 13 Cce;
    214 ROUTE_SELECT_EVENT ToServer Route 13 Cce;
    215 ROUTE_END_EVENT Both Route 13 Cce;
    230 CONFIG_REQUEST_KEY_EVENT ToServer Config 13 Both;
    231 CONFIG_KEY_EVENT ToClient Config 13 Both;
    232 CONFIG_REQUEST_EVENT ToServer Config 13 Both;
    233 CONFIG_BEGIN_EVENT ToClient Config 13 Both;
    234 CONFIG_END_EVENT ToClient Config 13 Both;
    235 CONFIG_SERVICE_EVENT ToClient Config 13 Both;
    236 CONFIG_SKILL_GROUP_EVENT ToClient Config 13 Both;
    237 CONFIG_AGENT_EVENT ToClient Config 13 Both;
    238 CONFIG_DEVICE_EVENT ToClient Config 13 Both;
    240 CALL_ATTRIBUTE_CHANGE_EVENT ToClient CallEvent 13 Both;
    242 TEAM_CONFIG_REQ ToServer Team 13 Both;
    243 TEAM_CONFIG_EVENT ToClient Team 13 Both;
    244 TEAM_CONFIG_CONF ToClient Team 13 Both;
    245 CONFIG_CALL_TYPE_EVENT ToClient Config 13 Cce;
    247 CALL_TERMINATION_EVENT ToClient CallEvent 14 Cce;
    248 CALL_AGENT_GREETING_EVENT ToClient CallEvent 15 Cce;
    249 AGENT_GREETING_CONTROL_REQ ToServer AgentControl 15 Cce;
    250 AGENT_GREETING_CONTROL_CONF ToClient AgentControl 15 Cce;
    254 CONFIG_MRD_EVENT ToClient Config 20 Cce;
    255 GET_AGENT_TASKS_REQ ToServer Task 20 Cce;
    256 AGENT_TASKS_RESP ToClient Task 20 Cce;
    257 SNAPSHOT_TASK_REQ ToServer Task 20 Cce;
    258 SNAPSHOT_TASK_RESP ToClient Task 20 Cce;
    260 CONFIG_PERIPHERAL_EVENT ToClient Config 22 Cce;
    261 CONFIG_AGENT_DESK_SETTINGS_EVENT ToClient Config 22 Cce;
    262 AGENT_TASKS_EVENT ToClient Task 23 Cce;
    263 SNAPSHOT_TASK_EVENT ToClient Task 23 Cce;
    264 AGENT_TASKS_REQUEST_EVENT ToServer Task 23 Cce;
    265 AGENT_TASKS_END_EVENT ToClient Task 23 Cce;
    266 DESKTOP_CONNECTED_IND ToClient Task 23 Cce;
    268 START_NETWORK_RECORDING_REQ ToServer Recording 23 Cce;
    269 START_NETWORK_RECORDING_CONF ToClient Recording 23 Cce;
    270 STOP_NETWORK_RECORDING_REQ ToServer Recording 23 Cce;
    271 STOP_NETWORK_RECORDING_CONF ToClient Recording 23 Cce;
    272 NETWORK_RECORDING_STARTED_EVENT ToClient Recording 23 Cce;
    273 NETWORK_RECORDING_ENDED_EVENT ToClient Recording 23 Cce;
    274 NETWORK_RECORDING_FAILED_EVENT ToClient Recording 23 Cce;
    275 NETWORK_RECORDING_TARGET_INFO_EVENT ToClient Recording 23 Cce;
    276 CONFIG_TERMINAL_EVENT ToClient Config 24 Both;
    277 STANDBY_ACTIVE_EVENT ToClient Maintenance 24 Cce;
    278 ACTIVE_MAINTENANCE_REQ ToClient Maintenance 24 Cce;
    279 ACTIVE_MAINTENANCE_RESP ToServer Maintenance 24 Cce;
    280 ACTIVE_MAINTENANCE_EVENT ToClient Maintenance 24 Cce;
    281 STOPPING_REQUESTS_TO_THIS_SIDE_IND ToServer Maintenance 24 Cce;
    282 CONFIG_AGENT_SERVICE_EVENT ToClient Config 24 Cce;
    283 SET_AGENT_SERVICE_DATA_REQ ToServer Misc 24 Cce;
    284 SET_AGENT_SERVICE_DATA_CONF ToClient Misc 24 Cce;
}
