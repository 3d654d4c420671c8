"""An agent's session with slixmpp over TCP: see tests/src/clients.rs for the rules."""

import asyncio
import base64
import json
import os
import re
import sys
import urllib.request
import uuid

import slixmpp

USER = os.environ["FINESSE_USER"]
EXTENSION = os.environ["FINESSE_EXTENSION"]
HTTP = os.environ["FINESSE_HTTP"]
AUTH = "Basic " + base64.b64encode(f"{USER}:{os.environ['FINESSE_PASSWORD']}".encode()).decode()
USER_NODE = f"/finesse/api/User/{USER}"
DIALOGS_NODE = USER_NODE + "/Dialogs"


def rest(method, path, body):
    request = urllib.request.Request(HTTP + path, data=body.encode(), method=method)
    request_id = str(uuid.uuid4())
    request.add_header("Authorization", AUTH)
    request.add_header("Content-Type", "application/xml")
    request.add_header("requestId", request_id)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202, f"{method} {path}: {answer.status}"
        assert answer.read() == b"", "202 has a body"
    return request_id


class Agent(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__(f"{USER}@{os.environ['FINESSE_DOMAIN']}/slixmpp", os.environ["FINESSE_PASSWORD"])
        self.register_plugin("xep_0060")
        self.register_plugin("xep_0199")
        # Stream management, where the server offers it.
        self.register_plugin("xep_0198")
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.enable_starttls = False
        self.enable_direct_tls = False
        self.enable_plaintext = True
        self.events = asyncio.Queue()
        self.application = asyncio.Event()
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("presence", self.presence_seen)
        self.add_event_handler("pubsub_publish", self.published)
        self.add_event_handler("failed_all_auth", lambda _: self.fail("authentication failed"))
        self.story = None

    def fail(self, text):
        print("FAIL", text, file=sys.stderr)
        os._exit(1)

    def presence_seen(self, presence):
        if presence["from"].user == "finesse" and presence["type"] == "available":
            self.application.set()

    def published(self, message):
        # The plugin raises this once for each item, while it iterates over them: looking at one is all that is safe.
        items = message["pubsub_event"]["items"]
        event = {"node": items["node"], "update": items["item"]["payload"].text}
        print("EVENT", json.dumps(event), flush=True)
        self.events.put_nowait(event)

    async def started(self, _):
        self.send_presence(ppriority=0)
        await self.get_roster()
        self.story = asyncio.create_task(self.live())

    async def until(self, what, matches):
        while True:
            event = await asyncio.wait_for(self.events.get(), 30)
            if matches(event):
                print("STEP", what, flush=True)
                return event["update"]

    async def state(self, wanted):
        return await self.until(
            wanted, lambda e: e["node"] == USER_NODE and f"<state>{wanted}</state>" in e["update"])

    async def put(self, path, body, method="PUT"):
        return await asyncio.to_thread(rest, method, path, body)

    async def act(self, dialog, action):
        await self.put(f"/finesse/api/Dialog/{dialog}",
                       f"<Dialog><requestedAction>{action}</requestedAction>"
                       f"<targetMediaAddress>{EXTENSION}</targetMediaAddress></Dialog>")

    async def live(self):
        try:
            await self.story_itself()
        except Exception as error:  # the whole point is to report it
            self.fail(repr(error))

    async def story_itself(self):
        await asyncio.wait_for(self.application.wait(), 10)
        await self.plugin["xep_0199"].send_ping(self.boundjid.domain, timeout=5)
        team = await self.plugin["xep_0060"].get_subscriptions(os.environ["FINESSE_PUBSUB"])
        nodes = {s["node"] for s in team["pubsub"]["subscriptions"]}
        assert {USER_NODE, DIALOGS_NODE, "/finesse/api/SystemInfo"} <= nodes, nodes
        request_id = await self.put(
            USER_NODE, f"<User><state>LOGIN</state><extension>{EXTENSION}</extension></User>")
        update = await self.state("NOT_READY")
        assert f"<requestId>{request_id}</requestId>" in update, update
        await self.put(USER_NODE, "<User><state>READY</state></User>")
        await self.state("READY")
        offered = await self.until(
            "offered", lambda e: e["node"] == DIALOGS_NODE and "<event>POST</event>" in e["update"])
        dialog = re.search(r"<id>(\d+)</id>", offered).group(1)

        def leg(state):
            return lambda e: (e["node"] == DIALOGS_NODE and f"/finesse/api/Dialog/{dialog}</source>" in e["update"]
                              and own_leg(e["update"]) == state)

        await self.act(dialog, "ANSWER")
        await self.until("answered", leg("ACTIVE"))
        await self.act(dialog, "HOLD")
        await self.until("held", leg("HELD"))
        await self.act(dialog, "RETRIEVE")
        await self.until("retrieved", leg("ACTIVE"))
        # While talking this becomes the pending state, so that no second call comes in between.
        await self.put(USER_NODE, "<User><state>NOT_READY</state></User>")
        await self.until("pending", lambda e: "<pendingState>NOT_READY</pendingState>" in e["update"])
        await self.act(dialog, "DROP")
        left = asyncio.create_task(self.until(
            "not ready or wrap-up",
            lambda e: e["node"] == USER_NODE and re.search(r"<state>(NOT_READY|WORK)</state>", e["update"])))
        if "<state>WORK</state>" in await left:
            await self.put(USER_NODE, "<User><state>NOT_READY</state></User>")
            await self.state("NOT_READY")
        await self.put(USER_NODE, "<User><state>LOGOUT</state></User>")
        await self.state("LOGOUT")
        await asyncio.sleep(0.3)
        await self.disconnect()
        print("DONE", flush=True)
        os._exit(0)


def own_leg(update):
    """State of the participant whose mediaAddress is our extension."""
    for participant in re.findall(r"<Participant>.*?</Participant>", update, re.S):
        if f"<mediaAddress>{EXTENSION}</mediaAddress>" in participant:
            return re.search(r"<state>(\w+)</state>", participant).group(1)
    return None


host, port = os.environ["FINESSE_XMPP"].rsplit(":", 1)
agent = Agent()
agent.connect(host, int(port))
asyncio.get_event_loop().run_forever()
