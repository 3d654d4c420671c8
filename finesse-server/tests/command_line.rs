//! The built program from outside: exit codes, messages, output.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-server"));
    command.args(args).env_remove("FINESSE_PASSWORD").env_remove("FINESSE_LOG");
    command
}

fn run(args: &[&str], input: &str) -> Output {
    let mut child = program(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that does not read its input may have gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file of this test run.
fn file(name: &str, content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for args in [&[][..], &["nothing"], &["demo", "--agents", "none"], &["demo", "--no-such-option"]] {
        let output = run(args, "");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn a_hash_is_printed_and_is_good_for_a_configuration() {
    let output = run(&["hash-password"], "grün: 1\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let hash = text(&output.stdout);
    let config =
        file("hash.toml", &format!("[[user]]\nid = \"1001\"\npassword_hash = \"{}\"\n", hash.trim()));
    let output = run(&["check-config", "--config", config.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 users"));
    let output = run(&["hash-password", "--scram"], "grün: 1\n");
    let text_for_scram = format!("[xmpp]\nscram = true\n[[user]]\nid = \"1001\"\n{}", text(&output.stdout));
    let config = file("scram.toml", &text_for_scram);
    let output = run(&["check-config", "--config", config.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(0), "{}{text_for_scram}", text(&output.stderr));
    let output = run(&["hash-password"], "\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("empty password"));
}

#[test]
fn the_example_configuration_is_good() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../finesse.example.toml");
    let output = run(&["check-config", "--config", example], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_bad_configuration_ends_with_2_and_names_file_and_line() {
    for (name, content, complaint) in [
        ("unknown.toml", "[server]\ndomian = \"x\"\n", ":2:1: unknown field `domian`"),
        ("value.toml", "\n[cti]\nversion = \"new\"\n", ":3:11: invalid type"),
        ("broken.toml", "[server\n", ":1:"),
        ("team.toml", "[[team]]\nid = 1\nname = \"a\"\n\n[[team]]\nid = 1\nname = \"b\"\n", ":5:"),
        (
            "tls.toml",
            "[tls]\ncertificate = \"/nowhere.pem\"\nkey = \"/nowhere.key\"\n",
            ":2:15: /nowhere.pem",
        ),
    ] {
        let path = file(name, content);
        for command in ["check-config", "run"] {
            // Ports of `run` are not reached: the file is read first.
            let config = path.to_str().unwrap();
            if command == "run" && name == "tls.toml" {
                continue;
            }
            let output = run(&[command, "--config", config], "");
            assert_eq!(output.status.code(), Some(2), "{command} {name}");
            let stderr = text(&output.stderr);
            assert!(stderr.contains(&format!("{config}{complaint}")), "{stderr}");
        }
    }
    let output = run(&["check-config", "--config", "/nowhere/finesse.toml"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/nowhere/finesse.toml: cannot be read"));
}

#[test]
fn a_port_in_use_ends_with_2_and_names_the_line_or_the_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = file(
        "port.toml",
        &format!(
            "[server]\nplain_http = \"serve\"\n[listen]\nhttp = []\nhttps = []\nbosh_tls = []\nxmpp_tls = []\nbosh = [\"127.0.0.1:{port}\"]\n"
        ),
    );
    let output = run(&["run", "--config", config.to_str().unwrap()], "");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("port.toml:8:9: listen.bosh: cannot listen on 127.0.0.1:"), "{stderr}");

    let port = port.to_string();
    let free =
        ["--https-port", "--bosh-port", "--bosh-tls-port", "--xmpp-port", "--xmpp-tls-port", "--cti-port"];
    let mut args = vec!["demo", "--http-port", &port];
    free.iter().for_each(|option| args.extend([*option, "0"]));
    let output = run(&args, "");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("choose another port with --http-port"), "{stderr}");
    assert!(output.stdout.is_empty(), "no READY line");

    let mut args = vec!["demo", "--http-port", "0"];
    free[..5].iter().for_each(|option| args.extend([*option, "0"]));
    args.extend(["--cti-port", &port]);
    let output = run(&args, "");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--cti-port"), "{stderr}");
}

#[test]
fn frames_are_decoded_line_by_line() {
    let heartbeat = "000000040000000500000007";
    let output = run(
        &["cti-decode", "--version", "24", "--dialect", "cce"],
        &format!("{heartbeat}\n\nzz\n{heartbeat}"),
    );
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decoded =
        serde_json::json!({ "message": "HEARTBEAT_REQ", "fixed": { "InvokeID": 7 }, "floating": [] });
    assert_eq!((&lines[0], &lines[2], lines.len()), (&decoded, &decoded, 3));
    assert!(lines[1]["error"].is_string());
    let output = run(&["cti-decode", heartbeat], "");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap(), decoded);
}

#[test]
fn watch_says_when_it_is_refused_and_when_nobody_is_there() {
    // Nobody listens on port 1; the program keeps trying, so it is ended from here.
    let mut child = program(&["watch", "--server", "127.0.0.1:1"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stderr.take().unwrap()), &mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("cannot connect to 127.0.0.1:1") && line.contains("trying again"), "{line}");
}

#[test]
fn a_log_is_asked_why_a_user_was_signed_out() {
    let log = file(
        "explain.json",
        "{\"timestamp\":\"2026-03-02T10:42:01.5Z\",\"level\":\"INFO\",\"fields\":{\"message\":\"state\",\"user\":\"1001\",\
         \"from\":\"READY\",\"to\":\"LOGOUT\",\"reason\":999,\"cause\":\"asked by a supervisor\",\"by\":\"1009\"},\
         \"target\":\"journal\"}\n",
    );
    let log = log.to_str().unwrap();
    let output =
        run(&["explain", "--user", "1001", "--at", "2026-03-02T10:42:00Z", "--log", log, "--json"], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["cause"], &answer["at"]), (&"supervisor".into(), &"2026-03-02T10:42:01.5Z".into()));
    let output = run(&["explain", "--user", "1001", "--log", log], "");
    assert!(text(&output.stdout).contains("supervisor 1009 asked for it (reason code 999)"));
    for (user, at) in
        [("1002", "2026-03-02T10:42:00Z"), ("1001", "10:42pm"), ("1001", "2026-03-02T18:00:00Z")]
    {
        let output = run(&["explain", "--user", user, "--at", at, "--log", log], "");
        assert_eq!(output.status.code(), Some(1), "{user} {at}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}
