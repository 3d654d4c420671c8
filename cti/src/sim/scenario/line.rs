//! One step of a scenario, from the line that is written to what is meant by it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::super::rules::Code;
use super::super::{Answer, Config, InboundCall, OutboundCall, Rule, Side, Target};
use super::condition::Condition;
use super::step::{Action, Deed, Does, SideDoes, Step};
use super::words::Time;

/// How long a condition may take to come true, unless the step says so.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line of `steps`. Which keys belong together, [`Line::step`] checks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Line {
    at: Option<Time>,
    after: Option<Time>,
    when: Option<String>,
    within: Option<Time>,
    agent: Option<String>,
    does: Option<String>,
    phone: Option<String>,
    reason: Option<u16>,
    to: Option<String>,
    of: Option<String>,
    call: Option<String>,
    name: Option<String>,
    data: Option<BTreeMap<String, String>>,
    says: Option<String>,
    refused: Option<Code>,
    customer: Option<String>,
    calls: Option<Callee>,
    dnis: Option<String>,
    variables: Option<BTreeMap<String, String>>,
    talk: Option<Time>,
    patience: Option<Time>,
    campaign: Option<String>,
    answer: Option<Answer>,
    side: Option<Side>,
    rule: Option<Rule>,
    calls_per_minute: Option<f64>,
    peripheral: Option<String>,
    expect: Option<String>,
}

/// A queue by its number, or an agent or customer by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Callee {
    Queue(u32),
    Name(String),
}

impl Line {
    /// What is meant, in a centre with this configuration; `place` is where it is written.
    pub(super) fn step(mut self, config: &Config, place: String) -> Result<Step, String> {
        let (at, after) = (self.at.take().map(|t| t.0), self.after.take().map(|t| t.0));
        let when = match self.when.take() {
            Some(text) => Some(Condition::read(&text, config)?),
            None => None,
        };
        let within = self.within.take().map(|t| t.0);
        let refused = self.refused.take().map(|code| code.0);
        let name = self.name.take();
        let mut step = Step {
            place,
            at,
            after,
            within: within.unwrap_or(PATIENCE),
            patient: within.is_some(),
            when,
            name,
            refused,
            action: Action::Nothing,
        };
        step.action = self.action(config)?;
        self.nothing_left()?;
        if step.name.is_some() && !step.action.makes_a_call() {
            return Err("only a step that makes a call can give it a name".into());
        }
        let idle = matches!(step.action, Action::Nothing);
        if idle && step.at.is_none() && step.after.is_none() && step.when.is_none() {
            return Err("a step without anything to do".into());
        }
        if step.refused.is_some() && !matches!(step.action, Action::Agent { .. }) {
            return Err("only what an agent does can be refused".into());
        }
        Ok(step)
    }

    fn action(&mut self, config: &Config) -> Result<Action, String> {
        if let Some(text) = self.expect.take() {
            return Ok(Action::Expect(Condition::read(&text, config)?));
        }
        if let Some(campaign) = self.campaign.take() {
            return self.outbound(campaign, config);
        }
        if let Some(customer) = self.customer.take() {
            return self.inbound(customer, config);
        }
        if let Some(agent) = self.agent.take() {
            return self.deed(agent, config);
        }
        if let Some(side) = self.side.take() {
            return Ok(Action::Side(side, self.word::<SideDoes>("a side")?));
        }
        if let Some(rule) = self.rule.take() {
            rule.check()?;
            return Ok(Action::Rule(rule));
        }
        if let Some(rate) = self.calls_per_minute.take() {
            return Ok(Action::Rate(rate));
        }
        if let Some(word) = self.peripheral.take() {
            return match word.as_str() {
                "online" => Ok(Action::Peripheral(true)),
                "offline" => Ok(Action::Peripheral(false)),
                _ => Err(format!("a peripheral is \"online\" or \"offline\", not {word:?}")),
            };
        }
        if let Some(phone) = self.phone.take() {
            known("phone", &phone, config.extensions.iter().map(String::as_str))?;
            return match self.does.take().as_deref() {
                Some("goes_out_of_service") => Ok(Action::Phone(phone, false)),
                Some("comes_back") => Ok(Action::Phone(phone, true)),
                word => Err(format!("a phone \"goes_out_of_service\" or \"comes_back\", not {word:?}")),
            };
        }
        match (self.call.take(), self.does.take()) {
            (Some(call), Some(word)) if word == "hangs_up" => Ok(Action::HangUp(call)),
            (Some(_), _) => Err("the customer of a call \"hangs_up\"; who else does something?".into()),
            (None, Some(word)) => Err(format!("who does {word:?}?")),
            (None, None) => Ok(Action::Nothing),
        }
    }

    fn outbound(&mut self, campaign: String, config: &Config) -> Result<Action, String> {
        known("campaign", &campaign, config.campaigns.iter().map(|c| c.name.as_str()))?;
        let agent = self.agent.take();
        if let Some(agent) = &agent {
            known("agent", agent, config.agents.iter().map(|a| a.id.as_str()))?;
        }
        let customer = match self.calls.take() {
            Some(Callee::Queue(_)) => return Err("a campaign calls a customer, in quotation marks".into()),
            Some(Callee::Name(number)) => Some(number),
            None => None,
        };
        Ok(Action::Outbound(OutboundCall { campaign, agent, customer, answer: self.answer.take() }))
    }

    fn inbound(&mut self, customer: String, config: &Config) -> Result<Action, String> {
        let target = match self.calls.take() {
            Some(Callee::Queue(number)) if config.queues.iter().any(|q| q.number == number) => {
                Target::Queue(number)
            }
            Some(Callee::Queue(number)) => return Err(format!("no queue {number}")),
            Some(Callee::Name(agent)) => {
                known("agent", &agent, config.agents.iter().map(|a| a.id.as_str()))?;
                Target::Agent(agent)
            }
            None => return Err("whom does the customer call? calls = queue number or \"agent\"".into()),
        };
        Ok(Action::Inbound(InboundCall {
            ani: customer,
            dnis: self.dnis.take(),
            target,
            variables: self.variables.take().unwrap_or_default(),
            talk: self.talk.take().map(|t| t.0),
            patience: self.patience.take().map(|t| t.0),
        }))
    }

    fn deed(&mut self, agent: String, config: &Config) -> Result<Action, String> {
        known("agent", &agent, config.agents.iter().map(|a| a.id.as_str()))?;
        let does = self.word::<Does>("an agent")?;
        let need = |what: &str, key| format!("{what} is missing: {key} = …");
        let call = self.call.take();
        let deed = match does {
            Does::SignIn => Deed::SignIn(self.phone.take()),
            Does::Ready => Deed::Ready,
            Does::NotReady => Deed::NotReady(self.reason.take().unwrap_or(0)),
            Does::SignOut => Deed::SignOut(self.reason.take().unwrap_or(0)),
            Does::Work => Deed::Work,
            Does::Dial => Deed::Dial(self.to.take().ok_or_else(|| need("the number", "to"))?),
            Does::Consult => Deed::Consult(self.to.take().ok_or_else(|| need("the number", "to"))?),
            Does::Transfer => Deed::Transfer(self.to.take()),
            Does::Listen | Does::BargeIn | Does::Intercept => {
                let of = self.of.take().ok_or_else(|| need("the agent", "of"))?;
                known("agent", &of, config.agents.iter().map(|a| a.id.as_str()))?;
                Deed::Supervise(does, of)
            }
            Does::Say => Deed::Set(
                [("BAResponse".into(), self.says.take().ok_or_else(|| need("the response", "says"))?)].into(),
            ),
            Does::Attach => Deed::Set(self.data.take().ok_or_else(|| need("the data", "data"))?),
            other => Deed::Plain(other),
        };
        Ok(Action::Agent { agent, deed, call })
    }

    fn word<T: serde::de::DeserializeOwned>(&mut self, who: &str) -> Result<T, String> {
        let word = self.does.take().ok_or_else(|| format!("what does {who} do? does = …"))?;
        use serde::de::IntoDeserializer;
        let word: serde::de::value::StringDeserializer<serde::de::value::Error> = word.into_deserializer();
        T::deserialize(word).map_err(|error| error.to_string().replace("variant", "deed"))
    }

    /// Every key has been used.
    fn nothing_left(&self) -> Result<(), String> {
        let left = [
            ("agent", self.agent.is_some()),
            ("does", self.does.is_some()),
            ("phone", self.phone.is_some()),
            ("reason", self.reason.is_some()),
            ("to", self.to.is_some()),
            ("of", self.of.is_some()),
            ("call", self.call.is_some()),
            ("data", self.data.is_some()),
            ("says", self.says.is_some()),
            ("customer", self.customer.is_some()),
            ("calls", self.calls.is_some()),
            ("dnis", self.dnis.is_some()),
            ("variables", self.variables.is_some()),
            ("talk", self.talk.is_some()),
            ("patience", self.patience.is_some()),
            ("campaign", self.campaign.is_some()),
            ("answer", self.answer.is_some()),
            ("side", self.side.is_some()),
            ("rule", self.rule.is_some()),
            ("calls_per_minute", self.calls_per_minute.is_some()),
            ("peripheral", self.peripheral.is_some()),
        ];
        match left.into_iter().find(|(_, there)| *there) {
            Some((key, _)) => Err(format!("`{key}` means nothing in this step")),
            None => Ok(()),
        }
    }
}

/// Refuses a name that is not in the cast.
pub(super) fn known<'a>(
    what: &str,
    name: &str,
    mut all: impl Iterator<Item = &'a str>,
) -> Result<(), String> {
    if all.any(|known| known == name) { Ok(()) } else { Err(format!("no {what} {name:?}")) }
}
