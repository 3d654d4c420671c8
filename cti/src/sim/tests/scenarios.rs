//! The library of scenarios in virtual time, and what is said of mistakes.

use super::pair::Pair;
use crate::kind;
use crate::sim::Scenario;

#[test]
fn every_scenario_of_the_library_comes_true() {
    let names: Vec<&str> = Scenario::library().collect();
    assert!(names.len() >= 8 && names.is_sorted(), "{names:?}");
    let mut failures = Vec::new();
    for name in names {
        let scenario = Scenario::named(name).expect("it is in the library").expect("no mistake");
        assert!(!scenario.title().is_empty() && scenario.about().len() > 40, "{name} says what it shows");
        match scenario.rehearse() {
            Ok(rehearsal) => assert!(rehearsal.steps > 3, "{name}"),
            Err(failed) => failures.push(failed),
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_client_sees_a_scenario_as_it_is_played() {
    let scenario = Scenario::named("transfer").expect("in the library").expect("no mistake");
    let mut pair = Pair::connect(scenario.centre("finesse"), 20);
    let open = pair.open_req();
    pair.send(open);
    pair.seconds(300);
    let kinds = pair.take_kinds();
    for kind in [kind::CALL_HELD_EVENT, kind::CALL_TRANSFERRED_EVENT, kind::CALL_DATA_UPDATE_EVENT] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let progress = pair.exchange.progress().expect("a scenario");
    assert!(progress.is_over() && progress.failed.is_none(), "{progress:?}");
}

#[test]
fn a_scenario_is_the_same_every_time() {
    let run = || Scenario::named("quiet-day").expect("known").expect("good").rehearse().expect("true");
    let (first, second) = (run(), run());
    assert_eq!((first.lasted, first.end), (second.lasted, second.end));
}

fn mistake(text: &str) -> String {
    Scenario::read("x.toml", text).expect_err("a mistake").to_string()
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, told) in [
        ("title = 'a'\nagents = 'many'", "x.toml:2:10: invalid type: string \"many\", expected usize"),
        ("agents = 0", "x.toml:1:10: agents must be a number from 1 to 5000"),
        ("titel = 'a'", "x.toml:1:1: unknown field `titel`, expected one of `title`"),
        ("\n[desk]\nwrapup = 1", "x.toml:3:1: unknown field `wrapup`"),
        (
            "[callers]\ntalk = '5'",
            "x.toml:2:8: \"5\" is no duration; write 500ms, 20s, 5m, 1h or several together",
        ),
        ("[callers]\ntalk = '5s..2s'", "x.toml:2:8: \"5s..2s\" ends before it begins"),
        ("[[agent]]\nid = '1'\nteam = 7", "x.toml:1:1: agent 1: no team 7"),
        (
            "agents = 2\n[[agent]]\nid = '1'\nteam = 1",
            "x.toml:1:10: agents are either counted or named, not both",
        ),
        ("[[rule]]\nrequest = 'DANCE'", "x.toml:1:1: no request is called \"DANCE\""),
        ("[[robots]]\nagents = ['9']", "x.toml:1:1: robots: no agent 9"),
        ("[[campaign]]\nname='c'\nmode='preview'\nqueue=9", "x.toml:1:1: campaign \"c\": no queue 9"),
    ] {
        let found = mistake(text);
        assert!(found.starts_with(told), "{found}\ninstead of\n{told}");
    }
}

#[test]
fn mistakes_in_steps_are_told_with_their_place() {
    for (step, told) in [
        ("{ agent = '1001', dose = 'ready' }", "unknown field `dose`"),
        ("{ agent = '9', does = 'ready' }", "no agent \"9\""),
        ("{ agent = '1001' }", "what does an agent do? does = …"),
        ("{ agent = '1001', does = 'dance' }", "unknown deed `dance`, expected one of `sign_in`"),
        ("{ agent = '1001', does = 'ready', reason = 5 }", "`reason` means nothing in this step"),
        ("{ agent = '1001', does = 'dial' }", "the number is missing: to = …"),
        ("{ agent = '1001', does = 'hold', call = 'x' }", "no step before gives a call the name \"x\""),
        (
            "{ agent = '1001', does = 'ready', name = 'x' }",
            "only a step that makes a call can give it a name",
        ),
        ("{ customer = '5551234567' }", "whom does the customer call?"),
        ("{ customer = '5551234567', calls = 7 }", "no queue 7"),
        ("{ campaign = 'None' }", "no campaign \"None\""),
        ("{ expect = '1001 is HAPPY' }", "no state is called \"HAPPY\""),
        ("{ expect = 'all is well that ends' }", "\"all is well that ends\" says nothing that can be true"),
        ("{ side = 'c', does = 'cut' }", "unknown variant `c`"),
        ("{ does = 'ready' }", "who does \"ready\"?"),
        ("{ name = 'x' }", "only a step that makes a call"),
        ("{ }", "a step without anything to do"),
    ] {
        let found = mistake(&format!("agents = 2\nsteps = [\n  {step},\n]"));
        let (place, message) = found.split_once(": ").expect("a place");
        assert!(place.starts_with("x.toml:3:"), "{found}");
        assert!(message.starts_with(told), "{found}\ninstead of\n{told}");
    }
}

#[test]
fn what_does_not_come_true_is_told_with_its_place() {
    for (steps, told) in [
        ("{ expect = '1001 is TALKING' }", "\"1001 is TALKING\" is not true: 1001 is LOGOUT with 0"),
        ("{ expect = '1 call', within = '5s' }", "\"1 call\" is not true: 0 calls, for 5 s"),
        ("{ agent = '1001', does = 'ready' }", "refused with 22 INVALID_OBJECT_STATE"),
        ("{ agent = '1001', does = 'sign_in', refused = 22 }", "was to be refused with 22"),
        ("{ agent = '1001', does = 'answer' }", "1001 is signed out"),
    ] {
        let text = format!("agents = 2\nsteps = [\n  {steps},\n]");
        let failed = Scenario::read("x.toml", &text).expect("no mistake").rehearse().expect_err("not true");
        assert_eq!(failed, format!("x.toml:3:3: {told}"));
    }
}
