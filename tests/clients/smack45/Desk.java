import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jivesoftware.smack.AbstractXMPPConnection;
import org.jivesoftware.smack.ConnectionConfiguration;
import org.jivesoftware.smack.ConnectionConfiguration.SecurityMode;
import org.jivesoftware.smack.ConnectionListener;
import org.jivesoftware.smack.SmackConfiguration;
import org.jivesoftware.smack.XMPPException;
import org.jivesoftware.smack.bosh.BOSHConfiguration;
import org.jivesoftware.smack.bosh.XMPPBOSHConnection;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnection;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnectionConfiguration;
import org.jivesoftware.smack.filter.StanzaTypeFilter;
import org.jivesoftware.smack.packet.Message;
import org.jivesoftware.smack.packet.Presence;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smack.util.TLSUtils;
import org.jivesoftware.smack.websocket.XmppWebSocketTransportModuleDescriptor;
import org.jivesoftware.smack.websocket.java11.Java11WebSocketFactory;
import org.jivesoftware.smackx.disco.ServiceDiscoveryManager;
import org.jivesoftware.smackx.disco.packet.DiscoverInfo;
import org.jivesoftware.smackx.ping.PingManager;
import org.jivesoftware.smackx.pubsub.EventElement;
import org.jivesoftware.smackx.pubsub.ItemsExtension;
import org.jivesoftware.smackx.pubsub.Node;
import org.jivesoftware.smackx.pubsub.PayloadItem;
import org.jivesoftware.smackx.pubsub.PubSubManager;
import org.jivesoftware.smackx.pubsub.Subscription;
import org.jxmpp.jid.EntityFullJid;
import org.jxmpp.jid.Jid;
import org.jxmpp.jid.impl.JidCreate;
import org.jxmpp.jid.parts.Resourcepart;

/** A client at a desk with Smack: see tests/src/desk.rs for what it is told and answers. */
public final class Desk {
    private static final String USER = env("USER");

    private static AbstractXMPPConnection connection;
    private static volatile boolean expected;

    public static void main(String[] args) throws Exception {
        SmackConfiguration.setDefaultReplyTimeout(10_000);
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            try {
                say("OK " + obey(args[0], order.split(" ")));
            } catch (XMPPException.XMPPErrorException refusal) {
                say("NO " + refusal.getStanzaError().getCondition());
            } catch (Exception problem) {
                problem.printStackTrace();
                say("NO " + problem);
            }
        }
        System.exit(1);
    }

    private static String obey(String transport, String[] words) throws Exception {
        switch (words[0]) {
            case "connect":
                return connect(transport, words[1]);
            case "ping":
                if (!PingManager.getInstanceFor(connection).pingMyServer()) {
                    throw new IllegalStateException("no pong");
                }
                return "";
            case "info":
                DiscoverInfo.Identity first = ServiceDiscoveryManager.getInstanceFor(connection)
                        .discoverInfo(JidCreate.from(env("PUBSUB")), words[1]).getIdentities().get(0);
                return first.getCategory() + "/" + first.getType();
            case "subscriptions":
                List<Subscription> all = pubsub().getSubscriptions();
                return all.stream().map(Subscription::getNode).collect(Collectors.joining(" "));
            case "subscribe":
                // Asks disco#info of the node first and wants a leaf.
                return pubsub().getNode(words[1]).subscribe(jid(words[2])).getState().toString();
            case "unsubscribe":
                Node node = pubsub().getNode(words[1]);
                node.unsubscribe(jid(words[2]).toString());
                return "";
            case "cut":
                expected = true;
                connection.instantShutdown();
                return "";
            case "resume":
                XMPPTCPConnection lost = (XMPPTCPConnection) connection;
                lost.connect();
                lost.login();
                if (!lost.streamWasResumed()) {
                    throw new IllegalStateException("not resumed");
                }
                expected = false;
                return lost.getUser().toString();
            case "close":
                expected = true;
                connection.disconnect();
                return "";
            case "quit":
                System.exit(0);
                return "";
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private static String connect(String transport, String resource) throws Exception {
        connection = make(transport, resource);
        expected = false;
        AbstractXMPPConnection mine = connection;
        CountDownLatch application = new CountDownLatch(1);
        mine.addSyncStanzaListener(stanza -> {
            Presence presence = (Presence) stanza;
            if (presence.isAvailable() && presence.getFrom() != null
                    && presence.getFrom().toString().startsWith("finesse@")) {
                application.countDown();
            }
        }, StanzaTypeFilter.PRESENCE);
        mine.addSyncStanzaListener(stanza -> published((Message) stanza), StanzaTypeFilter.MESSAGE);
        mine.addConnectionListener(new ConnectionListener() {
            @Override
            public void connectionClosedOnError(Exception problem) {
                if (mine == connection && !expected) {
                    say("ENDED " + condition(problem));
                }
            }
        });
        mine.connect().login();
        if (!application.await(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no presence of finesse");
        }
        return mine.getUser().toString();
    }

    private static String condition(Exception problem) {
        if (problem instanceof XMPPException.StreamErrorException) {
            return ((XMPPException.StreamErrorException) problem).getStreamError().getCondition().toString();
        }
        // Its BOSH reads a stream error as if it were a stanza's, which has a type.
        return problem instanceof NullPointerException ? "unreadable" : problem.toString();
    }

    private static AbstractXMPPConnection make(String transport, String resource) throws Exception {
        switch (transport) {
            case "tcp":
                String[] address = env("XMPP").split(":(?=\\d+$)");
                return new XMPPTCPConnection(with(resource, XMPPTCPConnectionConfiguration.builder())
                        .setHost(address[0])
                        .setPort(Integer.parseInt(address[1]))
                        .setSecurityMode(SecurityMode.required)
                        .build());
            case "bosh":
                URI bosh = URI.create(env("BOSH"));
                return new XMPPBOSHConnection(with(resource, BOSHConfiguration.builder())
                        .setUseHttps(false)
                        // Of an address Smack makes "http:///127.0.0.1"; a name it takes.
                        .setHost("localhost")
                        .setPort(bosh.getPort())
                        .setFile(bosh.getPath())
                        .setSecurityMode(SecurityMode.disabled)
                        .build());
            default:
                ModularXmppClientToServerConnectionConfiguration.Builder builder =
                        with(resource, ModularXmppClientToServerConnectionConfiguration.builder());
                builder.setSecurityMode(SecurityMode.disabled).removeAllModules();
                builder.addModule(XmppWebSocketTransportModuleDescriptor.getBuilder(builder)
                        .explicitlySetWebSocketEndpointAndDiscovery(URI.create(env("WS")), false)
                        .setWebSocketFactory(Java11WebSocketFactory.INSTANCE)
                        .build());
                return new ModularXmppClientToServerConnection(builder.build());
        }
    }

    private static <B extends ConnectionConfiguration.Builder<B, ?>> B with(String resource, B builder)
            throws Exception {
        TLSUtils.acceptAllCertificates(builder);
        TLSUtils.disableHostnameVerificationForTlsCertificates(builder);
        return builder.setXmppDomain(env("DOMAIN"))
                .setUsernameAndPassword(USER, env("PASSWORD"))
                .setResource(Resourcepart.from(resource));
    }

    private static PubSubManager pubsub() throws Exception {
        return PubSubManager.getInstanceFor(connection, JidCreate.bareFrom(env("PUBSUB")));
    }

    private static Jid jid(String kind) {
        EntityFullJid full = connection.getUser();
        return kind.equals("full") ? full : full.asBareJid();
    }

    private static void published(Message message) {
        EventElement event = message.getExtension(EventElement.class);
        if (event == null) {
            return;
        }
        ItemsExtension items = (ItemsExtension) event.getEvent();
        for (Object item : items.getItems()) {
            try {
                String xml = ((PayloadItem<?>) item).getPayload().toXML().toString();
                String update = DocumentBuilderFactory.newInstance().newDocumentBuilder()
                        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)))
                        .getDocumentElement().getTextContent();
                say("EVENT {\"node\":" + json(items.getNode()) + ",\"to\":" + json(message.getTo().toString())
                        + ",\"update\":" + json(update) + "}");
            } catch (Exception problem) {
                problem.printStackTrace();
                System.exit(1);
            }
        }
    }

    private static String json(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    private static synchronized void say(String line) {
        System.out.println(line);
    }

    private static String env(String name) {
        return System.getenv("FINESSE_" + name);
    }
}
