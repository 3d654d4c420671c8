// A small agent's client: state and calls by REST, events by XMPP. Nothing of it is special to this server; every
// request is one that a third-party client would make.
"use strict";
(() => {
  const { Strophe, $pres } = window.Strophe.Strophe ? window.Strophe : window;
  Strophe.setLogLevel(Strophe.LogLevel.WARN);
  const MOST_EVENTS = 300;
  const el = (id) => document.getElementById(id);
  const api = (path) => new URL("/finesse/api/" + path, location.href).href;

  /** Everything known while somebody is signed in. */
  let session = null;

  // ---- REST -------------------------------------------------------------------------------------------------

  class ApiError extends Error {
    constructor(status, type, message, data) {
      super([type || `HTTP ${status}`, message, data && `(${data})`].filter(Boolean).join(" "));
      this.status = status;
    }
  }

  const text = (parent, name) => {
    const child = parent && [...parent.children].find((each) => each.localName === name);
    return child ? child.textContent : "";
  };

  const parse = (xml) => new DOMParser().parseFromString(xml, "application/xml").documentElement;

  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

  function basic(user, password) {
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    return "Basic " + btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  }

  async function request(method, path, authorization, body) {
    const headers = {};
    if (authorization) headers.Authorization = authorization;
    if (body !== undefined) {
      headers["Content-Type"] = "application/xml";
      headers.requestId = newId();
    }
    const answer = await fetch(api(path), { method, headers, body, credentials: "omit", cache: "no-store" });
    const content = await answer.text();
    if (!answer.ok) {
      const error = content.startsWith("<") ? parse(content).querySelector("ApiError") : null;
      throw new ApiError(answer.status, text(error, "ErrorType"), text(error, "ErrorMessage"), text(error, "ErrorData"));
    }
    return content ? parse(content) : null;
  }

  /** An element with children given as [name, value] pairs, escaped. */
  function xml(root, pairs) {
    const document = new DOMParser().parseFromString(`<${root}/>`, "application/xml");
    for (const [name, value] of pairs) {
      document.documentElement.append(Object.assign(document.createElementNS(null, name), { textContent: value }));
    }
    return new XMLSerializer().serializeToString(document.documentElement);
  }

  const userPath = (id) => "User/" + encodeURIComponent(id);
  const changeState = (state, more = []) =>
    request("PUT", userPath(session.id), session.authorization, xml("User", [["state", state], ...more]));

  // ---- Page -------------------------------------------------------------------------------------------------

  function say(message, isError = false) {
    el("message").textContent = message;
    el("message").classList.toggle("error", isError);
  }

  /** Runs what a control asks for and shows what goes wrong. */
  const guarded = (work) => async (event) => {
    event?.preventDefault();
    try {
      say("");
      await work(event);
    } catch (error) {
      say(error.message, true);
    }
  };

  function show(phase) {
    document.body.dataset.phase = phase;
    const isIn = phase === "in";
    el("sign-in-section").hidden = isIn;
    for (const id of ["agent-section", "calls-section", "events-section"]) el(id).hidden = !isIn;
    el("sign-in").disabled = phase === "busy";
    (isIn ? el("ready") : el("user")).focus();
  }

  function showUser(user) {
    if (!session || !user) return;
    const state = text(user, "state");
    session.state = state;
    el("state").textContent = state.replace(/_/g, " ");
    el("state").dataset.state = state;
    const pending = text(user, "pendingState");
    el("pending").textContent = pending ? `then ${pending.replace(/_/g, " ")}` : "";
    const since = text(user, "stateChangeTime");
    el("state-since").dateTime = since;
    el("state-since").textContent = since ? `since ${new Date(since).toLocaleTimeString()}` : "";
    el("agent-name").textContent = `${text(user, "firstName")} ${text(user, "lastName")} (${text(user, "loginId")})`;
    const extension = text(user, "extension");
    if (extension) session.extension = extension;
    el("agent-extension").textContent = session.extension;
    el("ready").disabled = state === "READY";
    el("not-ready").disabled = state === "NOT_READY";
    session.waiting = session.waiting.filter(({ states, resolve }) => !states.includes(state) || void resolve());
  }

  const myLeg = (call) => call.legs.find((leg) => leg.address === session.extension);

  function readCall(dialog) {
    const legs = [...dialog.querySelectorAll("participants > Participant")].map((leg) => ({
      address: text(leg, "mediaAddress"),
      state: text(leg, "state"),
      actions: [...leg.querySelectorAll("actions > action")].map((action) => action.textContent),
    }));
    return {
      id: text(dialog, "id"),
      state: text(dialog, "state"),
      from: text(dialog, "fromAddress"),
      to: text(dialog, "toAddress"),
      legs,
    };
  }

  function takeDialog(dialog, kind) {
    const call = readCall(dialog);
    session.heard.add(call.id);
    const mine = myLeg(call);
    if (kind === "DELETE" || call.state === "DROPPED" || (mine && mine.state === "DROPPED")) session.calls.delete(call.id);
    else session.calls.set(call.id, call);
    showCalls();
  }

  function showCalls() {
    const list = el("calls");
    const hadFocus = list.contains(document.activeElement);
    list.querySelectorAll("label").forEach((label) => label.remove());
    if (!session.calls.has(session.chosen)) session.chosen = [...session.calls.keys()].at(-1);
    for (const call of session.calls.values()) {
      const label = document.createElement("label");
      label.dataset.call = call.id;
      const choice = Object.assign(document.createElement("input"), { type: "radio", name: "call", value: call.id, checked: call.id === session.chosen });
      choice.addEventListener("change", () => { session.chosen = call.id; showActions(); });
      const state = Object.assign(document.createElement("span"), { className: "call-state", textContent: (myLeg(call) ?? call).state });
      const parties = Object.assign(document.createElement("span"), { textContent: `${call.from || "unknown"} → ${call.to || "unknown"}` });
      const id = Object.assign(document.createElement("span"), { className: "quiet", textContent: call.id });
      label.append(choice, state, parties, id);
      list.append(label);
      if (hadFocus && choice.checked) choice.focus();
    }
    el("no-calls").hidden = session.calls.size > 0;
    showActions();
  }

  function showActions() {
    const call = session.calls.get(session.chosen);
    const actions = (call && myLeg(call)?.actions) || [];
    for (const button of document.querySelectorAll("[data-action]")) button.disabled = !actions.includes(button.dataset.action);
  }

  /** What an event is about, in a few words. */
  function gist(subject) {
    switch (subject?.localName) {
      case "user": return text(subject, "state");
      case "dialog": return text(subject, "state");
      case "dialogs": return [...subject.children].map((dialog) => text(dialog, "state")).join(" ");
      case "apiErrors": return text(subject.querySelector("apiError"), "errorType");
      default: return "";
    }
  }

  function record(node, kind, source, about, raw) {
    const item = document.createElement("li");
    item.dataset.source = source;
    item.dataset.event = kind;
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const time = new Date();
    summary.append(
      Object.assign(document.createElement("span"), { className: "kind", textContent: kind }),
      ` ${source || node} `,
      Object.assign(document.createElement("b"), { textContent: about }),
      " ",
      Object.assign(document.createElement("time"), { className: "quiet", dateTime: time.toISOString(), textContent: time.toLocaleTimeString() }),
    );
    details.append(summary, Object.assign(document.createElement("pre"), { textContent: raw.replace(/></g, ">\n<") }));
    item.append(details);
    el("events").prepend(item);
    while (el("events").children.length > MOST_EVENTS) el("events").lastChild.remove();
    el("event-count").textContent = String(++session.seen);
  }

  // ---- Events -----------------------------------------------------------------------------------------------

  function onMessage(message) {
    for (const items of message.getElementsByTagName("items")) {
      for (const notification of items.getElementsByTagName("notification")) {
        take(items.getAttribute("node"), notification.textContent);
      }
    }
    return true;
  }

  function take(node, raw) {
    if (!session) return;
    const update = parse(raw);
    const kind = text(update, "event");
    const data = update.querySelector(":scope > data");
    const subject = data && data.firstElementChild;
    record(node, kind, text(update, "source"), gist(subject), raw);
    if (!subject) return;
    if (subject.localName === "user" && text(subject, "loginId") === session.id) {
      session.heard.add("user");
      showUser(subject);
    }
    else if (subject.localName === "dialog") takeDialog(subject, kind);
    else if (subject.localName === "dialogs") for (const dialog of subject.children) takeDialog(dialog, kind);
    else if (subject.localName === "apiErrors") {
      const error = subject.querySelector("apiError");
      say(`${text(error, "errorType")}: ${text(error, "errorMessage")} (${text(error, "errorData")})`, true);
    }
  }

  /** Connects and resolves when signed in to XMPP. */
  function connect(transport, id, domain, password) {
    const url = new URL(transport === "bosh" ? "/http-bind/" : "/ws/", location.href);
    if (transport !== "bosh") url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const connection = new Strophe.Connection(url.href);
    const jid = `${Strophe.escapeNode(id)}@${domain}/page-${newId().slice(0, 8)}`;
    return new Promise((resolve, reject) => {
      connection.connect(jid, password, (status, reason) => {
        switch (status) {
          case Strophe.Status.CONNECTED:
            connection.addHandler(onMessage, null, "message");
            // Events flow from the moment the server has our presence; it says so by sending it back. What happens
            // before that would go unheard.
            connection.addHandler(() => void resolve(connection), null, "presence", null, null, connection.jid);
            connection.send($pres());
            break;
          case Strophe.Status.AUTHFAIL:
          case Strophe.Status.CONNFAIL:
            reject(new Error(`Events cannot be received: ${reason || "no connection"}`));
            break;
          case Strophe.Status.DISCONNECTED:
            reject(new Error("The connection was closed"));
            lost(connection);
            break;
        }
      });
    });
  }

  function lost(connection) {
    if (session?.connection !== connection) return;
    el("link").textContent = "disconnected";
    say("The connection for events was lost. Sign in again.", true);
    leave();
  }

  // ---- Signing in and out -----------------------------------------------------------------------------------

  function leave() {
    const old = session;
    session = null;
    old?.connection?.disconnect("signed out");
    el("password").value = "";
    show("out");
  }

  /** Reads what no event will tell: the state before signing in. Events that overtake the answers are newer. */
  async function catchUp() {
    session.heard.clear();
    const user = await request("GET", userPath(session.id), session.authorization);
    if (!session.heard.has("user")) showUser(user);
    const dialogs = await request("GET", `${userPath(session.id)}/Dialogs`, session.authorization);
    for (const dialog of dialogs.children) if (!session.heard.has(text(dialog, "id"))) takeDialog(dialog, "GET");
  }

  async function signIn() {
    const form = { user: el("user").value.trim(), password: el("password").value, extension: el("extension").value.trim() };
    show("busy");
    try {
      const info = await request("GET", "SystemInfo");
      const authorization = basic(form.user, form.password);
      const user = await request("GET", userPath(form.user), authorization);
      const id = text(user, "loginId");
      session = { id, authorization, extension: form.extension, calls: new Map(), chosen: undefined, seen: 0, state: "", waiting: [], heard: new Set(), connection: null };
      el("events").replaceChildren();
      el("event-count").textContent = "0";
      el("link").textContent = `connected over ${el("transport").selectedOptions[0].textContent}`;
      session.connection = await connect(el("transport").value, id, text(info, "xmppDomain"), form.password);
      await changeState("LOGIN", [["extension", form.extension]]);
      await catchUp();
      showCalls();
      show("in");
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Resolves when the agent is in one of the states, or after a while. */
  function inState(states) {
    if (states.includes(session.state)) return Promise.resolve();
    return new Promise((resolve) => {
      session.waiting.push({ states, resolve });
      setTimeout(resolve, 5000);
    });
  }

  async function signOut() {
    if (session.state !== "NOT_READY" && session.state !== "LOGOUT") {
      await changeState("NOT_READY");
      await inState(["NOT_READY"]);
    }
    if (session.state !== "LOGOUT") {
      await changeState("LOGOUT");
      await inState(["LOGOUT"]);
    }
    if (session?.state === "LOGOUT") {
      leave();
      say("Signed out.");
    }
  }

  async function act(action) {
    const call = session.calls.get(session.chosen);
    const body = xml("Dialog", [["requestedAction", action], ["targetMediaAddress", session.extension]]);
    await request("PUT", `Dialog/${encodeURIComponent(call.id)}`, session.authorization, body);
  }

  async function dial() {
    const body = xml("Dialog", [["requestedAction", "MAKE_CALL"], ["fromAddress", session.extension], ["toAddress", el("dial").value.trim()]]);
    await request("POST", `${userPath(session.id)}/Dialogs`, session.authorization, body);
    el("dial").value = "";
  }

  async function describeServer() {
    const info = await request("GET", "SystemInfo");
    el("server").textContent = `${text(info, "xmppDomain")}, ${text(info, "deploymentType")}, ${text(info, "status").replace(/_/g, " ").toLowerCase()}`;
  }

  el("sign-in-form").addEventListener("submit", guarded(signIn));
  el("ready").addEventListener("click", guarded(() => changeState("READY")));
  el("not-ready").addEventListener("click", guarded(() => changeState("NOT_READY")));
  el("sign-out").addEventListener("click", guarded(signOut));
  el("dial-form").addEventListener("submit", guarded(dial));
  el("clear").addEventListener("click", () => el("events").replaceChildren());
  for (const button of document.querySelectorAll("[data-action]")) button.addEventListener("click", guarded(() => act(button.dataset.action)));
  // Demo convention: agent 1007 sits at extension 2007. Typing an id suggests the extension.
  el("user").addEventListener("input", () => {
    const match = /^1(\d{3,})$/.exec(el("user").value.trim());
    if (match) el("extension").value = `2${match[1]}`;
  });
  guarded(describeServer)();
})();
