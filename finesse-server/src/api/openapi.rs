//! The OpenAPI description of the API, made from the shapes and the tables of requests.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::runtime;
use super::shape::Shape;
use crate::authority::Operation;
use crate::rest::routes::{Answered, ROUTES, Route, Sent};
use crate::rest::{BASE, reads};

/// The description (OpenAPI 3.1.0).
pub fn description() -> &'static Value {
    static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);
    &DESCRIPTION
}

fn describe() -> Value {
    let mut description = Description::default();
    for route in ROUTES {
        let operation = description.of_route(route);
        description.add(route.path, route.verb.name(), operation);
    }
    for endpoint in reads::all() {
        let content = description.content(&(endpoint.shape)());
        let success = json!({ "description": (endpoint.shape)().about, "content": content });
        let errors = description.errors(&[]);
        let mut operation =
            operation(endpoint.path, endpoint.about, endpoint.query, ("200", success), errors);
        operation[RIGHTS] = rights([endpoint.operation]);
        description.add(endpoint.path, "GET", operation);
    }
    let own = json!({ "description": "This description.", "content": { "application/json": {} } });
    let operation = operation("openapi.json", "This description.", &[], ("200", own), Map::new());
    description.add("openapi.json", "GET", operation);
    json!({
        "openapi": "3.1.0",
        "info": { "title": "finesse-server", "version": env!("CARGO_PKG_VERSION") },
        "security": [{ "basic": [] }],
        "paths": description.paths,
        "components": {
            "securitySchemes": { "basic": { "type": "http", "scheme": "basic" } },
            "schemas": description.schemas,
        },
    })
}

/// Extension that names what the caller needs the right to; the rows of the table of rights.
const RIGHTS: &str = "x-rights";

fn rights(of: impl IntoIterator<Item = Operation>) -> Value {
    of.into_iter().map(|right| Value::from(format!("{right:?}"))).collect()
}

/// The description as it grows.
#[derive(Default)]
struct Description {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Description {
    fn add(&mut self, path: &str, method: &str, operation: Value) {
        let item = self.paths.entry(format!("{BASE}/{path}")).or_insert_with(|| json!({}));
        item[method.to_lowercase()] = operation;
    }

    /// A reference to the schema of a document, which is described under this name.
    fn schema(&mut self, name: &str, shape: &Shape) -> Value {
        self.schemas.entry(name).or_insert_with(|| shape.schema());
        json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } })
    }

    /// A document in both forms.
    fn content(&mut self, shape: &Shape) -> Value {
        let schema = self.schema(shape.name, shape);
        json!({ "application/xml": schema.clone(), "application/json": schema })
    }

    /// What can go wrong: the documented errors, and those that every request has in common.
    fn errors(&mut self, documented: &[(u16, &[&str])]) -> Map<String, Value> {
        let content = self.content(&runtime::api_errors());
        let mut errors = Map::new();
        for (status, kinds) in documented {
            let error = json!({ "description": kinds.join(", "), "content": content.clone() });
            errors.insert(status.to_string(), error);
        }
        errors.insert("default".into(), json!({ "description": "What is wrong.", "content": content }));
        errors
    }

    fn of_route(&mut self, route: &Route) -> Value {
        let success = match &route.answered {
            Answered::Document(shape) => {
                let shape = shape();
                ("200", json!({ "description": shape.about, "content": self.content(&shape) }))
            }
            Answered::Done => ("200", json!({ "description": "It is done." })),
            Answered::Accepted => {
                ("202", json!({ "description": "It is accepted; events tell the outcome." }))
            }
            Answered::Never => ("501", json!({ "description": "It is known, but not here." })),
        };
        let errors = self.errors(route.errors);
        let mut operation = operation(route.path, route.about, route.query, success, errors);
        operation[RIGHTS] = rights(route.operations.iter().map(|(right, _)| *right));
        let content = match &route.sent {
            Sent::Nothing => return operation,
            Sent::Xml(shape) => {
                let shape = shape();
                json!({ "application/xml": self.schema(&format!("{}Request", shape.name), &shape) })
            }
            Sent::File => json!({ "application/zip": {}, "application/gzip": {}, "multipart/form-data": {} }),
        };
        operation["requestBody"] = json!({ "required": true, "content": content });
        operation
    }
}

/// One request: its parameters, its success and what can go wrong.
fn operation(
    path: &str,
    about: &str,
    query: &[&str],
    (status, success): (&str, Value),
    mut responses: Map<String, Value>,
) -> Value {
    let parameter = |name: &str, place: &str| {
        let required = place == "path";
        json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } })
    };
    let named = ["id", "item"].into_iter().filter(|name| path.contains(&format!("{{{name}}}")));
    let parameters: Vec<Value> = named
        .map(|name| parameter(name, "path"))
        .chain(query.iter().map(|name| parameter(name, "query")))
        .collect();
    responses.entry(status).or_insert(success);
    json!({ "summary": about, "parameters": parameters, "responses": responses })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows every reference.
    fn check_references(description: &Value, of: &Value) {
        match of {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let target = target.strip_prefix('#').unwrap();
                    assert!(
                        description.pointer(target).is_some_and(|t| t["properties"].is_object()),
                        "{target}"
                    );
                }
                members.values().for_each(|member| check_references(description, member));
            }
            Value::Array(items) => items.iter().for_each(|item| check_references(description, item)),
            _ => {}
        }
    }

    #[test]
    fn what_the_router_knows_is_described_and_the_other_way_round() {
        let description = description();
        let mut described: Vec<String> = Vec::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let named = operation["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "path");
                assert_eq!(path.matches('{').count(), named.count(), "{path}");
                described.push(format!("{} {path}", method.to_uppercase()));
            }
        }
        let written = ROUTES.iter().map(|route| format!("{} {BASE}/{}", route.verb.name(), route.path));
        let read = reads::all().map(|endpoint| format!("GET {BASE}/{}", endpoint.path));
        let mut routed: Vec<String> = written.chain(read).collect();
        routed.push(format!("GET {BASE}/openapi.json"));
        described.sort();
        routed.sort();
        assert_eq!(described, routed);
        check_references(description, description);
    }

    #[test]
    fn bodies_and_errors_are_described() {
        let description = description();
        let change = &description["paths"]["/finesse/api/User/{id}"]["put"];
        let schema = &change["requestBody"]["content"]["application/xml"]["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/UserRequest");
        assert!(change["responses"]["401"]["description"].as_str().unwrap().contains("Invalid Supervisor"));
        let schemas = &description["components"]["schemas"];
        assert_eq!(change["x-rights"], json!(["SignIn", "ChangeState"]));
        assert_eq!(schemas["UserRequest"]["xml"]["name"], "User");
        assert_eq!(
            schemas["UserRequest"]["properties"]["mobileAgent"]["properties"]["mode"]["enum"][0],
            "CALL_BY_CALL"
        );
        let variables =
            &schemas["DialogRequest"]["properties"]["mediaProperties"]["properties"]["callvariables"];
        assert_eq!(
            (&variables["xml"]["wrapped"], &variables["items"]["xml"]["name"]),
            (&true.into(), &"CallVariable".into())
        );
        assert_eq!(schemas["ReasonCode"]["properties"]["code"]["type"][0], "integer");
        assert_eq!(schemas["ReasonCode"]["properties"]["category"]["enum"][0], "NOT_READY");
    }
}
