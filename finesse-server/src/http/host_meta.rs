//! `/.well-known/host-meta`: where a client that knows the domain finds BOSH and WebSocket (XEP-0156, RFC 6415).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::pages;

const XML: &str = "/.well-known/host-meta";
const JSON: &str = "/.well-known/host-meta.json";

/// Both forms of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostMeta {
    xml: Bytes,
    json: Bytes,
}

impl HostMeta {
    /// The document for these addresses, the preferred ones first. They may not hold `<`, `&` and quotes.
    pub fn new(bosh: &[String], websocket: &[String]) -> HostMeta {
        let bosh = bosh.iter().map(|url| ("urn:xmpp:alt-connections:xbosh", url));
        let links: Vec<_> =
            bosh.chain(websocket.iter().map(|url| ("urn:xmpp:alt-connections:websocket", url))).collect();
        let xml: String =
            links.iter().map(|(rel, url)| format!("  <Link rel=\"{rel}\" href=\"{url}\"/>\n")).collect();
        let json: Vec<_> =
            links.iter().map(|(rel, url)| serde_json::json!({ "rel": rel, "href": url })).collect();
        HostMeta {
            xml: format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
                 <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n{xml}</XRD>\n"
            )
            .into(),
            json: serde_json::json!({ "links": json }).to_string().into(),
        }
    }

    /// The answer to a request for one of the documents; `None`: it is for something else. Pages of every origin
    /// may read it.
    pub(super) fn answer(&self, method: &Method, path: &str) -> Option<Response<Full<Bytes>>> {
        let (document, content_type) = match path {
            XML => (&self.xml, "application/xrd+xml; charset=utf-8"),
            JSON => (&self.json, "application/json"),
            _ => return None,
        };
        let mut response = match *method {
            Method::GET | Method::HEAD => Response::new(Full::new(document.clone())),
            _ => return Some(pages::plain(StatusCode::METHOD_NOT_ALLOWED, "405: this is a document\n")),
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_both_transports() {
        let meta = HostMeta::new(&["https://cc.example/http-bind/".into()], &["wss://cc.example/ws/".into()]);
        let xml: minidom::Element = std::str::from_utf8(&meta.xml).unwrap().parse().unwrap();
        let of_xml: Vec<_> = xml.children().map(|link| (link.attr("rel"), link.attr("href"))).collect();
        let json: serde_json::Value = serde_json::from_slice(&meta.json).unwrap();
        let links = json["links"].as_array().unwrap();
        let of_json: Vec<_> =
            links.iter().map(|link| (link["rel"].as_str(), link["href"].as_str())).collect();
        assert_eq!(of_xml, of_json);
        let expected = (Some("urn:xmpp:alt-connections:websocket"), Some("wss://cc.example/ws/"));
        assert_eq!(of_json[1], expected);
        assert!(meta.answer(&Method::GET, "/.well-known/other").is_none());
        assert_eq!(meta.answer(&Method::POST, JSON).unwrap().status(), 405);
    }
}
