//! Recording of calls, as far as clients see it: asked for, confirmed, over with the call.

use super::call::CallId;
use super::event::Leg;
use super::world::{Outcome, World, refusal};
use crate::enums::control_failure_code as cf;

impl World {
    /// Records a call from the phone `device`; the number of the recording. A call that is being recorded already goes on
    /// under its number.
    pub(crate) fn start_recording(&mut self, id: CallId, device: &str) -> Outcome<u32> {
        if !self.config.behaviour.recording {
            return Err(refusal(cf::REQUESTED_SERVICE_NOT_REGISTERED));
        }
        if self.connection(id, device)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        self.ordinary(id)?;
        let call = self.calls.get_mut(&id).ok_or(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER))?;
        Ok(*call.recording.get_or_insert_with(|| {
            self.recordings += 1;
            self.recordings
        }))
    }

    /// Ends the recording of a call.
    pub(crate) fn stop_recording(&mut self, id: CallId, device: &str) -> Outcome {
        if !self.config.behaviour.recording {
            return Err(refusal(cf::REQUESTED_SERVICE_NOT_REGISTERED));
        }
        self.connection(id, device)?;
        let recording = self.calls.get_mut(&id).and_then(|call| call.recording.take());
        recording.map(drop).ok_or(refusal(cf::INVALID_OBJECT_STATE))
    }
}
