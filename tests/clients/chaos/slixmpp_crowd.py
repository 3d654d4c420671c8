"""Many sessions with slixmpp and stream management over a bad network: HOST:PORT LAST USER...; see
tests/src/chaos/crowd.rs."""

import asyncio
import json
import os
import re
import ssl
import sys

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

DOOR, LAST, *USERS = sys.argv[1:]
HOST, PORT = DOOR.rsplit(":", 1)
LAST = int(LAST)
# A context for each session, which none of them uses, would read all the certificates of the system each time.
UNUSED = ssl.create_default_context()


class Session(slixmpp.ClientXMPP):
    def __init__(self, user):
        super().__init__(f"{user}@localhost/slixmpp", "pw", ssl_context=UNUSED)
        self.register_plugin("xep_0198")
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.enable_starttls = False
        self.enable_direct_tls = False
        self.enable_plaintext = True
        self.user = user
        self.received = []
        self.ready = False
        self.ended = None
        self.recovered = 0
        self.done = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("session_resumed", self.resumed)
        self.add_event_handler("presence", self.present)
        self.add_event_handler("disconnected", self.gone)
        # The event "message" is for those with a body only.
        self.register_handler(Callback("told", StanzaPath("message"), self.told))

    def started(self, _):
        if self.ready:
            # Another session instead of the old one: its events may be missing from here on.
            return self.end("not resumed")
        self.send_presence()

    def resumed(self, _):
        self.recovered += 1

    def present(self, presence):
        if not self.ready and presence["from"].user == self.user:
            self.ready = True
            print("READY", self.user, flush=True)

    def told(self, message):
        number = int(re.search(r"<n>(\d+)</n>", "".join(message.xml.itertext())).group(1))
        if not self.done.done():
            self.received.append(number)
            if number == LAST:
                self.end(None)

    def gone(self, _):
        # The library does not come back by itself.
        if not self.done.done():
            asyncio.get_event_loop().call_later(0.05, self.connect, HOST, int(PORT))

    def end(self, reason):
        if not self.done.done():
            self.ended = reason
            self.done.set_result(None)
            self.disconnect(wait=0.5)


async def main():
    sessions = [Session(user) for user in USERS]
    for session in sessions:
        session.connect(HOST, int(PORT))
    await asyncio.gather(*(session.done for session in sessions))
    for session in sessions:
        report = {name: getattr(session, name) for name in ("user", "received", "ended", "recovered")}
        print("REPORT", json.dumps(report), flush=True)
    # The library's tasks are not made to be ended.
    os._exit(0)


asyncio.get_event_loop().run_until_complete(main())
