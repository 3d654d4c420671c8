//! What a participant may do in the state its leg is in (guide, "Actions of participants").

/// A set of actions, printed in a fixed order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions(u32);

macro_rules! actions {
    ($($name:ident $bit:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`.")]
            pub const $name: Actions = Actions(1 << $bit);
        )*

        const NAMES: &[(Actions, &str)] = &[$(($name, stringify!($name))),*];
    };
}

actions! {
    ANSWER 0;
    HOLD 1;
    RETRIEVE 2;
    DROP 3;
    UPDATE_CALL_DATA 4;
    CONSULT_CALL 5;
    TRANSFER 6;
    CONFERENCE 7;
    TRANSFER_SST 8;
    SEND_DTMF 9;
    START_RECORDING 10;
    PARTICIPANT_DROP 11;
    BARGE_CALL 12;
    SILENT_MONITOR 13;
    ACCEPT 14;
    CLOSE 15;
    REJECT 16;
    RECLASSIFY 17;
    UPDATE_SCHEDULED_CALLBACK 18;
    CANCEL_SCHEDULED_CALLBACK 19;
}

impl Actions {
    /// No action.
    pub const NONE: Actions = Actions(0);

    /// Both sets together.
    pub const fn and(self, other: Actions) -> Actions {
        Actions(self.0 | other.0)
    }

    /// Whether all of `other` are in the set.
    pub const fn has(self, other: Actions) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names in printing order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(bit, _)| self.has(*bit)).map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_print_in_a_fixed_order() {
        let set = SEND_DTMF.and(HOLD).and(DROP);
        assert_eq!(set.names().collect::<Vec<_>>(), ["HOLD", "DROP", "SEND_DTMF"]);
        assert!(set.has(HOLD) && !set.has(HOLD.and(ANSWER)));
        assert_eq!(Actions::NONE.names().count(), 0);
    }
}
