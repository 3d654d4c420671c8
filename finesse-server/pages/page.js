// The page: shows what the client of finesse.js receives, and asks it for what the buttons say.

import { Finesse, FinesseError, parse, text } from "./finesse.js";

const MOST_EVENTS = 300;
const BUSY = ["RESERVED", "TALKING", "HOLD"];
const el = (id) => document.getElementById(id);
const words = (state) => state.replaceAll("_", " ");
const make = (tag, content, more = {}) => Object.assign(document.createElement(tag), { textContent: content }, more);

/** Everything known while somebody is signed in; see signIn. */
let session = null;

// ---- What the page shows --------------------------------------------------------------------------------------

function say(message, isError = false) {
  el("message").ariaLive = isError ? "assertive" : "polite";
  el("message").textContent = message;
  el("message").classList.toggle("error", isError);
}

/** Runs what a control asks for and shows what goes wrong. Controls are never `disabled`: that would lose the focus. */
const control = (work) => async (event) => {
  event.preventDefault();
  const button = event.submitter ?? event.currentTarget;
  if (button.ariaDisabled === "true") return;
  say("");
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  }
};

const enable = (button, isOn) => { button.ariaDisabled = String(!isOn); };

const isIn = () => document.body.dataset.phase === "in";

function show(phase) {
  if (document.body.dataset.phase === phase) return;
  document.body.dataset.phase = phase;
  for (const section of document.querySelectorAll("main > [data-phase]")) section.hidden = section.dataset.phase !== phase;
  el(isIn() ? "ready" : "user").focus();
}

function showLink(status, seconds) {
  const over = el("transport").selectedOptions[0].textContent;
  el("link").dataset.status = status;
  el("link").textContent = status === "connected" ? `Connected over ${over}` : status === "lost" ? "Disconnected" : "Not signed in";
  if (status === "lost") say(`The connection to the server was lost. Trying again in ${seconds} s…`, true);
}

function showUser(user) {
  const state = (session.state = text(user, "state"));
  const pending = text(user, "pendingState");
  session.extension = text(user, "extension") || session.extension;
  el("state").replaceChildren(words(state), make("small", pending && `, then ${words(pending)}`));
  el("state").dataset.state = state;
  el("state-since").dateTime = text(user, "stateChangeTime");
  el("agent-name").textContent = `${text(user, "firstName")} ${text(user, "lastName")}`;
  el("agent-ids").textContent = `Agent ${text(user, "loginId")} at extension ${session.extension}`;
  session.pending = pending;
  document.title = `${words(state)} – Sample agent client`;
  showButtons();
  showTimes();
}

function showButtons() {
  const { online, state, pending, calls, chosen } = session;
  enable(el("ready"), online && state !== "READY" && state !== "RESERVED");
  enable(el("not-ready"), online && state !== "NOT_READY" && state !== "RESERVED" && pending !== "NOT_READY");
  enable(el("sign-out"), online && !BUSY.includes(state));
  enable(el("call"), online && !BUSY.includes(state));
  const actions = calls.get(chosen)?.actions ?? [];
  for (const button of document.querySelectorAll("[data-action]")) enable(button, online && actions.includes(button.dataset.action));
}

function showCalls() {
  const { calls } = session;
  if (!calls.has(session.chosen)) session.chosen = [...calls.keys()].at(-1);
  const hadFocus = el("call-list").contains(document.activeElement);
  el("call-list").replaceChildren(...[...calls.values()].map((call) => {
    const choice = make("input", "", { type: "radio", name: "call", value: call.id, checked: call.id === session.chosen });
    choice.addEventListener("change", () => { session.chosen = call.id; showButtons(); });
    const label = make("label", "");
    label.dataset.call = call.id;
    const state = make("b", words(call.state), { className: "call-state" });
    const since = make("time", "", { dateTime: call.since });
    const about = make("span", `${call.from || "unknown"} → ${call.to || "unknown"}`, { className: "parties" });
    label.append(choice, about, state, make("span", [call.queue, `call ${call.id}`].filter(Boolean).join(", "), { className: "quiet" }), since);
    return label;
  }));
  const { from, to, state } = calls.get(session.chosen) ?? {};
  el("call-status").textContent = state ? `Call from ${from || "unknown"} to ${to || "unknown"}: ${words(state)}` : "No call.";
  el("call-status").classList.toggle("unseen", calls.size > 0); // for screen readers; the list shows more
  if (hadFocus) (el("call-list").querySelector(":checked") ?? el("answer")).focus();
  showButtons();
  showTimes();
}

/** Every <time> of the agent and the calls counts up. */
function showTimes() {
  for (const time of document.querySelectorAll("#agent time, #calls time")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(time.dateTime)) / 1000));
    time.textContent = time.dateTime ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
  }
}

/** Adds to the list of raw events; `about` says in a few words what it is. */
function showEvent(node, kind, source, about, raw) {
  const now = new Date();
  const summary = document.createElement("summary");
  summary.append(
    make("time", now.toLocaleTimeString(), { dateTime: now.toISOString() }),
    make("b", kind, { className: "kind" }),
    make("span", source || node, { className: "source" }),
    make("span", about, { className: "about" }),
  );
  const details = document.createElement("details");
  details.append(summary, make("pre", indented(raw)));
  const item = document.createElement("li");
  Object.assign(item.dataset, { node, source, event: kind, about });
  item.append(details);
  el("events").prepend(item);
  if (el("events").childElementCount > MOST_EVENTS) el("events").lastElementChild.remove();
  el("event-count").textContent = Number(el("event-count").textContent) + 1;
}

function indented(xml) {
  let depth = 0;
  const lines = xml.replaceAll("><", ">\n<").replace(/<([^\s>]+)>\n<\/\1>/g, "<$1></$1>").split("\n");
  return lines.map((line) => {
    if (line.startsWith("</")) depth--;
    const shown = "  ".repeat(Math.max(depth, 0)) + line;
    if (!line.includes("</") && !/[/?]>$/.test(line)) depth++;
    return shown;
  }).join("\n");
}

// ---- What comes from the server -------------------------------------------------------------------------------

function onEvent(node, raw) {
  const update = parse(raw);
  const kind = text(update, "event");
  const subject = update.querySelector(":scope > data")?.firstElementChild;
  const dialogs = subject?.localName === "dialogs" ? [...subject.children] : subject?.localName === "dialog" ? [subject] : [];
  const error = subject?.localName === "apiErrors" ? FinesseError.from(subject.querySelector("apiError")) : null;
  const states = dialogs.length ? dialogs : [subject];
  showEvent(node, kind, text(update, "source"), error?.message ?? states.map((each) => text(each, "state")).join(" "), raw);
  if (subject?.localName === "user" && text(subject, "loginId") === session.client.user) onUser(subject);
  for (const dialog of dialogs) onDialog(dialog, kind);
  if (error) {
    say(error.message, true);
    session.outcome.reject(error);
  }
}

function onUser(user) {
  session.heard.add("user");
  showUser(user);
  if (session.state !== "LOGOUT") session.outcome.resolve();
  else if (isIn()) leave("Signed out.");
}

function onDialog(dialog, kind) {
  const mine = [...dialog.querySelectorAll("Participant")].find((each) => text(each, "mediaAddress") === session.extension);
  const call = {
    id: text(dialog, "id"),
    from: text(dialog, "fromAddress"),
    to: text(dialog, "toAddress"),
    queue: text(dialog.querySelector("mediaProperties"), "queueName"),
    state: text(mine ?? dialog, "state"),
    since: text(mine, "stateChangeTime") || text(mine, "startTime"),
    actions: [...(mine?.querySelectorAll("action") ?? [])].map((each) => each.textContent),
  };
  session.heard.add(call.id);
  if (kind === "DELETE" || call.state === "DROPPED") session.calls.delete(call.id);
  else session.calls.set(call.id, call);
  showCalls();
}

/** State and calls as they are, once events come: nothing is missed in between, and an event is newer than an answer. */
async function refresh() {
  const { client, heard, calls } = session;
  heard.clear();
  const [user, dialogs] = await Promise.all([client.getUser(), client.getDialogs()]);
  if (session?.client !== client) return;
  if (!heard.has("user")) onUser(user);
  for (const id of calls.keys()) if (!heard.has(id)) calls.delete(id);
  for (const dialog of dialogs.children) if (!heard.has(text(dialog, "id"))) onDialog(dialog, "GET");
  showCalls();
}

async function onLink(status, seconds) {
  const wasLost = session.online === false;
  session.online = status === "connected";
  showLink(status, seconds);
  showButtons();
  if (status === "refused") {
    if (isIn()) leave("The password is no longer good.", true);
    else session.outcome.reject(new FinesseError("", 401));
  }
  if (status !== "connected" || !wasLost) return;
  try {
    await refresh();
    say("Connected again.");
  } catch (error) {
    say(error.message, true);
  }
}

// ---- Signing in and out ---------------------------------------------------------------------------------------

async function signIn() {
  enable(el("sign-in"), false);
  say("Signing in…");
  const extension = el("extension").value.trim();
  const options = { user: el("user").value.trim(), password: el("password").value, transport: el("transport").value };
  const client = new Finesse({ ...options, onEvent, onLink });
  session = { client, extension, state: "", pending: "", calls: new Map(), heard: new Set(), chosen: undefined, online: undefined, outcome: Promise.withResolvers() };
  session.outcome.promise.catch(() => {}); // an error nobody waits for is on the page already
  el("password").removeAttribute("aria-invalid");
  el("events").replaceChildren();
  el("event-count").textContent = "0";
  try {
    await client.connect();
    await refresh();
    if (session.state === "LOGOUT") await client.setState("LOGIN", { extension });
    await session.outcome.promise;
    el("password").value = "";
    show("in");
    say("");
  } catch (error) {
    const isRefused = error.status === 401;
    leave(isRefused ? "Wrong agent id or password." : error.message, true);
    if (!isRefused) return;
    el("password").ariaInvalid = "true";
    el("password").focus();
    el("password").select();
  } finally {
    enable(el("sign-in"), true);
  }
}

function leave(message, isError = false) {
  session.client.disconnect();
  session = null;
  document.title = "Sample agent client";
  showLink("out");
  show("out");
  say(message, isError);
}

/** Agents sign out from NOT READY. */
async function signOut() {
  if (session.state !== "NOT_READY") await session.client.setState("NOT_READY");
  await session.client.setState("LOGOUT");
}

async function dial() {
  await session.client.makeCall(session.extension, el("dial").value.trim());
  el("dial").value = "";
}

el("sign-in-form").addEventListener("submit", control(signIn));
el("dial-form").addEventListener("submit", control(dial));
el("ready").addEventListener("click", control(() => session.client.setState("READY")));
el("not-ready").addEventListener("click", control(() => session.client.setState("NOT_READY")));
el("sign-out").addEventListener("click", control(signOut));
el("clear").addEventListener("click", () => el("events").replaceChildren());
for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", control(() => session.client.act(session.chosen, button.dataset.action, session.extension)));
}
// The demo's agent 1007 has extension 2007.
el("user").addEventListener("input", () => {
  const [, digits] = /^1(\d{3,})$/.exec(el("user").value.trim()) ?? [];
  if (digits) el("extension").value = `2${digits}`;
});
setInterval(showTimes, 1000);
