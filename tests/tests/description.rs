//! The description of the REST API as a demo serves it, before a validator that others wrote.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use e2e::clients::installed;
use e2e::demo::{Demo, PASSWORD};
use e2e::rest::Rest;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Reads a description from standard input and says what is wrong with it.
const VALIDATE: &str = "import json, sys; from openapi_spec_validator import OpenAPIV31SpecValidator as V; \
                        errors = [e.message for e in V(json.load(sys.stdin)).iter_errors()]; sys.exit('\\n'.join(errors) or 0)";

async fn complaints(description: &str) -> Result<String> {
    let mut validator = Command::new(installed("python/bin/python")?)
        .args(["-c", VALIDATE])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = validator.stdin.take().context("no standard input")?;
    input.write_all(description.as_bytes()).await?;
    drop(input);
    let output = validator.wait_with_output().await?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(output.status.success() == said.is_empty(), "neither valid nor invalid: {said}");
    Ok(said)
}

#[tokio::test]
async fn a_foreign_validator_accepts_the_description() -> Result<()> {
    let demo = Demo::start(&["--agents", "2", "--extensions"]).await?;
    let mut rest = Rest::connect(demo.ready.http.trim_start_matches("http://"), "1001", PASSWORD).await?;
    let (status, answer) = rest.request("GET", "openapi.json", "", "").await?;
    ensure!(status == 200, "{status} {answer}");
    assert_eq!(complaints(&answer).await?, "");
    // The validator is no rubber stamp.
    let broken = answer.replacen("\"in\":\"path\"", "\"in\":\"sky\"", 1);
    ensure!(broken != answer && !complaints(&broken).await?.is_empty(), "a broken one passes");
    Ok(())
}
