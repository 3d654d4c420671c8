//! Who is locked out, and the way in again: for administrators. Like the rest of the configuration it answers out of
//! service too.

use std::time::Instant;

use super::{BASE, Outcome, Rest};
use crate::api::runtime;
use crate::authority::{self, Object, Operation};
use crate::model::command::{ApiError, Reply};
use crate::model::xml::Writer;
use crate::realm::Locked;

impl Rest {
    /// `GET LockedUsers`.
    pub(super) fn locked_users(&self, caller: &str) -> Outcome {
        if let Some(refused) = self.no_administrator(caller) {
            return refused;
        }
        let mut xml = String::new();
        let mut w = Writer::new(&mut xml);
        w.open("LockedUsers");
        self.0.realm.locked(Instant::now()).iter().for_each(|user| write(user, &mut w));
        w.close("LockedUsers");
        Outcome::Reply(Reply::Document(xml), Some(runtime::locked_users))
    }

    /// `DELETE LockedUser/{id}`.
    pub(super) fn unlock(&self, caller: &str, user: &str) -> Outcome {
        if let Some(refused) = self.no_administrator(caller) {
            return refused;
        }
        match self.0.realm.unlock(user, Instant::now()) {
            true => Outcome::Done(None),
            false => Outcome::Reply(Reply::Refused(ApiError::not_found(user)), None),
        }
    }

    fn no_administrator(&self, caller: &str) -> Option<Outcome> {
        let directory = self.0.directory.load();
        let judged = match directory.user(caller) {
            Some(user) => authority::judge(&directory, Operation::ReadConfiguration, user, Object::Nothing),
            None => Err(ApiError::unauthorized(caller)),
        };
        judged.err().map(|error| Outcome::Reply(Reply::Refused(error), None))
    }
}

fn write(user: &Locked, w: &mut Writer<'_>) {
    w.open("LockedUser");
    w.open("addresses");
    user.from.iter().for_each(|address| w.text("address", &address.to_string()));
    w.close("addresses");
    w.value("failures", user.failures);
    w.text("id", &user.user);
    w.text("realm", user.realm);
    w.value("secondsLeft", user.left.as_secs());
    w.text("uri", &format!("{BASE}/LockedUser/{}", user.user));
    w.close("LockedUser");
}
