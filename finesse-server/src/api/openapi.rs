//! The OpenAPI description of the API, made from the shapes and the tables of endpoints.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::runtime;
use super::shape::Shape;
use crate::rest::{BASE, reads};

/// Path, what is answered, the look of it.
type Row = (&'static str, &'static str, fn() -> Shape);

/// The endpoints that the model answers.
const MODEL: [Row; 9] = [
    ("SystemInfo", "Who the server is and whether it serves.", runtime::system_info),
    ("MaintenanceMode", "Clients on their way to the other node.", runtime::maintenance_mode),
    ("Users", "All users.", runtime::users),
    ("User/{id}", "A user, by id or login name.", runtime::user),
    ("User/{id}/Dialogs", "Calls of a user.", runtime::dialogs),
    ("User/{id}/Queues", "Queues of a user.", runtime::queues),
    ("Dialog/{id}", "A call.", runtime::dialog),
    ("Team/{id}", "A team with its members.", runtime::team),
    ("Queue/{id}", "A queue with its statistics.", runtime::queue),
];

/// The description (OpenAPI 3.1.0).
pub fn description() -> &'static Value {
    static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);
    &DESCRIPTION
}

fn describe() -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    let mut add = |path: &str, about: &str, query: &[&str], shape: Shape| {
        let reads = read(path, about, query, &shape);
        schemas.entry(shape.name).or_insert_with(|| shape.schema());
        paths.insert(format!("{BASE}/{path}"), json!({ "get": reads }));
    };
    for (path, about, shape) in MODEL {
        let query: &[&str] = if path == "Team/{id}" { &["includeLoggedOutAgents"] } else { &[] };
        add(path, about, query, shape());
    }
    for endpoint in reads::all() {
        add(endpoint.path, endpoint.about, endpoint.query, (endpoint.shape)());
    }
    schemas.insert("ApiErrors".into(), runtime::api_errors().schema());
    json!({
        "openapi": "3.1.0",
        "info": { "title": "finesse-server", "version": env!("CARGO_PKG_VERSION") },
        "security": [{ "basic": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "basic": { "type": "http", "scheme": "basic" } },
            "schemas": schemas,
        },
    })
}

fn read(path: &str, about: &str, query: &[&str], shape: &Shape) -> Value {
    let parameter = |name: &str, place: &str| json!({ "name": name, "in": place, "required": place == "path", "schema": { "type": "string" } });
    let named = ["id", "item"].into_iter().filter(|name| path.contains(&format!("{{{name}}}")));
    let parameters: Vec<Value> = named
        .map(|name| parameter(name, "path"))
        .chain(query.iter().map(|name| parameter(name, "query")))
        .collect();
    let content = |name: &str| {
        json!({
            "application/xml": {},
            "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } },
        })
    };
    json!({
        "summary": about,
        "parameters": parameters,
        "responses": {
            "200": { "description": shape.about, "content": content(shape.name) },
            "default": { "description": "What is wrong.", "content": content("ApiErrors") },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_described_and_every_reference_leads_somewhere() {
        let description = description();
        let paths = description["paths"].as_object().unwrap();
        assert_eq!(paths.len(), MODEL.len() + reads::all().count());
        for (path, item) in paths {
            let named: Vec<&str> = item["get"]["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            assert_eq!(path.matches('{').count(), named.len(), "{path}");
            let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            assert!(description["components"]["schemas"][name]["properties"].is_object(), "{path}: {name}");
        }
        let code = &description["components"]["schemas"]["ReasonCode"]["properties"];
        assert_eq!(code["code"]["type"][0], "integer");
        assert_eq!(code["category"]["enum"][0], "NOT_READY");
    }
}
