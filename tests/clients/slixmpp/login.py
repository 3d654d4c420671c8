"""Logs in with slixmpp over TLS by the one mechanism it is given: see tests/tests/real_logins.rs."""

import asyncio
import os
import ssl
import sys

import slixmpp

mechanism = sys.argv[1]
host, port = os.environ["FINESSE_XMPP_TLS"].rsplit(":", 1)


class Client(slixmpp.ClientXMPP):
    def __init__(self):
        jid = f"{os.environ['FINESSE_USER']}@{os.environ['FINESSE_DOMAIN']}/slixmpp"
        super().__init__(jid, os.environ["FINESSE_PASSWORD"], sasl_mech=mechanism or None)
        self.register_plugin("xep_0199")
        # The certificate was made for this run.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.enable_direct_tls, self.enable_starttls, self.enable_plaintext = True, False, False
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("failed_all_auth", lambda _: self.end("REFUSED", 1))

    async def started(self, _):
        await self.plugin["xep_0199"].send_ping(self.boundjid.domain, timeout=5)
        self.end(f"MECHANISM {self.plugin['feature_mechanisms'].mech.name}", 0)

    def end(self, text, code):
        print(text, flush=True)
        os._exit(code)


client = Client()
client.connect(host, int(port))
asyncio.get_event_loop().run_forever()
