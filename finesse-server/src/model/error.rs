//! The synchronous errors of the REST API: one constructor for each documented outcome, so that type strings
//! and status codes are written down once (Finesse Web Services Developer Guide, "API errors").

use super::xml::Writer;

/// One synchronous `ApiError` with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status code.
    pub status: u16,
    /// `ErrorType`, exact string of the API.
    pub kind: &'static str,
    /// `ErrorMessage`.
    pub message: String,
    /// `ErrorData`.
    pub data: String,
}

impl ApiError {
    /// An error from its parts; prefer the named constructors.
    pub fn new(status: u16, kind: &'static str, message: impl Into<String>, data: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), data: data.into() }
    }

    /// 400: malformed or incomplete body, wrong root element, invalid extension, unusable query value.
    pub fn bad_request(message: impl Into<String>, data: impl Into<String>) -> Self {
        Self::new(400, "Bad Request", message, data)
    }

    /// 400: a mandatory element is absent; `name` is the element.
    pub fn parameter_missing(name: &str) -> Self {
        Self::new(400, "Parameter Missing", format!("A required parameter is missing: {name}"), name)
    }

    /// 400: a reason code is mandatory for this change and none was given.
    pub fn reason_code_required() -> Self {
        Self::new(
            400,
            "Parameter Missing",
            "A valid reason code is required for this state change",
            "finesse.api.reasoncode.require_reasoncode",
        )
    }

    /// 400: a value that is not recognised; `data` is the value or the element.
    pub fn invalid_input(message: impl Into<String>, data: impl Into<String>) -> Self {
        Self::new(400, "Invalid Input", message, data)
    }

    /// 400: the operation is impossible in the current state.
    pub fn invalid_state(data: impl Into<String>) -> Self {
        Self::new(400, "Invalid State", "Invalid State specified for user", data)
    }

    /// 400: from equals to, or the target is no valid party.
    pub fn invalid_destination(data: impl Into<String>) -> Self {
        Self::new(400, "Invalid Destination", "The destination of the call is not valid", data)
    }

    /// 400: too many requests wait for this object already.
    pub fn queue_full() -> Self {
        Self::new(400, "Generic Error", "Too many requests are waiting for this object", "")
    }

    /// 401: no or wrong credentials, a locked account, or a role that may not use this API.
    pub fn unauthorized(user: impl Into<String>) -> Self {
        Self::new(401, "Authorization Failure", "UNAUTHORIZED", user)
    }

    /// 401: the authenticated user is not the one of the path.
    pub fn other_user(id: impl Into<String>) -> Self {
        Self::new(
            401,
            "Invalid Authorization User Specified",
            "The credentials do not belong to the user of the URI",
            id,
        )
    }

    /// 401: somebody who is no supervisor asks for a supervisor's action, or an account without a phone for an
    /// agent's.
    pub fn not_supervisor(user: &str) -> Self {
        Self::new(
            401,
            "Invalid Authorization User Specified",
            format!("The user {user} is not an authorized supervisor"),
            user,
        )
    }

    /// 401: a supervisor acts on somebody outside the teams supervised.
    pub fn invalid_supervisor(id: impl Into<String>) -> Self {
        Self::new(401, "Invalid Supervisor", "The user is not in a team of this supervisor", id)
    }

    /// 404: no such path or object.
    pub fn not_found(data: impl Into<String>) -> Self {
        Self::new(404, "Not Found", "The specified resource was not found", data)
    }

    /// 404: no such user.
    pub fn user_not_found(id: impl Into<String>) -> Self {
        Self::new(404, "User Not Found", "UNKNOWN_USER", id)
    }

    /// 404: no such dialog to act on.
    pub fn dialog_not_found(id: impl Into<String>) -> Self {
        Self::new(404, "Dialog Not Found", "The specified dialog id is invalid", id)
    }

    /// 405: the resource does not have this method.
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(405, "Method Not Allowed", "The resource does not support this method", method)
    }

    /// 415: the content type of the body is not XML.
    pub fn unsupported_media_type(content_type: &str) -> Self {
        Self::new(415, "Bad Request", "The content type of the request is not XML", content_type)
    }

    /// 500: something unexpected went wrong inside.
    pub fn internal() -> Self {
        Self::new(500, "Internal Server Error", "RUNTIME_EXCEPTION", "")
    }

    /// 501: the operation does not exist on this deployment.
    pub fn not_implemented(what: &str) -> Self {
        Self::new(501, "Not Implemented", "The operation is not available on this deployment", what)
    }

    /// 503: the server is out of service.
    pub fn out_of_service() -> Self {
        Self::new(503, "Service Unavailable", "SERVER_OUT_OF_SERVICE", "")
    }

    /// The `ApiErrors` document.
    pub fn to_xml(&self) -> String {
        let mut out = String::with_capacity(192);
        let mut w = Writer::new(&mut out);
        w.open("ApiErrors");
        w.open("ApiError");
        w.text("ErrorData", &self.data);
        w.text("ErrorMessage", &self.message);
        w.text("ErrorType", self.kind);
        w.close("ApiError");
        w.close("ApiErrors");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_three_children_and_escapes_them() {
        let e = ApiError::invalid_input("a<b & c", "x>y");
        assert_eq!(
            e.to_xml(),
            "<ApiErrors><ApiError><ErrorData>x&gt;y</ErrorData><ErrorMessage>a&lt;b &amp; c</ErrorMessage>\
             <ErrorType>Invalid Input</ErrorType></ApiError></ApiErrors>"
        );
    }

    #[test]
    fn out_of_service_has_empty_data() {
        let e = ApiError::out_of_service();
        assert_eq!((e.status, e.kind), (503, "Service Unavailable"));
        assert!(e.to_xml().contains("<ErrorData></ErrorData>"));
    }
}
