import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jivesoftware.smack.AbstractXMPPConnection;
import org.jivesoftware.smack.ConnectionConfiguration.SecurityMode;
import org.jivesoftware.smack.SmackConfiguration;
import org.jivesoftware.smack.bosh.BOSHConfiguration;
import org.jivesoftware.smack.bosh.XMPPBOSHConnection;
import org.jivesoftware.smack.filter.StanzaTypeFilter;
import org.jivesoftware.smack.packet.Message;
import org.jivesoftware.smack.packet.Presence;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smackx.disco.ServiceDiscoveryManager;
import org.jivesoftware.smackx.disco.packet.DiscoverInfo;
import org.jivesoftware.smackx.ping.PingManager;
import org.jivesoftware.smackx.pubsub.EventElement;
import org.jivesoftware.smackx.pubsub.ItemsExtension;
import org.jivesoftware.smackx.pubsub.PayloadItem;
import org.jivesoftware.smackx.pubsub.PubSubManager;
import org.jivesoftware.smackx.pubsub.Subscription;
import org.jxmpp.jid.impl.JidCreate;
import org.jxmpp.jid.parts.Resourcepart;

/** An agent's session with Smack over TCP or BOSH: see tests/src/clients.rs for the rules. */
public final class Agent {
    private static final String USER = env("USER");
    private static final String EXTENSION = env("EXTENSION");
    private static final String USER_NODE = "/finesse/api/User/" + USER;
    private static final String DIALOGS_NODE = USER_NODE + "/Dialogs";
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private record Event(String node, String update) {}

    private static final LinkedBlockingQueue<Event> EVENTS = new LinkedBlockingQueue<>();

    public static void main(String[] args) {
        try {
            AbstractXMPPConnection connection = args[0].equals("bosh") ? bosh() : tcp();
            live(connection);
            System.exit(0);
        } catch (Throwable problem) {
            problem.printStackTrace();
            System.exit(1);
        }
    }

    private static AbstractXMPPConnection tcp() throws Exception {
        String[] address = env("XMPP").split(":(?=\\d+$)");
        return new XMPPTCPConnection(XMPPTCPConnectionConfiguration.builder()
                .setXmppDomain(env("DOMAIN"))
                .setHost(address[0])
                .setPort(Integer.parseInt(address[1]))
                .setSecurityMode(SecurityMode.disabled)
                .setUsernameAndPassword(USER, env("PASSWORD"))
                .setResource(Resourcepart.from("smack"))
                .build());
    }

    private static AbstractXMPPConnection bosh() throws Exception {
        URI address = URI.create(env("BOSH"));
        return new XMPPBOSHConnection(BOSHConfiguration.builder()
                .setXmppDomain(env("DOMAIN"))
                .setUseHttps(false)
                // Smack 4.4 makes "http:///127.0.0.1" of an address; a name it takes.
                .setHost("localhost")
                .setPort(address.getPort())
                .setFile(address.getPath())
                .setSecurityMode(SecurityMode.disabled)
                .setUsernameAndPassword(USER, env("PASSWORD"))
                .setResource(Resourcepart.from("smack"))
                .build());
    }

    private static void live(AbstractXMPPConnection connection) throws Exception {
        SmackConfiguration.setDefaultReplyTimeout(10_000);
        CountDownLatch application = new CountDownLatch(1);
        connection.addSyncStanzaListener(stanza -> {
            Presence presence = (Presence) stanza;
            if (presence.isAvailable() && presence.getFrom() != null
                    && presence.getFrom().getLocalpartOrNull() != null
                    && presence.getFrom().getLocalpartOrNull().toString().equals("finesse")) {
                application.countDown();
            }
        }, StanzaTypeFilter.PRESENCE);
        connection.addSyncStanzaListener(stanza -> published((Message) stanza), StanzaTypeFilter.MESSAGE);
        connection.connect().login();
        check(application.await(10, TimeUnit.SECONDS), "no presence of finesse");
        check(PingManager.getInstanceFor(connection).pingMyServer(), "no pong");
        // The vendor's sample for Smack asks for the node before it listens, and insists on a leaf.
        DiscoverInfo info = ServiceDiscoveryManager.getInstanceFor(connection)
                .discoverInfo(JidCreate.from(env("PUBSUB")), USER_NODE);
        DiscoverInfo.Identity identity = info.getIdentities().get(0);
        check(identity.getCategory().equals("pubsub") && identity.getType().equals("leaf"), "first identity");
        List<Subscription> subscriptions =
                PubSubManager.getInstanceFor(connection, JidCreate.bareFrom(env("PUBSUB"))).getSubscriptions();
        check(subscriptions.stream().anyMatch(s -> s.getNode().equals(USER_NODE)), "not subscribed");

        String requestId = put(USER_NODE, "<User><state>LOGIN</state><extension>" + EXTENSION + "</extension></User>");
        check(state("NOT_READY").contains("<requestId>" + requestId + "</requestId>"), "request id");
        setState("READY");
        state("READY");
        String offered = until("offered",
                e -> e.node.equals(DIALOGS_NODE) && e.update.contains("<event>POST</event>"));
        Matcher id = Pattern.compile("<id>(\\d+)</id>").matcher(offered);
        check(id.find(), "no dialog id");
        String dialog = "/finesse/api/Dialog/" + id.group(1);
        act(dialog, "ANSWER");
        until("answered", leg(dialog, "ACTIVE"));
        act(dialog, "HOLD");
        until("held", leg(dialog, "HELD"));
        act(dialog, "RETRIEVE");
        until("retrieved", leg(dialog, "ACTIVE"));
        // While talking this becomes the pending state, so that no second call comes in between.
        setState("NOT_READY");
        until("pending", e -> e.update.contains("<pendingState>NOT_READY</pendingState>"));
        act(dialog, "DROP");
        Pattern after = Pattern.compile("<state>(NOT_READY|WORK)</state>");
        String left = until("not ready or wrap-up", e -> e.node.equals(USER_NODE) && after.matcher(e.update).find());
        if (left.contains("<state>WORK</state>")) {
            setState("NOT_READY");
            state("NOT_READY");
        }
        setState("LOGOUT");
        state("LOGOUT");
        Thread.sleep(300);
        connection.disconnect();
        say("STEP done");
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
                        .parse(new java.io.ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)))
                        .getDocumentElement().getTextContent();
                say("EVENT {\"node\":" + json(items.getNode()) + ",\"update\":" + json(update) + "}");
                EVENTS.add(new Event(items.getNode(), update));
            } catch (Exception problem) {
                problem.printStackTrace();
                System.exit(1);
            }
        }
    }

    private static Predicate<Event> leg(String dialog, String wanted) {
        Pattern participant = Pattern.compile("<Participant>.*?</Participant>", Pattern.DOTALL);
        return event -> {
            if (!event.node.equals(DIALOGS_NODE) || !event.update.contains("<source>" + dialog + "</source>")) {
                return false;
            }
            return participant.matcher(event.update).results().map(r -> r.group())
                    .filter(leg -> leg.contains("<mediaAddress>" + EXTENSION + "</mediaAddress>"))
                    .anyMatch(leg -> leg.contains("<state>" + wanted + "</state>"));
        };
    }

    private static String until(String what, Predicate<Event> matches) throws Exception {
        for (;;) {
            Event event = EVENTS.poll(30, TimeUnit.SECONDS);
            check(event != null, "no event in time: " + what);
            if (matches.test(event)) {
                say("STEP " + what);
                return event.update;
            }
        }
    }

    private static String state(String wanted) throws Exception {
        return until(wanted, e -> e.node.equals(USER_NODE) && e.update.contains("<state>" + wanted + "</state>"));
    }

    private static void setState(String value) throws Exception {
        put(USER_NODE, "<User><state>" + value + "</state></User>");
    }

    private static void act(String dialog, String action) throws Exception {
        put(dialog, "<Dialog><requestedAction>" + action + "</requestedAction><targetMediaAddress>" + EXTENSION
                + "</targetMediaAddress></Dialog>");
    }

    private static String put(String path, String body) throws Exception {
        String requestId = UUID.randomUUID().toString();
        String credentials = Base64.getEncoder()
                .encodeToString((USER + ":" + env("PASSWORD")).getBytes(StandardCharsets.UTF_8));
        HttpResponse<String> answer = HTTP.send(HttpRequest.newBuilder(URI.create(env("HTTP") + path))
                .version(HttpClient.Version.HTTP_1_1)
                .header("Authorization", "Basic " + credentials)
                .header("Content-Type", "application/xml")
                .header("requestId", requestId)
                .PUT(HttpRequest.BodyPublishers.ofString(body))
                .build(), HttpResponse.BodyHandlers.ofString());
        check(answer.statusCode() == 202 && answer.body().isEmpty(),
                path + ": " + answer.statusCode() + " " + answer.body());
        return requestId;
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

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    private static String env(String name) {
        return System.getenv("FINESSE_" + name);
    }
}
