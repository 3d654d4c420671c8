"""Desktops with slixmpp over TCP that go from one server to the other: see tests/src/failover/foreign.rs."""

import asyncio
import base64
import json
import re
import ssl
import sys
import urllib.request

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

TASK = json.loads(sys.argv[1])
# A context for each session, which none of them uses, would read all the certificates of the system each time.
UNUSED = ssl.create_default_context()


def text(name, document):
    return re.search(f"<{name}>([^<]*)</{name}>", document).group(1)


def get(node, path, user=None):
    request = urllib.request.Request(f"http://{node['http']}/finesse/api/{path}")
    if user:
        token = base64.b64encode(f"{user}:{TASK['password']}".encode()).decode()
        request.add_header("Authorization", "Basic " + token)
    with urllib.request.urlopen(request, timeout=4) as answer:
        return answer.read().decode()


class Session(slixmpp.ClientXMPP):
    def __init__(self, desk, domain):
        super().__init__(f"{desk.user}@{domain}/slixmpp", TASK["password"], ssl_context=UNUSED)
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.enable_starttls = False
        self.enable_direct_tls = False
        self.enable_plaintext = True
        self.register_plugin("xep_0199")
        self.desk = desk
        self.over = asyncio.get_event_loop().create_future()
        self.ready = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", self.started)
        for end in ("disconnected", "connection_failed", "failed_all_auth"):
            self.add_event_handler(end, self.end)
        # The event "message" is for those with a body only.
        self.register_handler(Callback("told", StanzaPath("message"), self.told))

    def started(self, _):
        self.send_presence()
        if not self.ready.done():
            self.ready.set_result(None)

    def end(self, *_):
        for future in (self.over, self.ready):
            if not future.done():
                future.set_result(None)

    def told(self, message):
        items = message.xml.find(".//{http://jabber.org/protocol/pubsub#event}items")
        item = items[0]
        self.desk.event(items.get("node"), item.get("id"), "".join(item.itertext()))


class Desk:
    def __init__(self, user):
        self.user = user
        self.sessions = []
        self.stale = asyncio.Event()

    def event(self, node, item, update):
        self.sessions[-1]["log"].append({"node": node, "item": item, "update": update})
        if node.endswith("/SystemInfo") and text("status", update) == "IN_SERVICE":
            self.stale.set()

    async def read_anew(self, node):
        for path in (f"User/{self.user}", f"User/{self.user}/Dialogs"):
            # Events that come meanwhile are newer, or in the document already: they stand behind it.
            log = self.sessions[-1]["log"]
            place = len(log)
            document = await asyncio.to_thread(get, node, path, self.user)
            log.insert(place, {"get": path, "document": document})

    async def live(self):
        at = 0
        while True:
            for candidate in (at, 1 - at):
                try:
                    info = await asyncio.to_thread(get, TASK["nodes"][candidate], "SystemInfo")
                except OSError:
                    continue
                if text("status", info) == "IN_SERVICE":
                    at = candidate
                    try:
                        await self.session(at, text("xmppDomain", info))
                    except (OSError, asyncio.TimeoutError):
                        # Out of service meanwhile, or gone.
                        pass
                    break
            await asyncio.sleep(0.2)

    async def session(self, at, domain):
        node = TASK["nodes"][at]
        session = Session(self, domain)
        self.sessions.append({"node": at, "log": [], "ended": False})
        host, port = node["xmpp"].rsplit(":", 1)
        try:
            session.connect(host, int(port))
            await asyncio.wait_for(session.ready, 10)
            if session.over.done():
                return
            # Stanzas are handled in order: once this is answered presence has been.
            await session.plugin["xep_0199"].send_ping(domain, timeout=4)
            self.stale.set()
            while not session.over.done():
                if self.stale.is_set():
                    self.stale.clear()
                    await self.read_anew(node)
                try:
                    await session.plugin["xep_0199"].send_ping(domain, timeout=4)
                except slixmpp.exceptions.IqTimeout:
                    return
                await asyncio.sleep(0.5)
        finally:
            self.sessions[-1]["ended"] = True
            session.abort()


async def orders(desks):
    reader = asyncio.StreamReader()
    await asyncio.get_event_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        print(json.dumps([{"user": desk.user, "sessions": desk.sessions} for desk in desks]), flush=True)


async def main():
    desks = [Desk(user) for user in TASK["users"]]
    lives = [asyncio.create_task(desk.live()) for desk in desks]
    print("READY 0", flush=True)
    ended = asyncio.create_task(orders(desks))
    done, _ = await asyncio.wait([*lives, ended], return_when=asyncio.FIRST_COMPLETED)
    done.pop().result()


asyncio.get_event_loop().run_until_complete(main())
