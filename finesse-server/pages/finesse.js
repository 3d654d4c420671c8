// A client of the Finesse interfaces: requests by REST with fetch, events by XMPP with Strophe.js over BOSH or
// WebSocket. It knows nothing of the page, and nothing here is special to this server: copy what you need.

const { Strophe, $iq, $pres } = globalThis; // strophe.umd.min.js puts them there
Strophe.setLogLevel(Strophe.LogLevel.WARN);

/** The text of the first child with that name, or "". */
export const text = (parent, name) => [...(parent?.children ?? [])].find((each) => each.localName === name)?.textContent ?? "";

export const parse = (xml) => new DOMParser().parseFromString(xml, "application/xml").documentElement;

/** An element with children from an object; the values are escaped. */
function element(name, content) {
  const document = parse(`<${name}/>`).ownerDocument;
  for (const [child, value] of Object.entries(content)) {
    document.documentElement.append(Object.assign(document.createElementNS(null, child), { textContent: value }));
  }
  return new XMLSerializer().serializeToString(document);
}

/** A refusal: `status` of HTTP, or 0 when the server was not reached. */
export class FinesseError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }

  /** From an <ApiError> of an answer or an <apiError> of an event: the names differ in their first letter. */
  static from(error, status) {
    const part = (name) => text(error, name) || text(error, name.replace("E", "e"));
    const [type, message, data] = ["ErrorType", "ErrorMessage", "ErrorData"].map(part);
    return new FinesseError([type || `HTTP ${status}`, message, data && `(${data})`].filter(Boolean).join(" "), status);
  }
}

export class Finesse {
  #password;
  #authorization;
  #connection = null;
  #retry = null;

  /**
   * @param {object} options
   * @param {string} options.user id or login name
   * @param {string} options.password
   * @param {"websocket"|"bosh"} options.transport how events come
   * @param {URL|string} [options.server] where everything is; the origin of the page unless given
   * @param {function(string, string)} options.onEvent called with the node and the XML of every notification
   * @param {function(string, number=)} options.onLink called with "connected", with "lost" and the seconds until
   *   the next attempt, or with "refused" when the password is no longer good
   */
  constructor({ user, password, transport, server = location.origin, onEvent, onLink }) {
    Object.assign(this, { user, transport, server, onEvent, onLink });
    this.#password = password;
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    this.#authorization = "Basic " + btoa(String.fromCharCode(...bytes));
  }

  // ---- REST: GET answers with an element; PUT and POST answer 202 and an event tells the outcome --------------

  async request(method, path, body) {
    const headers = { Authorization: this.#authorization };
    if (body) {
      headers["Content-Type"] = "application/xml";
      // The event that this request causes will carry the same id.
      headers.requestId = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    }
    // "omit" keeps the browser from asking for a password by itself.
    const options = { method, headers, body, credentials: "omit", cache: "no-store" };
    const answer = await fetch(new URL(`/finesse/api/${path}`, this.server), options).catch(() => {
      throw new FinesseError("The server cannot be reached.");
    });
    const content = await answer.text();
    const root = content.startsWith("<") ? parse(content) : null;
    if (!answer.ok) throw FinesseError.from(root?.querySelector("ApiError"), answer.status);
    return root;
  }

  get #path() { return `User/${encodeURIComponent(this.user)}`; }

  systemInfo() { return this.request("GET", "SystemInfo"); }
  getUser() { return this.request("GET", this.#path); }
  getDialogs() { return this.request("GET", `${this.#path}/Dialogs`); }

  /** @param {string} state LOGIN (with an extension), READY, NOT_READY, LOGOUT */
  setState(state, more = {}) { return this.request("PUT", this.#path, element("User", { state, ...more })); }

  makeCall(fromAddress, toAddress) {
    return this.request("POST", `${this.#path}/Dialogs`, element("Dialog", { requestedAction: "MAKE_CALL", fromAddress, toAddress }));
  }

  /** @param {string} requestedAction ANSWER, HOLD, RETRIEVE, DROP: one that the own participant's <actions> offer */
  act(dialog, requestedAction, targetMediaAddress) {
    return this.request("PUT", `Dialog/${encodeURIComponent(dialog)}`, element("Dialog", { requestedAction, targetMediaAddress }));
  }

  // ---- Events: subscribed to one's own nodes by the server, so being there is enough --------------------------

  /** Starts receiving events, from now on and through lost connections, until `disconnect`. */
  async connect() {
    this.user = text(await this.getUser(), "loginId"); // whoever signed in by login name
    this.jid = `${Strophe.escapeNode(this.user)}@${text(await this.systemInfo(), "xmppDomain")}`;
    await this.#open();
  }

  #open() {
    const url = new URL(this.transport === "bosh" ? "/http-bind/" : "/ws/", this.server);
    if (this.transport !== "bosh") url.protocol = url.protocol.replace("http", "ws");
    const connection = (this.#connection = new Strophe.Connection(url.href));
    connection.maxRetries = 1; // of a BOSH request; #reopen does the rest
    let connected = false;
    return new Promise((resolve, reject) => {
      const { CONNECTED, AUTHFAIL, CONNFAIL, DISCONNECTED } = Strophe.Status;
      connection.connect(this.jid, this.#password, (status, reason) => {
        if (connection !== this.#connection) return;
        if (status === CONNECTED) {
          connected = true;
          connection.addHandler((message) => connection === this.#connection && this.#receive(message), null, "message");
          connection.send($pres()); // there are no events before the presence
          // Any answer, even an error, to what was sent behind the presence says that it has been read.
          const standing = () => connection === this.#connection && (this.onLink("connected"), resolve());
          connection.sendIQ($iq({ type: "get" }).c("ping", { xmlns: "urn:xmpp:ping" }), standing, standing, 10000);
        } else if (status === AUTHFAIL) {
          this.disconnect();
          reject(new FinesseError("The password was refused.", 401));
        } else if (status === CONNFAIL || status === DISCONNECTED) {
          if (connected) this.#reopen(1);
          connected = false;
          reject(new FinesseError("Events cannot be received: no connection."));
        }
      });
    });
  }

  #reopen(seconds) {
    this.#connection = null;
    this.onLink("lost", seconds);
    this.#retry = setTimeout(async () => {
      try {
        await this.#open();
      } catch (error) {
        if (error.status === 401) this.onLink("refused");
        else this.#reopen(Math.min(seconds * 2, 30));
      }
    }, seconds * 1000);
  }

  disconnect() {
    clearTimeout(this.#retry);
    const connection = this.#connection;
    this.#connection = null;
    connection?.disconnect();
  }

  #receive(message) {
    for (const items of message.getElementsByTagName("items")) {
      for (const notification of items.getElementsByTagName("notification")) {
        this.onEvent(items.getAttribute("node"), notification.textContent);
      }
    }
    return true; // keeps the handler
  }
}
