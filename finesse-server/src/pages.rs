//! The sample client, compiled into the program, and everything else that is not an interface.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
    X_FRAME_OPTIONS,
};
use hyper::{Method, Response, StatusCode};
use sha2::{Digest, Sha256};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Files of the page: path, content type, content.
const FILES: [(&str, &str, &[u8]); 5] = [
    ("/", HTML, include_bytes!("../pages/index.html")),
    ("/page.css", CSS, include_bytes!("../pages/page.css")),
    ("/finesse.js", SCRIPT, include_bytes!("../pages/finesse.js")),
    ("/page.js", SCRIPT, include_bytes!("../pages/page.js")),
    ("/strophe.umd.min.js", SCRIPT, include_bytes!("../pages/strophe.umd.min.js")),
];

/// What the page may load and where it may connect: its own server.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The answer to a request that no interface owns.
pub fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let mut response = match FILES.iter().find(|(name, ..)| *name == path) {
        Some((_, content_type, content)) if matches!(*method, Method::GET | Method::HEAD) => {
            file(content_type, content, headers)
        }
        Some(_) => plain(StatusCode::METHOD_NOT_ALLOWED, "405: this is a page\n"),
        None => plain(StatusCode::NOT_FOUND, "404: nothing here\n"),
    };
    let headers = response.headers_mut();
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn file(content_type: &'static str, content: &'static [u8], request: &HeaderMap) -> Response<Full<Bytes>> {
    let tag = tag(content);
    let known = request.get(IF_NONE_MATCH).is_some_and(|value| *value == tag);
    let mut response =
        Response::new(Full::new(if known { Bytes::new() } else { Bytes::from_static(content) }));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ETAG, tag);
    response
}

fn tag(content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    let hex: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// A short answer for people.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_the_page_refers_to_is_there() {
        let page = concat!(include_str!("../pages/index.html"), include_str!("../pages/page.js"));
        for attribute in ["src=\"", "href=\"", "from \"./"] {
            for reference in page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                let path = format!("/{reference}");
                assert!(
                    reference.starts_with("data:") || FILES.iter().any(|(name, ..)| *name == path),
                    "{reference}"
                );
            }
        }
    }

    #[test]
    fn every_control_that_the_script_uses_is_on_the_page() {
        let page = include_str!("../pages/index.html");
        let script = include_str!("../pages/page.js");
        let ids: Vec<&str> =
            script.split("el(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(ids.len() > 20);
        for id in ids {
            assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let first = answer(&Method::GET, "/page.js", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, first.headers()[ETAG].clone())]);
        assert_eq!(answer(&Method::GET, "/page.js", &headers).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(&Method::GET, "/page.css", &headers).status(), StatusCode::OK);
        assert_eq!(answer(&Method::POST, "/", &headers).status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer(&Method::GET, "/../Cargo.toml", &headers).status(), StatusCode::NOT_FOUND);
    }
}
