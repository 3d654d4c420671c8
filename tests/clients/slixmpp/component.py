"""An application as a component (XEP-0114) that publishes to a client; both with slixmpp. See tests/src/clients.rs."""

import asyncio
import os
import sys
from xml.etree import ElementTree

import slixmpp
from slixmpp.exceptions import IqError

DOMAIN = os.environ["FINESSE_DOMAIN"]
PUBSUB = os.environ["FINESSE_PUBSUB"]
NAME = f"component.{DOMAIN}"
NODE = "/news/today"
COUNT = 50


class Publisher(slixmpp.ComponentXMPP):
    def __init__(self):
        super().__init__(NAME, os.environ["FINESSE_PASSWORD"])
        for plugin in ("xep_0060", "xep_0199", "xep_0030"):
            self.register_plugin(plugin)
        self.started = asyncio.Event()
        self.heard = asyncio.Queue()
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("message", self.heard.put_nowait)


class Listener(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__(f"{os.environ['FINESSE_USER']}@{DOMAIN}/reader", os.environ["FINESSE_PASSWORD"])
        for plugin in ("xep_0060", "xep_0199"):
            self.register_plugin(plugin)
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.enable_starttls = False
        self.enable_direct_tls = False
        self.enable_plaintext = True
        self.started = asyncio.Event()
        self.items = asyncio.Queue()
        self.heard = asyncio.Queue()
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("pubsub_publish", self.published)
        self.add_event_handler("message", self.heard.put_nowait)

    def published(self, message):
        items = message["pubsub_event"]["items"]
        if items["node"] == NODE:
            self.items.put_nowait((items["item"]["id"], items["item"]["payload"].text))


def payload(number):
    element = ElementTree.Element("{urn:example:news}entry")
    element.text = f"entry {number} <&>"
    return element


def connect(client, address):
    host, port = address.rsplit(":", 1)
    client.connect(host, int(port))
    return asyncio.wait_for(client.started.wait(), 10)


async def story():
    publisher = Publisher()
    await connect(publisher, os.environ["FINESSE_COMPONENT"])
    await publisher["xep_0060"].create_node(PUBSUB, NODE, ifrom=f"maker@{NAME}")
    print("STEP created", flush=True)

    listener = Listener()
    await connect(listener, os.environ["FINESSE_XMPP"])
    listener.send_presence(ppriority=0)
    await listener["xep_0060"].subscribe(PUBSUB, NODE)
    print("STEP subscribed", flush=True)
    for number in range(COUNT):
        await publisher["xep_0060"].publish(PUBSUB, NODE, id=str(number), payload=payload(number), ifrom=NAME)
    for number in range(COUNT):
        seen = await asyncio.wait_for(listener.items.get(), 10)
        assert seen == (str(number), f"entry {number} <&>"), seen
    print("STEP published", flush=True)

    # A client may not publish there; the component is asked and asks, and both send messages.
    try:
        await listener["xep_0060"].publish(PUBSUB, NODE, id="x", payload=payload("x"))
        raise AssertionError("a client published")
    except IqError as error:
        assert error.condition == "forbidden", error.condition
    await listener["xep_0199"].send_ping(f"robot@{NAME}", timeout=5)
    await publisher["xep_0199"].send_ping(listener.boundjid.full, ifrom=f"robot@{NAME}", timeout=5)
    listener.send_message(mto=f"robot@{NAME}", mbody="to the robot")
    message = await asyncio.wait_for(publisher.heard.get(), 5)
    assert (message["body"], message["from"]) == ("to the robot", listener.boundjid), message
    publisher.send_message(mto=listener.boundjid, mfrom=f"robot@{NAME}", mbody="to the client")
    message = await asyncio.wait_for(listener.heard.get(), 5)
    assert (message["body"], str(message["from"])) == ("to the client", f"robot@{NAME}"), message
    await publisher["xep_0060"].delete_node(PUBSUB, NODE, ifrom=f"other@{NAME}")
    print("DONE", flush=True)


async def main():
    try:
        await story()
    except BaseException as error:  # the whole point is to report it
        print("FAIL", repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


asyncio.run(main())
