//! Who may use whom (ARCHITECTURE.md): read from the dependency graph, so that no arrow creeps in.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// Normal dependencies of every crate of the workspace: name and whether it is optional.
fn dependencies() -> BTreeMap<String, Vec<(String, bool)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    metadata()["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let list = package["dependencies"].as_array().expect("dependencies");
            let normal = list.iter().filter(|d| d["kind"].is_null());
            let names = normal.map(|d| (text(&d["name"]), d["optional"] == true)).collect();
            (text(&package["name"]), names)
        })
        .collect()
}

#[test]
fn crates_use_only_the_layers_below() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("broker", &[][..]),
        ("cti", &[][..]),
        ("xmpp", &["broker"][..]),
        ("bosh", &["broker", "xmpp"][..]),
        ("finesse-server", &["bosh", "broker", "cti", "xmpp"][..]),
    ]);
    let dependencies = dependencies();
    for (name, below) in &allowed {
        for (dependency, _) in &dependencies[*name] {
            let own = allowed.contains_key(dependency.as_str());
            assert!(!own || below.contains(&dependency.as_str()), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn cores_need_no_runtime() {
    let dependencies = dependencies();
    for name in ["broker", "cti", "xmpp", "bosh"] {
        for (dependency, optional) in &dependencies[name] {
            let runtime = ["tokio", "hyper", "hyper-util", "tokio-rustls"].contains(&dependency.as_str());
            assert!(!runtime || *optional, "{name} needs {dependency} even without its shells");
        }
    }
}

/// The one place that may: the wall clock of XEP-0203 stamps, which decide nothing.
const STAMPS: &str = "xmpp/src/service/stamp.rs";

/// Every source file below `path` that is not only for tests.
fn sources(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    let only_tests = ["tests", "tests.rs", "testing.rs"].iter().any(|name| path.ends_with(name));
    if only_tests || path.ends_with(STAMPS) {
        Vec::new()
    } else if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("readable");
        entries.flat_map(|entry| sources(&entry.expect("readable").path())).collect()
    } else {
        vec![path.to_owned()]
    }
}

#[test]
fn cores_do_not_read_the_clock() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let cores = [
        "broker/src",
        "bosh/src/core",
        "xmpp/src/stream",
        "xmpp/src/stream.rs",
        "xmpp/src/service",
        "xmpp/src/service.rs",
        "cti/src/client.rs",
        "cti/src/sim/core",
        "finesse-server/src/model",
    ];
    for core in cores {
        let files = sources(&root.join(core));
        assert!(!files.is_empty(), "{core} is gone: name the core by its new path");
        for path in files {
            let text = std::fs::read_to_string(&path).expect("readable");
            // Unit tests stand at the end of a file, behind their attribute.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.split("#[cfg(all(test").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate() {
                let line = line.trim_start();
                let clock = line.contains("Instant::now()") || line.contains("SystemTime::now()");
                assert!(
                    line.starts_with("//") || !clock,
                    "{}:{} reads the clock",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}
