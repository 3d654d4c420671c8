import java.net.URI;
import org.igniterealtime.smack.inttest.Configuration;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework;
import org.igniterealtime.smack.inttest.XmppConnectionDescriptor;
import org.igniterealtime.smack.inttest.XmppConnectionManager;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnection;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnectionConfiguration;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smack.util.Consumer;
import org.jivesoftware.smack.websocket.XmppWebSocketTransportModuleDescriptor;
import org.jivesoftware.smack.websocket.java11.Java11WebSocketFactory;

/**
 * Runs Smack's own integration tests: {@code Suite PORT WEBSOCKET CONNECTION TESTS}, where CONNECTION is the kind under
 * test ({@code tcp}, {@code modular} or {@code websocket}) and TESTS a list of classes, with commas. Prints one line for
 * each test: PASS, FAIL or IMPOSSIBLE, its name, and why.
 */
public final class Suite {
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        URI webSocket = URI.create(args[1]);
        addressing(port, webSocket);
        Configuration.Builder builder = Configuration.builder()
                .setService("localhost")
                .setSecurityMode("disabled")
                .setReplyTimeout("10000")
                .setAdminAccountUsernameAndPassword("admin", "secret")
                .setDefaultConnection(args[2])
                .setEnabledConnections(args[2])
                .setEnabledTests(args[3]);
        SmackIntegrationTestFramework.TestRunResult result =
                new SmackIntegrationTestFramework(builder.build()).run();
        result.getSuccessfulTests().forEach(test -> say("PASS", test.concreteTest, ""));
        result.getFailedTests().forEach(test -> say("FAIL", test.concreteTest, test.failureReason));
        result.getNotPossibleTests()
                .forEach(test -> say("IMPOSSIBLE", test.concreteTest, test.testNotPossibleException));
        result.getImpossibleTestClasses().forEach((test, why) -> say("IMPOSSIBLE", test.getName(), why));
        System.exit(0);
    }

    /** The framework knows its connections by name; these lead to the server under test. */
    private static void addressing(int port, URI webSocket) throws Exception {
        // Tests of one class of connection take the first of that class, enabled or not.
        for (String leadsElsewhere : new String[] {
            "modular-nocompress", "modular-websocket-okhttp", "modular-websocket-java11",
        }) {
            XmppConnectionManager.removeConnectionDescriptor(leadsElsewhere);
        }
        XmppConnectionManager.addConnectionDescriptor(XmppConnectionDescriptor
                .buildWith(XMPPTCPConnection.class, XMPPTCPConnectionConfiguration.class,
                        XMPPTCPConnectionConfiguration.Builder.class)
                .withNickname("tcp")
                .applyExtraConfiguration(builder -> builder.setHost("127.0.0.1").setPort(port))
                .build());
        modular("modular", builder -> builder.setHost("127.0.0.1").setPort(port));
        modular("websocket", builder -> {
            builder.removeAllModules();
            builder.addModule(XmppWebSocketTransportModuleDescriptor.getBuilder(builder)
                    .explicitlySetWebSocketEndpointAndDiscovery(webSocket, false)
                    .setWebSocketFactory(Java11WebSocketFactory.INSTANCE)
                    .build());
        });
    }

    private static void modular(String name, Consumer<ModularXmppClientToServerConnectionConfiguration.Builder> how)
            throws Exception {
        XmppConnectionManager.addConnectionDescriptor(XmppConnectionDescriptor
                .buildWith(ModularXmppClientToServerConnection.class,
                        ModularXmppClientToServerConnectionConfiguration.class,
                        ModularXmppClientToServerConnectionConfiguration.Builder.class)
                .withNickname(name)
                .applyExtraConfiguration(how)
                .build());
    }

    private static void say(String kind, Object test, Object why) {
        System.out.println(kind + " " + test + " " + String.valueOf(why).replaceAll("\\s+", " "));
    }
}
