//! What probes ask: whether the process lives, and whether clients should be sent to it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::pages;

/// Path of the probe for the process.
const LIVE: &str = "/health/live";

/// Path of the probe for traffic.
const READY: &str = "/health/ready";

/// How the model stands, as far as probes are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether commands are served.
    pub in_service: bool,
    /// Why not, as `statusReason` says it; empty if they are.
    pub reason: &'static str,
    /// State of maintenance, as `finesseMMode` says it; empty outside.
    pub maintenance: &'static str,
}

/// Answers the probes. Clones share what they look at.
#[derive(Clone, Debug)]
pub struct Health {
    standing: watch::Receiver<Standing>,
    stop: watch::Receiver<bool>,
}

impl Health {
    /// Looks at the model, whose end closes `standing`, and at whether the server is being stopped.
    pub fn new(standing: watch::Receiver<Standing>, stop: watch::Receiver<bool>) -> Health {
        Health { standing, stop }
    }

    /// The answer to a probe; `None`: the request is for something else. 200, or 503 with a JSON object whose `reason`
    /// is `stopping`, `failed`, `maintenance`, `standby` or `out_of_service`. Costs no memory that clients could
    /// have used up, and waits for nobody.
    pub fn answer(&self, method: &Method, path: &str) -> Option<Response<Full<Bytes>>> {
        let trouble = match path {
            LIVE => self.failed().then(|| json!({ "reason": "failed" })),
            READY => self.unready(),
            _ => return None,
        };
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some(pages::plain(StatusCode::METHOD_NOT_ALLOWED, "405: this is a probe\n"));
        }
        let (status, body) = match trouble {
            None => (StatusCode::OK, json!({ "status": "ok" })),
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
        };
        let mut response = Response::new(Full::new(format!("{body}\n").into()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }

    fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Whether the model's task has ended without being told to: only a new process helps.
    fn failed(&self) -> bool {
        !self.stopping() && self.standing.has_changed().is_err()
    }

    /// Why no client should be sent here. Maintenance comes before the state of the CTI session, since it does not
    /// pass by itself.
    fn unready(&self) -> Option<Value> {
        if self.stopping() {
            return Some(json!({ "reason": "stopping" }));
        }
        if self.failed() {
            return Some(json!({ "reason": "failed" }));
        }
        let Standing { in_service, reason, maintenance } = *self.standing.borrow();
        match (maintenance, reason) {
            ("", _) if in_service => None,
            ("", "STANDBY") => Some(json!({ "reason": "standby", "statusReason": reason })),
            ("", _) => Some(json!({ "reason": "out_of_service", "statusReason": reason })),
            _ => Some(json!({ "reason": "maintenance", "finesseMMode": maintenance })),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    const SERVING: Standing = Standing { in_service: true, reason: "", maintenance: "" };

    fn bench() -> (watch::Sender<Standing>, watch::Sender<bool>, Health) {
        let (standing, of_model) = watch::channel(SERVING);
        let (stop, of_server) = watch::channel(false);
        (standing, stop, Health::new(of_model, of_server))
    }

    async fn ask(health: &Health, path: &str) -> (u16, Value) {
        let response = health.answer(&Method::GET, path).unwrap();
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn who_is_not_ready_says_why_and_lives_all_the_same() {
        let (standing, stop, health) = bench();
        let out = |reason| Standing { in_service: false, reason, maintenance: "" };
        for (now, expected) in [
            (
                out("CTI_SERVER_NOT_CONNECTED"),
                json!({ "reason": "out_of_service", "statusReason": "CTI_SERVER_NOT_CONNECTED" }),
            ),
            (out("STANDBY"), json!({ "reason": "standby", "statusReason": "STANDBY" })),
            (
                Standing { maintenance: "IN_PROGRESS", ..SERVING },
                json!({ "reason": "maintenance", "finesseMMode": "IN_PROGRESS" }),
            ),
            (
                Standing { maintenance: "COMPLETED", ..out("PERIPHERAL_OFFLINE") },
                json!({ "reason": "maintenance", "finesseMMode": "COMPLETED" }),
            ),
        ] {
            standing.send_replace(now);
            assert_eq!(ask(&health, READY).await, (503, expected));
            assert_eq!(ask(&health, LIVE).await.0, 200);
        }
        standing.send_replace(SERVING);
        assert_eq!(ask(&health, READY).await, (200, json!({ "status": "ok" })));
        stop.send_replace(true);
        assert_eq!(ask(&health, READY).await, (503, json!({ "reason": "stopping" })));
        // The model's task ends while the server stops; that is no failure.
        drop(standing);
        assert_eq!(ask(&health, READY).await, (503, json!({ "reason": "stopping" })));
        assert_eq!(ask(&health, LIVE).await.0, 200);
    }

    #[tokio::test]
    async fn a_model_that_has_ended_by_itself_is_neither_ready_nor_alive() {
        let (standing, _stop, health) = bench();
        drop(standing);
        assert_eq!(ask(&health, READY).await, (503, json!({ "reason": "failed" })));
        assert_eq!(ask(&health, LIVE).await, (503, json!({ "reason": "failed" })));
    }

    #[test]
    fn only_the_two_paths_are_probes_and_only_reading_is_answered() {
        let (_standing, _stop, health) = bench();
        for path in ["/health", "/health/", "/health/live/", "/health/ready?x", "/Health/live", "/"] {
            assert!(health.answer(&Method::GET, path).is_none(), "{path}");
        }
        assert_eq!(health.answer(&Method::HEAD, LIVE).unwrap().status(), StatusCode::OK);
        assert_eq!(health.answer(&Method::POST, READY).unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
